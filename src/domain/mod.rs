//! The words everyone shares: ids, places, problems, statuses, changes, rows and the clock.
//!
//! Layer 1. This room imports no other room of ours, does no input or output and is never
//! asynchronous. What stands here is the vocabulary of `README.md`; if two rooms need the same
//! word, it moves here, and nothing else does.

mod alert;
mod audit;
mod change;
mod clock;
mod column;
mod header;
mod held_by;
mod ids;
mod key;
mod ledger;
mod mix;
mod place;
mod places;
mod problem;
mod row;
mod row_digest;
mod run_kind;
mod secret_digest;
mod status;
mod window;

pub use alert::AlertKind;
pub use audit::{AuditAction, AuditDetails, AuditEntry, AuditSubject, AuditValue, Origin, Who};
pub use change::Change;
pub use clock::{Clock, ShiftedClock, SystemClock};
pub use column::{ColumnKind, ColumnUse};
pub use header::{fold_header, is_invisible};
pub use held_by::HeldBy;
pub use ids::{BulkRequestId, DeliveryId, ExternalId, OperationId, RunId, SourceName, TargetName};
pub use key::{KeyId, KeyRole, KeyScope};
pub use ledger::LedgerEntry;
pub(crate) use mix::hash;
pub use place::Place;
pub(crate) use places::Places;
pub use problem::{Problem, RecordProblem};
pub use row::{CellFault, CellMark, Mark, Row};
pub use run_kind::{RunDecision, RunKind};
pub use secret_digest::secret_digest;
pub use status::{OperationStatus, RunStatus};
pub use window::{ActiveWindow, start_of_day};
