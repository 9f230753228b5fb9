//! Outcomes that do not come, or come late. Invariant 4: 202 is not done.

use std::time::Duration;

use scimport::mock_entra::{MockConfig, UnchangedEvent};
use serde_json::json;

use crate::support::{HEADER, Stage, count, counts, quick, worker, workers};

const SOON: (&str, &str) = ("SCIMPORT__TARGET__ENTRA__TRACKING__UNCONFIRMED_AFTER", "1s");
const APPLY: [&str; 7] = ["apply", "workers.csv", "--source", "hr", "--json", "--wait", "outcome"];

/// The people are in the directory already, and the log says nothing of who does not change.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_log_is_silent_about_is_unconfirmed_and_sent_again_once_a_day() {
    let stage = Stage::with(MockConfig { unchanged_event: UnchangedEvent::None, ..quick() }).await;
    stage.write("workers.csv", &workers(60, 1));
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    // a new ledger: all of it is sent again, and changes nobody
    for file in ["scimport.db", "scimport.db-wal", "scimport.db-shm"] {
        drop(std::fs::remove_file(stage.path(file)));
    }
    let ran = stage.run_with(&APPLY, &[SOON]).await;
    let run = ran.assert_code(5).assert_says("unconfirmed").json();
    assert_eq!(counts(&run), [("unconfirmed".into(), 60)].into());
    assert_eq!(run["status"], "completed");
    // the same people in other bytes: sent again, but not a second time
    let lines = workers(60, 1).replace('\n', "\r\n");
    stage.write("workers.csv", &lines);
    let ran = stage.run_with(&APPLY, &[SOON]).await;
    assert_eq!(counts(&ran.assert_code(5).json()), [("unconfirmed".into(), 60)].into());
    stage.write("workers.csv", &lines.replace("Active", " Active"));
    let ran = stage.run_with(&APPLY, &[SOON]).await;
    let run = ran.assert_code(0).json();
    assert_eq!(
        (counts(&run), run["bulk_requests"].as_u64()),
        ([("unchanged".into(), 60)].into(), Some(0))
    );
    stage.assert_directory_is(60, 1).await;
}

/// The cycle comes late: the operations are given up, and settled by the event all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_event_settles_what_was_given_up() {
    let stage = Stage::with(MockConfig { cycle: Duration::from_hours(1), ..quick() }).await;
    stage.write("workers.csv", &workers(60, 1));
    let ran = stage.run_with(&APPLY, &[SOON]).await;
    let first = ran.assert_code(5).json();
    assert_eq!(counts(&first), [("unconfirmed".into(), 60)].into());
    // nothing arrived, and nobody says so
    assert!(stage.directory().await.is_empty());

    // one more person; with their cycle everybody's events come
    stage.write("more.csv", &workers(61, 1));
    stage.apply("more.csv", &[]).await.assert_code(0);
    stage.mock.tell("cycle", &json!({})).await;
    stage.run(&["work", "--until", "settled"]).await.assert_code(0);
    let first = stage.status(first["run"].as_str().unwrap()).await;
    // whose second operation changes nothing may hear of that first
    assert_eq!(count(&first, "provisioned") + count(&first, "skipped"), 60, "{first}");
    stage.assert_directory_is(61, 1).await;
}

/// Given up, then processed after all while nobody looked: `work` looks back.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_event_settles_what_was_given_up_though_nothing_else_is_tracked() {
    let stage = Stage::with(MockConfig { cycle: Duration::from_hours(1), ..quick() }).await;
    stage.write("workers.csv", &workers(60, 1));
    stage.run_with(&APPLY, &[SOON]).await.assert_code(5);
    stage.mock.tell("cycle", &json!({})).await;
    stage.pass(1).await;
    let ran = stage.run(&["work"]).await;
    ran.assert_code(0).assert_says("60 unconfirmed operations have an outcome after all");
    let run = stage.status("latest").await;
    assert_eq!(counts(&run), [("provisioned".into(), 60)].into());
    // and then there is nothing to look for
    let reads = stage.mock.ask("stats").await["log_requests"].clone();
    stage.run(&["work"]).await.assert_code(0).assert_says("nothing is due");
    assert_eq!(stage.mock.ask("stats").await["log_requests"], reads);
}

/// A failure that is mended in Entra and tried again there becomes a success here.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_entra_mends_later_is_provisioned() {
    let stage = Stage::new().await;
    let file = workers(60, 1).replace("e0007@contoso.example", "e0007@other.example");
    stage.write("workers.csv", &file);
    let run = stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(5).json();
    assert_eq!((count(&run, "failed"), count(&run, "provisioned")), (1, 59));
    let id = run["run"].as_str().unwrap();
    let operations = stage.operations(id).await;
    let failed = operations.iter().find(|operation| operation["status"] == "failed").unwrap();
    assert_eq!(
        (&failed["externalId"], &failed["code"]),
        (&json!("E0007"), &json!("InvalidDomain"))
    );
    assert!(failed["advice"].as_str().unwrap().contains("domain"), "{failed}");

    let domains = json!({"domains": ["contoso.example", "other.example"]});
    stage.mock.tell("settings", &domains).await;
    stage.mock.tell("cycle", &json!({"escrows": true})).await;
    // somebody else's change has the log read again
    stage.write("more.csv", &format!("{HEADER}\n{}\n", worker(8, 2)));
    stage.apply("more.csv", &["--wait", "outcome"]).await.assert_code(0);
    let run = stage.status(id).await;
    assert_eq!((count(&run, "failed"), count(&run, "provisioned")), (0, 60), "{run}");
}

/// `--wait accepted` ends with what it waited for, and does not call it done.
#[tokio::test(flavor = "multi_thread")]
async fn accepted_is_not_provisioned() {
    let stage = Stage::with(MockConfig { cycle: Duration::from_hours(1), ..quick() }).await;
    stage.write("workers.csv", &workers(60, 1));
    let run = stage.apply("workers.csv", &[]).await.assert_code(0).json();
    assert_eq!(
        (counts(&run), run["status"].as_str()),
        ([("accepted".into(), 60)].into(), Some("tracking"))
    );
    let ran = stage.run(&["work", "--json"]).await;
    assert_eq!(counts(&ran.assert_code(0).json()[0]), [("accepted".into(), 60)].into());
    let ran = stage.apply("workers.csv", &["--wait", "outcome", "--timeout", "1s"]).await;
    assert_eq!(counts(&ran.assert_code(6).json()), [("accepted".into(), 60)].into());
    assert_eq!(stage.mock.ask("stats").await["calls"], 2, "{}", ran.log);
}
