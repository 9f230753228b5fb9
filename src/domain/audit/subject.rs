//! What an entry of the audit trail is about.

use std::fmt;

use crate::domain::{BulkRequestId, DeliveryId, KeyId, RunId, SourceName, TargetName};

/// What an entry is about. Never a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditSubject {
    /// A run.
    Run(RunId),
    /// A provisioning key, by its public part.
    Key(KeyId),
    /// A webhook delivery.
    Delivery(DeliveryId),
    /// A bulk request.
    Request(BulkRequestId),
    /// A source of the config.
    Source(SourceName),
    /// A target of the config.
    Target(TargetName),
    /// A secret of the vault, by its name.
    Secret(Box<str>),
    /// The vault as a whole.
    Vault,
    /// The config file.
    Config,
    /// The store as a whole, also where something of one worker was erased: whose it was is not said.
    Store,
    /// The daemon.
    Service,
}

impl fmt::Display for AuditSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(id) => write!(f, "run {id}"),
            Self::Key(id) => write!(f, "key {id}"),
            Self::Delivery(id) => write!(f, "delivery {id}"),
            Self::Request(id) => write!(f, "request {id}"),
            Self::Source(name) => write!(f, "source {name}"),
            Self::Target(name) => write!(f, "target {name}"),
            Self::Secret(name) => write!(f, "secret {name}"),
            Self::Vault => f.write_str("vault"),
            Self::Config => f.write_str("config"),
            Self::Store => f.write_str("store"),
            Self::Service => f.write_str("service"),
        }
    }
}
