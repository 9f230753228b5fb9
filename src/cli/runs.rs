//! `runs`: all runs, newest first.

use crate::cli::args::RunsArgs;
use crate::cli::context::{Context, Failed, failed};
use crate::cli::exit::Exit;
use crate::cli::terminal::{remark, say};
use crate::cli::{json, words};

/// Lists the runs.
pub async fn run(context: &Context, args: RunsArgs) -> Result<Exit, Failed> {
    let bridge = context.bridge_read_only()?;
    let runs = bridge.store.runs(args.limit).await.map_err(failed)?;
    if args.json {
        say(serde_json::Value::Array(runs.iter().map(json::run).collect()).to_string());
        return Ok(Exit::Success);
    }
    if runs.is_empty() {
        remark("there are no runs yet; `scimport apply FILE --source S` makes one");
    }
    for run in &runs {
        say(format!(
            "{}  {}  {:<10}  {:<10}  {}  {}",
            run.id,
            words::instant(run.started_at),
            run.source,
            run.status,
            run.file.as_deref().unwrap_or("-"),
            match &run.problem {
                Some(problem) => format!("refused: {}", problem.message),
                None => words::counts(&run.counts),
            }
        ));
    }
    Ok(Exit::Success)
}
