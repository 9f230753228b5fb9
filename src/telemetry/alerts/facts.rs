//! What an alert knows of its case. Names of sources and targets, ids of runs and keys, codes, counts
//! and instants; nothing of a person can stand here, not even an external id.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{AlertKind, RunId, SourceName, TargetName};

/// Most characters of a word that came from outside.
const MAX_WORD: usize = 64;

/// A word from outside, such as a code of Graph's: letters, digits, `_`, `-` and `.` alone, so that it
/// cannot carry a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Word(String);

impl Word {
    /// The text where it is a word, else `other`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
        let is_word =
            !text.is_empty() && text.chars().count() <= MAX_WORD && text.chars().all(is_plain);
        Self(if is_word { text.to_owned() } else { "other".to_owned() })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFacts {
    /// Its id.
    pub run: String,
    /// Its source.
    pub source: String,
    /// Its target.
    pub target: String,
}

impl RunFacts {
    /// A run by its names.
    #[must_use]
    pub fn new(run: &RunId, source: &SourceName, target: &TargetName) -> Self {
        Self {
            run: run.as_str().to_owned(),
            source: source.as_str().to_owned(),
            target: target.as_str().to_owned(),
        }
    }
}

/// A guard that keeps a run back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardFacts {
    /// Its name in the config.
    pub guard: String,
    /// Its limit as the config writes it.
    pub limit: String,
    /// What was found.
    pub value: u64,
    /// Of how many.
    pub of: u64,
}

/// What an alert knows of its case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Facts {
    /// A run is held.
    RunHeld {
        /// Which.
        run: RunFacts,
        /// By what.
        guards: Vec<GuardFacts>,
    },
    /// A file was refused.
    FileRefused {
        /// The run that stands for it.
        run: RunFacts,
        /// Why: a code of ours.
        code: Word,
    },
    /// Operations of a run that has ended failed.
    OperationsFailed {
        /// Which.
        run: RunFacts,
        /// How many.
        failed: u64,
        /// Of how many rows.
        of: u64,
    },
    /// Many rows of a run were rejected.
    RowsRejected {
        /// Which.
        run: RunFacts,
        /// How many.
        rejected: u64,
        /// Of how many in scope.
        of: u64,
    },
    /// A job does not process what it is sent.
    JobPaused {
        /// Of which target.
        target: String,
        /// Its state.
        code: Word,
        /// What that means.
        means: String,
        /// What to do.
        advice: String,
    },
    /// A job is in quarantine.
    JobQuarantined {
        /// Of which target.
        target: String,
        /// Why, as Graph names it.
        reason: Option<Word>,
        /// What that means.
        means: String,
        /// What to do.
        advice: String,
    },
    /// The day's calls do not carry what waits.
    QuotaShort {
        /// Of which target.
        target: String,
        /// Operations that wait.
        operations: u64,
        /// Calls made in 24 hours.
        calls: u64,
        /// Calls allowed in 24 hours.
        daily_calls: u64,
        /// When the last goes out.
        done_at: Option<Timestamp>,
    },
    /// A certificate ends soon.
    CertificateExpiring {
        /// The target it opens; the API's own where there is none.
        target: Option<String>,
        /// When.
        expires_at: Timestamp,
    },
    /// A client secret ends soon.
    SecretExpiring {
        /// The target it opens.
        target: String,
        /// When.
        expires_at: Timestamp,
    },
    /// A secret of the vault ends soon.
    VaultSecretExpiring {
        /// Its name.
        secret: String,
        /// When.
        expires_at: Timestamp,
    },
    /// A provisioning key ends soon.
    KeyExpiring {
        /// Its id.
        key: String,
        /// What it allows.
        role: String,
        /// Whose webhook it opens.
        source: Option<String>,
        /// When.
        expires_at: Timestamp,
    },
    /// The other side refuses us.
    AccessRefused {
        /// Of which target.
        target: String,
        /// Its status, where it answered.
        status: Option<u16>,
        /// Its code.
        code: Option<Word>,
        /// What to do.
        advice: String,
    },
    /// The other side refuses a credential; calls still go out, with the token at hand or the other
    /// credential.
    CredentialRefused {
        /// Of which target.
        target: String,
        /// Which of its credentials: `first` or `second`.
        credential: String,
        /// Whether the other one is used instead.
        other_in_use: bool,
        /// The code of the refusal.
        code: Option<Word>,
        /// What to do.
        advice: String,
    },
    /// The other side does not let us read its log.
    LogRefused {
        /// Of which target.
        target: String,
        /// Its status, where it answered.
        status: Option<u16>,
        /// Its code.
        code: Option<Word>,
        /// What to do.
        advice: String,
    },
    /// An HR system does not let us fetch workers, or cannot be asked as the config says.
    WorkersRefused {
        /// Of which source.
        source: String,
        /// What to do.
        advice: String,
    },
    /// The other side has not answered for long.
    TargetUnreachable {
        /// Of which target.
        target: String,
        /// What to do.
        advice: String,
    },
    /// Somebody calls us with unknown credentials, again and again.
    KeysRefused {},
    /// A file did not come.
    FileOverdue {
        /// Of which source.
        source: String,
        /// When it was expected.
        expected_at: Timestamp,
    },
    /// What was sent has had no outcome for long.
    NothingSettled {
        /// To which target.
        target: String,
        /// Operations that wait.
        operations: u64,
        /// Since when.
        waiting_since: Timestamp,
    },
    /// The store cannot be written.
    StoreTrouble {
        /// What is the matter.
        trouble: String,
        /// What to do.
        advice: String,
    },
}

