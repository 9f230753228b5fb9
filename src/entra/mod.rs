//! Microsoft Graph, and nothing else knows it: clouds, credentials, tokens, bulkUpload, the
//! provisioning job, the provisioning log, Entra's limits and what its refusals mean.
//!
//! Start at [`EntraClient`]. What may enter here is what Microsoft's documentation says of the other
//! side; what must not enter is the bridge's own state: no store, no queue, no waiting, no retry but
//! the one fresh token after a 401. Whoever calls gets a [`CallFailure`] and asks it for its
//! [`Disposition`].
//!
//! Three promises are kept here and nowhere else:
//!
//! - the token goes only to Microsoft's Graph hosts, secret and assertion only to its authority
//!   hosts, or to a literal loopback address and then never through a proxy (`base_url`, `http`);
//!   what stands for a managed identity stays on this machine (`identity`);
//! - no redirect is followed, and a next page only on the same origin (`http`, `log`);
//! - no token, secret, body or text of Graph's reaches a log, an error or a `Debug` (`failure`,
//!   `token_failure`, `event`, `step`).
//!
//! Clients bring their own TLS provider (aws-lc-rs), so nothing has to be installed first.

mod assertion;
mod base_url;
mod certificate;
mod client;
mod cloud;
mod contact;
mod credential;
mod disposition;
mod error;
mod error_body;
mod event;
mod failure;
mod federated;
mod grant;
mod http;
mod identity;
mod job;
mod limits;
mod log;
mod oauth;
mod pfx;
mod principal;
mod probe;
mod proof;
mod refusals;
mod roles;
mod schema;
mod settings;
mod shown;
mod step;
mod token;
mod token_advice;
mod token_failure;
mod upload;
mod way;
mod witness;

pub use certificate::certificate_ends;
pub use client::EntraClient;
pub use cloud::Cloud;
pub use contact::Contact;
pub use credential::{AssertionSignature, Credential, CredentialMissing, CredentialSource};
pub use disposition::Disposition;
pub use error::{CertificateProblem, EntraError};
pub use event::LogEvent;
pub use failure::{Call, CallFailure};
pub use federated::FederatedProblem;
pub use identity::{IdentityHost, IdentityProblem};
pub use job::{JobCode, JobHealth};
pub use limits::{
    BURST_CALLS, BURST_WINDOW, DAILY_CALLS, DAILY_CALLS_GOVERNANCE, LOG_READ_WINDOW, LOG_READS,
    MAX_CHARS, MAX_OPERATIONS, MAX_USER_PRINCIPAL_NAME, lints,
};
pub use log::EventPages;
pub use pfx::{is_pfx, pem_of_pfx};
pub use principal::{ListedJob, Notification, Principal};
pub use probe::{CertificateFault, Layer, Obstacle, Probe, Reach};
pub use refusals::{CredentialsSeen, Refused};
pub use schema::{
    AttributeType, ChangeKind, Conflict, JobSchema, MAX_SCHEMA_BYTES, NewAttribute, OtherLetters,
    OtherType, SchemaAttribute, SchemaChange, SchemaDifference, SchemaProblem, SourceObject,
    WantedAttribute, Written,
};
pub use settings::{HttpSettings, SettingProblem, TargetSettings};
pub use step::{EventStatus, LogStep, StepKind};
pub use token_failure::TokenFailure;
pub use upload::{Accepted, Attempt};
pub use way::Way;
