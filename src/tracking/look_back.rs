//! Looking for late events of operations that were given up.

use jiff::{SignedDuration, Timestamp};

use crate::store::StoreError;
use crate::telemetry::Causes;
use crate::tracking::tracker::{CLOCK_MARGIN, Tracker, TrackingError, signed};

/// How long the log keeps its events (Entra docs, `reference-reports-data-retention`).
pub const LOG_RETENTION: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Most pages read at one time: half a minute at the usual pace. What is left is read next time.
const PAGES: u32 = 15;
/// How much of the time before the last search is searched again: events do not become visible in the
/// order of their times.
const LATE: SignedDuration = SignedDuration::from_hours(1);

impl Tracker {
    /// Looks for events of unconfirmed operations that the log may still have. Does nothing when
    /// there are none, or when it was done within the time after which operations are given up.
    /// Returns how many operations got an outcome.
    ///
    /// # Errors
    ///
    /// When the store fails. A log that cannot be read is told, and tried again the next time.
    pub async fn look_back(&mut self) -> Result<u64, TrackingError> {
        if !self.settings.has_log {
            return Ok(0);
        }
        let now = self.clock.now();
        let target = self.settings.target.clone();
        let oldest_event = now - LOG_RETENTION;
        let Some(open) = self.store.unconfirmed_window(&target, oldest_event).await? else {
            return Ok(0);
        };
        // one in the future was made before the clock went back
        let last = self.store.searched_until(&target).await?.filter(|last| *last <= now);
        let pause = signed(self.settings.unconfirmed_after);
        if last.is_some_and(|last| now.duration_since(last) < pause) {
            return Ok(0);
        }
        let since = (open.oldest_sent_at - CLOCK_MARGIN).max(oldest_event);
        let since = last.map_or(since, |last| since.max(last - LATE));
        let mut settled = 0;
        if let Some(until) = self.search(since, now, &mut settled).await? {
            self.store.note_searched(&target, until).await?;
        }
        if settled > 0 {
            tracing::info!(operations = settled, "late events settled what was given up");
        }
        Ok(settled)
    }

    /// Reads some pages of the log and settles what they say; gives up to when that was, or nothing
    /// when the log could not be read.
    async fn search(
        &mut self,
        since: Timestamp,
        now: Timestamp,
        settled: &mut u64,
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut pages = self.client.events_since(since);
        let mut newest = since;
        for _ in 0..PAGES {
            self.pace.turn().await;
            match pages.next().await {
                Ok(Some(events)) => {
                    *settled += self.settle(&events).await?;
                    newest =
                        events.iter().map(|event| event.at).max().unwrap_or(newest).max(newest);
                }
                Ok(None) => return Ok(Some(now)),
                Err(failure) => {
                    tracing::warn!(
                        error = %Causes(&failure),
                        "the provisioning log could not be searched for late events this time"
                    );
                    return Ok(None);
                }
            }
        }
        // what was read again for events that are late does not count as progress
        Ok(Some(newest + LATE).map(|until| until.min(now)))
    }
}
