//! Why a schema was not looked at, or not changed.

use crate::entra::{CallFailure, SchemaChange, SchemaProblem};

/// Why nothing came of it, or not what was meant.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// Graph cannot be asked.
    #[error(transparent)]
    Call(#[from] CallFailure),
    /// The schema is none to work with.
    #[error(transparent)]
    Problem(#[from] SchemaProblem),
    /// The backup is one of another job.
    #[error("the backup is of another provisioning job, `{of}`")]
    OtherJob {
        /// The one that it is of.
        of: String,
        /// The one that is at hand.
        here: String,
    },
    /// The backup does not say what it is of.
    #[error("the backup does not say of which provisioning job it is: it has no `id`")]
    NoJob {
        /// The job that is at hand.
        here: String,
    },
    /// Somebody changed the schema since it was looked at; nothing was sent.
    #[error("somebody changed the job's schema since it was looked at: {}", places(.0))]
    Changed(Vec<SchemaChange>),
    /// The backup cannot be written; nothing was sent.
    #[error("the backup cannot be written, so nothing was changed")]
    Backup(#[source] std::io::Error),
    /// Graph did not take it.
    #[error("the job's schema is as it was")]
    NotTaken(#[source] CallFailure),
    /// Nobody knows whether Graph has taken it.
    #[error("nobody can say whether the job's schema has changed")]
    Unknown(#[source] CallFailure),
    /// The schema is not what was sent.
    #[error("the job's schema is not what was sent: {}", places(.0))]
    Differs(Vec<SchemaChange>),
}

/// The most places that are named one by one.
const NAMED: usize = 5;

fn places(changes: &[SchemaChange]) -> String {
    let named: Vec<String> = changes
        .iter()
        .take(NAMED)
        .map(|change| format!("{} `{}`", change.kind.as_str(), change.place))
        .collect();
    let named = named.join(", ");
    match changes.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

impl SchemaError {
    /// What to do about it.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        match self {
            // whoever typed the command is the one who tries again
            Self::Call(failure) | Self::NotTaken(failure) => {
                Some(failure.advice().replacen("nothing: it is tried again", "try again", 1))
            }
            Self::Problem(problem) => Some(problem.advice()),
            Self::OtherJob { here, .. } => Some(format!(
                "name the target whose job it is of, or a backup of this one, which has `id` \"{here}\""
            )),
            Self::NoJob { here } => Some(format!(
                "name a backup that `scimport schema push` or `restore` wrote; one of this job has \
                 `\"id\": \"{here}\"` among its outermost members"
            )),
            Self::Changed(_) => Some(
                "nothing was changed: agree with whoever works on the mappings in the portal, then \
                 begin again"
                    .to_owned(),
            ),
            Self::Backup(_) => Some("name a new file with `--backup`".to_owned()),
            Self::Unknown(_) => Some(
                "look with `scimport schema diff` once Graph answers; pushing again is harmless"
                    .to_owned(),
            ),
            Self::Differs(_) => Some(
                "look with `scimport schema diff`: Graph may need a moment, or somebody changed it \
                 at the same time; `scimport schema restore` puts the backup back"
                    .to_owned(),
            ),
        }
    }

    /// Whether something was sent, so that the backup matters.
    #[must_use]
    pub const fn has_backup(&self) -> bool {
        matches!(self, Self::NotTaken(_) | Self::Unknown(_) | Self::Differs(_))
    }
}
