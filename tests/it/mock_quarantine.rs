//! The stand-in's quarantine: what leads into it, what happens meanwhile, what leads out.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may panic as tests may"
)]

use std::time::Duration;

use jiff::Timestamp;
use scimport::mock_entra::MockConfig;
use serde_json::{Value, json};

use crate::mock_client::{Mock, bulk, failing, json_of, operated, report, user};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const PROPORTION: &str = "EncounteredEscrowProportionThreshold";
const EXCEPTION: &str = "EncounteredQuarantineException";

/// A thousandth of the service's numbers: looked at from 5 failures, more than 40 and 60 are too
/// many.
fn small() -> MockConfig {
    MockConfig { quarantine_factor: 0.001, ..operated() }
}

fn of(count: usize, prefix: &str, make: fn(&str) -> Value) -> Vec<Value> {
    (0..count).map(|number| make(&format!("{prefix}{number}"))).collect()
}

fn quarantined(reason: &str) -> (String, String) {
    ("Quarantine".to_owned(), reason.to_owned())
}

fn active() -> (String, String) {
    ("Active".to_owned(), String::new())
}

/// Uploads in requests of fifty, and runs one cycle.
async fn provision(mock: &Mock, users: &[Value]) {
    for chunk in users.chunks(50) {
        mock.stage(chunk).await;
    }
    mock.cycle().await;
}

/// Five people of six fail.
async fn in_quarantine() -> Mock {
    let mock = Mock::with(small()).await;
    let users = of(5, "f", failing).into_iter().chain([user("good")]).collect::<Vec<_>>();
    provision(&mock, &users).await;
    assert_eq!(mock.health().await, quarantined(PROPORTION));
    mock
}

