//! Processes die while they plan and decide, two meet on one store, clocks jump: nothing is half
//! done, and whoever comes next carries on.

use std::path::Path;
use std::time::Duration;

use fastrand::Rng;
use serde_json::json;

use crate::support::{Stage, UNGUARDED, count, counts, ended, killed_after, workers};

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Invariant 1: a run is planned whole or not at all, and what a dead process wrote aside is gone
/// with it.
#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_plans_a_large_file_there_is_no_run_or_a_whole_one() {
    // a file that takes long to read, and one of which the commit is met as well
    const SIZES: [usize; 8] = [100_000, 100_000, 100_000, 12_000, 12_000, 12_000, 12_000, 12_000];
    let stage = Stage::with_rules(UNGUARDED).await;
    std::fs::create_dir(stage.path("temp")).unwrap();
    let temp = stage.path("temp").into_os_string().into_string().unwrap();
    let env = [("TMPDIR", temp.as_str()), ("SQLITE_TMPDIR", temp.as_str())];
    let apply = words("apply workers.csv --source hr --wait none --json");
    let mut rng = Rng::with_seed(4);
    let mut kills = 0;
    for (version, size) in (1..).zip(SIZES) {
        stage.write("workers.csv", &workers(size, version));
        let child = stage.command(&apply, &env).spawn().unwrap();
        let ran = killed_after(child, Duration::from_millis(rng.u64(..4_000))).await;
        kills += u32::from(ran.code == -1);
        assert_eq!(names(&stage.path("temp")), Vec::<String>::new());
        for run in stage.runs().await {
            let rows = run["rows"].as_u64().unwrap();
            assert!(SIZES.contains(&usize::try_from(rows).unwrap()), "{run}");
            assert_eq!(count(&run, "queued") + count(&run, "superseded"), rows, "{run}");
        }
    }
    assert!(kills > 3, "only {kills} kills hit");
    let before = stage.runs().await.len();
    let run = stage.run_with(&apply, &env).await.assert_code(0).json();
    assert_eq!(counts(&run), [("queued".into(), 12_000)].into());
    assert!(stage.runs().await.len() <= before + 1);
    stage.apply("workers.csv", &["--wait", "none"]).await.assert_says("already applied as");
    let beside = names(&stage.path(""));
    let known = |name: &String| {
        name.starts_with("scimport.") || ["temp", "workers.csv"].contains(&name.as_str())
    };
    assert!(beside.iter().all(known), "{beside:?}");
}

