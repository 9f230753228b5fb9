//! Change detection: what a row means for a person, held against the ledger, and whether a run may
//! do all of it unasked.
//!
//! Pure and synchronous; the instant is handed in. Of a person it sees only what mapping gives it:
//! the digest of the resource and `active`. Start with [`decide`] for one person and with
//! [`evaluate`] for a whole run.

mod absence;
mod as_of;
mod change;
mod guards;
mod limit;
mod rules;
mod user_name;

pub use absence::{Absent, CompleteConfig, LeaversConfig, WhenMissing, absence};
pub use as_of::{AsOf, NamePattern, NamePatternFault};
pub use change::{Decision, Owner, RESEND_INTERVAL, decide};
pub use guards::{Guards, Numbers, evaluate};
pub use limit::{Bound, Percent};
pub use rules::SourceRules;
pub use user_name::taken_by;
