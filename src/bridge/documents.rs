//! The JSON documents of `README.md`, the same from the command line and over HTTP. Members are only
//! ever added.

mod delivery;
mod examination;
mod finding;
mod key;
mod operation;
mod overview;
mod run;
mod schema;

use jiff::{Timestamp, Unit};

pub use delivery::DeliveryDocument;
pub use examination::examination;
pub use finding::{added_to, findings};
pub use key::key;
pub use operation::{OperationDocument, OperationOfRun, RecordDocument, operation, record};
pub use overview::overview;
pub use run::{
    Changes, Counts, Decision, Held, RefusalDocument, RunDocument, already_planned, plan, run,
};
pub use schema::{schema_difference, schema_push, schema_restore};

/// An instant: RFC 3339, UTC, milliseconds at most.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    at.round(Unit::Millisecond).unwrap_or(at).to_string()
}
