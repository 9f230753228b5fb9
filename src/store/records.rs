//! Records: the ledger, one line for each worker of a target.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::{ActiveWindow, ExternalId, LedgerEntry, SourceName, TargetName};
use crate::store::{KnownPeople, Operation, StoreError};

/// One worker of a target, for a person to read.
#[derive(Debug, Clone)]
pub struct Record {
    /// The owner.
    pub source: SourceName,
    /// The target.
    pub target: TargetName,
    /// The worker.
    pub external_id: ExternalId,
    /// The last planned `active`.
    pub active: bool,
    /// When an operation of this worker was last accepted by Entra.
    pub last_sent: Option<Timestamp>,
    /// When the record changes by itself next.
    pub next_effective_at: Option<Timestamp>,
    /// All operations, newest first.
    pub history: Vec<Operation>,
}

/// A worker whom a file misses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveRecord {
    /// The worker.
    pub external_id: ExternalId,
    /// Complete files in a row without the worker, before this one.
    pub missing_runs: u32,
    /// When the first of them was planned.
    pub missing_since: Option<Timestamp>,
}

/// A record that changes by itself.
#[derive(Debug, Clone)]
pub struct DueRecord {
    /// The worker.
    pub external_id: ExternalId,
    /// Why.
    pub due: Due,
    /// What is to be sent, before its `active` is set by the window.
    pub planned: LastPlanned,
}

/// What was last planned for a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastPlanned {
    /// The ledger's `active`; false where the worker is not in the ledger yet.
    pub active: bool,
    /// The resource.
    pub resource: Vec<u8>,
    /// When the worker is active, where the mapping knows it by dates.
    pub window: Option<ActiveWindow>,
    /// The manager that the resource names.
    pub manager: Option<ExternalId>,
    /// The key of its userName.
    pub user_name_key: Option<i64>,
    /// Digest of the row behind the resource.
    pub row_digest: Option<[u8; 16]>,
}

/// Why a record is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Its window begins or ends.
    Window,
    /// A row that applies from a later day on applies now.
    Row,
    /// The manager whom it was sent too early for has arrived.
    Manager,
}

/// The ledger.
#[async_trait]
pub trait Records {
    /// What the ledger knows of these workers, in the order asked for.
    async fn ledger(
        &self,
        target: &TargetName,
        ids: Vec<ExternalId>,
    ) -> Result<Vec<Option<LedgerEntry>>, StoreError>;

    /// The last planned resources of these workers, in the order asked for.
    async fn resources(
        &self,
        target: &TargetName,
        ids: Vec<ExternalId>,
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError>;

    /// What was last planned for these workers, in the order asked for.
    async fn last_planned(
        &self,
        target: &TargetName,
        ids: Vec<ExternalId>,
    ) -> Result<Vec<Option<LastPlanned>>, StoreError>;

    /// The workers who hold these userNames (by `scim::user_name_key`), in the order asked for, at
    /// most 100 each. A worker of whom nothing arrived and whose last operation failed or was taken
    /// back holds none.
    async fn user_name_holders(
        &self,
        target: &TargetName,
        keys: Vec<i64>,
    ) -> Result<Vec<Vec<ExternalId>>, StoreError>;

    /// One worker in every target that has them.
    async fn record(&self, external_id: &ExternalId) -> Result<Vec<Record>, StoreError>;

    /// Number of records of a target that a source owns, and how many of them are active.
    async fn count_records(
        &self,
        target: &TargetName,
        source: &SourceName,
    ) -> Result<RecordCounts, StoreError>;

    /// Which of these workers the target's ledger knows, in the order asked for.
    async fn are_known(
        &self,
        target: &TargetName,
        ids: Vec<ExternalId>,
    ) -> Result<Vec<bool>, StoreError>;

    /// What the ledger knows of all people of a source. The row of somebody need not be mapped again
    /// where the record was made by the same mapping and is not due before `now`, and none of the
    /// person's operations failed or is unconfirmed.
    async fn known_people(
        &self,
        target: &TargetName,
        source: &SourceName,
        mapping_fingerprint: [u8; 16],
        now: Timestamp,
    ) -> Result<KnownPeople, StoreError>;

    /// Records of a source that are due, from the one after `after`, by externalId, at most `limit`.
    /// One with a held operation is not due again.
    async fn due_records(
        &self,
        target: &TargetName,
        source: &SourceName,
        after: Option<&ExternalId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<DueRecord>, StoreError>;

    /// The sources that own due records of a target.
    async fn due_sources(
        &self,
        target: &TargetName,
        now: Timestamp,
    ) -> Result<Vec<SourceName>, StoreError>;

    /// A digest over a target's ledger: ids, digests and states. Any change of it is another one.
    async fn ledger_digest(&self, target: &TargetName) -> Result<[u8; 32], StoreError>;
}

/// How many records a source owns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordCounts {
    /// All of them.
    pub all: u64,
    /// Those that are active.
    pub active: u64,
}
