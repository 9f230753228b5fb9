//! The stand-in's escrows: when failed records are tried again, and what ends that.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may panic as tests may"
)]

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::mock_client::{Mock, failing, operated, user};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Whole hours of a person's events after the first.
async fn hours(mock: &Mock, external_id: &str) -> Vec<i64> {
    let at: Vec<Timestamp> = mock
        .events(external_id)
        .await
        .iter()
        .map(|event| event["activityDateTime"].as_str().unwrap().parse().unwrap())
        .collect();
    at.iter().map(|one| at[0].duration_until(*one).as_hours()).collect()
}

#[tokio::test]
async fn a_failed_record_is_tried_after_6_12_and_24_hours_then_daily_for_28_days() {
    let mock = Mock::with(operated()).await;
    mock.provision(&[failing("1")]).await;
    assert_eq!(mock.shown_job().await["status"]["escrowsPruned"], false);
    mock.advance(40 * DAY).await;
    let mut expected = vec![0, 6, 12];
    expected.extend((1..=28).map(|day| day * 24));
    assert_eq!(hours(&mock, "1").await, expected);

    let events = mock.events("1").await;
    let all = |member: &str| events.iter().map(|event| event[member].to_string()).collect();
    let (ids, cycles): (BTreeSet<String>, BTreeSet<String>) = (all("id"), all("cycleId"));
    assert_eq!((ids.len(), cycles.len()), (31, 31), "an event and a cycle each");
    assert!(events.iter().all(|event| event["provisioningStatusInfo"]["status"] == "failure"));
    let stats = mock.ask("stats").await;
    assert_eq!((&stats["escrows"], &stats["escrow_retries"]), (&json!(0), &json!(30)));
    assert_eq!(mock.shown_job().await["status"]["escrowsPruned"], true, "given up");
}

#[tokio::test]
async fn a_retry_that_succeeds_is_the_last() {
    let mock = Mock::with(operated()).await;
    mock.provision(&[failing("1"), user("2")]).await;
    mock.advance(7 * HOUR).await;
    mock.tell("settings", &json!({ "domains": ["contoso.example", "fabrikam.example"] })).await;
    mock.advance(40 * DAY).await;
    assert_eq!(hours(&mock, "1").await, [0, 6, 12]);
    assert_eq!(mock.outcome("1").await.1, "success");
    assert_eq!(hours(&mock, "2").await, [0], "what did not fail is not tried again");
}

#[tokio::test]
async fn a_corrected_record_takes_the_place_of_the_failed_one() {
    let mock = Mock::with(operated()).await;
    mock.provision(&[failing("1")]).await;
    mock.advance(5 * HOUR).await;
    mock.provision(&[user("1")]).await;
    mock.advance(40 * DAY).await;
    assert_eq!(hours(&mock, "1").await, [0, 5]);

    // A retry and the corrected record fall into one cycle: only the record is processed.
    mock.provision(&[failing("2")]).await;
    mock.advance(5 * HOUR + HOUR / 2).await;
    mock.stage(&[user("2")]).await;
    mock.advance(40 * DAY).await;
    assert_eq!(hours(&mock, "2").await, [0, 6]);
    assert_eq!(mock.outcome("2").await.1, "success");
    assert_eq!(mock.count("escrow_retries").await, 0);
}

#[tokio::test]
async fn a_record_that_fails_anew_begins_anew() {
    let mock = Mock::with(operated()).await;
    mock.provision(&[failing("1")]).await;
    mock.advance(10 * HOUR).await;
    mock.provision(&[failing("1")]).await;
    mock.advance(10 * HOUR).await;
    assert_eq!(hours(&mock, "1").await, [0, 6, 10, 16]);
}

#[tokio::test]
async fn a_paused_job_tries_nothing_and_catches_up_with_one_try() {
    let mock = Mock::with(operated()).await;
    mock.provision(&[failing("1")]).await;
    mock.act("/pause", "").await;
    mock.advance(3 * DAY + HOUR).await;
    assert_eq!(hours(&mock, "1").await, [0]);
    mock.act("/start", "").await;
    mock.until(|stats| stats["escrow_retries"] == 1).await;
    mock.advance(DAY).await;
    assert_eq!(hours(&mock, "1").await, [0, 73, 96], "and then by the ladder");
}

#[tokio::test]
async fn told_to_retry_it_tries_all_at_once_and_keeps_the_ladder() {
    let mock = Mock::with(operated()).await;
    mock.provision(&[failing("1"), failing("2")]).await;
    mock.advance(HOUR).await;
    let ran: Value = mock.tell("cycle", &json!({ "escrows": true })).await;
    assert_eq!(ran, json!({ "ran": true, "events": 4 }));
    mock.advance(12 * HOUR).await;
    assert_eq!(hours(&mock, "2").await, [0, 1, 6, 12]);
}
