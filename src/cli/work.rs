//! `work`: everything that is due, then exit.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use crate::bridge::Goal;
use crate::cli::args::{Until, WorkArgs};
use crate::cli::context::{Context, Failed, explain, failed};
use crate::cli::exit::Exit;
use crate::cli::terminal::{remark, say};
use crate::cli::{json, words};
use crate::domain::RunId;

/// Delivers and tracks every target.
pub async fn run(context: &Context, args: WorkArgs) -> Result<Exit, Failed> {
    let bridge = context.bridge()?;
    let goal = match args.until {
        Until::Idle => Goal::Idle,
        Until::Settled => Goal::Settled,
    };
    let mut touched: BTreeSet<RunId> = BTreeSet::new();
    let mut work = Vec::new();
    for target in bridge.targets() {
        let unfinished = bridge.store.unfinished_runs(&target).await.map_err(failed)?;
        if unfinished.is_empty() {
            continue;
        }
        touched.extend(unfinished);
        work.push(target);
    }
    // targets do not wait for each other
    let all = work.iter().map(|target| {
        let (bridge, goal) = (&bridge, &goal);
        async move { bridge.drive(target, goal, None, &context.cancel, &mut |_| {}).await }
    });
    let mut exit = Exit::Success;
    for outcome in join_all(all).await {
        exit = exit.and(match outcome {
            Ok(ended) => explain(&ended),
            Err(error) => failed(error).0,
        });
    }
    if touched.is_empty() {
        remark("nothing is due");
    }
    let mut documents = Vec::new();
    for id in touched.iter().rev() {
        let Some(run) = bridge.store.run(id).await.map_err(failed)? else { continue };
        exit = exit.and(Exit::of_run(&run));
        if args.json {
            documents.push(json::run(&run));
        } else {
            say(format!("{}  {}: {}", run.id, run.status, words::counts(&run.counts)));
        }
    }
    if args.json {
        say(serde_json::Value::Array(documents).to_string());
    }
    Ok(exit)
}
