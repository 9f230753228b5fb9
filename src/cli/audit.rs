//! `audit`: the trail of what was done, verified and exported.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::bridge::Bridge;
use crate::cli::args::{AuditArgs, AuditCommand, AuditExportArgs, AuditVerifyArgs};
use crate::cli::context::{Context, Failed, failed};
use crate::cli::exit::Exit;
use crate::cli::files::create_private;
use crate::cli::terminal::{remark, say, tell};
use crate::cli::words;
use crate::store::{AuditHead, AuditSummary, AuditVerdict, end_line, line_of, verify_lines};

/// Records read from the store at a time.
const PAGE: usize = 1_000;

/// Does what is asked about the trail.
pub async fn run(context: &Context, args: AuditArgs) -> Result<Exit, Failed> {
    match args.command {
        AuditCommand::Verify(args) => verify(context, &args).await,
        AuditCommand::Export(args) => export(context, &args).await,
    }
}

async fn verify(context: &Context, args: &AuditVerifyArgs) -> Result<Exit, Failed> {
    let verdict = match &args.file {
        Some(path) => {
            let file = File::open(path).map_err(|error| cannot("read", path, &error))?;
            verify_lines(BufReader::new(file), args.head)
                .map_err(|error| cannot("read", path, &error))?
        }
        None => store(context)?.store.verify_audit(args.head).await.map_err(failed)?,
    };
    match verdict {
        AuditVerdict::Sound(summary) => {
            let is_file = args.file.is_some();
            say(if args.json { sound_json(&summary) } else { sound(&summary, is_file) });
            if !is_file {
                remark(
                    "note the head where whoever runs this machine cannot write, and give it the next time with --head",
                );
            } else if args.head.is_none_or(|noted| noted.seq != summary.head.seq) {
                remark(
                    "whoever can write the file can also have cut off its end and written its last line \
                     anew: compare the head with one that was noted elsewhere (--head), or with the store's",
                );
            }
            Ok(Exit::Success)
        }
        AuditVerdict::Broken(fault) => {
            let message = fault.to_string();
            if args.json {
                let document = json!({
                    "sound": false, "fault": fault.word(), "seq": fault.seq(), "message": message,
                });
                say(document.to_string());
            }
            let what = if args.file.is_some() { "export" } else { "audit trail" };
            tell(format!(
                "error: the {what} is not as it was written: {message}\n\
                 hint: keep the file as it is, compare it with a backup or an export, and ask who can write it"
            ));
            Ok(Exit::Error)
        }
    }
}

/// What a person reads of a trail without a fault.
fn sound(summary: &AuditSummary, is_file: bool) -> String {
    if is_file && summary.count == 0 {
        return "the export has no records, and says so: there were none of its time".to_owned();
    }
    let mut count =
        format!("{} record{}", words::thousands(summary.count), words::plural(summary.count));
    let first = summary.head.seq.saturating_sub(summary.count).saturating_add(1);
    if first > 1 {
        count = format!("{count} ({first} to {})", summary.head.seq);
    }
    let span = match (summary.first_at, summary.last_at) {
        (Some(first), Some(last)) => {
            format!(", from {} to {}", words::instant(first), words::instant(last))
        }
        _ => String::new(),
    };
    let what = if is_file { "export" } else { "audit trail" };
    format!("the {what} is sound: {count}{span}\nhead {}", summary.head)
}

fn sound_json(summary: &AuditSummary) -> String {
    json!({
        "sound": true,
        "records": summary.count,
        "first_at": summary.first_at.map(|at| at.to_string()),
        "last_at": summary.last_at.map(|at| at.to_string()),
        "head": summary.head.to_string(),
    })
    .to_string()
}

async fn export(context: &Context, args: &AuditExportArgs) -> Result<Exit, Failed> {
    let bridge = store(context)?;
    // without records there is the last line alone
    let (first, last) = range(&bridge, args).await?.unwrap_or((1, 0));
    let path = args.output.as_deref().unwrap_or(Path::new("-"));
    let to: Box<dyn Write + Send> = match &args.output {
        None => Box::new(std::io::stdout()),
        Some(path) => {
            Box::new(create_private(path).map_err(|error| cannot("write", path, &error))?)
        }
    };
    let mut out = BufWriter::new(to);
    let mut after = first.saturating_sub(1);
    let (mut count, mut head) = (0_u64, None);
    while after < last {
        let records = bridge.store.audit_page(after, PAGE).await.map_err(failed)?;
        let Some(newest) = records.last().map(|record| record.seq) else { break };
        for record in records.iter().take_while(|record| record.seq <= last) {
            let Some(line) = line_of(record) else {
                tell(format!(
                    "error: record {} was edited: what it says is no JSON any more\n\
                     hint: `scimport audit verify` says what else is wrong",
                    record.seq
                ));
                return Ok(Exit::Error);
            };
            writeln!(out, "{line}").map_err(|error| cannot("write", path, &error))?;
            count += 1;
            head = Some(AuditHead { seq: record.seq, hash: record.hash });
        }
        after = newest;
    }
    let end = end_line(count, head);
    writeln!(out, "{end}").map_err(|error| cannot("write", path, &error))?;
    out.flush().map_err(|error| cannot("write", path, &error))?;
    if count == 0 {
        remark("there are no records of that time");
    } else if let Some(path) = &args.output {
        let plural = words::plural(count);
        remark(format!("wrote {} record{plural} to `{}`", words::thousands(count), path.display()));
    }
    Ok(Exit::Success)
}

/// The numbers of the first and the last record of the time asked for. What lies between them is
/// exported too, also where the clock went back meanwhile: a file has no gaps.
async fn range(bridge: &Bridge, args: &AuditExportArgs) -> Result<Option<(u64, u64)>, Failed> {
    let mut range: Option<(u64, u64)> = None;
    let mut after = 0;
    loop {
        let records = bridge.store.audit_page(after, PAGE).await.map_err(failed)?;
        let Some(newest) = records.last().map(|record| record.seq) else { return Ok(range) };
        for record in &records {
            let is_in = args.since.is_none_or(|since| record.at >= since)
                && args.until.is_none_or(|until| record.at < until);
            if is_in {
                range = Some((range.map_or(record.seq, |(first, _)| first), record.seq));
            }
        }
        after = newest;
    }
}

/// The store, opened for looking only. Where there is none, nothing can be said of its trail.
fn store(context: &Context) -> Result<Bridge, Failed> {
    let bridge = context.bridge_read_only()?;
    let path = &bridge.setup.config().store.path;
    if !path.exists() {
        tell(format!(
            "error: there is no store at `{}`, and so no audit trail\n\
             hint: `[store] url` says where it is; the first `scimport apply` makes it",
            path.display()
        ));
        return Err(Failed(Exit::Error));
    }
    Ok(bridge)
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Failed {
    tell(format!("error: cannot {what} `{}`: {error}", path.display()));
    Failed(Exit::Error)
}

/// An instant such as `2026-11-22T05:00:00Z`, or a day, which begins in UTC.
pub fn instant(text: &str) -> Result<Timestamp, String> {
    let day = || {
        let day: Date = text.parse().ok()?;
        Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    text.parse().ok().or_else(day).ok_or_else(|| {
        "expected an instant such as `2026-11-22T05:00:00Z`, or a day such as `2026-11-22`"
            .to_owned()
    })
}
