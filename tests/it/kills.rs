//! The program is killed, at any instant, again and again, and carries on.
//!
//! Invariant 1: nothing lost. After a crash at any instant a restart carries on, and every row of a
//! committed run ends in exactly one status. Invariant 2: nothing doubled. Invariant 5: the limits
//! are kept over the dead and the living.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};
use tokio::process::Child;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::support::{Ran, Stage, count, ended, workers};

/// Stores, each with a stand-in of its own.
const STORES: u64 = 18;
/// Stores at a time.
const AT_ONCE: usize = 3;
/// Files applied to each store, each of them killed at least once.
const FILES: u32 = 3;
/// Seven requests.
const PEOPLE: usize = 310;

/// Kills a process after a random time, unless it has ended by then.
async fn kill(mut child: Child, delay: Duration) -> bool {
    tokio::time::sleep(delay).await;
    let was_running = child.try_wait().unwrap().is_none();
    // SIGKILL: no handler runs
    child.kill().await.unwrap();
    was_running
}

/// The run of the newest file, if it was committed.
async fn run_of(stage: &Stage, version: u32) -> Option<Value> {
    let runs = stage.runs().await;
    assert!(runs.len() <= version as usize, "a second run for the same bytes: {runs:?}");
    (runs.len() == version as usize).then(|| runs.last().cloned()).flatten()
}

fn assert_undisturbed(ran: &Ran) {
    assert!(!ran.log.contains("another process"), "a dead process is in the way: {}", ran.log);
}

struct Tally {
    kills: u32,
    committed: u32,
}

async fn story(seed: u64) -> Tally {
    let mut rng = Rng::with_seed(seed);
    let stage = Stage::new().await;
    stage.mock.tell("settings", &json!({"latency_ms": 60})).await;
    let mut tally = Tally { kills: 0, committed: 0 };
    for version in 1..=FILES {
        stage.write("workers.csv", &workers(PEOPLE, version));
        let apply = ["apply", "workers.csv", "--source", "hr", "--wait", "outcome"];
        let delay = Duration::from_millis(rng.u64(0..600));
        tally.kills += u32::from(kill(stage.start(&apply), delay).await);

        if version > 1 && run_of(&stage, version).await.is_some() {
            // what is committed is carried on by `work` alone
            tally.committed += 1;
        } else {
            let again = ["apply", "workers.csv", "--source", "hr", "--wait", "none", "--json"];
            let ran = stage.run(&again).await;
            ran.assert_code(0);
            assert_undisturbed(&ran);
        }
        for _ in 0..rng.u32(0..3) {
            let delay = Duration::from_millis(rng.u64(50..600));
            let work = stage.start(&["work", "--until", "settled"]);
            tally.kills += u32::from(kill(work, delay).await);
        }
        let ran = stage.run(&["work", "--until", "settled"]).await;
        ran.assert_code(0);
        assert_undisturbed(&ran);

        let run = run_of(&stage, version).await.unwrap();
        assert_eq!(run["status"], "completed", "{run}");
        let ended = count(&run, "provisioned") + count(&run, "skipped");
        assert_eq!(ended, PEOPLE as u64, "{run}");
        stage.assert_directory_is(PEOPLE, version).await;
        let stats = stage.assert_limits_are_kept().await;
        // noted before it is posted: a kill in between costs a call, and never hides one
        let (noted, posted) = (stage.calls_noted().await, stats["calls"].as_u64().unwrap());
        assert!(noted >= posted, "{noted} calls noted, {posted} posted");
        let ran = stage.run(&["apply", "workers.csv", "--source", "hr"]).await;
        ran.assert_code(0).assert_says("already applied as");
    }
    tally
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_instant_it_carries_on_and_nothing_is_lost_or_doubled() {
    let mut stories = JoinSet::new();
    let room = Arc::new(Semaphore::new(AT_ONCE));
    for seed in 0..STORES {
        let room = Arc::clone(&room);
        stories.spawn(async move {
            let _place = room.acquire_owned().await.unwrap();
            story(seed).await
        });
    }
    let mut all = Tally { kills: 0, committed: 0 };
    while let Some(tally) = stories.join_next().await {
        let tally = tally.unwrap();
        all.kills += tally.kills;
        all.committed += tally.committed;
    }
    println!("{} kills, {} after the run was committed", all.kills, all.committed);
    assert!(all.kills >= 50, "only {} kills hit", all.kills);
    assert!(all.committed > 0, "none was killed after its run was committed");
}

/// A process killed while it holds the lease, with requests under way and the answers outstanding:
/// the next one goes on at once, and the dead one's calls do not use up the burst window.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_command_leaves_no_lock_behind() {
    let stage = Stage::new().await;
    stage.mock.tell("settings", &json!({"latency_ms": 1_500})).await;
    stage.write("workers.csv", &workers(PEOPLE, 1));
    stage.apply("workers.csv", &["--wait", "none"]).await.assert_code(0);
    for _ in 0..4 {
        let calls = stage.mock.ask("stats").await["calls"].as_u64().unwrap();
        let work = stage.start(&["work", "--until", "settled"]);
        stage.mock.until(|stats| stats["calls"].as_u64() > Some(calls + 2)).await;
        assert!(kill(work, Duration::ZERO).await);
    }
    stage.mock.tell("settings", &json!({"latency_ms": 0})).await;
    let last = stage.start(&["work", "--until", "settled"]);
    let ran = tokio::time::timeout(Duration::from_mins(2), ended(last, "work")).await;
    let ran = ran.expect("it carries on at once");
    ran.assert_code(0).assert_says("sent again");
    assert_undisturbed(&ran);
    stage.assert_directory_is(PEOPLE, 1).await;
    stage.assert_limits_are_kept().await;
}
