//! What a restart of the stand-in's job resets, and what it does to staged records.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may panic as tests may"
)]

use std::time::Duration;

use scimport::mock_entra::MockConfig;
use serde_json::json;

use crate::mock_client::{Mock, failing, operated, report, user};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

async fn cycle_of(mock: &Mock, external_id: &str) -> String {
    mock.events(external_id).await.pop().unwrap()["cycleId"].to_string()
}

#[tokio::test]
async fn a_running_job_finishes_what_is_staged_and_then_clears_its_escrows() {
    let mock = Mock::with(operated()).await;
    mock.provision(&[failing("old")]).await;
    mock.stage(&[user("before"), failing("wrong")]).await;
    mock.restart("").await;
    mock.stage(&[user("after")]).await;
    assert_eq!(mock.count("escrows").await, 1, "the next cycle clears them");
    assert_eq!(mock.health().await.0, "Active");

    mock.advance(HOUR).await;
    assert_eq!(mock.outcome("before").await.1, "success");
    assert_eq!(mock.outcome("wrong").await.1, "failure");
    assert_eq!(mock.outcome("after").await.1, "success");
    assert_eq!(cycle_of(&mock, "before").await, cycle_of(&mock, "wrong").await);
    assert_ne!(cycle_of(&mock, "before").await, cycle_of(&mock, "after").await);
    let stats = mock.ask("stats").await;
    assert_eq!(
        (&stats["escrows"], &stats["purged_records"], &stats["restarts"]),
        (&json!(0), &json!(0), &json!(1))
    );
    mock.advance(28 * DAY).await;
    assert_eq!(mock.count("escrow_retries").await, 0, "nothing is tried again");
}

#[tokio::test]
async fn a_running_job_with_nothing_staged_clears_at_once() {
    let mock = Mock::with(operated()).await;
    mock.provision(&[failing("1")]).await;
    mock.restart("Escrows").await;
    mock.until(|stats| stats["escrows"] == 0 && stats["cycles"] == 2).await;
    mock.provision(&[user("2")]).await;
    assert_eq!(mock.outcome("2").await.1, "success");
}

