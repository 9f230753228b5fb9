//! A message for Microsoft Teams: an Adaptive Card in the envelope that the webhook of a Teams workflow
//! ("Post to a channel when a webhook request is received") takes.
//!
//! Follows "Create incoming webhooks with Workflows for Microsoft Teams" and the Adaptive Cards schema;
//! version 1.4 is what desktop and mobile clients show.

use serde_json::{Value, json};

use crate::telemetry::alerts::message::{Notice, State};
use crate::telemetry::alerts::words::{Severity, instant};

/// A notice as Teams takes it.
#[must_use]
pub fn teams(notice: &Notice) -> Value {
    let words = notice.words();
    let color = match words.severity {
        Severity::Info => "good",
        Severity::Warning => "warning",
        Severity::Error => "attention",
    };
    let mut body = vec![json!({
        "type": "TextBlock",
        "text": plain(&words.title),
        "weight": "bolder",
        "size": "medium",
        "color": color,
        "wrap": true,
    })];
    let mut items: Vec<String> =
        words.items.iter().map(|item| format!("- {}", plain(item))).collect();
    if words.more > 0 {
        items.push(format!("- and {} more", words.more));
    }
    if !items.is_empty() {
        body.push(json!({"type": "TextBlock", "text": items.join("\n"), "wrap": true}));
    }
    body.push(json!({"type": "FactSet", "facts": facts(notice, &words.advice)}));
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": body,
    });
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": card,
        }],
    })
}

fn facts(notice: &Notice, advice: &str) -> Vec<Value> {
    let mut facts = Vec::new();
    let mut fact = |title: &str, value: &str| facts.push(json!({"title": title, "value": value}));
    if let Notice::Alerts(message) = notice {
        for (title, value) in [
            ("Source", message.common(|alert| alert.facts.source())),
            ("Target", message.common(|alert| alert.facts.target())),
            ("Run", message.common(|alert| alert.facts.run())),
        ] {
            if let Some(value) = value {
                fact(title, value);
            }
        }
        fact("Since", &instant(message.since()));
        fact("Kind", message.kind.as_str());
        if message.state == State::Over {
            fact("State", "over");
            return facts;
        }
    }
    fact("What to do", &plain(advice));
    facts
}

/// Text in which nothing is Markdown. Cards show a backtick as itself, so commands stand in quotes.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '`' => plain.push('\''),
            '*' | '_' | '[' | ']' | '\\' => plain.extend(['\\', letter]),
            letter => plain.push(letter),
        }
    }
    plain
}
