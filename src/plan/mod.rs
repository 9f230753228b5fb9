//! Change detection: what a row means for a person, held against the ledger.
//!
//! Pure and synchronous; the instant is handed in. Of a person it sees only what mapping gives it:
//! the digest of the resource and `active`. Start with [`decide`].

mod change;
mod user_name;

pub use change::{Decision, Owner, RESEND_INTERVAL, decide};
pub use user_name::taken_by;
