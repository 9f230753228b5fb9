//! A job that stood still and runs again may have been restarted, which throws away what was staged.

use scimport::mock_entra::MockConfig;
use serde_json::json;

use crate::mock_client::operated;
use crate::support::{HEADER, Stage, counts, quick, worker, workers};

/// A stage whose stand-in may be restarted by the test.
async fn stage() -> Stage {
    let operated = operated();
    let (roles, token_lifetime) = (operated.roles, operated.token_lifetime);
    let mut stage = Stage::with(MockConfig { roles, token_lifetime, ..quick() }).await;
    stage.mock.sign_in().await;
    stage
}

/// What was accepted and purged is sent again once the job is seen to run again.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_restart_has_thrown_away_is_sent_again() {
    let stage = stage().await;
    let quick = [("SCIMPORT__TARGET__ENTRA__JOB_CHECK", "200ms")];
    // staged, and not processed: the cycle comes later
    stage.mock.tell("settings", &json!({"cycle_ms": 600_000})).await;
    stage.write("workers.csv", &workers(60, 1));
    stage.apply("workers.csv", &["--wait", "accepted"]).await.assert_code(0);
    stage
        .mock
        .tell("job", &json!({"code": "Quarantine", "reason": "EncounteredQuarantineException"}))
        .await;
    // a look at the job while it stands still
    let work = ["work", "--until", "settled"];
    let child = stage.command(&work, &quick).spawn().unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    stage.mock.restart("").await;
    stage.mock.tell("settings", &json!({"cycle_ms": 100})).await;
    let ran = crate::support::ended(child, "work").await;
    ran.assert_code(0).assert_says("it may have been restarted");
    stage.assert_directory_is(60, 1).await;
    let run = stage.status("latest").await;
    assert_eq!(counts(&run), [("provisioned".into(), 60)].into());
    stage.assert_limits_are_kept().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_open_is_sent_again_when_a_person_says_so() {
    let stage = stage().await;
    stage.mock.tell("settings", &json!({"cycle_ms": 600_000})).await;
    stage.write("workers.csv", &workers(60, 1));
    stage.apply("workers.csv", &["--wait", "accepted"]).await.assert_code(0);
    stage.mock.tell("job", &json!({"code": "Paused"})).await;
    stage.mock.restart("").await;
    stage.mock.tell("settings", &json!({"cycle_ms": 100})).await;
    let ran = stage.run(&["retry", "--unsettled", "--json"]).await.assert_code(0).json();
    assert_eq!(ran, json!([{"target": "entra", "queued_again": 60}]));
    stage.run(&["work", "--until", "settled"]).await.assert_code(0);
    stage.assert_directory_is(60, 1).await;
    let again = stage.run(&["retry", "--unsettled", "--json"]).await.json();
    assert_eq!(again[0]["queued_again"], 0);
}

/// The accidental-deletion threshold of the job is known from the last look at it.
#[tokio::test(flavor = "multi_thread")]
async fn too_many_leavers_for_the_jobs_threshold_are_foreseen() {
    let stage = stage().await;
    stage.mock.tell("settings", &json!({"delete_threshold": 5})).await;
    stage.write("workers.csv", &workers(60, 1));
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    let leaving = |count: usize| {
        let line = |number| {
            let line = worker(number, 1);
            if number < count { line.replace(",Active,", ",Left,") } else { line }
        };
        let lines = std::iter::once(HEADER.to_owned()).chain((0..60).map(line));
        lines.collect::<Vec<_>>().join("\n") + "\n"
    };
    stage.write("five.csv", &leaving(5));
    let plan = stage.run(&["plan", "five.csv", "--source", "hr"]).await;
    assert!(!plan.assert_code(0).log.contains("TooManyDeletes"), "{}", plan.log);
    stage.write("six.csv", &leaving(6));
    stage
        .run(&["plan", "six.csv", "--source", "hr"])
        .await
        .assert_code(0)
        .assert_says("TooManyDeletes");
    // whoever sends them all the same is told that they are still enabled, and how to let them go
    let ran = stage.apply("six.csv", &["--wait", "outcome"]).await;
    let run = ran.assert_code(5).json();
    assert_eq!(counts(&run)["failed"], 6, "{run}");
    let overview = stage.run(&["status", "--json"]).await.json();
    assert_eq!(overview["targets"][0]["job"]["delete_threshold"], 5);
    let operations = stage.operations(run["run"].as_str().unwrap()).await;
    assert!(operations.iter().all(|each| each["code"] == "StagedDelete"), "{operations:?}");
    let directory = stage.directory().await;
    assert!(directory.values().all(|user| user["accountEnabled"] == true));
    // once they are allowed, the log says so, and they have left
    stage.mock.restart("ForceDeletes").await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    stage.run(&["retry", "latest"]).await.assert_code(0);
    stage.mock.tell("settings", &json!({"delete_threshold": null})).await;
    stage.run(&["work", "--until", "settled"]).await.assert_code(0);
    let left =
        stage.directory().await.values().filter(|user| user["accountEnabled"] == false).count();
    assert_eq!(left, 6);
}
