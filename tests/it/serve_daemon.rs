//! `serve` goes on: beside other commands, over deaths, and when the other side is away.

use std::time::Duration;

use fastrand::Rng;
use scimport::domain::{Clock as _, SystemClock};
use scimport::mock_entra::CLIENT_SECRET;
use scimport::store::{Alerts as _, SqliteStore};
use scimport::telemetry::alerts::{Alert, Facts, Kept, Word};
use serde_json::json;

use crate::serve_support::{QUICK, Serving, answered, drop_file, files, stage};
use crate::support::{Stage, UNGUARDED, count, workers};

/// Invariants 1 and 2 over deaths at any instant: what was dropped is applied, once.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_instant_it_loses_no_file_and_doubles_none() {
    const PEOPLE: usize = 210;
    const FILES: u32 = 8;
    let stage = stage(QUICK, PEOPLE).await;
    stage.mock.tell("settings", &json!({"latency_ms": 60})).await;
    let mut rng = Rng::with_seed(11);
    for version in 2..2 + FILES {
        drop_file(&stage, "workers.csv", &workers(PEOPLE, version));
        for _ in 0..3 {
            let serving = Serving::start(&stage);
            tokio::time::sleep(Duration::from_millis(rng.u64(200..1_600))).await;
            let log = serving.kill().await;
            assert!(!log.contains("another process"), "a dead process is in the way: {log}");
        }
        let mut serving = Serving::start(&stage);
        let done = serving.has(&stage, "done", usize::try_from(version - 1).unwrap()).await;
        let newest = done.last().unwrap();
        answered(newest, "Status: completed").await;
        serving.stop().await;
        stage.assert_directory_is(PEOPLE, version).await;
        stage.assert_limits_are_kept().await;
        let runs = stage.runs().await;
        assert_eq!(runs.len(), usize::try_from(version).unwrap(), "{runs:?}");
        let run = runs.last().unwrap();
        let ended = count(run, "provisioned") + count(run, "skipped");
        assert_eq!((ended, &run["status"]), (PEOPLE as u64, &json!("completed")), "{run}");
    }
    for empty in ["held", "failed"] {
        assert!(files(&stage, empty).is_empty());
    }
}

/// What lies in `work/` has the id of its run in its way: that run is not made twice, even where
/// newer ones have come since.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_process_left_is_answered_or_planned() {
    let stage = stage(QUICK, 20).await;
    for version in 2..4 {
        stage.write("workers.csv", &workers(20, version));
        stage.apply("workers.csv", &["--yes", "--wait", "outcome"]).await.assert_code(0);
    }
    let committed = stage.runs().await[1]["run"].as_str().unwrap().to_owned();
    let planned = "7ZZZZZZZZZZZZZZZZZZZZZZZZZ";
    for (run, version) in [(committed.as_str(), 2), (planned, 4)] {
        let work = stage.path("inbox/work").join(run);
        std::fs::create_dir_all(&work).unwrap();
        std::fs::write(work.join("workers.csv"), workers(20, version)).unwrap();
    }
    let mut serving = Serving::start(&stage);
    let done = serving.has(&stage, "done", 2).await;
    for path in &done {
        let text = answered(path, "Status: completed").await;
        assert!(text.starts_with("workers.csv: done"), "{text}");
    }
    serving.stop().await;
    let runs = stage.runs().await;
    assert_eq!((runs.len(), &runs[3]["run"]), (4, &planned.into()));
    stage.assert_directory_is(20, 4).await;
}

