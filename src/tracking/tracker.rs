//! When to look into the provisioning log, and how far back.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tracing::Instrument as _;
use tracing::field::Empty;

use crate::domain::{Clock, ExternalId, OperationStatus, TargetName};
use crate::entra::{CallFailure, Disposition, EntraClient, EventPages, LogEvent};
use crate::store::{Store, StoreError};
use crate::telemetry::{Causes, TRACED};
use crate::tracking::correlate::correlate;
use crate::tracking::read_pace::ReadPace;
use crate::tracking::stragglers::AskedFor;

/// How far before the oldest open operation a look begins: two clocks are never quite the same.
pub(super) const CLOCK_MARGIN: SignedDuration = SignedDuration::from_mins(2);
/// How much of what was read is read again: events do not arrive in the order of their times.
const OVERLAP: SignedDuration = SignedDuration::from_mins(15);

/// How a target's outcomes are tracked.
#[derive(Debug, Clone)]
pub struct TrackerSettings {
    /// The target.
    pub target: TargetName,
    /// How long after the oldest open operation the first look comes.
    pub first_poll: Duration,
    /// How long between looks.
    pub poll: Duration,
    /// How long an operation may stay without an event.
    pub unconfirmed_after: Duration,
    /// Most reads of the log in `reads_window`.
    pub reads: u32,
    /// The window of `reads`.
    pub reads_window: Duration,
    /// Whether the cloud has a provisioning log at all.
    pub has_log: bool,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Nothing waits for an outcome.
    Nothing,
    /// The next look comes then.
    At(Timestamp),
    /// The log was read.
    Looked {
        /// Operations that got an outcome.
        settled: u64,
        /// Operations given up as unconfirmed.
        unconfirmed: u64,
    },
}

/// Why tracking stopped.
#[derive(Debug, thiserror::Error)]
pub enum TrackingError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log cannot be read until something is mended (a permission, an id).
    #[error("the provisioning log cannot be read")]
    Halted(#[source] Box<CallFailure>),
}

/// Follows the operations of one target. Only the holder of the target's lease runs it.
pub struct Tracker {
    pub(super) store: Arc<dyn Store>,
    pub(super) client: EntraClient,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) settings: TrackerSettings,
    pub(super) pace: ReadPace,
    next_at: Option<Timestamp>,
    looked_at: Option<Timestamp>,
    /// Since when this process has known of open operations.
    open_since: Option<Instant>,
    newest_event: Option<Timestamp>,
    /// A look that a passing fault cut short goes on at the page it came to.
    unread: Option<EventPages>,
    /// Who was asked for alone.
    pub(super) asked_for: AskedFor,
}