async fn instant(mock: &Mock, member: &str) -> Timestamp {
    mock.shown_job().await["status"]["quarantine"][member].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn the_share_of_failures_counts_from_5_000_on() {
    let mock = Mock::with(small()).await;
    provision(&mock, &of(4, "f", failing)).await;
    assert_eq!(mock.health().await, active(), "all of four failed, but four are too few");
    provision(&mock, &of(8, "g", user)).await;
    provision(&mock, &[failing("f4")]).await;
    assert_eq!(mock.health().await, active(), "5 of 13 are no more than 40 %");
    provision(&mock, &[failing("f5")]).await;
    assert_eq!(mock.health().await, quarantined(PROPORTION), "6 of 14 are");
    assert_eq!(mock.count("quarantines").await, 1);
}

#[tokio::test]
async fn more_than_40_000_failures_are_too_many_whatever_their_share() {
    let mock = Mock::with(small()).await;
    provision(&mock, &of(100, "g", user)).await;
    provision(&mock, &of(40, "f", failing)).await;
    assert_eq!(mock.health().await, active());
    provision(&mock, &of(1, "more", failing)).await;
    assert_eq!(mock.health().await, quarantined("EncounteredBaseEscrowThreshold"));
}

#[tokio::test]
async fn failed_references_count_only_for_the_60_000() {
    let mock = Mock::with(small()).await;
    let stray = |id: &str| report(id, "nobody");
    provision(&mock, &of(60, "r", stray)).await;
    assert_eq!(mock.count("open_managers").await, 60);
    assert_eq!(mock.health().await, active(), "60 are not more than 60, and are no failures");
    provision(&mock, &of(1, "f", failing)).await;
    assert_eq!(mock.health().await, quarantined("EncounteredTotalEscrowThreshold"));
}

#[tokio::test]
async fn the_factor_is_1_unless_told() {
    let mock = Mock::with(operated()).await;
    provision(&mock, &of(50, "f", failing)).await;
    assert_eq!(mock.health().await, active());
    mock.tell("settings", &json!({ "quarantine_factor": 0.01 })).await;
    provision(&mock, &[]).await;
    assert_eq!(mock.health().await, quarantined(PROPORTION), "looked at after each cycle");
}

#[tokio::test]
async fn in_quarantine_uploads_are_taken_and_processed_once_a_day() {
    let mock = in_quarantine().await;
    mock.stage(&[user("late")]).await;
    assert_eq!(mock.tell("cycle", &json!({})).await["ran"], false);
    mock.advance(23 * HOUR).await;
    assert!(mock.user("late").await.is_null());
    mock.advance(HOUR).await;
    assert_eq!(mock.user("late").await["accountEnabled"], true);
    assert_eq!(mock.health().await, quarantined(PROPORTION), "nothing was mended");

    mock.stage(&[user("later")]).await;
    mock.advance(23 * HOUR).await;
    assert!(mock.user("later").await.is_null());
    mock.advance(HOUR).await;
    assert_eq!(mock.user("later").await["accountEnabled"], true);
    assert_eq!(mock.count("cycles").await, 3);
}

#[tokio::test]
async fn a_quarantine_tells_when_it_began_how_often_it_was_imposed_and_when_it_is_looked_at() {
    let mock = in_quarantine().await;
    let began = instant(&mock, "seriesBegan").await;
    let hours = |from: Timestamp, to: Timestamp| from.duration_until(to).as_hours();
    assert_eq!(instant(&mock, "currentBegan").await, began);
    assert_eq!(hours(began, instant(&mock, "nextAttempt").await), 24);
    let quarantine = mock.shown_job().await["status"]["quarantine"].take();
    assert_eq!(
        (&quarantine["seriesCount"], &quarantine["reason"]),
        (&json!(1), &json!(PROPORTION))
    );
    assert_eq!(quarantine["error"]["tenantActionable"], true);

    mock.advance(3 * DAY + HOUR).await;
    assert_eq!(instant(&mock, "seriesBegan").await, began);
    assert_eq!(hours(began, instant(&mock, "currentBegan").await), 72);
    assert_eq!(hours(began, instant(&mock, "nextAttempt").await), 96);
    assert_eq!(mock.shown_job().await["status"]["quarantine"]["seriesCount"], 4);
    assert_eq!(mock.count("quarantines").await, 1, "it is one quarantine all along");
}

#[tokio::test]
async fn uploads_are_taken_until_the_bucket_is_full() {
    let mock = in_quarantine().await;
    // Five records in escrow fill it as well.
    mock.tell("settings", &json!({ "bucket": 7 })).await;
    mock.stage(&of(2, "w", user)).await;
    let answer = mock.upload(&bulk(&[user("one more")])).send().await.unwrap();
    assert_eq!(answer.status(), 500);
    let message = json_of(answer).await["error"]["message"].take();
    let text = message.as_str().unwrap();
    assert!(text.contains("The bucket that stores the ingested data is full"), "{text}");
}

#[tokio::test]
async fn what_is_mended_leaves_the_quarantine_at_the_next_try() {
    let mock = in_quarantine().await;
    mock.tell("settings", &json!({ "domains": ["contoso.example", "fabrikam.example"] })).await;
    assert_eq!(mock.health().await, quarantined(PROPORTION));
    mock.advance(DAY).await;
    assert_eq!(mock.health().await, active());
    assert!(mock.shown_job().await["status"]["quarantine"].is_null());
    assert_eq!((mock.count("escrows").await, mock.count("users").await), (0, 6));
}

#[tokio::test]
async fn after_28_days_the_job_is_disabled() {
    let mock = in_quarantine().await;
    mock.advance(27 * DAY + 23 * HOUR).await;
    assert_eq!(mock.health().await, quarantined(PROPORTION));
    assert_eq!(mock.count("cycles").await, 28, "the first, and 27 tries");
    assert_eq!(mock.shown_job().await["schedule"]["state"], "Active");

    mock.stage(&[user("late")]).await;
    mock.advance(HOUR).await;
    let job = mock.shown_job().await;
    assert_eq!(
        (&job["status"]["code"], &job["schedule"]["state"]),
        (&json!("Paused"), &json!("Disabled"))
    );
    assert_eq!(job["status"]["quarantine"]["reason"], PROPORTION, "why is still told");
    assert_eq!(job["status"]["quarantine"]["nextAttempt"], "0001-01-01T00:00:00Z");
    mock.stage(&[user("later")]).await;
    mock.advance(40 * DAY).await;
    assert_eq!((mock.count("cycles").await, mock.count("users").await), (28, 1));

    mock.tell("settings", &json!({ "quarantine_factor": 1.0 })).await;
    mock.act("/start", "").await;
    mock.until(|stats| stats["users"] == 3).await;
    assert_eq!(mock.health().await, active());
    assert_eq!(mock.shown_job().await["schedule"]["state"], "Active");
}

#[tokio::test]
async fn a_start_lifts_a_quarantine_and_goes_on_where_it_stopped() {
    let mock = in_quarantine().await;
    mock.stage(&[user("late")]).await;
    mock.tell("settings", &json!({ "quarantine_factor": 1.0 })).await;
    mock.act("/start", "").await;
    assert_eq!(mock.health().await, active());
    assert_eq!(mock.count("escrows").await, 5, "nothing is forgotten");
    mock.cycle().await;
    assert_eq!(mock.user("late").await["accountEnabled"], true);
}

#[tokio::test]
async fn a_start_without_a_mend_ends_in_quarantine_again() {
    let mock = in_quarantine().await;
    mock.act("/start", "").await;
    assert_eq!(mock.health().await, active());
    mock.cycle().await;
    assert_eq!(mock.health().await, quarantined(PROPORTION));
    assert_eq!(mock.shown_job().await["status"]["quarantine"]["seriesCount"], 1, "a new series");
    assert_eq!(mock.count("quarantines").await, 2);
}

#[tokio::test]
async fn a_job_started_without_a_notification_email_is_in_quarantine_at_once() {
    let mock = Mock::with(MockConfig { notification_email: false, ..operated() }).await;
    assert_eq!(mock.health().await, quarantined(EXCEPTION));
    mock.stage(&[user("1")]).await;
    mock.act("/start", "").await;
    assert_eq!(mock.health().await, quarantined(EXCEPTION), "still not set");
    mock.restart("").await;
    assert_eq!(mock.health().await, quarantined(EXCEPTION));
    mock.tell("settings", &json!({ "notification_email": true })).await;
    assert_eq!(mock.health().await, quarantined(EXCEPTION), "looked at once a day");
    mock.advance(DAY).await;
    assert_eq!(mock.health().await, active());

    mock.tell("settings", &json!({ "notification_email": false })).await;
    mock.advance(2 * DAY).await;
    assert_eq!(mock.health().await, active(), "a job that runs is not looked at for it");
    mock.act("/pause", "").await;
    mock.act("/start", "").await;
    assert_eq!(mock.health().await, quarantined(EXCEPTION));
    mock.tell("reset", &json!({})).await;
    assert_eq!(mock.ask("stats").await["job"], "Quarantine", "a reset is a start");
}

#[tokio::test]
async fn a_quarantine_set_by_hand_lasts_until_it_is_taken_away() {
    let mock = Mock::with(operated()).await;
    let reason = "QuarantinedOnDemand";
    mock.tell("job", &json!({ "code": "Quarantine", "reason": reason })).await;
    mock.stage(&[user("1")]).await;
    mock.advance(2 * DAY).await;
    assert_eq!(mock.health().await, quarantined(reason));
    assert_eq!(mock.count("users").await, 1, "it has its one try a day all the same");
    mock.act("/start", "").await;
    assert_eq!(mock.health().await, active());

    mock.tell("job", &json!({ "code": "Quarantine" })).await;
    assert_eq!(mock.health().await, quarantined(PROPORTION));
    mock.tell("job", &json!({ "code": "Active" })).await;
    assert_eq!(mock.health().await, active());
}
