//! The accidental-deletion threshold: disables are held back until the cycle's end, when there are
//! too many or not.
//!
//! Follows "Enable accidental deletions prevention in the Microsoft Entra provisioning service": it
//! is counted cycle by cycle, over disables as over deletes. What status such an event has is not
//! documented; here it is `skipped`, since the account stays as it is.

use std::sync::Arc;

use super::cycle::{Cycle, Engine, Queued};
use super::record::Record;
use crate::mock_entra::graph::guid;
use crate::mock_entra::shared::Settings;

/// The reason of the quarantine.
pub(super) const TOO_MANY_DELETES: &str = "TooManyDeletes";

/// A record whose disable is held back.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) record: Record,
    /// Whether the log tells of it already.
    pub(super) logged: bool,
}

impl Engine {
    /// Holds a record back if it would disable an account and disables are counted.
    pub(super) fn hold(&mut self, record: &Record, settings: &Settings) -> bool {
        let holds = settings.delete_threshold.is_some() && self.disables(record, settings);
        if holds {
            let held = Held { record: record.clone(), logged: false };
            self.held.insert(Arc::clone(&record.external_id), held);
        }
        holds
    }

    /// At a cycle's end: lets the disables go, or logs them as staged. Tells whether there are too
    /// many.
    pub(super) fn settle_deletes(
        &mut self,
        cycle: &mut Cycle,
        settings: &Settings,
        now: i64,
    ) -> bool {
        let most = settings.delete_threshold.and_then(|most| usize::try_from(most).ok());
        let too_many = most.is_some_and(|most| self.held.len() > most);
        let held = std::mem::take(&mut self.held);
        // Only a start or a restart lets go what a quarantine holds.
        if too_many || self.job.is_quarantined_for(TOO_MANY_DELETES) {
            for (id, mut held) in held {
                if !held.logged {
                    held.logged = true;
                    self.note_staged(&held.record, cycle, settings, now);
                }
                self.held.insert(id, held);
            }
        } else {
            for (_, held) in held {
                self.process(Queued::released(held.record), cycle, settings, now);
            }
        }
        too_many
    }

    fn note_staged(&mut self, record: &Record, cycle: &Cycle, settings: &Settings, now: i64) {
        if let Some(draft) = self.staged_delete(record, settings) {
            self.counts.staged_deletes += 1;
            let ids = (cycle.id(), Arc::from(guid()), Arc::clone(&record.external_id));
            self.note(ids, Some(Arc::clone(&record.source)), draft, settings, now);
        }
    }
}
