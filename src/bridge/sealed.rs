//! A sealed plan: what somebody has looked at, so that exactly that is applied later, or nothing.
//!
//! The seal binds the bytes of the file and of the config, the target's ledger (ids, digests and
//! states), and everything that is to be sent. The file itself and all values stay out of it.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::bridge::{Bridge, BridgeError};
use crate::intake::{Feed, PlannedRun};

/// What a sealed plan says it is.
const FORMAT: &str = "scimport-plan/1";
/// A plan is some hundred bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// A plan that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedPlan {
    format: String,
    /// The source in the config.
    pub source: String,
    /// The file, absolute.
    pub file: PathBuf,
    /// When it was planned: RFC 3339, UTC.
    pub planned_at: String,
    file_sha256: String,
    config_sha256: String,
    ledger_sha256: String,
    operations_sha256: String,
}

/// Why a sealed plan is not applied.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It cannot be read.
    #[error("the plan `{}` cannot be read", .path.display())]
    Read {
        /// Where it was looked for.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is no sealed plan of this version.
    #[error("`{}` is no plan that `plan --out` of this version has written", .path.display())]
    NoPlan {
        /// The file.
        path: PathBuf,
    },
    /// What it was made of has changed.
    #[error("the plan is stale: {what} changed since it was made at {planned_at}")]
    Stale {
        /// What changed.
        what: &'static str,
        /// When it was made.
        planned_at: String,
    },
}

impl SealedPlan {
    /// Reads a plan.
    ///
    /// # Errors
    ///
    /// When it cannot be read or is none.
    pub fn read(path: &Path) -> Result<Self, SealError> {
        let failed = |source| SealError::Read { path: path.to_owned(), source };
        let mut text = String::new();
        let file = std::fs::File::open(path).map_err(failed)?;
        let read = file.take(MAX_BYTES + 1).read_to_string(&mut text);
        let is_text = match read {
            Ok(count) => count as u64 <= MAX_BYTES,
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => false,
            Err(error) => return Err(failed(error)),
        };
        let plan: Option<Self> = serde_json::from_str(&text).ok();
        plan.filter(|plan| is_text && plan.format == FORMAT)
            .ok_or_else(|| SealError::NoPlan { path: path.to_owned() })
    }

    /// The plan as it stands in its file.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).map(|text| text + "\n").unwrap_or_default()
    }

    fn stale(&self, what: &'static str) -> BridgeError {
        BridgeError::Seal(SealError::Stale { what, planned_at: self.planned_at.clone() })
    }

    /// Whether config and ledger are still what they were.
    pub(super) async fn check_before(
        &self,
        bridge: &Bridge,
        feed: &Feed,
    ) -> Result<(), BridgeError> {
        if bridge.config_digest() != self.config_sha256 {
            return Err(self.stale("the config"));
        }
        if hex(&bridge.store.ledger_digest(&feed.target).await?) != self.ledger_sha256 {
            return Err(self.stale("the ledger"));
        }
        Ok(())
    }

    /// Whether the file, and what would be sent of it, are still what they were.
    pub(super) fn check_planned(&self, planned: &PlannedRun) -> Result<(), BridgeError> {
        if hex(&planned.run.file_digest) != self.file_sha256 {
            return Err(self.stale("the file"));
        }
        if hex(&planned.digest) != self.operations_sha256 {
            return Err(self.stale("what would be sent"));
        }
        Ok(())
    }
}

impl Bridge {
    /// Seals a plan of a file.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn seal(
        &self,
        source: &str,
        path: &Path,
        planned: &PlannedRun,
    ) -> Result<SealedPlan, BridgeError> {
        let ledger = self.store.ledger_digest(&planned.run.target).await?;
        Ok(SealedPlan {
            format: FORMAT.to_owned(),
            source: source.to_owned(),
            file: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
            planned_at: planned.run.started_at.to_string(),
            file_sha256: hex(&planned.run.file_digest),
            config_sha256: self.config_digest(),
            ledger_sha256: hex(&ledger),
            operations_sha256: hex(&planned.digest),
        })
    }

    /// SHA-256 of the config file; of nothing where it cannot be read any more.
    fn config_digest(&self) -> String {
        let bytes = std::fs::read(&self.setup.config().path).unwrap_or_default();
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        hex(&digest)
    }
}

fn hex(bytes: &[u8; 32]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        // writing into a String cannot fail
        let _ = write!(text, "{byte:02x}");
        text
    })
}
