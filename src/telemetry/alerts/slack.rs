//! A message for a Slack incoming webhook: blocks, and `text` for notifications.
//!
//! Follows Slack's "Block Kit" reference: 150 characters in a header, 3,000 in a section; `&`, `<` and
//! `>` are escaped.

use serde_json::{Value, json};

use crate::telemetry::alerts::message::Notice;
use crate::telemetry::alerts::words::{Severity, instant};

/// Most characters in a header.
const MAX_HEADER: usize = 150;
/// Most characters in a section.
const MAX_SECTION: usize = 3_000;

/// A notice as Slack takes it.
#[must_use]
pub fn slack(notice: &Notice) -> Value {
    let words = notice.words();
    let sign = match words.severity {
        Severity::Info => ":white_check_mark:",
        Severity::Warning => ":warning:",
        Severity::Error => ":rotating_light:",
    };
    let mut lines = vec![format!("*{}*", escaped(&words.title))];
    lines.extend(words.items.iter().map(|item| format!("• {}", escaped(item))));
    if words.more > 0 {
        lines.push(format!("• and {} more", words.more));
    }
    let heading = match notice {
        Notice::Alerts(message) => {
            format!("{sign} scimport: {} {}", message.kind, message.state.as_str())
        }
        Notice::Test(_) => format!("{sign} scimport: test"),
    };
    let advice = format!("*What to do:* {}", escaped(&words.advice));
    let since = match notice {
        Notice::Alerts(message) => format!("since {}", instant(message.since())),
        Notice::Test(at) => format!("sent at {}", instant(*at)),
    };
    let section = |text: &str| {
        let text = cut(text, MAX_SECTION);
        json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}})
    };
    json!({
        "text": cut(&format!("{sign} {}", escaped(&words.title)), MAX_SECTION),
        "blocks": [
            {
                "type": "header",
                "text": {"type": "plain_text", "text": cut(&heading, MAX_HEADER), "emoji": true},
            },
            section(&lines.join("\n")),
            section(&advice),
            {"type": "context", "elements": [{"type": "plain_text", "text": since}]},
        ],
    })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The text, or its beginning with `…`.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}
