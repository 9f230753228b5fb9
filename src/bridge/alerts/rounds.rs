//! Sending what is due, to each channel by itself: one message at a time, and again after a pause when
//! it was not taken.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::bridge::alerts::channels::{Channel, ChannelError};
use crate::bridge::alerts::look::Seen;
use crate::delivery::Ladder;
use crate::domain::Clock;
use crate::telemetry::Causes;
use crate::telemetry::alerts::{Book, Message, Notice};

/// After a message was not taken, the next try comes after 5 s, 10 s, 20 s … 10 min.
const PAUSES: Ladder = Ladder { base: Duration::from_secs(5), cap: Duration::from_mins(10) };

/// A message that was sent, or not.
struct Sent {
    channel: String,
    message: Message,
    answer: Result<String, ChannelError>,
}

/// How a channel stands.
#[derive(Default)]
struct Line {
    is_busy: bool,
    failures: u32,
    not_before: Option<Instant>,
}

/// The book, and who is being told of it.
pub(super) struct Rounds {
    book: Book,
    is_changed: bool,
    channels: Vec<Arc<dyn Channel>>,
    lines: BTreeMap<String, Line>,
    sending: JoinSet<Sent>,
}

impl Rounds {
    pub(super) fn new(book: Book, channels: Vec<Arc<dyn Channel>>) -> Self {
        // kept at once: from then on what happens is told
        Self { book, is_changed: true, channels, lines: BTreeMap::new(), sending: JoinSet::new() }
    }

    pub(super) const fn book(&self) -> &Book {
        &self.book
    }

    /// Whether there is something to keep.
    pub(super) const fn is_changed(&self) -> bool {
        self.is_changed
    }

    pub(super) const fn note_kept(&mut self) {
        self.is_changed = false;
    }

    /// Takes what a look has found.
    pub(super) fn observe(&mut self, seen: Seen, now: Timestamp) {
        if seen.unknown.is_empty() {
            self.book.note_looked(now);
        }
        self.is_changed |= self.book.observe(seen.conditions, &seen.unknown, now);
    }

    pub(super) fn is_gathering(&self, now: Timestamp) -> bool {
        self.book.is_gathering(now)
    }

    /// How long until a channel that failed is tried again, where one is to be.
    pub(super) fn next_try(&self) -> Option<Duration> {
        let next = self.lines.values().filter_map(|line| line.not_before).min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    /// Starts what is due, a message for each channel that has nothing on its way.
    pub(super) fn send(&mut self, now: Timestamp) {
        for channel in &self.channels {
            let line = self.lines.entry(channel.name().to_owned()).or_default();
            let waits = line.not_before.is_some_and(|at| at > Instant::now());
            if line.is_busy || waits {
                continue;
            }
            line.not_before = None;
            let Some(message) = self.book.due(channel.name(), now).into_iter().next() else {
                continue;
            };
            line.is_busy = true;
            let channel = Arc::clone(channel);
            self.sending.spawn(async move {
                let notice = Notice::Alerts(message.clone());
                let answer = channel.tell(&notice).await;
                Sent { channel: channel.name().to_owned(), message, answer }
            });
        }
    }

    /// Waits until something was sent, for ever where nothing is on its way.
    pub(super) async fn one_sent(&mut self, now: Timestamp) {
        match self.sending.join_next().await {
            Some(Ok(sent)) => self.note(&sent, now),
            // nobody aborts a sending, so it has panicked: a mistake of ours
            Some(Err(error)) => {
                if let Ok(panic) = error.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
            None => std::future::pending().await,
        }
    }

    /// Waits until everything that is on its way was sent.
    pub(super) async fn all_sent(&mut self, clock: &dyn Clock) {
        while !self.sending.is_empty() {
            self.one_sent(clock.now()).await;
        }
    }

    fn note(&mut self, sent: &Sent, now: Timestamp) {
        let line = self.lines.entry(sent.channel.clone()).or_default();
        line.is_busy = false;
        let (kind, count) = (sent.message.kind, sent.message.alerts.len());
        match &sent.answer {
            Ok(_) => {
                line.failures = 0;
                self.book.note_told(&sent.channel, &sent.message, now);
                self.is_changed = true;
                tracing::info!(
                    channel = %sent.channel,
                    alert.kind = %kind,
                    alert.state = sent.message.state.as_str(),
                    alerts = count,
                    "an alert was sent"
                );
            }
            Err(error) => {
                let wait = error.retry_after().unwrap_or_else(|| PAUSES.wait(line.failures));
                line.failures = line.failures.saturating_add(1);
                line.not_before = Some(Instant::now() + wait);
                tracing::warn!(
                    channel = %sent.channel,
                    alert.kind = %kind,
                    error = %Causes(error),
                    advice = error.advice(),
                    again_in_s = wait.as_secs(),
                    "an alert could not be sent; it is tried again"
                );
            }
        }
    }
}
