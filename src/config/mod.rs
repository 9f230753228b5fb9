//! The config, `scimport.toml`: found, read, checked, and every mistake in it told at once.
//!
//! Start from [`Config::load`]. The text becomes a tree of nodes that know where they stand
//! (`node`), the environment is laid over it (`environment`), and a reader for each section turns
//! nodes into plain structs. Readers never stop at the first mistake, and never drop a key: what is
//! unknown, or promised for a later version only, is a problem. Checks that need more than the
//! config (is the authority one of Microsoft's? does the mapping compile?) belong to the rooms that
//! know; [`Config::problem_at`] gives their findings a line.
//!
//! Secrets never stand in this file, only references to them ([`SecretRef`]). People paste them
//! into it all the same, so no message here prints what follows a `=`, except a value that was just
//! judged to be harmless (`document` says how).
//!
//! Layer 3; from the core it knows the config types of `mapping`, `source` and `plan`, and
//! which paths `scim` takes for the same attribute.

mod alerts;
mod as_of;
mod azure;
mod changes;
mod command;
mod credential;
mod document;
mod duration;
mod environment;
mod find;
mod folder;
mod format;
mod guard;
mod http;
mod hydrate;
mod leavers;
mod load;
mod mail;
mod mapping;
mod node;
mod problem;
mod retention;
mod rows;
mod rule;
mod schedule;
mod secret_lookup;
mod secrets;
mod section;
mod server;
mod size;
mod source;
mod store;
mod suggest;
mod syntax;
mod target;
mod telemetry;
mod tenant;
mod times;
mod vault;
mod webhook;

pub use alerts::{AlertFormat, AlertWebhook, AlertsConfig};
pub use command::SecretCommand;
pub use credential::{AssertionConfig, CredentialConfig};
pub use duration::parse as parse_duration;
pub use find::{ConfigNotFound, find};
pub use folder::{FilePattern, FolderConfig};
pub use http::HttpConfig;
pub use hydrate::{AuthConfig, FetchConfig, HydrateConfig, UserConfig};
pub use load::{Config, environment};
pub use mail::{AlertEmail, SmtpConfig, SmtpLogin, SmtpTls};
pub use problem::{ConfigErrors, ConfigPlace, ConfigProblem, Snippet};
pub use retention::RetentionConfig;
pub use schedule::{ExpectedConfig, ScheduleConfig, Takes};
pub use secret_lookup::{SecretVault, Secrets, VaultFault, lookup};
pub use secrets::{SecretError, SecretRef, aside};
pub use server::{ServerConfig, ServerTls};
pub use source::{Export, SourceConfig, SourceTimeZone};
pub use store::StoreConfig;
pub use suggest::nearest;
pub use target::{Burst, RetryConfig, TargetConfig, TrackingConfig};
pub use telemetry::{OtlpConfig, TelemetryConfig};
pub use times::Times;
pub use vault::{VaultConfig, VaultKeyRef, VaultUse};
pub use webhook::{
    SignatureAlgorithm, SignatureConfig, SignatureEncoding, SignedPart, VerifyConfig,
    WebhookConfig, WebhookPreset,
};
