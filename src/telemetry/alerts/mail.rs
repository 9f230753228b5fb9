//! A notice as a mail.

use std::fmt::Write as _;

use crate::telemetry::alerts::message::{Notice, State};
use crate::telemetry::alerts::words::instant;

/// Most characters of a subject: longer ones are cut by what shows them.
const MAX_SUBJECT: usize = 120;

/// A mail without its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The subject line.
    pub subject: String,
    /// The text, lines ending in `\n`.
    pub text: String,
}

/// A notice as a mail.
#[must_use]
pub fn mail(notice: &Notice) -> Mail {
    let words = notice.words();
    let mark = match notice {
        Notice::Alerts(message) if message.state == State::Over => "over",
        _ => words.severity.as_str(),
    };
    let subject: String =
        format!("[scimport] {mark}: {}", words.title).chars().take(MAX_SUBJECT).collect();
    let mut text = format!("{}\n", words.title);
    // writing to text cannot fail
    for item in &words.items {
        let _ = writeln!(text, "  - {item}");
    }
    if words.more > 0 {
        let _ = writeln!(text, "  - and {} more", words.more);
    }
    let _ = writeln!(text, "\nWhat to do: {}\n", words.advice);
    if let Notice::Alerts(message) = notice {
        for (name, value) in [
            ("source", message.common(|alert| alert.facts.source())),
            ("target", message.common(|alert| alert.facts.target())),
            ("run", message.common(|alert| alert.facts.run())),
        ] {
            if let Some(value) = value {
                let _ = writeln!(text, "{name}: {value}");
            }
        }
        let _ = writeln!(text, "since: {}\nkind: {}", instant(message.since()), message.kind);
    }
    let _ = writeln!(text, "sent: {}", instant(notice.at()));
    Mail { subject, text }
}
