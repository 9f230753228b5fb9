//! What is known of a worker before a row of theirs is looked at.

use jiff::Timestamp;

use crate::domain::{Change, OperationStatus, SourceName};

/// The ledger's line for a worker, as far as planning needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The source that last sent the worker, and so owns the record.
    pub source: SourceName,
    /// The last planned `active`.
    pub active: bool,
    /// Digest of the last planned resource.
    pub digest: [u8; 16],
    /// The last operation's change.
    pub last_change: Change,
    /// Status of the last operation.
    pub last_status: OperationStatus,
    /// Whether any operation of this worker ever ended `provisioned` or `skipped`.
    pub arrived: bool,
    /// Whether Entra may know the worker: an operation was accepted, or posted at all.
    pub was_posted: bool,
    /// When the same resource was last sent again after a failure.
    pub resent_at: Option<Timestamp>,
    /// Digest of the row behind the last planned resource, where it is known.
    pub row_digest: Option<[u8; 16]>,
}
