//! What a face shows page by page, and counts over everything.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::domain::{OperationId, OperationStatus, RunId, RunStatus, TargetName};
use crate::store::{Operation, Run, StatusCounts, StoreError};

/// How much there is of everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Runs by target and status; what there is none of is left out.
    pub runs: BTreeMap<(TargetName, RunStatus), u64>,
    /// Operations and rows by target and status.
    pub operations: BTreeMap<TargetName, StatusCounts>,
}

/// Pages, and counts over everything.
#[async_trait]
pub trait Pages {
    /// Runs that were made before `before` (all of them without it), newest first, at most `limit`.
    /// Empty when there is no run `before`.
    async fn runs_before(
        &self,
        before: Option<&RunId>,
        limit: usize,
    ) -> Result<Vec<Run>, StoreError>;

    /// A run's operations with one of these statuses in the order of planning, from the one after
    /// `after`, at most `limit`.
    async fn operations_with(
        &self,
        run: &RunId,
        statuses: &[OperationStatus],
        after: Option<OperationId>,
        limit: usize,
    ) -> Result<Vec<Operation>, StoreError>;

    /// How much there is of everything. Reads an index entry of every operation.
    async fn tally(&self) -> Result<Tally, StoreError>;
}
