//! The audit trail: what was done, append-only, each record chained to the one before.
//!
//! A record's hash is over the hash before it and everything the record says ([`link`]), so no record
//! can be edited, removed or moved without every hash after it being another. Where the trail ends is
//! kept in a second place as well. What that does not find: somebody who can write the database *and*
//! computes every hash anew. They cannot do so unseen by whoever noted a head ([`AuditHead`])
//! elsewhere: the record with that number then has another hash.

mod chain;
mod export;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::{AuditEntry, Who};
use crate::store::StoreError;

pub use chain::{AuditFault, AuditHead, AuditSummary, AuditVerdict, Chain, Link, link};
pub use export::{LineFault, end_line, line_of, record_of, verify_lines};

/// A record as the trail has it. Words are as they stand there, also such as this version does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Its number; the first is 1, and there are no gaps.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// From where.
    pub origin: String,
    /// What.
    pub action: String,
    /// About what.
    pub subject: String,
    /// What else, as canonical JSON.
    pub details: String,
    /// The hash before it.
    pub previous: [u8; 32],
    /// Its hash.
    pub hash: [u8; 32],
}

impl AuditRecord {
    /// What is hashed of it.
    #[must_use]
    pub fn link(&self) -> Link<'_> {
        let texts = [&self.actor, &self.origin, &self.action, &self.subject, &self.details];
        Link {
            seq: i64::try_from(self.seq).unwrap_or(i64::MAX),
            at_us: self.at.as_microsecond(),
            texts: texts.map(String::as_bytes),
        }
    }
}

/// A config as it is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditedConfig {
    /// SHA-256 of the file.
    pub digest: [u8; 32],
    /// A digest of each value, by the name of its key.
    pub keys: Vec<(String, [u8; 32])>,
}

/// The audit trail.
///
/// What the store does itself it tells itself, in the transaction in which it does it: decisions,
/// commits and refusals of runs, keys, deliveries, bulk requests. Both are there or neither.
#[async_trait]
pub trait Audit {
    /// Appends an entry that tells of something done elsewhere; where the trail ends now.
    async fn append_audit(
        &self,
        entry: AuditEntry,
        now: Timestamp,
    ) -> Result<AuditHead, StoreError>;

    /// Records by number, from the one after `after`, at most `limit`.
    async fn audit_page(&self, after: u64, limit: usize) -> Result<Vec<AuditRecord>, StoreError>;

    /// Where the trail ends; before the first record that is number 0.
    async fn audit_head(&self) -> Result<AuditHead, StoreError>;

    /// Says which config is in force: where it is not the one that was said last, an entry tells which
    /// keys are others; whether there was one.
    async fn audit_config(
        &self,
        config: AuditedConfig,
        who: Who,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Looks at every record, and whether the one with the number of a `noted` head has its hash. All of
    /// it at one state of the store.
    async fn verify_audit(&self, noted: Option<AuditHead>) -> Result<AuditVerdict, StoreError>;
}
