//! Calls: every POST to bulkUpload, counted per tenant over processes and restarts.
//!
//! Entra allows 40 calls in 5 seconds and a daily number of calls, both per tenant, and counts
//! refused calls too. A call is noted before it is sent.
//!
//! When a call reaches Entra lies between its start and its answer, and only those two are known
//! here. So a call counts in the burst window until the window has passed since its *answer*: then
//! no window of Entra's can hold one call too many. With a slow server that rule alone would cost
//! rate, so a call counts no longer than the window and a margin since its *start*: the margin is
//! far more than one request may be held up on its way than another. A call that is not answered
//! yet counts until it is; those of a process that died end with `Outbox::recover`, or at the latest
//! after `CallLimits::lost_after`.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::TargetName;
use crate::store::StoreError;

/// A noted call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallId(pub i64);

/// The limits of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// Most calls in a window.
    pub burst: u32,
    /// The window, as Entra states it.
    pub window: Duration,
    /// How much longer than the window a call counts at most, from its start.
    pub margin: Duration,
    /// Most calls in any 24 hours.
    pub daily: u32,
    /// After this long a call without answer no longer counts in the burst window.
    pub lost_after: Duration,
}

/// Whether a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallPermit {
    /// Yes; it has been noted.
    Granted(CallId),
    /// Not yet: ask again then.
    Wait(Timestamp),
    /// The day's calls are used up; the first comes free then.
    Exhausted(Timestamp),
}

/// Calls.
#[async_trait]
pub trait Calls {
    /// Asks for a call to a target of a tenant and notes it, in one transaction. Calls that seem to be
    /// made in the future, because the clock has gone back, count as made now.
    async fn begin_call(
        &self,
        tenant: &str,
        target: &TargetName,
        limits: CallLimits,
        now: Timestamp,
    ) -> Result<CallPermit, StoreError>;

    /// Notes that a call was answered (or ended without an answer).
    async fn end_call(&self, id: CallId, now: Timestamp) -> Result<(), StoreError>;

    /// Takes back a noted call that was not made after all.
    async fn forget_call(&self, id: CallId) -> Result<(), StoreError>;

    /// When the calls of a tenant since an instant began, oldest first.
    async fn call_starts(
        &self,
        tenant: &str,
        since: Timestamp,
    ) -> Result<Vec<Timestamp>, StoreError>;

    /// Calls of a tenant since an instant.
    async fn calls_since(&self, tenant: &str, since: Timestamp) -> Result<u64, StoreError>;
}
