//! One event of the provisioning log.
//!
//! Follows the Microsoft Graph page "provisioningObjectSummary resource type", and what the wire
//! really carries: v1.0 says `provisioningAction` and `provisioningStatusInfo`, the beta says
//! `action` and `statusInfo`, and some pages carry both. Words that are not known are `Other`; only
//! an event without id or time is malformed.
//!
//! Texts (`reason`, `recommended`, a step's `description`) may quote a person's names. They are for
//! the report; `Debug` leaves them out, and they are never logged.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::domain::ExternalId;
use crate::entra::step::text;
use crate::entra::{EventStatus, LogStep};

/// Entra's code for a manager (or another reference) that it does not know yet.
const UNRESOLVED_REFERENCE: &str = "UnableToResolveReferenceAttributeValue";

/// What Entra says of one change.
#[derive(Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// The event's id; pages may repeat an event.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// The change it belongs to; several events may be one change.
    pub change_id: Option<String>,
    /// The job's cycle.
    pub cycle_id: Option<String>,
    /// `create`, `update`, `disable`, `delete`, `stageddelete`, `other` …, in lower case.
    pub action: Option<String>,
    /// How it ended.
    pub status: EventStatus,
    /// Entra's code of what went wrong.
    pub error_code: Option<String>,
    /// Entra's words for it; may quote names.
    pub reason: Option<String>,
    /// What Entra recommends.
    pub recommended: Option<String>,
    /// The worker: `sourceIdentity.id`.
    pub external_id: Option<ExternalId>,
    /// The account, where there is one.
    pub target_id: Option<String>,
    /// What was done, in order.
    pub steps: Vec<LogStep>,
    /// The target attributes that were written.
    pub modified: Vec<String>,
    /// Whether the account was enabled or disabled, where that was written.
    pub account_enabled: Option<bool>,
}

impl LogEvent {
    /// Reads an event; `None` when it has no id or no time.
    pub(crate) fn read(event: &Value) -> Option<Self> {
        let id = text(event, "id")?;
        let at = instant(&text(event, "activityDateTime")?)?;
        let infos = ["provisioningStatusInfo", "statusInfo"].map(|key| event.get(key));
        let mut infos = infos.into_iter().flatten();
        let status = infos
            .clone()
            .filter_map(|info| info.get("status").and_then(Value::as_str))
            .map(EventStatus::read)
            .find(|status| *status != EventStatus::Other)
            .unwrap_or(EventStatus::Other);
        // Under `errorInformation` on the wire, `errorInfo` in the reference, flat in the beta.
        let error = infos.find_map(|info| {
            [info.get("errorInformation"), info.get("errorInfo"), Some(info)]
                .into_iter()
                .flatten()
                .find(|error| text(error, "errorCode").is_some() || text(error, "reason").is_some())
        });
        let of_error = |key| error.and_then(|error| text(error, key));
        let identity = |key| event.get(key).and_then(|identity| text(identity, "id"));
        let properties = list(event, "modifiedProperties");
        Some(Self {
            id,
            at,
            change_id: text(event, "changeId"),
            cycle_id: text(event, "cycleId"),
            action: text(event, "provisioningAction")
                .or_else(|| text(event, "action"))
                .map(|action| action.to_ascii_lowercase()),
            status,
            error_code: of_error("errorCode"),
            reason: of_error("reason"),
            recommended: of_error("recommendedAction"),
            external_id: identity("sourceIdentity").map(ExternalId::new),
            target_id: identity("targetIdentity"),
            steps: list(event, "provisioningSteps").iter().map(LogStep::read).collect(),
            modified: properties.iter().filter_map(|one| text(one, "displayName")).collect(),
            account_enabled: properties.iter().rev().find_map(account_enabled),
        })
    }

    /// Whether the person's manager is not known to the job yet. The account may be done all the
    /// same: the event's status says so.
    #[must_use]
    pub fn manager_unresolved(&self) -> bool {
        let is_unresolved = |code: Option<&str>| {
            code.is_some_and(|code| code.eq_ignore_ascii_case(UNRESOLVED_REFERENCE))
        };
        is_unresolved(self.error_code.as_deref())
            || self.steps.iter().any(|step| {
                // A step that names no attribute can mean only the one reference there is.
                let is_manager = step.property.as_deref().is_none_or(|property| {
                    property.rsplit([':', '.']).any(|part| part.eq_ignore_ascii_case("manager"))
                });
                is_manager && is_unresolved(step.skip_reason.as_deref())
            })
    }
}

