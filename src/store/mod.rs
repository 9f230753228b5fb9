//! The ledger and the outbox: runs, records, operations, bulk requests, calls, keys, leases,
//! schedules, deliveries, alerts and the audit trail; and what keeps them safe and short.
//!
//! Small traits by entity, documented like an API, so that another database can take `SQLite`'s
//! place; one conformance suite (`conformance/`) that every backend must pass. No SQL outside this room.
//! Bulk paths are bulk in a trait's shape: never one call a record.
//!
//! Start with [`Store`] and [`SqliteStore`]. Methods that stamp time take `now`; no method reads a
//! clock. A digest is 16 bytes and says when two resources are equal (`scim::digest` makes it).

mod alerts;
mod audit;
mod calls;
#[cfg(test)]
pub(crate) mod conformance;
mod counts;
mod deliveries;
mod error;
mod jobs;
mod keys;
mod known;
mod leases;
mod operations;
mod outbox;
mod outcomes;
mod pages;
mod planned;
mod records;
mod runs;
mod schedules;
mod seal;
mod sqlite;
mod trouble;
mod upkeep;

pub use alerts::{Alerts, HeldRun, TroubledRun};
pub use audit::{
    Audit, AuditFault, AuditHead, AuditRecord, AuditSummary, AuditVerdict, AuditedConfig, Chain,
    LineFault, Link, end_line, line_of, link, record_of, verify_lines,
};
pub use calls::{CallId, CallLimits, CallPermit, Calls};
pub use counts::{ChangeCounts, StatusCounts};
pub use deliveries::{
    Backlog, Deliveries, Delivery, KeptDelivery, NewDelivery, TakenDelivery, WaitingDelivery,
};
pub use error::StoreError;
pub use jobs::{JobSeen, Jobs, Resent, ResentWhy};
pub use keys::{Key, KeyRevoked, KeyRotated, Keys, NewKey};
pub use known::KnownPeople;
pub use leases::{Lease, LeaseHolder, Leases};
pub use operations::{HistoryEntry, Operation, Operations};
pub use outbox::{Claim, ClaimedOperation, Outbox, OutboxState};
pub use outcomes::{OpenWindow, Outcomes, Overdue, SentOperation, Settlement};
pub use pages::{Pages, Tally};
pub use planned::{FaultyRow, PlannedOperation, PlannedRow, PlannedVerdict, RecordNote};
pub use records::{ActiveRecord, Due, DueRecord, LastPlanned, Record, RecordCounts, Records};
pub use runs::{
    Commit, Decided, FileHistory, NewRun, Outcome, RefusedRun, Run, RunDraft, Runs, SmallRuns,
    StoredProblem, TakesPlaceOf,
};
pub use schedules::{DueTime, ScheduleNote, Schedules};
pub use seal::{SealKey, SealKeyError, SealKeyId, SealKeys, SealProblem};
pub use sqlite::SqliteStore;
pub use trouble::{StoreTrouble, StoreTroubleKind};
pub use upkeep::{Forgetting, Forgotten, RekeyPlace, RekeyStep, Seals, Upkeep, Wiped};

/// Everything a backend does.
pub trait Store:
    Runs
    + Records
    + Operations
    + Pages
    + Outbox
    + Outcomes
    + Calls
    + Jobs
    + Keys
    + Deliveries
    + Leases
    + Schedules
    + Alerts
    + Upkeep
    + Audit
    + Send
    + Sync
{
}

impl<T> Store for T where
    T: Runs
        + Records
        + Operations
        + Pages
        + Outbox
        + Outcomes
        + Calls
        + Jobs
        + Keys
        + Deliveries
        + Leases
        + Schedules
        + Alerts
        + Upkeep
        + Audit
        + Send
        + Sync
{
}
