//! The stand-in's protection against accidental deletions.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests may")]

use std::time::Duration;

use scimport::mock_entra::MockConfig;
use serde_json::{Value, json};

use crate::mock_client::{Mock, leaver, operated, user};

const DAY: Duration = Duration::from_hours(24);

fn too_many() -> (String, String) {
    ("Quarantine".to_owned(), "TooManyDeletes".to_owned())
}

fn active() -> (String, String) {
    ("Active".to_owned(), String::new())
}

fn outcome(action: &str, status: &str) -> (String, String, String) {
    let code = if status == "skipped" { "EntrySynchronizationSkipped" } else { "" };
    (action.to_owned(), status.to_owned(), code.to_owned())
}

/// Five people, of whom two at most may be disabled in a cycle.
async fn five() -> Mock {
    let mock = Mock::with(MockConfig { delete_threshold: Some(2), ..operated() }).await;
    mock.provision(&["1", "2", "3", "4", "5"].map(user)).await;
    mock
}

/// Three of the five have left at once.
async fn three_left() -> Mock {
    let mock = five().await;
    mock.provision(&[leaver("1"), user("6"), leaver("2"), leaver("3")]).await;
    assert_eq!(mock.health().await, too_many());
    mock
}

async fn enabled(mock: &Mock) -> Vec<String> {
    let users = mock.ask("directory").await;
    let users = users.as_array().unwrap().iter();
    let enabled = users.filter(|user| user["accountEnabled"] == true);
    enabled.map(|user| user["externalId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_threshold_is_a_setting_of_the_job() {
    let name = "QuarantineTooManyDeletesThreshold";
    let value = |job: &Value| {
        let settings = job["synchronizationJobSettings"].as_array().unwrap();
        settings.iter().find(|one| one["name"] == name).map(|one| one["value"].clone())
    };
    let mock = Mock::new().await;
    assert_eq!(value(&mock.shown_job().await), None, "off unless told");
    mock.tell("settings", &json!({ "delete_threshold": 500 })).await;
    assert_eq!(value(&mock.shown_job().await), Some(json!("500")));
    assert_eq!(mock.ask("settings").await["delete_threshold"], 500);
    mock.tell("settings", &json!({ "delete_threshold": null })).await;
    assert_eq!(value(&mock.shown_job().await), None);
}

#[tokio::test]
async fn as_many_as_the_threshold_are_disabled_in_each_cycle() {
    let mock = five().await;
    mock.provision(&[leaver("1"), leaver("2")]).await;
    mock.provision(&[leaver("3"), leaver("4")]).await;
    assert_eq!(mock.health().await, active(), "it is counted cycle by cycle");
    assert_eq!(enabled(&mock).await, ["5"]);
    assert_eq!(mock.outcome("4").await, outcome("update", "success"));
    mock.provision(&[leaver("1"), leaver("2"), leaver("3"), leaver("4")]).await;
    assert_eq!(mock.health().await, active(), "who is disabled already is not counted");
}

#[tokio::test]
async fn more_are_staged_and_none_of_them_is_disabled() {
    let mock = three_left().await;
    assert_eq!(enabled(&mock).await, ["1", "2", "3", "4", "5", "6"]);
    for id in ["1", "2", "3"] {
        assert_eq!(mock.outcome(id).await, outcome("stageddelete", "skipped"), "{id}");
        let event = mock.events(id).await.pop().unwrap();
        assert_eq!(event["targetIdentity"]["id"], mock.user(id).await["id"]);
        assert_eq!(event["modifiedProperties"], json!([]));
        let steps = event["provisioningSteps"].as_array().unwrap().iter();
        let names: Vec<_> = steps.map(|step| step["name"].as_str().unwrap()).collect();
        assert_eq!(
            names,
            [
                "EntryImportAdd",
                "EntryImport",
                "EntrySynchronizationScoping",
                "EntrySynchronizationSkip",
            ]
        );
    }
    assert_eq!(mock.outcome("6").await, outcome("create", "success"), "others go on");
    let stats = mock.ask("stats").await;
    assert_eq!(
        (&stats["staged_deletes"], &stats["held_deletes"], &stats["quarantines"]),
        (&json!(3), &json!(3), &json!(1))
    );
    mock.advance(3 * DAY).await;
    assert_eq!(mock.health().await, too_many(), "it does not pass by itself");
    assert_eq!(mock.events("1").await.len(), 2, "and is logged once");
}

#[tokio::test]
async fn who_falls_out_of_scope_counts_as_well() {
    let scope = Some("userType EQUALS Employee".parse().unwrap());
    let config = MockConfig { delete_threshold: Some(1), scope, ..operated() };
    let mock = Mock::with(config).await;
    let of = |id: &str, kind: &str| {
        let mut user = user(id);
        user["userType"] = json!(kind);
        user
    };
    mock.provision(&["1", "2", "3"].map(|id| of(id, "Employee"))).await;
    let mut gone = of("2", "Employee");
    gone["active"] = json!(false);
    mock.provision(&[of("1", "Contractor"), gone]).await;
    assert_eq!(mock.health().await, too_many());
    assert_eq!(enabled(&mock).await, ["1", "2", "3"]);
    mock.restart("ForceDeletes").await;
    mock.until(|stats| stats["held_deletes"] == 0 && stats["staged_now"] == 0).await;
    assert_eq!(enabled(&mock).await, ["3"]);
    assert_eq!(mock.outcome("1").await, outcome("disable", "success"));
    assert_eq!(mock.outcome("2").await, outcome("update", "success"));
}

#[tokio::test]
async fn a_restart_with_force_deletes_disables_them() {
    let mock = three_left().await;
    mock.restart("ForceDeletes").await;
    assert_eq!(mock.health().await, active());
    mock.until(|stats| stats["cycles"] == 3).await;
    assert_eq!(enabled(&mock).await, ["4", "5", "6"]);
    for id in ["1", "2", "3"] {
        assert_eq!(mock.outcome(id).await, outcome("update", "success"), "{id}");
    }
    assert_eq!(mock.health().await, active());
    mock.provision(&[leaver("4"), leaver("5"), leaver("6")]).await;
    assert_eq!(mock.health().await, too_many(), "the next cycle is counted again");
}

#[tokio::test]
async fn any_other_restart_drops_them() {
    for scope in ["", "Full", "QuarantineState"] {
        let mock = three_left().await;
        mock.restart(scope).await;
        mock.until(|stats| stats["cycles"] == 3).await;
        assert_eq!(mock.health().await, active(), "{scope}");
        mock.advance(2 * DAY).await;
        assert_eq!(enabled(&mock).await.len(), 6, "{scope}");
        assert_eq!(mock.count("held_deletes").await, 0);
        mock.provision(&[leaver("1")]).await;
        assert_eq!(mock.user("1").await["accountEnabled"], false, "sent again, it is done");
    }
}

#[tokio::test]
async fn a_start_looks_at_them_anew() {
    let mock = three_left().await;
    mock.act("/start", "").await;
    mock.until(|stats| stats["quarantines"] == 2).await;
    assert_eq!(enabled(&mock).await.len(), 6, "still too many");
    mock.tell("settings", &json!({ "delete_threshold": 3 })).await;
    mock.act("/start", "").await;
    mock.until(|stats| stats["held_deletes"] == 0).await;
    assert_eq!(enabled(&mock).await, ["4", "5", "6"]);
    assert_eq!(mock.health().await, active());
}

#[tokio::test]
async fn who_is_sent_again_as_active_is_not_held_any_more() {
    let mock = three_left().await;
    mock.stage(&[user("2")]).await;
    mock.advance(DAY).await;
    assert_eq!(mock.count("held_deletes").await, 2);
    mock.restart("ForceDeletes").await;
    mock.until(|stats| stats["held_deletes"] == 0 && stats["staged_now"] == 0).await;
    assert_eq!(enabled(&mock).await, ["2", "4", "5", "6"]);
}

#[tokio::test]
async fn what_is_held_fills_the_bucket() {
    let mock = three_left().await;
    mock.tell("settings", &json!({ "bucket": 3 })).await;
    let answer = mock.upload(&crate::mock_client::bulk(&[user("7")])).send().await.unwrap();
    assert_eq!(answer.status(), 500);
}