impl Facts {
    /// What it is about.
    #[must_use]
    pub const fn kind(&self) -> AlertKind {
        match self {
            Self::RunHeld { .. } => AlertKind::RunHeld,
            Self::FileRefused { .. } | Self::OperationsFailed { .. } => AlertKind::RunFailed,
            Self::RowsRejected { .. } => AlertKind::RejectsShare,
            Self::JobPaused { .. } => AlertKind::JobPaused,
            Self::JobQuarantined { .. } => AlertKind::JobQuarantined,
            Self::QuotaShort { .. } => AlertKind::QuotaShort,
            Self::CertificateExpiring { .. }
            | Self::SecretExpiring { .. }
            | Self::VaultSecretExpiring { .. } => AlertKind::CredentialExpiring,
            Self::KeyExpiring { .. } => AlertKind::KeyExpiring,
            Self::AccessRefused { .. }
            | Self::CredentialRefused { .. }
            | Self::LogRefused { .. }
            | Self::WorkersRefused { .. }
            | Self::KeysRefused {} => AlertKind::AuthFailing,
            Self::TargetUnreachable { .. } => AlertKind::TargetUnreachable,
            Self::FileOverdue { .. } => AlertKind::FileOverdue,
            Self::NothingSettled { .. } => AlertKind::NothingSettled,
            Self::StoreTrouble { .. } => AlertKind::StoreTrouble,
        }
    }

    /// What tells this case from others of its kind.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::RunHeld { run, .. }
            | Self::FileRefused { run, .. }
            | Self::OperationsFailed { run, .. }
            | Self::RowsRejected { run, .. } => run.run.clone(),
            Self::JobPaused { target, .. }
            | Self::JobQuarantined { target, .. }
            | Self::QuotaShort { target, .. }
            | Self::AccessRefused { target, .. }
            | Self::TargetUnreachable { target, .. }
            | Self::NothingSettled { target, .. } => target.clone(),
            // no target is called like these
            Self::LogRefused { target, .. } => log_of(target),
            Self::CredentialRefused { target, credential, .. } => {
                format!("{target} ({credential} credential)")
            }
            Self::WorkersRefused { source, .. } => source_of(source),
            Self::CertificateExpiring { target, .. } => {
                target.clone().unwrap_or_else(|| "(server)".to_owned())
            }
            Self::SecretExpiring { target, .. } => format!("{target} (secret)"),
            Self::VaultSecretExpiring { secret, .. } => format!("{secret} (vault)"),
            Self::KeysRefused {} => "(callers)".to_owned(),
            Self::KeyExpiring { key, .. } => key.clone(),
            Self::FileOverdue { source, .. } => source.clone(),
            Self::StoreTrouble { .. } => "(store)".to_owned(),
        }
    }

    /// The source it is about.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        match self {
            Self::KeyExpiring { source, .. } => source.as_deref(),
            Self::FileOverdue { source, .. } | Self::WorkersRefused { source, .. } => Some(source),
            _ => self.run_facts().map(|run| run.source.as_str()),
        }
    }

    /// The target it is about.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        match self {
            Self::JobPaused { target, .. }
            | Self::JobQuarantined { target, .. }
            | Self::QuotaShort { target, .. }
            | Self::AccessRefused { target, .. }
            | Self::CredentialRefused { target, .. }
            | Self::SecretExpiring { target, .. }
            | Self::LogRefused { target, .. }
            | Self::TargetUnreachable { target, .. }
            | Self::NothingSettled { target, .. } => Some(target),
            Self::CertificateExpiring { target, .. } => target.as_deref(),
            _ => self.run_facts().map(|run| run.target.as_str()),
        }
    }

    /// The run it is about.
    #[must_use]
    pub fn run(&self) -> Option<&str> {
        self.run_facts().map(|run| run.run.as_str())
    }

    fn run_facts(&self) -> Option<&RunFacts> {
        match self {
            Self::RunHeld { run, .. }
            | Self::FileRefused { run, .. }
            | Self::OperationsFailed { run, .. }
            | Self::RowsRejected { run, .. } => Some(run),
            _ => None,
        }
    }

    /// When it ends by itself, where it tells of something that ends.
    #[must_use]
    pub const fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::CertificateExpiring { expires_at, .. }
            | Self::SecretExpiring { expires_at, .. }
            | Self::VaultSecretExpiring { expires_at, .. }
            | Self::KeyExpiring { expires_at, .. } => Some(*expires_at),
            _ => None,
        }
    }
}

/// The subject of [`Facts::LogRefused`].
#[must_use]
pub fn log_subject(target: &TargetName) -> String {
    log_of(target.as_str())
}

/// The subject of [`Facts::WorkersRefused`].
#[must_use]
pub fn source_subject(source: &SourceName) -> String {
    source_of(source.as_str())
}

fn source_of(source: &str) -> String {
    format!("{source} (source)")
}

fn log_of(target: &str) -> String {
    format!("{target} (log)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_from_outside_carries_no_sentence() {
        for word in ["InvalidAuthenticationToken", "csv.ragged-rows", "A_1"] {
            assert_eq!(Word::new(word).as_str(), word);
        }
        for text in ["", "two words", "ann@contoso.example", "Müller", &"x".repeat(65)] {
            assert_eq!(Word::new(text).as_str(), "other", "{text}");
        }
    }
}
