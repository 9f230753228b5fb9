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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use async_trait::async_trait;
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::AlertKind;
    use crate::telemetry::alerts::{Condition, Facts, Rules};
    use crate::web::PostError;

    /// A channel that fails so often, then takes everything.
    struct Fake {
        name: &'static str,
        fails: Mutex<u32>,
        retry_after: Option<Duration>,
        heard: Mutex<Vec<String>>,
    }

    impl Fake {
        fn new(name: &'static str, fails: u32, retry_after: Option<Duration>) -> Arc<Self> {
            let (fails, heard) = (Mutex::new(fails), Mutex::default());
            Arc::new(Self { name, fails, retry_after, heard })
        }

        fn heard(&self) -> usize {
            self.heard.lock().unwrap().len()
        }
    }

    #[async_trait]
    impl Channel for Fake {
        fn name(&self) -> &str {
            self.name
        }

        async fn tell(&self, notice: &Notice) -> Result<String, ChannelError> {
            let mut fails = self.fails.lock().unwrap();
            if *fails > 0 {
                *fails -= 1;
                let retry_after = self.retry_after;
                return Err(PostError::Refused { status: 503, retry_after }.into());
            }
            self.heard.lock().unwrap().push(notice.words().title);
            Ok("taken".to_owned())
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn rounds(channels: &[&Arc<Fake>]) -> Rounds {
        let rules = Rules {
            on: AlertKind::ALL.into_iter().collect(),
            repeat: SignedDuration::from_hours(24),
            channels: channels.iter().map(|channel| channel.name().to_owned()).collect(),
        };
        let all: Vec<Arc<dyn Channel>> =
            channels.iter().map(|channel| Arc::clone(*channel) as Arc<dyn Channel>).collect();
        Rounds::new(Book::open(None, rules, at(0)), all)
    }

    fn see(rounds: &mut Rounds, sources: &[&str], second: i64) {
        let condition = |source: &&str| {
            let facts = Facts::FileOverdue { source: (*source).to_owned(), expected_at: at(0) };
            Condition::new(facts, at(0))
        };
        let conditions = sources.iter().map(condition).collect();
        rounds.observe(Seen { conditions, unknown: BTreeSet::new() }, at(second));
    }

    #[tokio::test(start_paused = true)]
    async fn a_channel_that_fails_is_tried_again_after_a_pause_and_others_hear_at_once() {
        let (well, ill) = (Fake::new("well", 0, None), Fake::new("ill", 2, None));
        let mut rounds = rounds(&[&ill, &well]);
        see(&mut rounds, &["hr"], 0);
        rounds.send(at(3));
        rounds.one_sent(at(3)).await;
        rounds.one_sent(at(3)).await;
        assert_eq!((well.heard(), ill.heard()), (1, 0));
        let mut waited = Duration::ZERO;
        for second in 4..60 {
            rounds.send(at(second));
            if rounds.sending.is_empty() {
                tokio::time::advance(Duration::from_secs(1)).await;
                waited += Duration::from_secs(1);
            } else {
                rounds.one_sent(at(second)).await;
            }
        }
        assert_eq!((well.heard(), ill.heard()), (1, 1), "once each");
        assert!(rounds.next_try().is_none());
        assert!(waited > Duration::from_secs(7), "half of 5 s and of 10 s at least");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_the_other_side_asks_for_is_kept() {
        let ill = Fake::new("ill", 1, Some(Duration::from_secs(100)));
        let mut rounds = rounds(&[&ill]);
        see(&mut rounds, &["hr"], 0);
        rounds.send(at(3));
        rounds.one_sent(at(3)).await;
        assert_eq!(rounds.next_try(), Some(Duration::from_secs(100)));
        tokio::time::advance(Duration::from_secs(99)).await;
        rounds.send(at(102));
        assert!(rounds.sending.is_empty());
        tokio::time::advance(Duration::from_secs(1)).await;
        rounds.send(at(103));
        rounds.one_sent(at(103)).await;
        assert_eq!(ill.heard(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_told_is_noted_after_it_was_sent() {
        let well = Fake::new("well", 0, None);
        let mut rounds = rounds(&[&well]);
        rounds.note_kept();
        see(&mut rounds, &["hr", "payroll"], 0);
        assert!(rounds.is_changed());
        rounds.note_kept();
        rounds.send(at(3));
        rounds.send(at(3));
        assert_eq!(rounds.sending.len(), 1, "one at a time");
        assert!(rounds.book().kept().told.is_empty());
        rounds.one_sent(at(3)).await;
        assert_eq!(rounds.book().kept().told.len(), 2);
        assert!(rounds.is_changed());
        rounds.send(at(4));
        assert!(rounds.sending.is_empty());
        assert_eq!(*well.heard.lock().unwrap(), ["2 files are overdue"]);
    }
}