impl Tracker {
    /// A tracker for one target.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        client: EntraClient,
        clock: Arc<dyn Clock>,
        settings: TrackerSettings,
    ) -> Self {
        let pace = ReadPace::new(settings.reads, settings.reads_window);
        Self {
            store,
            client,
            clock,
            settings,
            pace,
            next_at: None,
            looked_at: None,
            open_since: None,
            newest_event: None,
            unread: None,
            asked_for: AskedFor::default(),
        }
    }

    /// Looks into the log if it is time to.
    ///
    /// # Errors
    ///
    /// When the store fails, or the log refuses to be read for good.
    pub async fn step(&mut self) -> Result<Look, TrackingError> {
        let Some(window) = self.store.open_window(&self.settings.target).await? else {
            self.next_at = None;
            self.open_since = None;
            return Ok(Look::Nothing);
        };
        if !self.settings.has_log {
            return self.give_up_without_log().await;
        }
        let now = self.clock.now();
        let first_at = add(window.oldest_sent_at, self.settings.first_poll);
        // what was sent is dated by the server's clock: ours may be far behind it
        let is_first_over =
            self.open_since.get_or_insert_with(Instant::now).elapsed() >= self.settings.first_poll;
        let first_at = if is_first_over { first_at.min(now) } else { first_at };
        let due = self.next_at.map_or(first_at, |next| next.max(first_at));
        // it has gone back: whatever is due may have been so long ago
        let went_back = self.looked_at.is_some_and(|looked| now < looked);
        if now < due && !went_back {
            return Ok(Look::At(due));
        }
        self.looked_at = Some(now);
        self.next_at = Some(add(now, self.settings.poll));
        let mut since = window.oldest_sent_at - CLOCK_MARGIN;
        if let Some(newest) = self.newest_event {
            since = since.max(newest - OVERLAP);
        }
        let mut settled = 0;
        let span = tracing::info_span!(
            target: TRACED,
            "tracking.poll",
            scimport.target = %self.settings.target,
            operations.settled = Empty,
            otel.status_code = Empty,
        );
        let read = self.read(since).instrument(span.clone()).await;
        match &read {
            Ok(found) => span.record("operations.settled", found),
            Err(_) => span.record("otel.status_code", "ERROR"),
        };
        drop(span);
        match read {
            Ok(found) => {
                let stragglers = self.look_for_stragglers().await?;
                settled = found + stragglers.settled;
                if stragglers.goes_on {
                    return Ok(Look::Looked { settled, unconfirmed: 0 });
                }
            }
            Err(ReadError::Store(error)) => return Err(error.into()),
            Err(ReadError::Call(failure)) => self.after_failure(*failure, now)?,
        }
        let unconfirmed = self.unconfirm(self.clock.now()).await?;
        tracing::debug!(settled, unconfirmed, "looked into the provisioning log");
        Ok(Look::Looked { settled, unconfirmed })
    }

    /// Reads the log from an instant on and settles what it finds, page by page.
    async fn read(&mut self, since: Timestamp) -> Result<u64, ReadError> {
        let unread = self.unread.take();
        let mut is_resumed = unread.is_some();
        let mut pages = unread.unwrap_or_else(|| self.client.events_since(since));
        let mut settled = 0;
        loop {
            self.pace.turn().await;
            let page = match pages.next().await {
                Ok(page) => page,
                Err(failure) => {
                    if is_passing(&failure) {
                        self.unread = Some(pages);
                    } else if is_resumed {
                        // the link to a page does not live for ever; the look begins anew
                        tracing::debug!(error = %Causes(&failure), "the page is gone");
                        pages = self.client.events_since(since);
                        is_resumed = false;
                        continue;
                    }
                    return Err(ReadError::Call(Box::new(failure)));
                }
            };
            is_resumed = false;
            let Some(events) = page else {
                return Ok(settled);
            };
            settled += self.settle(&events).await.map_err(ReadError::Store)?;
            let newest = events.iter().map(|event| event.at).max();
            self.newest_event = self.newest_event.max(newest);
        }
    }

    pub(super) async fn settle(&self, events: &[LogEvent]) -> Result<u64, StoreError> {
        let mut ids: Vec<ExternalId> =
            events.iter().filter_map(|event| event.external_id.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(0);
        }
        let operations = self.store.sent_operations(&self.settings.target, ids).await?;
        let settlements = correlate(events, operations);
        if settlements.is_empty() {
            return Ok(0);
        }
        let failed =
            settlements.iter().filter(|each| each.status == OperationStatus::Failed).count();
        let count = u64::try_from(settlements.len()).unwrap_or(u64::MAX);
        self.store.settle(settlements, self.clock.now()).await?;
        tracing::debug!(operations = count, failed, "outcomes settled");
        Ok(count)
    }

    async fn unconfirm(&self, now: Timestamp) -> Result<u64, StoreError> {
        let before = self.overdue_before(now);
        let count = self
            .store
            .unconfirm(
                &self.settings.target,
                before,
                "the provisioning log has no event for it within the time a cycle needs".to_owned(),
                "check that the job runs and was not restarted; a later event still settles it, and \
                 a later file with the same data sends it again"
                    .to_owned(),
                now,
            )
            .await?;
        if count > 0 {
            tracing::warn!(operations = count, "no outcome within the time: unconfirmed");
        }
        Ok(count)
    }

    /// Whoever was sent before this instant has waited for an event for too long.
    pub(super) fn overdue_before(&self, now: Timestamp) -> Timestamp {
        now.saturating_sub(signed(self.settings.unconfirmed_after)).unwrap_or(Timestamp::MIN)
    }

    async fn give_up_without_log(&self) -> Result<Look, TrackingError> {
        let now = self.clock.now();
        let reason = "this cloud has no provisioning log API, so the outcome cannot be known here";
        let advice = "look into the provisioning log in the portal";
        let unconfirmed = self
            .store
            .unconfirm(
                &self.settings.target,
                Timestamp::MAX,
                reason.to_owned(),
                advice.to_owned(),
                now,
            )
            .await?;
        Ok(Look::Looked { settled: 0, unconfirmed })
    }

    fn after_failure(&mut self, failure: CallFailure, now: Timestamp) -> Result<(), TrackingError> {
        let wait = match failure.disposition() {
            Disposition::Halt | Disposition::Reject | Disposition::TooLarge => {
                tracing::error!(error = %Causes(&failure), "the provisioning log cannot be read");
                return Err(TrackingError::Halted(Box::new(failure)));
            }
            Disposition::Throttled { retry_after } | Disposition::Transient { retry_after } => {
                retry_after.unwrap_or(self.settings.poll).max(self.settings.poll)
            }
            Disposition::BucketFull | Disposition::RefreshToken => self.settings.poll,
        };
        tracing::warn!(error = %Causes(&failure), "the provisioning log could not be read this time");
        self.next_at = Some(add(now, wait));
        Ok(())
    }
}

/// Whether the same page may be had a little later.
pub(super) fn is_passing(failure: &CallFailure) -> bool {
    use Disposition::{BucketFull, RefreshToken, Throttled, Transient};
    matches!(failure.disposition(), Throttled { .. } | Transient { .. } | BucketFull | RefreshToken)
}

enum ReadError {
    Store(StoreError),
    Call(Box<CallFailure>),
}

fn add(at: Timestamp, wait: Duration) -> Timestamp {
    at.saturating_add(signed(wait)).unwrap_or(Timestamp::MAX)
}

pub(super) fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
