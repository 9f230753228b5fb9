//! `plan`: what applying a file would do. Changes nothing.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::path::Path;

use crate::cli::args::PlanArgs;
use crate::cli::context::{Context, Failed, failed};
use crate::cli::exit::Exit;
use crate::cli::files::create_new_private;
use crate::cli::terminal::{reading_bar, remark, say, tell};
use crate::cli::{findings, json, words};
use crate::domain::{OperationStatus, RunStatus};
use crate::entra::MAX_OPERATIONS;
use crate::intake::{Asked, ChangeSeen, PlanOptions, Planned, PlannedRun};

/// Plans a file.
pub async fn run(context: &Context, args: PlanArgs) -> Result<Exit, Failed> {
    let bridge = context.bridge_read_only()?;
    let shows_values = args.show_values || std::io::stdout().is_terminal();
    let mut on_change = |change: ChangeSeen| show_change(&change, shows_values);
    let bar = reading_bar();
    let on_progress = |read, size| {
        bar.set_length(size);
        bar.set_position(read);
    };
    let options = PlanOptions {
        is_dry: true,
        asked: Asked::Typed,
        id: None,
        pilot: None,
        on_change: if args.diff { Some(&mut on_change) } else { None },
        // the changes are printed while the file is read: a bar would stand between them
        on_progress: (!args.diff).then_some(&on_progress as _),
    };
    let planned = bridge.plan(&args.source, &args.file, options).await;
    bar.finish_and_clear();
    match planned.map_err(failed)? {
        Planned::AlreadyApplied(run) => {
            remark(format!("already applied as {}", run.id));
            if args.json {
                say(json::added_to(json::already_planned(&run), json::findings(&[], &[]))
                    .to_string());
            } else {
                say(words::run(&run, bridge.clock.now()));
            }
            Ok(if run.status == RunStatus::Held { Exit::Held } else { Exit::Success })
        }
        Planned::New(planned) => {
            findings::tell_of(&planned.findings);
            if args.json {
                let max = u64::try_from(MAX_OPERATIONS).unwrap_or(1);
                let document = json::plan(&planned, max);
                say(json::added_to(document, json::findings(&planned.findings, &planned.remarks))
                    .to_string());
            } else {
                say(describe(&planned));
                say("nothing was stored or sent");
            }
            if let Some(out) = &args.out {
                let sealed = bridge.seal(&args.source, &args.file, &planned).await;
                write_plan(out, &sealed.map_err(failed)?.text())?;
            }
            tell_held(&planned);
            let rejected = planned.counts.get(OperationStatus::Rejected);
            let exit = if rejected > 0 { Exit::Rejected } else { Exit::Success };
            Ok(if planned.run.held_by.is_empty() { exit } else { exit.and(Exit::Held) })
        }
    }
}

/// Says on standard error why a run is or would be held, and why absences are not acted on.
pub fn tell_held(planned: &PlannedRun) {
    if let Some(held) = words::held(&planned.run.held_by) {
        tell(held);
    }
    if let Some(note) = &planned.run.note {
        tell(format!("note: {note}"));
    }
}

fn write_plan(path: &Path, text: &str) -> Result<(), Failed> {
    let written = create_new_private(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        tell(format!("error: the plan `{}` cannot be written\n  because {error}", path.display()));
        Failed(Exit::Error)
    })?;
    remark(format!("sealed: `scimport apply --plan {}` applies exactly this", path.display()));
    Ok(())
}

/// Kinds of remarks shown with a plan.
const REMARKS_SHOWN: usize = 10;

/// A plan's counts in a few lines, and why rows would be rejected or sent with a warning.
pub fn describe(planned: &PlannedRun) -> String {
    let remarks = words::troubles(&planned.remarks, REMARKS_SHOWN);
    let remarks = remarks.map_or_else(String::new, |remarks| format!("\n\n{remarks}\n"));
    format!("{}{remarks}", counts(planned))
}

fn counts(planned: &PlannedRun) -> String {
    let run = &planned.run;
    let queued = planned.to_send();
    let requests = queued.div_ceil(u64::try_from(MAX_OPERATIONS).unwrap_or(1));
    let mut text = format!(
        "plan      {} from source `{}` to target `{}`\n\
         rows      {}: {}\n\
         changes   {}\n\
         requests  {}",
        run.file.as_deref().unwrap_or("(no file)"),
        run.source,
        run.target,
        words::thousands(run.rows),
        words::counts(&planned.counts).replace("queued", "to send"),
        words::changes(&run.changes),
        words::thousands(requests),
    );
    if planned.by_mapping > 0 {
        let _ = write!(
            text,
            "\nmapping   changed: it alone changes {} of these people, whose rows are the same as before",
            words::thousands(planned.by_mapping)
        );
    }
    if let Some(missing) = missing(planned) {
        let _ = write!(text, "\n{missing}");
    }
    text
}

/// Ids of missing people shown with a plan.
const MISSING_SHOWN: usize = 10;

/// Who is not in a file that names everybody.
pub fn missing(planned: &PlannedRun) -> Option<String> {
    let all = planned.run.changes.missing;
    if all == 0 {
        return None;
    }
    let ids: Vec<&str> =
        planned.missing.iter().take(MISSING_SHOWN).map(|(id, _)| id.as_str()).collect();
    let more = all.saturating_sub(u64::try_from(ids.len()).unwrap_or(0));
    let more =
        if more == 0 { String::new() } else { format!(" and {} more", words::thousands(more)) };
    let leaving = planned.without_row;
    Some(format!(
        "missing   {}{more}: {} of them {} deactivated by this file",
        ids.join(", "),
        words::thousands(leaving),
        if leaving == 1 { "is" } else { "are" }
    ))
}

fn show_change(seen: &ChangeSeen, shows_values: bool) {
    say(format!("{} {}", seen.external_id, seen.change));
    for change in &seen.attributes {
        let value = |value: &Option<String>| match value {
            None => "(none)".to_owned(),
            Some(value) if shows_values => format!("{value:?}"),
            Some(_) => "(hidden)".to_owned(),
        };
        say(format!("  {}: {} → {}", change.path, value(&change.old), value(&change.new)));
    }
}