/// `apply` commits and waits; the daemon delivers.
#[tokio::test(flavor = "multi_thread")]
async fn another_command_commits_and_the_daemon_delivers() {
    let stage = stage(QUICK, 20).await;
    let serving = Serving::start(&stage);
    serving.says("delivering to this target", 1).await;
    stage.write("workers.csv", &workers(20, 2));
    let ran = stage.apply("workers.csv", &["--wait", "outcome"]).await;
    let run = ran.assert_code(0).assert_says("another process").json();
    assert_eq!(count(&run, "provisioned"), 20);
    stage.assert_directory_is(20, 2).await;
    // what nobody waits for goes out as well
    stage.write("workers.csv", &workers(20, 3));
    stage.apply("workers.csv", &["--wait", "none"]).await.assert_code(0);
    let began = std::time::Instant::now();
    while stage.status("latest").await["status"] != "completed" {
        assert!(began.elapsed() < Duration::from_mins(2), "{}", serving.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // there is nothing to do beside it
    stage.run(&["work"]).await.assert_code(0);
    serving.stop().await;
    stage.assert_directory_is(20, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_job_and_a_silent_other_side_are_waited_for() {
    let stage = stage(QUICK, 20).await;
    stage.mock.tell("job", &json!({"code": "Paused"})).await;
    let mut serving = Serving::start(&stage);
    drop_file(&stage, "workers.csv", &workers(20, 2));
    serving.says("nothing is sent", 2).await;
    // files are taken meanwhile
    let done = serving.has(&stage, "done", 1).await;
    stage.assert_directory_is(20, 1).await;
    stage.mock.tell("job", &json!({"code": "Active"})).await;
    answered(&done[0], "Status: completed").await;
    stage.assert_directory_is(20, 2).await;
    stage.mock.tell("faults", &json!(["error-503:1"])).await;
    drop_file(&stage, "workers.csv", &workers(20, 3));
    let done = serving.has(&stage, "done", 2).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    stage.mock.tell("faults", &json!([])).await;
    answered(&done[1], "Status: completed").await;
    stage.assert_directory_is(20, 3).await;
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_credential_is_said_once_and_again_when_it_is_mended() {
    const STOPPED: &str = "nothing is sent until this is mended";
    const REFUSED: &str = "Entra refuses the credentials of this target";
    let stage = stage(QUICK, 20).await;
    let config = std::fs::read_to_string(stage.path("scimport.toml")).unwrap();
    let (before, after) = ("{ env = \"SCIMPORT_CLIENT_SECRET\" }", "{ file = \"secret\" }");
    assert!(config.contains(before));
    stage.write("scimport.toml", &config.replace(before, after));
    stage.write("secret", "hunter2");
    let serving = Serving::start(&stage);
    drop_file(&stage, "workers.csv", &workers(20, 2));
    serving.says(STOPPED, 1).await;
    // it is tried again each second
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    let log = serving.log();
    assert_eq!((log.matches(STOPPED).count(), log.matches(REFUSED).count()), (1, 1), "{log}");
    assert!(!log.contains("no token; "), "{log}");
    // another one is news, and so is that it is right
    stage.write("secret", "hunter3");
    serving.says(REFUSED, 2).await;
    stage.write("secret", CLIENT_SECRET);
    serving.says("there are tokens for this target again", 1).await;
    serving.says("everything that waited has been sent", 1).await;
    let log = serving.stop().await;
    assert!(!log.contains("hunter") && !log.contains(CLIENT_SECRET), "{log}");
    assert_eq!(log.matches("there are tokens for this target again").count(), 1, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_everything_back_stands_in_the_place_of_a_forecast() {
    let stage = stage(QUICK, 60).await;
    stage.mock.tell("settings", &json!({ "refuse_tokens": 7_000_222 })).await;
    stage.write("workers.csv", &workers(60, 2));
    let ran = stage.run(&["apply", "workers.csv", "--source", "hr", "--wait", "accepted"]).await;
    ran.assert_code(1);
    assert!(
        ran.out.contains("stopped   since 20") && ran.out.contains("AADSTS7000222"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("\n          → ") && !ran.out.contains("goes out by"), "{}", ran.out);
    // another process knows it from a daemon that tells alerts
    let status = stage.run(&["status"]).await.assert_code(0).out.clone();
    assert!(status.contains("goes out by"), "{status}");
    let store = SqliteStore::open(&stage.path("scimport.db")).unwrap();
    let (now, code) = (SystemClock.now(), Some(Word::new("AADSTS7000222")));
    let (target, advice) = ("entra".to_owned(), "a new secret".to_owned());
    let facts = Facts::AccessRefused { target, status: None, code, advice };
    let alert = Alert { facts, since: now, level: 0, seen_at: now, ended_at: None };
    let kept = |alert| Kept { since: now, looked_until: now, alerts: vec![alert], told: vec![] };
    store.keep_alerts(kept(alert.clone())).await.unwrap();
    let status = stage.run(&["status"]).await.assert_code(0).out.clone();
    assert!(status.contains("(AADSTS7000222); nothing is sent until"), "{status}");
    assert!(status.contains("→ a new secret") && !status.contains("goes out by"), "{status}");
    let overview = stage.run(&["status", "--json"]).await.json();
    let target = &overview["targets"][0];
    assert_eq!((&target["queued"], &target["forecast"]), (&json!(60), &json!(null)), "{target}");
    assert_eq!(target["blocked"]["advice"], "a new secret", "{target}");
    store.keep_alerts(kept(Alert { ended_at: Some(now), ..alert })).await.unwrap();
    let overview = stage.run(&["status", "--json"]).await.json();
    let target = &overview["targets"][0];
    assert_eq!(target["blocked"], json!(null), "{target}");
    assert!(target["forecast"]["done_at"].is_string(), "{target}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_up_quota_is_waited_for() {
    let stage = stage(QUICK, 60).await;
    let quota = [("SCIMPORT__TARGET__ENTRA__DAILY_CALLS", "3")];
    let mut serving = Serving::start_with(&stage, &quota);
    drop_file(&stage, "workers.csv", &workers(60, 2));
    serving.says("are used up", 2).await;
    let done = serving.has(&stage, "done", 1).await;
    serving.stop().await;
    let run = stage.status("latest").await;
    assert_eq!(count(&run, "queued"), 10, "{run}");
    stage.pass(24 * 3600 + 60).await;
    let serving = Serving::start_with(&stage, &quota);
    answered(&done[0], "Status: completed").await;
    serving.stop().await;
    stage.assert_directory_is(60, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_daemons_do_not_take_each_others_files() {
    let stage = stage(QUICK, 20).await;
    let mut first = Serving::start(&stage);
    drop_file(&stage, "workers.csv", &workers(20, 2));
    first.has(&stage, "done", 1).await;
    let mut second = Serving::start(&stage);
    second.says("another process watches this folder", 1).await;
    first.kill().await;
    drop_file(&stage, "workers.csv", &workers(20, 3));
    second.says("this process watches it now", 1).await;
    let done = second.has(&stage, "done", 2).await;
    answered(&done[1], "Status: completed").await;
    second.stop().await;
    stage.assert_directory_is(20, 3).await;
    assert_eq!(stage.runs().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_not_there_is_told_before_it_starts() {
    let stage = Stage::with_rules(&format!("{QUICK}\n{UNGUARDED}")).await;
    let mut command = stage.command(&["serve"], &[]);
    command.env_remove("SCIMPORT_CLIENT_SECRET");
    let ran = crate::support::ended(command.spawn().unwrap(), "serve").await;
    ran.assert_code(2).assert_says("SCIMPORT_CLIENT_SECRET");
}