/// `accountEnabled` in Entra, the inverse `accountDisabled` in Active Directory.
fn account_enabled(property: &Value) -> Option<bool> {
    let name = property.get("displayName")?.as_str()?;
    let value = property.get("newValue")?;
    let value = match value.as_str().map(|text| text.trim_matches('"').to_ascii_lowercase()) {
        Some(text) => text.parse().ok()?,
        None => value.as_bool()?,
    };
    match name.to_ascii_lowercase().as_str() {
        "accountenabled" => Some(value),
        "accountdisabled" => Some(!value),
        _ => None,
    }
}

fn list<'a>(event: &'a Value, key: &str) -> &'a [Value] {
    event.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// ISO 8601; without an offset it is UTC, as the page says all times are.
fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        TimeZone::UTC.to_timestamp(civil).ok()
    })
}

impl fmt::Debug for LogEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogEvent")
            .field("id", &self.id)
            .field("at", &self.at)
            .field("change_id", &self.change_id)
            .field("cycle_id", &self.cycle_id)
            .field("action", &self.action)
            .field("status", &self.status)
            .field("error_code", &self.error_code)
            .field("external_id", &self.external_id)
            .field("target_id", &self.target_id)
            .field("steps", &self.steps)
            .field("modified", &self.modified)
            .field("account_enabled", &self.account_enabled)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// A real log, with identities replaced (`tests/fixtures/logs/NOTICE.md`).
    const REAL: &str =
        include_str!("../../tests/fixtures/logs/provisioning-log-15-events-anonymised.json");

    fn real() -> Vec<LogEvent> {
        let page: Value = serde_json::from_str(REAL).unwrap();
        list(&page, "value").iter().map(|event| LogEvent::read(event).unwrap()).collect()
    }

    fn event(more: &Value) -> LogEvent {
        let mut event = json!({"id": "e1", "activityDateTime": "2026-09-01T10:07:31Z"});
        for (key, value) in more.as_object().unwrap() {
            event[key] = value.clone();
        }
        LogEvent::read(&event).unwrap()
    }

    #[test]
    fn a_real_log_is_read_whole() {
        let events = real();
        let distinct = |of: fn(&LogEvent) -> String| events.iter().map(of).collect::<BTreeSet<_>>();
        assert_eq!(events.len(), 15);
        assert_eq!(distinct(|event| event.external_id.as_ref().unwrap().to_string()).len(), 7);
        assert_eq!(distinct(|event| event.change_id.clone().unwrap()).len(), 10);
        assert_eq!(distinct(|event| event.cycle_id.clone().unwrap()).len(), 3);
        assert!(events.iter().all(|event| event.status == EventStatus::Success));
        assert!(events.iter().all(|event| event.target_id.is_some()));
        assert_eq!(
            distinct(|event| event.action.clone().unwrap()),
            ["create", "update"].map(str::to_owned).into()
        );
    }

    #[test]
    fn in_a_real_log_an_account_is_made_while_its_manager_is_open() {
        let events = real();
        let open: Vec<_> = events.iter().filter(|event| event.manager_unresolved()).collect();
        assert_eq!(open.len(), 6);
        assert!(open.iter().all(|event| {
            event.action.as_deref() == Some("create") && event.account_enabled == Some(true)
        }));
        assert!(events.iter().filter(|e| e.modified.iter().any(|m| m == "manager")).count() >= 8);
    }

    #[test]
    fn a_failure_is_read_under_every_name_it_has() {
        let error =
            json!({"errorCode": "InvalidDomain", "reason": "…", "recommendedAction": "ask"});
        let flat = json!({"status": "Failure", "errorCode": "InvalidDomain", "reason": "…",
            "recommendedAction": "ask"});
        for info in [
            json!({"provisioningStatusInfo": {"status": "failure", "errorInformation": error}}),
            json!({"provisioningStatusInfo": {"status": "failure", "errorInfo": error}}),
            json!({"statusInfo": {"status": "failure", "errorInformation": error}}),
            json!({"statusInfo": flat}),
            json!({"provisioningStatusInfo": {"status": "failure", "errorInformation": null},
                "statusInfo": flat}),
        ] {
            let event = event(&info);
            assert_eq!(event.status, EventStatus::Failure);
            assert_eq!(event.error_code.as_deref(), Some("InvalidDomain"));
            assert_eq!(event.recommended.as_deref(), Some("ask"));
        }
    }

    #[test]
    fn unknown_words_and_odd_shapes_fail_nothing() {
        let event = event(&json!({
            "provisioningAction": "unknownFutureValue",
            "provisioningStatusInfo": {"status": "pending"},
            "provisioningSteps": [{"provisioningStepType": "thinking", "details": []}, 7, null],
            "modifiedProperties": {"displayName": "x"},
            "sourceIdentity": "E1001",
            "targetIdentity": {"id": ""},
        }));
        assert_eq!(event.status, EventStatus::Other);
        assert_eq!(event.steps.len(), 3);
        assert_eq!(event.external_id, None);
        assert_eq!(event.target_id, None);
    }

    #[test]
    fn an_event_without_id_or_time_is_malformed() {
        assert_eq!(LogEvent::read(&json!({"id": "e1"})), None);
        assert_eq!(LogEvent::read(&json!({"activityDateTime": "2026-09-01T10:07:31Z"})), None);
        assert_eq!(LogEvent::read(&json!({"id": "e1", "activityDateTime": "yesterday"})), None);
        assert_eq!(LogEvent::read(&json!("e1")), None);
    }

    #[test]
    fn a_time_without_offset_is_utc() {
        let plain = event(&json!({"activityDateTime": "2026-09-01T10:07:31.5"}));
        assert_eq!(plain.at, "2026-09-01T10:07:31.5Z".parse().unwrap());
    }

    #[test]
    fn a_disabled_account_is_seen_in_entra_and_in_active_directory() {
        for (name, value, expected) in [
            ("accountEnabled", json!("False"), Some(false)),
            ("accountEnabled", json!("\"True\""), Some(true)),
            ("accountEnabled", json!(false), Some(false)),
            ("accountDisabled", json!("true"), Some(false)),
            ("accountEnabled", json!(null), None),
            ("department", json!("true"), None),
        ] {
            let event =
                event(&json!({"modifiedProperties": [{"displayName": name, "newValue": value}]}));
            assert_eq!(event.account_enabled, expected, "{name}");
        }
    }

    #[test]
    fn another_open_reference_is_not_the_manager() {
        let with = |property: Value| {
            let details = json!({"PropertyName": property, "skipReason": UNRESOLVED_REFERENCE});
            event(&json!({"provisioningSteps": [{"name": "x", "details": details}]}))
                .manager_unresolved()
        };
        assert!(with(json!("manager")));
        assert!(with(json!("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager")));
        assert!(with(json!(null)));
        assert!(!with(json!("assistant")));
    }

    #[test]
    fn debug_shows_no_text_that_may_quote_a_name() {
        let event = event(&json!({
            "statusInfo": {"status": "failure", "errorCode": "X", "reason": "Jane Doe"},
            "provisioningSteps": [{"name": "n", "description": "Jane Doe"}],
        }));
        assert_eq!(event.reason.as_deref(), Some("Jane Doe"));
        assert!(!format!("{event:?}").contains("Jane"));
    }

    proptest! {
        #[test]
        fn no_text_in_place_of_a_member_panics(key in "[a-zA-Z]{1,12}", word in ".{0,20}") {
            let mut event = json!({"id": "e", "activityDateTime": &word, "sourceIdentity": &word,
                "provisioningSteps": [{"details": {"SkipReason": &word, "PropertyName": &word}}]});
            event[key] = json!(word);
            if let Some(event) = LogEvent::read(&event) {
                let _ = event.manager_unresolved();
            }
        }
    }
}
