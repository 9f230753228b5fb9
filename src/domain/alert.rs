//! What an alert can be about.

use std::fmt;

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertKind {
    /// A run waits for somebody's decision.
    RunHeld,
    /// A file was refused, or operations of a run failed.
    RunFailed,
    /// More rows of a run were rejected than is usual.
    RejectsShare,
    /// A provisioning job does not process what it is sent.
    JobPaused,
    /// A provisioning job is in quarantine.
    JobQuarantined,
    /// What waits to be sent is more than the day's calls carry.
    QuotaShort,
    /// A certificate ends soon.
    CredentialExpiring,
    /// A provisioning key ends soon.
    KeyExpiring,
    /// The other side refuses us, or somebody tries keys on us.
    AuthFailing,
    /// The other side has not answered for long.
    TargetUnreachable,
    /// A file that always comes did not come.
    FileOverdue,
    /// What was sent has had no outcome for long.
    NothingSettled,
    /// The store cannot be written.
    StoreTrouble,
}

impl AlertKind {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::RunHeld,
        Self::RunFailed,
        Self::RejectsShare,
        Self::JobPaused,
        Self::JobQuarantined,
        Self::QuotaShort,
        Self::CredentialExpiring,
        Self::KeyExpiring,
        Self::AuthFailing,
        Self::TargetUnreachable,
        Self::FileOverdue,
        Self::NothingSettled,
        Self::StoreTrouble,
    ];

    /// The word used in the config, in JSON, in metrics and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RunHeld => "run_held",
            Self::RunFailed => "run_failed",
            Self::RejectsShare => "rejects_share",
            Self::JobPaused => "job_paused",
            Self::JobQuarantined => "job_quarantined",
            Self::QuotaShort => "quota_short",
            Self::CredentialExpiring => "credential_expiring",
            Self::KeyExpiring => "key_expiring",
            Self::AuthFailing => "auth_failing",
            Self::TargetUnreachable => "target_unreachable",
            Self::FileOverdue => "file_overdue",
            Self::NothingSettled => "nothing_settled",
            Self::StoreTrouble => "store_trouble",
        }
    }

    /// Reads the word back; `None` for any other word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether it tells of something that happened once, and so is never over and never said again.
    #[must_use]
    pub const fn is_event(self) -> bool {
        matches!(self, Self::RunFailed | Self::RejectsShare)
    }
}

impl fmt::Display for AlertKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_as_itself() {
        for kind in AlertKind::ALL {
            assert_eq!(AlertKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(AlertKind::parse("Run_Held"), None);
    }
}
