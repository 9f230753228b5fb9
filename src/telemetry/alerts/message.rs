//! What a channel is told at once: alerts of one kind and state, in words that every format shares.

use jiff::Timestamp;

use crate::domain::AlertKind;
use crate::telemetry::alerts::book::Alert;
use crate::telemetry::alerts::words::{self, Severity};

/// Most alerts of a message that are named one by one.
const MOST_NAMED: usize = 10;

/// Whether something holds or is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It holds.
    Raised,
    /// It is over.
    Over,
}

impl State {
    /// The word used in JSON and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Over => "over",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Raised, Self::Over].into_iter().find(|state| state.as_str() == word)
    }
}

/// What a channel is told at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it is about.
    pub kind: AlertKind,
    /// Whether it holds or is over.
    pub state: State,
    /// Whether it was said before and still holds.
    pub is_again: bool,
    /// The alerts, at least one.
    pub alerts: Vec<Alert>,
    /// When it is said.
    pub at: Timestamp,
}

/// What is sent to a channel: a message, or a test of the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Alerts.
    Alerts(Message),
    /// Nothing but a test, sent then.
    Test(Timestamp),
}

/// A notice in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// In one line.
    pub title: String,
    /// One by one, where there are several.
    pub items: Vec<String>,
    /// How many more there are than items.
    pub more: usize,
    /// What to do next.
    pub advice: String,
    /// How much it matters.
    pub severity: Severity,
}

impl Notice {
    /// The notice in words.
    #[must_use]
    pub fn words(&self) -> Words {
        match self {
            Self::Alerts(message) => message.words(),
            Self::Test(_) => Words {
                title: "this is a test: alerts of scimport arrive here".to_owned(),
                items: Vec::new(),
                more: 0,
                advice:
                    "nothing; `scimport serve` sends alerts here when there is something to tell"
                        .to_owned(),
                severity: Severity::Info,
            },
        }
    }

    /// When it is said.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Alerts(message) => message.at,
            Self::Test(at) => *at,
        }
    }
}

impl Message {
    /// Since when: of the oldest.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.alerts.iter().map(|alert| alert.since).min().unwrap_or(self.at)
    }

    /// What all alerts have in common, such as their source.
    #[must_use]
    pub fn common<'a>(&'a self, of: impl Fn(&'a Alert) -> Option<&'a str>) -> Option<&'a str> {
        let mut all = self.alerts.iter().map(of);
        let first = all.next().flatten();
        all.all(|each| each == first).then_some(first).flatten()
    }

    /// What happened, of one of the alerts.
    #[must_use]
    pub fn what(&self, alert: &Alert) -> String {
        match self.state {
            State::Raised => words::what(&alert.facts, self.at),
            State::Over => words::over(&alert.facts),
        }
    }

    fn words(&self) -> Words {
        let count = self.alerts.len();
        let (title, items) = match self.alerts.as_slice() {
            [alert] => (self.what(alert), Vec::new()),
            alerts => (
                words::many(self.kind, count, self.state == State::Over),
                alerts.iter().take(MOST_NAMED).map(|alert| self.what(alert)).collect(),
            ),
        };
        let title = if self.is_again { format!("still: {title}") } else { title };
        let more = if items.is_empty() { 0 } else { count.saturating_sub(items.len()) };
        Words { title, items, more, advice: self.advice(), severity: self.severity() }
    }

    fn advice(&self) -> String {
        if self.state == State::Over {
            return "nothing".to_owned();
        }
        let mut all = self.alerts.iter().map(|alert| words::advice(&alert.facts, self.at));
        let first = all.next().unwrap_or_default();
        if all.all(|each| each == first) {
            first
        } else {
            words::advice_for_many(self.kind).to_owned()
        }
    }

    fn severity(&self) -> Severity {
        if self.state == State::Over {
            return Severity::Info;
        }
        let all = self.alerts.iter().map(|alert| words::severity(&alert.facts, self.at));
        all.max().unwrap_or(Severity::Warning)
    }
}
