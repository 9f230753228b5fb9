//! Answers to files that came by themselves: a few words, the verdicts, and the rows to correct.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use crate::bridge::{Answer, Answers, Bridge};
use crate::cli::args::ReportFormat;
use crate::cli::files::create_private;
use crate::cli::{report, words};
use crate::domain::{OperationStatus, RunStatus};
use crate::intake::folder::{ANSWER, CORRECT, ROWS};
use crate::store::Run;

/// Writes answers beside the files.
pub struct AnswerFiles;

#[async_trait]
impl Answers for AnswerFiles {
    async fn write(&self, bridge: &Bridge, answer: Answer<'_>) -> std::io::Result<()> {
        let Answer { base, run, is_again, .. } = answer;
        let (has_rows, has_faults) = (has_rows(run) && !is_again, has_faults(run) && !is_again);
        for (end, format, is_wanted) in
            [(ROWS, ReportFormat::Csv, has_rows), (CORRECT, ReportFormat::Xlsx, has_faults)]
        {
            if is_wanted {
                let unfinished = unfinished(base, end);
                let output = Box::new(create_private(&unfinished)?);
                report::write(bridge, run, format, output).await?;
                std::fs::rename(unfinished, with_end(base, end))?;
            }
        }
        let text = sentences(bridge, &answer, has_rows, has_faults);
        let unfinished = unfinished(base, ANSWER);
        let mut output = create_private(&unfinished)?;
        output.write_all(text.as_bytes())?;
        drop(output);
        std::fs::rename(unfinished, with_end(base, ANSWER))
    }
}

fn sentences(bridge: &Bridge, answer: &Answer<'_>, has_rows: bool, has_faults: bool) -> String {
    let Answer { base, file, run, is_again } = answer;
    let name = base.file_name().unwrap_or_default().to_string_lossy();
    let rows = format!("{name}{ROWS}: every row that is not unchanged, with its verdict\n");
    let faults = format!("{name}{CORRECT}: the rows to correct, the faulty cells marked\n");
    [
        format!("{file}: {}\n\n", headline(run, *is_again)),
        format!("Status: {}\nRun: {}\n\n", run.status, run.id),
        format!("{}\n", words::run(run, bridge.clock.now())),
        if has_rows || has_faults { "\n".to_owned() } else { String::new() },
        if has_rows { rows } else { String::new() },
        if has_faults { faults } else { String::new() },
    ]
    .concat()
}

fn has_rows(run: &Run) -> bool {
    use OperationStatus::{OutOfScope, Unchanged};
    run.counts.iter().any(|(status, count)| count > 0 && !matches!(status, Unchanged | OutOfScope))
}

fn has_faults(run: &Run) -> bool {
    run.counts.get(OperationStatus::Rejected) + run.counts.get(OperationStatus::Failed) > 0
}

/// What has become of the file, in a sentence for whoever put it there.
fn headline(run: &Run, is_again: bool) -> String {
    if is_again {
        return format!(
            "the same bytes came before, as run {}; nothing was done with them",
            run.id
        );
    }
    let words = match run.status {
        RunStatus::Failed => {
            "refused; nothing of it was applied. Correct it, then put it here again"
        }
        RunStatus::Held => {
            "held; nothing of it was sent. Somebody has to approve or cancel the run"
        }
        RunStatus::Cancelled => "cancelled by a person; what was not sent is not sent",
        RunStatus::Completed if run.superseded_by.is_some() => {
            "not sent, because a newer file took its place"
        }
        RunStatus::Completed if has_faults(run) => "done, but some rows need to be corrected",
        RunStatus::Completed => "done",
        RunStatus::Planning | RunStatus::Delivering | RunStatus::Tracking => {
            "accepted here, and on its way; this answer is written again when every row has ended"
        }
    };
    words.to_owned()
}

/// Where an answer is while it is written.
fn unfinished(base: &Path, end: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(base.file_name().unwrap_or_default());
    name.push(end);
    name.push(".tmp");
    base.with_file_name(name)
}

fn with_end(base: &Path, end: &str) -> PathBuf {
    let mut path = base.as_os_str().to_owned();
    path.push(end);
    PathBuf::from(path)
}
