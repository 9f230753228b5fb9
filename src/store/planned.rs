//! Rows as planned, on their way into the store.

use std::fmt;

use jiff::Timestamp;

use crate::domain::{ActiveWindow, Change, ExternalId};

/// One row as planned, on its way into the store. Rows that are unchanged or out of scope are only
/// counted; they stand here only where the ledger has to note something of them.
#[derive(Debug, Clone)]
pub struct PlannedRow {
    /// The record's number in the file, the header being 1; `None` without a row.
    pub row: Option<u64>,
    /// The physical line where it starts.
    pub line: Option<u64>,
    /// The worker; `None` where it could not be read.
    pub external_id: Option<ExternalId>,
    /// What becomes of it.
    pub verdict: PlannedVerdict,
}

/// What planning decided about a row.
#[derive(Debug, Clone)]
pub enum PlannedVerdict {
    /// To be sent.
    Operation(PlannedOperation),
    /// Could not become a valid SCIM user.
    Rejected {
        /// Stable and dotted.
        code: String,
        /// What was wrong.
        reason: String,
        /// The way out.
        advice: Option<String>,
        /// What of it goes back to whoever exported it.
        faulty: FaultyRow,
    },
    /// Another row of the same worker counts instead.
    Superseded {
        /// Which one, in words.
        reason: String,
    },
    /// The ledger says the same already: nothing is stored but what is noted of the row.
    Unchanged(RecordNote),
    /// It applies from a later instant on; nothing is stored but the day.
    Later {
        /// When.
        effective_at: Timestamp,
        /// What will be sent then.
        operation: PlannedOperation,
    },
}

/// What the ledger notes of a worker beside the resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordNote {
    /// Digest of the row behind the resource; `None` where it must be mapped again next time.
    pub row_digest: Option<[u8; 16]>,
    /// When the worker is active, where the mapping knows it by dates.
    pub window: Option<ActiveWindow>,
    /// When the record changes by itself next.
    pub next_effective_at: Option<Timestamp>,
}

/// What of a rejected row goes back to whoever exported it: values of people, which are stored and
/// reported, and never logged.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FaultyRow {
    /// The header of the column at fault, where it is one.
    pub column: Option<String>,
    /// The mapped cells in the order of the run's columns; empty where the row could not be read.
    pub cells: Vec<String>,
}

/// The column and how many cells; never what is in them.
impl fmt::Debug for FaultyRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyRow")
            .field("column", &self.column)
            .field("cells", &self.cells.len())
            .finish()
    }
}

/// An operation as planned.
#[derive(Debug, Clone)]
pub struct PlannedOperation {
    /// The kind of change.
    pub change: Change,
    /// The mapped `active`.
    pub active: bool,
    /// Digest of `resource`.
    pub digest: [u8; 16],
    /// The SCIM user: the bytes of `data` in the bulk request.
    pub resource: Vec<u8>,
    /// The key of its userName (`scim::user_name_key`); `None` without one.
    pub user_name_key: Option<i64>,
    /// The externalId of the manager that the resource names.
    pub manager: Option<ExternalId>,
    /// Whether the ledger already holds this very digest (sent again after failed or unconfirmed).
    pub resend: bool,
    /// Whether it only closes the record: nothing of the worker ever reached Entra.
    pub closes: bool,
    /// What the ledger notes beside the resource.
    pub note: RecordNote,
    /// A warning's code and words, kept with the operation until an outcome takes their place.
    pub warning: Option<(String, String)>,
}
