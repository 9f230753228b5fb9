//! Records: the ledger, one line for each worker of a target.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::{ExternalId, LedgerEntry, SourceName, TargetName};
use crate::store::{Operation, StoreError};

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

    /// Number of records of a target that a source owns.
    async fn count_records(
        &self,
        target: &TargetName,
        source: &SourceName,
    ) -> Result<u64, StoreError>;
}
