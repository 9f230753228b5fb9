//! Our own document, for whoever reads alerts with a program.
//!
//! `kind`, `severity` (`info`, `warning`, `error`), `state` (`raised`, `over`), `again` (said before,
//! still holds), `count`, `what`, `advice`, `source`, `target`, `run` (null where there is none or not
//! one alone), `since`, `at`, and `alerts`: the same for each case, with its facts.

use serde_json::{Value, json};

use crate::telemetry::alerts::book::Alert;
use crate::telemetry::alerts::message::{Message, Notice};
use crate::telemetry::alerts::words::instant;

/// Most cases that are written one by one; `count` says how many there are.
const MOST_LISTED: usize = 50;

/// A notice as our own JSON document.
#[must_use]
pub fn document(notice: &Notice) -> Value {
    let words = notice.words();
    let Notice::Alerts(message) = notice else {
        return json!({
            "kind": "test",
            "severity": words.severity.as_str(),
            "state": "raised",
            "again": false,
            "count": 0,
            "what": words.title,
            "advice": words.advice,
            "source": null,
            "target": null,
            "run": null,
            "since": instant(notice.at()),
            "at": instant(notice.at()),
            "alerts": [],
        });
    };
    let listed = message.alerts.iter().take(MOST_LISTED);
    json!({
        "kind": message.kind.as_str(),
        "severity": words.severity.as_str(),
        "state": message.state.as_str(),
        "again": message.is_again,
        "count": message.alerts.len(),
        "what": words.title,
        "advice": words.advice,
        "source": message.common(|alert| alert.facts.source()),
        "target": message.common(|alert| alert.facts.target()),
        "run": message.common(|alert| alert.facts.run()),
        "since": instant(message.since()),
        "at": instant(message.at),
        "alerts": listed.map(|alert| one(message, alert)).collect::<Vec<_>>(),
    })
}

fn one(message: &Message, alert: &Alert) -> Value {
    // facts are written as `{case: {…}}`
    let facts = serde_json::to_value(&alert.facts).unwrap_or(Value::Null);
    json!({
        "what": message.what(alert),
        "source": alert.facts.source(),
        "target": alert.facts.target(),
        "run": alert.facts.run(),
        "since": instant(alert.since),
        "facts": facts,
    })
}
