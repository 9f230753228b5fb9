//! `approve`, `cancel`, `retry`: decisions about runs, kept with who and when.

use crate::bridge::Bridge;
use crate::cli::args::{DecideArgs, RetryArgs, RetryStatus};
use crate::cli::context::{Context, Failed, failed};
use crate::cli::exit::Exit;
use crate::cli::terminal::{remark, say};
use crate::cli::{json, status, words};
use crate::domain::{OperationStatus, RunId};

/// Lets a held run go.
pub async fn approve(context: &Context, args: &DecideArgs) -> Result<Exit, Failed> {
    let bridge = context.committing().await?;
    let run = status::find(&bridge, &args.run).await?;
    let count = bridge.approve(&run.id, &bridge.who).await.map_err(failed)?;
    remark(format!(
        "approved: {} operation{} go out with the next `scimport work`",
        words::thousands(count),
        words::plural(count)
    ));
    show(&bridge, &run.id, args.json).await
}

/// Stops a run.
pub async fn cancel(context: &Context, args: &DecideArgs) -> Result<Exit, Failed> {
    let bridge = context.committing().await?;
    let run = status::find(&bridge, &args.run).await?;
    let count = bridge.cancel(&run.id, &bridge.who).await.map_err(failed)?;
    remark(format!(
        "cancelled: {} operation{} will not be sent; what was accepted before is not taken back",
        words::thousands(count),
        words::plural(count)
    ));
    show(&bridge, &run.id, args.json).await
}

/// Sends operations again.
pub async fn retry(context: &Context, args: &RetryArgs) -> Result<Exit, Failed> {
    let bridge = context.committing().await?;
    let Some(word) = &args.run else {
        return unsettled(&bridge, args.json).await;
    };
    let run = status::find(&bridge, word).await?;
    let statuses: Vec<OperationStatus> = match args.status.as_slice() {
        [] => vec![OperationStatus::Failed, OperationStatus::Unconfirmed],
        chosen => chosen.iter().copied().map(status_of).collect(),
    };
    let count = bridge.retry(&run.id, &statuses, &bridge.who).await.map_err(failed)?;
    remark(match count {
        0 => "nothing of this run is to be sent again: what failed was sent anew since".to_owned(),
        count => format!(
            "{} operation{} go out again with the next `scimport work`",
            words::thousands(count),
            words::plural(count)
        ),
    });
    show(&bridge, &run.id, args.json).await
}

/// Everything that was sent and has no outcome yet.
async fn unsettled(bridge: &Bridge, as_json: bool) -> Result<Exit, Failed> {
    let mut documents = Vec::new();
    for target in bridge.targets() {
        let count = bridge.retry_unsettled(&target).await.map_err(failed)?;
        if as_json {
            documents.push(serde_json::json!({"target": target.as_str(), "queued_again": count}));
        } else {
            say(format!(
                "target `{target}`: {} operation{} queued again",
                words::thousands(count),
                words::plural(count)
            ));
        }
    }
    if as_json {
        say(serde_json::Value::Array(documents).to_string());
    }
    Ok(Exit::Success)
}

const fn status_of(status: RetryStatus) -> OperationStatus {
    match status {
        RetryStatus::Failed => OperationStatus::Failed,
        RetryStatus::Unconfirmed => OperationStatus::Unconfirmed,
    }
}

/// The run as it stands now. What was decided is stored, so the command has succeeded.
async fn show(bridge: &Bridge, id: &RunId, as_json: bool) -> Result<Exit, Failed> {
    if let Some(run) = bridge.store.run(id).await.map_err(failed)? {
        if as_json {
            say(json::run(&run).to_string());
        } else {
            say(words::run(&run, bridge.clock.now()));
        }
    }
    Ok(Exit::Success)
}
