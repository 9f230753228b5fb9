//! Leases: one process delivers to and tracks a target at a time.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::TargetName;
use crate::store::StoreError;

/// A held lease; dropping it (or the death of the process) gives it back at once.
pub trait Lease: Send + Sync {}

/// Who holds a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseHolder {
    /// The id of the process on its machine.
    pub pid: u32,
    /// Since when.
    pub since: Timestamp,
}

/// Leases.
#[async_trait]
pub trait Leases {
    /// Takes a target's lease; `None` while another process (or another holder in this one) has it.
    async fn lease(
        &self,
        target: &TargetName,
        now: Timestamp,
    ) -> Result<Option<Box<dyn Lease>>, StoreError>;

    /// Who holds a target's lease, or held it last; `None` where that cannot be told.
    async fn lease_holder(&self, target: &TargetName) -> Result<Option<LeaseHolder>, StoreError>;
}
