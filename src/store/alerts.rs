//! Alerts: what was raised and told, and the runs that somebody may have to look at.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::{HeldBy, RunId, SourceName, TargetName};
use crate::store::StoreError;
use crate::telemetry::alerts::Kept;

/// A run that waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRun {
    /// Its id.
    pub id: RunId,
    /// Its source.
    pub source: SourceName,
    /// Its target.
    pub target: TargetName,
    /// The guards that keep it back.
    pub held_by: Vec<HeldBy>,
    /// When intake began.
    pub started_at: Timestamp,
}

/// A run that was refused, or of which rows were rejected or operations failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TroubledRun {
    /// Its id.
    pub id: RunId,
    /// Its source.
    pub source: SourceName,
    /// Its target.
    pub target: TargetName,
    /// The code of the problem for which its file was refused.
    pub refused: Option<String>,
    /// The guards that keep it back, or did.
    pub held_by: Vec<HeldBy>,
    /// Data rows read, and operations without a row.
    pub rows: u64,
    /// Rows that were out of scope.
    pub out_of_scope: u64,
    /// Rows that were rejected.
    pub rejected: u64,
    /// Operations that failed.
    pub failed: u64,
    /// When intake began.
    pub started_at: Timestamp,
    /// When the last operation ended; `None` while it is unfinished.
    pub ended_at: Option<Timestamp>,
}

/// Alerts.
#[async_trait]
pub trait Alerts {
    /// What was kept of alerts; `None` before anything was.
    async fn alerts(&self) -> Result<Option<Kept>, StoreError>;

    /// Keeps this in the place of what was kept, in one transaction.
    async fn keep_alerts(&self, kept: Kept) -> Result<(), StoreError>;

    /// Runs that are held, oldest first, at most `limit`.
    async fn held_runs(&self, limit: usize) -> Result<Vec<HeldRun>, StoreError>;

    /// Of the runs that began or ended since an instant, those that were refused or have rejected rows
    /// or failed operations, newest first, at most `limit`.
    async fn troubled_runs(
        &self,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<TroubledRun>, StoreError>;
}
