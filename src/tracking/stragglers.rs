//! Operations without an event after the time that a cycle needs: the log is asked for each person
//! alone before they are given up.
//!
//! A few at a time, the oldest first, because each is a read. While that finds anything the others
//! wait for their turn at the next look; when it finds nothing, the others are given up with them.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::domain::{ExternalId, OperationId};
use crate::store::{Overdue, Resent, ResentWhy, StoreError};
use crate::telemetry::Causes;
use crate::tracking::look_back::LOG_RETENTION;
use crate::tracking::tracker::{Tracker, TrackingError, is_passing, signed};

/// Most people the log is asked for at one look: 20 seconds at the usual pace.
const ASKED_FOR: usize = 10;
/// How often asking is put off for a passing fault before the others are given up without.
const PUT_OFF: u32 = 5;

/// What asking for single people came to.
#[derive(Debug, Default)]
pub(super) struct Stragglers {
    /// Operations that got an outcome.
    pub(super) settled: u64,
    /// Whether the others are asked for at the next look, and nobody is given up yet.
    pub(super) goes_on: bool,
}

/// Who was asked for alone, since anybody was last given up.
#[derive(Debug, Default)]
pub(super) struct AskedFor {
    operations: BTreeSet<OperationId>,
    put_off: u32,
}

impl Tracker {
    /// Asks for the people whose operations have waited for too long.
    pub(super) async fn look_for_stragglers(&mut self) -> Result<Stragglers, TrackingError> {
        let before = self.overdue_before(self.clock.now());
        let target = self.settings.target.clone();
        let asked_for = self.asked_for.operations.len();
        let overdue = self.store.overdue(&target, before, asked_for + ASKED_FOR + 1).await?;
        if overdue.is_empty() {
            self.asked_for = AskedFor::default();
            return Ok(Stragglers::default());
        }
        let mut found = Stragglers::default();
        let is_new = |each: &&Overdue| !self.asked_for.operations.contains(&each.id);
        let new: Vec<Overdue> = overdue.iter().filter(is_new).cloned().collect();
        for operation in new.iter().take(ASKED_FOR) {
            match self.ask_for(&operation.external_id).await? {
                Asked::Settled(count) => found.settled += count,
                Asked::Later if self.asked_for.put_off < PUT_OFF => {
                    self.asked_for.put_off += 1;
                    found.goes_on = true;
                    return Ok(found);
                }
                Asked::Later | Asked::Refused => break,
            }
            self.asked_for.operations.insert(operation.id);
        }
        if found.settled > 0 {
            tracing::info!(
                operations = found.settled,
                "outcomes found by asking the log for single people"
            );
            found.goes_on = new.len() > ASKED_FOR;
        }
        if found.goes_on {
            return Ok(found);
        }
        self.asked_for = AskedFor::default();
        self.send_again_what_was_passed_over(before).await?;
        Ok(found)
    }

    /// Entra works in the order of sending. What nobody heard of, though others that were sent much
    /// later have settled, was probably thrown away by a restart of the job that nobody saw: it is sent
    /// again, nobody's more than once in the time that the log keeps its events.
    async fn send_again_what_was_passed_over(&self, before: Timestamp) -> Result<(), StoreError> {
        let target = &self.settings.target;
        let Some(settled_until) = self.store.settled_until(target).await? else { return Ok(()) };
        let passed_over = settled_until - signed(self.settings.unconfirmed_after / 2);
        let still_open = self.store.overdue(target, before.min(passed_over), 1).await?;
        if still_open.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let resent_before = Some(now - LOG_RETENTION);
        let count = self.store.queue_open_again(target, passed_over, resent_before, now).await?;
        if count > 0 {
            tracing::warn!(
                operations = count,
                "operations stay without an outcome while later ones have theirs: the job may have been \
                 restarted; they are sent again"
            );
            let resent = Resent { at: now, operations: count, why: ResentWhy::Overtaken };
            self.store.note_resent(target, resent).await?;
        }
        Ok(())
    }

    /// Reads what the log has of one person, and settles it.
    async fn ask_for(&mut self, person: &ExternalId) -> Result<Asked, TrackingError> {
        let mut pages = self.client.events_of(person);
        let mut settled = 0;
        loop {
            self.pace.turn().await;
            match pages.next().await {
                Ok(Some(events)) => settled += self.settle(&events).await?,
                Ok(None) => return Ok(Asked::Settled(settled)),
                Err(failure) if is_passing(&failure) => {
                    tracing::warn!(
                        error = %Causes(&failure),
                        "the provisioning log could not be asked for one person this time"
                    );
                    return Ok(Asked::Later);
                }
                Err(failure) => {
                    tracing::warn!(
                        error = %Causes(&failure),
                        "the provisioning log cannot be asked for one person; going without"
                    );
                    return Ok(Asked::Refused);
                }
            }
        }
    }
}

enum Asked {
    /// So many operations got an outcome.
    Settled(u64),
    /// A passing fault.
    Later,
    /// The log does not answer such a question.
    Refused,
}