/// A decision is taken or not, never half.
#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_decides_a_run_is_decided_or_not() {
    const PEOPLE: usize = 1_000;
    let stage = Stage::with_rules("").await;
    stage.write("workers.csv", &workers(PEOPLE, 1));
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    let calls = stage.mock.ask("stats").await["calls"].clone();
    let mut rng = Rng::with_seed(7);
    let mut tally = [0; 2];
    for version in 2..10 {
        stage.write("workers.csv", &workers(PEOPLE, version));
        let run = stage.apply("workers.csv", &["--wait", "none"]).await.assert_code(4).json();
        let id = run["run"].as_str().unwrap();
        for (word, before, after) in
            [("approve", "held", "queued"), ("cancel", "queued", "cancelled")]
        {
            for life in [rng.u64(..60), rng.u64(20..150), 600_000] {
                let child = stage.start(&[word, id]);
                let ran = killed_after(child, Duration::from_millis(life)).await;
                let run = stage.status(id).await;
                let decisions = run["decisions"].as_array().unwrap();
                let is_decided = decisions.iter().any(|one| {
                    one["decision"].as_str().unwrap().starts_with(word.trim_end_matches('e'))
                });
                let status = if is_decided { after } else { before };
                assert_eq!(counts(&run), [(status.into(), PEOPLE as u64)].into(), "{run}");
                tally[usize::from(is_decided)] += u32::from(ran.code == -1);
                if is_decided {
                    break;
                }
            }
        }
    }
    println!("killed before the decision and after it: {tally:?}");
    assert!(tally[0] > 0, "none was killed before it had decided: {tally:?}");
    // nobody was sent, and nothing is left that would be
    stage.run(&words("work --until settled")).await.assert_code(0);
    assert_eq!(stage.mock.ask("stats").await["calls"], calls);
    stage.assert_directory_is(PEOPLE, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_retries_operations_wait_once_more_or_not_at_all() {
    const PEOPLE: usize = 500;
    let stage = Stage::with_rules(UNGUARDED).await;
    // every sign-in name has a domain that is not verified
    let text = workers(PEOPLE, 1).replace("@contoso.example", "@elsewhere.example");
    stage.mock.tell("settings", &json!({"domains": ["contoso.example"]})).await;
    stage.write("workers.csv", &text);
    let run = stage.apply("workers.csv", &["--wait", "outcome"]).await.json();
    let id = run["run"].as_str().unwrap();
    let failed = count(&run, "failed");
    assert!(failed > 0, "{run}");
    let mut rng = Rng::with_seed(9);
    for _ in 0..8 {
        let child = stage.start(&["retry", id]);
        killed_after(child, Duration::from_millis(rng.u64(..80))).await;
        let run = stage.status(id).await;
        let waiting = count(&run, "queued");
        assert!(waiting == 0 || waiting == failed, "{run}");
    }
    stage.run(&["retry", id]).await.assert_code(0);
    let run = stage.status(id).await;
    assert_eq!(count(&run, "queued"), failed, "{run}");
}

/// One delivers, the other waits and says so; when the first dies, the second goes on.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_one_delivers_and_the_other_takes_over_when_it_dies() {
    let stage = Stage::with_rules(UNGUARDED).await;
    stage.mock.tell("settings", &json!({"latency_ms": 900})).await;
    stage.write("workers.csv", &workers(300, 1));
    stage.apply("workers.csv", &["--wait", "none"]).await.assert_code(0);
    let first = stage.start(&words("work --until settled"));
    stage.mock.until(|stats| stats["calls"].as_u64() > Some(0)).await;
    let second = stage.start(&words("work --until settled"));
    // others plan and decide meanwhile
    stage.write("workers.csv", &workers(300, 2));
    let run = stage.apply("workers.csv", &["--wait", "none"]).await.assert_code(0).json();
    assert_eq!(counts(&run)["queued"], 300);
    let (first, second) =
        tokio::join!(killed_after(first, Duration::from_millis(300)), ended(second, "the second"));
    assert_eq!(first.code, -1);
    second.assert_code(0).assert_says("another process");
    stage.run(&words("work --until settled")).await.assert_code(0);
    stage.assert_directory_is(300, 2).await;
    stage.assert_limits_are_kept().await;
}

/// The clock of the machine is put back and forward by an hour between two commands, while Entra's
/// goes on as it should.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_an_hour_loses_nothing_and_stops_nothing() {
    let clocks = ["0s", "1h", "0s", "-1h", "1h", "-1h", "0s"];
    let stage = Stage::with_rules(UNGUARDED).await;
    let began = std::time::Instant::now();
    let mut version = 0;
    for (at, clock) in clocks.iter().enumerate() {
        let env = [("SCIMPORT_REHEARSAL_CLOCK", *clock)];
        version += 1;
        stage.write("workers.csv", &workers(120, version));
        // faults and a death leave waiting times and calls without an answer behind
        let faults = if at % 2 == 0 { json!(["error-503:2", "throttle:3"]) } else { json!([]) };
        stage.mock.tell("faults", &faults).await;
        stage.mock.tell("settings", &json!({"latency_ms": 200})).await;
        let apply = words("apply workers.csv --source hr --wait outcome");
        let child = stage.command(&apply, &env).spawn().unwrap();
        killed_after(child, Duration::from_millis(1_500)).await;
        // the next command has another clock
        stage.mock.tell("faults", &json!([])).await;
        stage.mock.tell("settings", &json!({"latency_ms": 0})).await;
        let next = [("SCIMPORT_REHEARSAL_CLOCK", clocks[(at + 1) % clocks.len()])];
        for line in [
            "apply workers.csv --source hr --wait none --json",
            "work --until settled",
            "work --until settled",
        ] {
            let ran = stage.run_with(&words(line), &next).await;
            assert!(matches!(ran.code, 0 | 5), "{line} at {clock}: {} {}", ran.code, ran.log);
        }
        stage.assert_directory_is(120, version).await;
        stage.assert_limits_are_kept().await;
    }
    assert!(began.elapsed() < Duration::from_mins(4), "it waited for the clock");
    for run in stage.runs().await {
        let counts = counts(&run);
        let ended = ["provisioned", "skipped", "superseded"];
        assert!(counts.keys().all(|status| ended.contains(&status.as_str())), "{run}");
    }
    // nothing is sent once more
    let calls = stage.mock.ask("stats").await["calls"].clone();
    stage.run(&words("work --until settled")).await.assert_code(0);
    assert_eq!(stage.mock.ask("stats").await["calls"], calls);
}
