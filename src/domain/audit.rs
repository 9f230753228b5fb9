//! The words of the audit trail: what was done, by whom, from where, and about what.
//!
//! None of them can hold a value of a person: names of sources, targets and secrets, ids of runs, keys
//! and deliveries, counts, digests, codes. Who is to be audited is who operates the bridge, so their
//! name and address stand here.

mod action;
mod details;
mod subject;
mod who;

pub use action::AuditAction;
pub use details::{AuditDetails, AuditValue};
pub use subject::AuditSubject;
pub use who::{Origin, Who};

/// Something that was done, before it is in the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// What was done.
    pub action: AuditAction,
    /// About what.
    pub subject: AuditSubject,
    /// What else there is to say.
    pub details: AuditDetails,
    /// By whom and from where.
    pub who: Who,
}
