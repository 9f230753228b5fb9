//! Operations: one change of one worker on its way to a target.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::{BulkRequestId, Change, ExternalId, OperationId, OperationStatus, RunId};
use crate::store::{FaultyRow, StoreError};

/// An operation (or a rejected or superseded row), for a person to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// Its run.
    pub run: RunId,
    /// The record's number in the file.
    pub row: Option<u64>,
    /// The physical line.
    pub line: Option<u64>,
    /// The worker.
    pub external_id: Option<ExternalId>,
    /// The kind of change; `None` for a rejected or superseded row.
    pub change: Option<Change>,
    /// Where it stands.
    pub status: OperationStatus,
    /// A stable code: why it was rejected, what Entra said, what was done (`created`, …).
    pub code: Option<String>,
    /// In words. May quote names: shown and stored, never logged.
    pub reason: Option<String>,
    /// What to do.
    pub advice: Option<String>,
    /// How often it was posted.
    pub attempts: u32,
    /// The bulk request that carried it.
    pub bulk_request: Option<BulkRequestId>,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// One step in an operation's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// When.
    pub at: Timestamp,
    /// The status it then had.
    pub status: OperationStatus,
    /// The code it then had.
    pub code: Option<String>,
    /// The bulk request it was then part of.
    pub bulk_request: Option<BulkRequestId>,
}

/// Operations, read.
#[async_trait]
pub trait Operations {
    /// A run's operations in the order of planning, from the one after `after`, at most `limit`.
    async fn operations(
        &self,
        run: &RunId,
        after: Option<OperationId>,
        limit: usize,
    ) -> Result<Vec<Operation>, StoreError>;

    /// What goes back of these rejected rows, in the order asked for; `None` where nothing was kept.
    /// Apart from [`operations`](Self::operations), because it holds values: for reports only.
    async fn faulty_rows(
        &self,
        operations: Vec<OperationId>,
    ) -> Result<Vec<Option<FaultyRow>>, StoreError>;

    /// The steps of one operation, oldest first.
    async fn history(&self, operation: OperationId) -> Result<Vec<HistoryEntry>, StoreError>;
}
