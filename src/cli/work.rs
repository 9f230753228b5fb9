//! `work`: everything that is due, then exit.

use std::collections::BTreeSet;

use crate::bridge::Goal;
use crate::cli::args::{Until, WorkArgs};
use crate::cli::context::{Context, Failed, explain, failed};
use crate::cli::exit::Exit;
use crate::cli::terminal::{say, tell};
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
    let mut ticks: Vec<_> = work.iter().map(|_| |_: &crate::store::Run| {}).collect();
    let drives = work
        .iter()
        .zip(&mut ticks)
        .map(|(target, tick)| bridge.drive(target, &goal, None, &context.cancel, tick));
    let mut exit = Exit::Success;
    for driven in crate::cli::work::all(drives).await {
        exit = exit.and(match driven {
            Ok(driven) => explain(&driven.ended),
            Err(error) => failed(error).0,
        });
    }
    if touched.is_empty() {
        tell("nothing is due");
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

/// Waits for all of them, side by side.
async fn all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|cx| {
        let mut is_done = true;
        for (future, output) in &mut waiting {
            if output.is_none() {
                match future.as_mut().poll(cx) {
                    std::task::Poll::Ready(value) => *output = Some(value),
                    std::task::Poll::Pending => is_done = false,
                }
            }
        }
        if is_done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    waiting.into_iter().filter_map(|(_, output)| output).collect()
}
