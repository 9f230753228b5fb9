//! How a target is delivered to, and why delivering ends.

use std::time::Duration;

use jiff::Timestamp;

use crate::delivery::Ladder;
use crate::domain::TargetName;
use crate::entra::CallFailure;
use crate::store::CallLimits;

/// How a target is delivered to.
#[derive(Debug, Clone)]
pub struct CourierSettings {
    /// The target.
    pub target: TargetName,
    /// The tenant that the limits count for.
    pub tenant: String,
    /// Burst and daily limits.
    pub limits: CallLimits,
    /// Waiting times after a 429 without Retry-After.
    pub throttle: Ladder,
    /// Waiting times after a passing fault.
    pub transient: Ladder,
    /// How long nothing is sent after the bucket was full.
    pub bucket_pause: Duration,
    /// How often the job's health is asked for.
    pub job_check: Duration,
    /// Most operations in a request.
    pub max_operations: usize,
    /// Most bytes in a request.
    pub max_bytes: usize,
    /// Most requests under way at once.
    pub max_in_flight: usize,
    /// How long the other side may answer with nothing but passing faults before the loop ends;
    /// `None` when the caller has a time-out of its own.
    pub patience: Option<Duration>,
}

/// Why the loop ended.
#[derive(Debug)]
pub enum Stop {
    /// Nothing is left to send.
    Drained,
    /// The caller asked for it; what was under way has been finished or put back.
    Cancelled,
    /// The provisioning job does not process uploads.
    JobUnavailable {
        /// Its code, such as `Paused`.
        code: String,
        /// The quarantine's reason.
        reason: Option<String>,
    },
    /// The day's calls are used up.
    QuotaExhausted {
        /// When the first call comes free.
        free_at: Timestamp,
    },
    /// The other side has not answered for longer than the caller's patience.
    Unreachable(Box<CallFailure>),
    /// The target is set up wrongly: nothing is sent until that is mended.
    Halted(Box<CallFailure>),
}
