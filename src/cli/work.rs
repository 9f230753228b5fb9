//! `work`: everything that is due, then exit.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use crate::bridge::{Bridge, Ended, Goal};
use crate::cli::args::{Until, WorkArgs};
use crate::cli::context::{Context, Failed, explain, failed};
use crate::cli::exit::Exit;
use crate::cli::terminal::{remark, say, tell};
use crate::cli::wiping::{clean, warn_unless_clean};
use crate::cli::{json, words};
use crate::domain::{RunId, RunStatus, TargetName};
use crate::store::Wiped;

/// Outcomes may make more due (a manager has arrived, and the reports are sent again): so often it is
/// looked for more.
const ROUNDS: usize = 4;

/// Delivers and tracks every target.
pub async fn run(context: &Context, args: WorkArgs) -> Result<Exit, Failed> {
    let bridge = context.committing().await?;
    let goal = match args.until {
        Until::Idle => Goal::Idle,
        Until::Settled => Goal::Settled,
    };
    let mut touched: BTreeSet<RunId> = BTreeSet::new();
    let mut exit = Exit::Success;
    for round in 0..ROUNDS {
        let mut work = Vec::new();
        for target in bridge.targets() {
            let before = touched.len();
            exit = exit.and(due(&bridge, &target, &mut touched).await?);
            if round == 0 {
                touched.extend(unfinished(&bridge, &target, touched.len() > before).await?);
            }
            if touched.len() > before {
                work.push(target);
            }
        }
        if work.is_empty() {
            break;
        }
        // targets do not wait for each other
        let all = work.iter().map(|target| {
            let (bridge, goal) = (&bridge, &goal);
            async move { bridge.drive(target, goal, None, &context.cancel, &mut |_| {}).await }
        });
        let mut is_stopped = false;
        for outcome in join_all(all).await {
            is_stopped |= !matches!(outcome, Ok(Ended::Reached));
            exit = exit.and(match outcome {
                Ok(ended) => explain(&ended),
                Err(error) => failed(error).0,
            });
        }
        if is_stopped {
            break;
        }
    }
    let let_go = bridge.let_go(&context.who(), &context.cancel).await.map_err(failed)?;
    if let_go.operations > 0 {
        let count = words::thousands(let_go.operations);
        remark(format!("{count} old operations were let go; their runs go on counting them"));
    }
    if let_go.people > 0 {
        let count = words::thousands(let_go.people);
        remark(format!("of {count} people who left, no more is kept than who they were"));
    }
    let wiped = bridge.wipe(&context.cancel).await;
    if matches!(wiped, Ok(Wiped::Clean)) {
        remark(clean("what was removed before"));
    }
    warn_unless_clean(&wiped, "what was to be removed is removed", "it");
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

/// The runs of a target that have not ended. Where there are none, and nothing else is to do for it
/// either, late events are looked for.
async fn unfinished(
    bridge: &Bridge,
    target: &TargetName,
    has_work: bool,
) -> Result<Vec<RunId>, Failed> {
    let unfinished = bridge.store.unfinished_runs(target).await.map_err(failed)?;
    if has_work || !unfinished.is_empty() {
        return Ok(unfinished);
    }
    let settled = bridge.look_back(target).await.map_err(failed)?;
    if settled > 0 {
        let count = words::thousands(settled);
        remark(format!("{count} unconfirmed operations have an outcome after all"));
    }
    Ok(Vec::new())
}

/// Plans and commits what is due of a target. A run that a guard holds is told, and waits.
async fn due(
    bridge: &Bridge,
    target: &TargetName,
    touched: &mut BTreeSet<RunId>,
) -> Result<Exit, Failed> {
    let mut exit = Exit::Success;
    for id in bridge.apply_due(target).await.map_err(failed)? {
        if let Some(run) = bridge.store.run(&id).await.map_err(failed)?
            && run.status == RunStatus::Held
        {
            tell(format!("run {id} is held: what is due of source `{}` waits", run.source));
            tell(words::held(&run.held_by).unwrap_or_default());
            exit = exit.and(Exit::Held);
        }
        touched.insert(id);
    }
    Ok(exit)
}
