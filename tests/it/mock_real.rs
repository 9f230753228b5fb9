//! The stand-in's real-time profile: the service's own pace, crossed by moving the clock.

use std::time::Duration;

use scimport::mock_entra::{MockConfig, Profile};
use serde_json::json;

use crate::mock_client::{Mock, failing, json_of, operated, user};

const MINUTE: Duration = Duration::from_mins(1);

fn real() -> MockConfig {
    let MockConfig { roles, token_lifetime, .. } = operated();
    MockConfig { roles, token_lifetime, ..MockConfig::of(Profile::Real) }
}

#[tokio::test]
async fn a_cycle_is_40_minutes_after_data_and_the_log_5_to_10_minutes_after_it() {
    let mock = Mock::with(real()).await;
    mock.stage(&[user("1")]).await;
    mock.advance(39 * MINUTE).await;
    assert!(mock.user("1").await.is_null());
    mock.advance(MINUTE).await;
    assert_eq!(mock.user("1").await["accountEnabled"], true);
    mock.advance(4 * MINUTE).await;
    assert!(mock.events("1").await.is_empty(), "provisioned, and not yet in the log");
    mock.advance(6 * MINUTE).await;
    assert_eq!(mock.outcome("1").await.0, "create");
}

#[tokio::test]
async fn one_advance_crosses_all_that_falls_due_within_it() {
    let mock = Mock::with(real()).await;
    mock.stage(&[user("1"), failing("2")]).await;
    mock.advance(25 * 60 * MINUTE).await;
    assert_eq!(mock.outcome("1").await.1, "success");
    assert_eq!(mock.events("2").await.len(), 4, "the failure, and after 6, 12 and 24 hours");
    assert_eq!(mock.count("cycles").await, 4);
}

#[tokio::test]
async fn the_log_is_read_5_times_in_10_seconds() {
    let mock = Mock::with(real()).await;
    for _ in 0..5 {
        assert_eq!(mock.log(&[]).await.status(), 200);
    }
    assert_eq!(mock.log(&[]).await.status(), 429);
    mock.advance(Duration::from_secs(10)).await;
    let answer = mock.log(&[]).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(json_of(answer).await["value"], json!([]));
}

#[tokio::test]
async fn its_settings_can_be_seen() {
    let shown = Mock::with(real()).await.ask("settings").await;
    assert_eq!(shown["cycle_ms"], 2_400_000);
    assert_eq!(shown["log_delay_ms"], json!([300_000, 600_000]));
    assert_eq!((&shown["log_calls"], &shown["log_window_ms"]), (&json!(5), &json!(10_000)));
    assert_eq!(
        (&shown["quarantine_factor"], &shown["delete_threshold"]),
        (&json!(1.0), &json!(null))
    );
    assert_eq!(shown["notification_email"], true);
}