#[tokio::test]
async fn two_restarts_of_a_running_job_reset_what_both_name() {
    let mock = Mock::with(operated()).await;
    mock.provision(&[failing("1"), report("2", "nobody")]).await;
    mock.stage(&[user("3")]).await;
    mock.restart("Escrows").await;
    mock.stage(&[user("4")]).await;
    mock.restart("ConnectorDataStore").await;
    mock.advance(HOUR).await;
    assert_eq!(cycle_of(&mock, "3").await, cycle_of(&mock, "4").await, "both were staged before");
    let stats = mock.ask("stats").await;
    assert_eq!((&stats["escrows"], &stats["open_managers"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn a_job_that_does_not_run_loses_what_was_staged_before() {
    for stop in ["Paused", "Quarantine", "NotRun"] {
        let mock = Mock::with(operated()).await;
        mock.provision(&[failing("old")]).await;
        mock.tell("job", &json!({ "code": stop })).await;
        mock.stage(&[user("before"), user("too")]).await;
        mock.restart("").await;
        mock.until(|stats| stats["cycles"] == 2).await;
        let stats = mock.ask("stats").await;
        assert_eq!(
            (&stats["purged_records"], &stats["escrows"], &stats["users"], &stats["job"]),
            (&json!(2), &json!(0), &json!(0), &json!("Active")),
            "{stop}"
        );
        mock.provision(&[user("after")]).await;
        mock.advance(30 * DAY).await;
        assert!(mock.user("before").await.is_null(), "{stop}: only new data is processed");
        assert_eq!(mock.user("after").await["accountEnabled"], true, "{stop}");
        assert!(mock.events("before").await.is_empty(), "{stop}: the log says nothing of it");
    }
}

#[tokio::test]
async fn each_word_of_the_scope_resets_its_own() {
    // (scope, purged, escrows left, managers left open, whether 1 is matched anew)
    for (scope, purged, escrows, open, anew) in [
        ("None", 0, 1, 1, false),
        ("Escrows", 1, 0, 1, false),
        ("Watermark", 1, 1, 1, false),
        ("QuarantineState", 1, 1, 1, false),
        ("ConnectorDataStore", 1, 1, 0, true),
        ("ForceDeletes", 1, 1, 1, false),
        ("Full", 1, 0, 0, true),
        ("Watermark, Escrows, QuarantineState", 1, 0, 1, false),
        ("", 1, 0, 1, false),
    ] {
        let mock = Mock::with(operated()).await;
        mock.provision(&[user("1"), failing("2"), report("3", "nobody")]).await;
        // Whoever is matched anew now has two accounts to be matched with.
        mock.tell("seed", &json!([{ "employeeId": "1" }])).await;
        mock.act("/pause", "").await;
        mock.stage(&[user("staged")]).await;
        mock.restart(scope).await;
        mock.cycle().await;
        let stats = mock.ask("stats").await;
        assert_eq!(
            (&stats["purged_records"], &stats["escrows"], &stats["open_managers"]),
            (&json!(purged), &json!(escrows), &json!(open)),
            "{scope}"
        );
        assert_eq!(stats["job"], "Active", "{scope}");
        mock.provision(&[user("1")]).await;
        let expected = if anew { "DuplicateTargetEntries" } else { "EntrySynchronizationSkipped" };
        assert_eq!(mock.outcome("1").await.2, expected, "{scope}");
    }
}

#[tokio::test]
async fn a_full_reset_forgets_who_can_be_a_manager() {
    let mock = Mock::with(operated()).await;
    mock.provision(&[user("boss")]).await;
    mock.restart("Full").await;
    mock.until(|stats| stats["cycles"] == 2).await;
    mock.provision(&[report("1", "boss")]).await;
    assert_eq!(mock.count("open_managers").await, 1, "matching starts anew");
    mock.provision(&[user("boss")]).await;
    assert_eq!(mock.user("1").await["manager"], "boss");
    assert_eq!(mock.count("users").await, 2, "the account is found by its employee id");
}

#[tokio::test]
async fn a_scope_that_is_absent_or_null_is_the_usual_one() {
    let bodies = ["", "{}", r#"{"criteria":{}}"#, r#"{"criteria":{"resetScope":null}}"#];
    for body in bodies {
        let mock = Mock::with(operated()).await;
        mock.provision(&[failing("1"), report("2", "nobody")]).await;
        mock.tell("job", &json!({ "code": "Quarantine" })).await;
        mock.act("/restart", body).await;
        assert_eq!(mock.health().await.0, "Active", "{body}");
        let stats = mock.ask("stats").await;
        assert_eq!((&stats["escrows"], &stats["open_managers"]), (&json!(0), &json!(1)), "{body}");
    }
}

#[tokio::test]
async fn only_what_resets_the_quarantine_lifts_it() {
    for (scope, expected) in [
        ("Escrows", "Quarantine"),
        ("Watermark", "Quarantine"),
        ("ConnectorDataStore", "Quarantine"),
        ("ForceDeletes", "Quarantine"),
        ("QuarantineState", "Active"),
        ("Full", "Active"),
        ("None", "Active"),
    ] {
        let mock = Mock::with(operated()).await;
        mock.tell("job", &json!({ "code": "Quarantine", "reason": "QuarantinedOnDemand" })).await;
        mock.restart(scope).await;
        assert_eq!(mock.health().await.0, expected, "{scope}");
    }
}

#[tokio::test]
async fn a_quarantine_that_is_still_due_comes_back_with_the_next_cycle() {
    let mock = Mock::with(MockConfig { quarantine_factor: 0.000_2, ..operated() }).await;
    mock.provision(&[failing("1")]).await;
    assert_eq!(mock.health().await.0, "Quarantine");
    mock.restart("QuarantineState").await;
    mock.until(|stats| stats["quarantines"] == 2 && stats["job"] == "Quarantine").await;
    mock.restart("QuarantineState, Escrows").await;
    mock.until(|stats| stats["cycles"] == 3).await;
    assert_eq!(mock.health().await.0, "Active");
}
