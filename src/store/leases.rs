//! Leases: one process delivers to and tracks a target at a time.

use async_trait::async_trait;

use crate::domain::TargetName;
use crate::store::StoreError;

/// A held lease; dropping it (or the death of the process) gives it back at once.
pub trait Lease: Send + Sync {}

/// Leases.
#[async_trait]
pub trait Leases {
    /// Takes a target's lease; `None` while another process (or another holder in this one) has it.
    async fn lease(&self, target: &TargetName) -> Result<Option<Box<dyn Lease>>, StoreError>;
}
