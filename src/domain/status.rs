//! The statuses of operations and runs. These words, and no others, stand in code, SQL, JSON and
//! on the terminal.

use std::fmt;

/// What has become of one operation (or of one row that became none).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperationStatus {
    /// The row could not become a valid SCIM user; never sent.
    Rejected,
    /// The scoping filter left it out; not sent.
    OutOfScope,
    /// Same as the ledger, and the last operation is provisioned, skipped or on its way; not sent.
    Unchanged,
    /// A guard or a pending approval keeps the run back.
    Held,
    /// In the outbox, waiting for quota, order or the target's health.
    Queued,
    /// Part of a bulk request that is being posted or whose answer is not known.
    Sending,
    /// 202 received; Entra has it staged. Not done.
    Accepted,
    /// The provisioning log says success.
    Provisioned,
    /// The log says skipped: out of scope, or nothing to do.
    Skipped,
    /// The log says failure, or the API refused it for good.
    Failed,
    /// No event within the time a normal cycle needs; can still be settled or sent again.
    Unconfirmed,
    /// A newer operation, or another row of the same worker, took its place before it was sent.
    Superseded,
    /// A person cancelled the run.
    Cancelled,
}

impl OperationStatus {
    /// All statuses, in the order of a record's journey.
    pub const ALL: [Self; 13] = [
        Self::Rejected,
        Self::OutOfScope,
        Self::Unchanged,
        Self::Held,
        Self::Queued,
        Self::Sending,
        Self::Accepted,
        Self::Provisioned,
        Self::Skipped,
        Self::Failed,
        Self::Unconfirmed,
        Self::Superseded,
        Self::Cancelled,
    ];

    /// The word used in JSON, SQL and on the terminal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::OutOfScope => "out_of_scope",
            Self::Unchanged => "unchanged",
            Self::Held => "held",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Accepted => "accepted",
            Self::Provisioned => "provisioned",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Unconfirmed => "unconfirmed",
            Self::Superseded => "superseded",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the word back; `None` for any other word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether nothing more happens to the operation by itself, apart from a later event that
    /// mends a failure.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        !matches!(
            self,
            Self::Held | Self::Queued | Self::Sending | Self::Accepted | Self::Unconfirmed
        )
    }

    /// Whether the operation is on its way: neither ended nor given up as unconfirmed.
    #[must_use]
    pub const fn is_on_its_way(self) -> bool {
        matches!(self, Self::Held | Self::Queued | Self::Sending | Self::Accepted)
    }
}

impl fmt::Display for OperationStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunStatus {
    /// Being planned; nothing of it is in the outbox.
    Planning,
    /// Kept back by a guard until someone decides.
    Held,
    /// Has operations that are queued or being sent.
    Delivering,
    /// All sent; waiting for outcomes.
    Tracking,
    /// Every operation has ended or is unconfirmed.
    Completed,
    /// Stopped by a person.
    Cancelled,
    /// The file was refused.
    Failed,
}

impl RunStatus {
    /// All statuses, in the order of a run's journey.
    pub const ALL: [Self; 7] = [
        Self::Planning,
        Self::Held,
        Self::Delivering,
        Self::Tracking,
        Self::Completed,
        Self::Cancelled,
        Self::Failed,
    ];

    /// The word used in JSON, SQL and on the terminal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planning => "planning",
            Self::Held => "held",
            Self::Delivering => "delivering",
            Self::Tracking => "tracking",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// Reads the word back; `None` for any other word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether the run goes on by itself.
    #[must_use]
    pub const fn is_unfinished(self) -> bool {
        matches!(self, Self::Planning | Self::Held | Self::Delivering | Self::Tracking)
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_reads_back_as_itself() {
        for status in OperationStatus::ALL {
            assert_eq!(OperationStatus::parse(status.as_str()), Some(status));
        }
        for status in RunStatus::ALL {
            assert_eq!(RunStatus::parse(status.as_str()), Some(status));
        }
    }
}
