//! What the engine counts, for `GET /_mock/stats`.

use serde_json::{Value, json};

use super::cycle::Engine;

/// Counts since the start or the last reset.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) staged: u64,
    pub(super) repeated: u64,
    pub(super) identical: u64,
    pub(super) cycles: u64,
    pub(super) quarantines: u64,
    pub(super) restarts: u64,
    /// Staged records that a restart threw away.
    pub(super) purged: usize,
    pub(super) escrow_retries: u64,
    /// Disables logged as staged.
    pub(super) staged_deletes: u64,
}

impl Engine {
    /// What `GET /_mock/stats` tells of the engine.
    pub(in crate::mock_entra) fn stats(&self) -> Value {
        let counts = &self.counts;
        json!({
            "records_staged": counts.staged,
            "duplicates": counts.identical,
            "records_staged_again": counts.repeated,
            "staged_now": self.staged_now(),
            "escrows": self.escrows.len(),
            "escrow_retries": counts.escrow_retries,
            "open_managers": self.open_managers.len(),
            "held_deletes": self.held.len(),
            "staged_deletes": counts.staged_deletes,
            "quarantines": counts.quarantines,
            "restarts": counts.restarts,
            "purged_records": counts.purged,
            "cycles": counts.cycles,
            "events": self.log.len(),
            "users": self.directory.len(),
            "job": self.job.code.as_str(),
        })
    }
}
