//! What can go wrong between the rooms.

use crate::bridge::{
    DecisionError, ForgetError, KeyError, ScheduleError, SchemaError, SealError, StoreKeyError,
};
use crate::config::ConfigErrors;
use crate::domain::{Problem, SourceName, TargetName};
use crate::entra::{CredentialMissing, EntraError};
use crate::intake::IntakeError;
use crate::store::StoreError;
use crate::tracking::TrackingError;
use crate::web::WebError;

/// Why the bridge could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// The config has mistakes.
    #[error("the config has mistakes")]
    Config(#[from] ConfigErrors),
    /// There is no such source.
    #[error("there is no source `{name}` in the config")]
    NoSuchSource {
        /// The name asked for.
        name: SourceName,
        /// The names there are, in backticks.
        known: Vec<String>,
    },
    /// There is no such target.
    #[error("there is no target `{0}` in the config")]
    NoSuchTarget(TargetName),
    /// A target's secret cannot be had.
    #[error("the credential of target `{target}` cannot be read")]
    Secret {
        /// The target.
        target: TargetName,
        /// Why.
        #[source]
        source: CredentialMissing,
    },
    /// A target's client cannot be built.
    #[error("target `{target}` cannot be reached with these settings")]
    Client {
        /// The target.
        target: TargetName,
        /// Why.
        #[source]
        source: Box<EntraError>,
    },
    /// The ledger of a target speaks of another provisioning job.
    #[error("the ledger of target `{target}` belongs to another provisioning job, `{bound}`")]
    OtherJob {
        /// The target.
        target: TargetName,
        /// Tenant, service principal and job of the ledger.
        bound: String,
    },
    /// The file was refused.
    #[error("{}: {}", .0.place, .0.message)]
    Refused(Box<Problem>),
    /// An HR system cannot be asked.
    #[error("the address of `hydrate` cannot be asked")]
    Web(#[from] WebError),
    /// There is no room for temporary files.
    #[error("a temporary file cannot be written")]
    Spool {
        /// Why.
        source: std::io::Error,
    },
    /// Nothing can be fetched when a time has come.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// The ledger kept changing while the file was planned.
    #[error("other runs kept changing the ledger while this file was planned")]
    LedgerBusy,
    /// A decision about a run was not possible.
    #[error(transparent)]
    Decision(#[from] DecisionError),
    /// Nothing was done about a key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A job's schema was not looked at, or not changed.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A key of the store cannot be had.
    #[error("the store's key cannot be read")]
    StoreKey(#[from] StoreKeyError),
    /// Nobody was forgotten.
    #[error(transparent)]
    Forget(#[from] ForgetError),
    /// A sealed plan was not applied.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Reading or planning failed.
    #[error(transparent)]
    Intake(IntakeError),
    /// Tracking failed.
    #[error(transparent)]
    Tracking(#[from] TrackingError),
}

impl From<IntakeError> for BridgeError {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Refused { problem, .. } => Self::Refused(problem),
            IntakeError::OtherJob { target, bound } => Self::OtherJob { target, bound },
            IntakeError::Store(error) => Self::Store(error),
            IntakeError::Stopped(_) => Self::Intake(error),
        }
    }
}
