//! The HTTP face of `serve`: the API, liveness and readiness, metrics, and the contract of it all.
//!
//! [`start`] makes it listen on what `[server]` says. A handler asks `access.rs` who calls, calls the
//! bridge, and answers one of its documents, the very ones that the command line prints; whatever
//! goes wrong is a problem document (`problem.rs`). What every answer has in common (security headers, the
//! access log, counts, ceilings) stands in `gate.rs`.
//!
//! A face: it may import everything, and says neither SQL nor addresses of Graph. No value of a person
//! and no credential is logged; paths are logged as patterns, and queries not at all.

mod access;
mod api;
mod attempts;
mod file_name;
mod gate;
mod health;
mod keys;
mod metrics;
mod openapi;
mod problem;
mod routes;
mod shared;
mod start;
mod tls;
mod tokens;

pub use access::{Caller, Credentials, Role};
pub use keys::ProvisioningKeys;
pub use openapi::document as openapi_document;
pub use start::{Running, StartError, check, start};
pub use tls::TlsError;
pub use tokens::{ServerTokens, TokenError};
