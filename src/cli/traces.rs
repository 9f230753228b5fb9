//! Traces, where the config names a collector.

use secrecy::SecretString;

use crate::bridge::Setup;
use crate::cli::context::Failed;
use crate::cli::exit::Exit;
use crate::cli::terminal::tell;
use crate::config::{OtlpConfig, SecretRef, Secrets};
use crate::telemetry::{Causes, flush_traces, send_traces};

/// Sends traces from now on, if the config says where to.
pub fn start(setup: &Setup) -> Result<(), Failed> {
    let Some(otlp) = &setup.config().telemetry.otlp else { return Ok(()) };
    let headers = headers(setup.secrets(), otlp)?;
    send_traces(&otlp.endpoint, otlp.is_here(), &headers).map_err(|error| {
        tell(format!("error: {}\nhint: look at `[telemetry]`", Causes(&error)));
        Failed(Exit::Usage)
    })
}

/// What the collector is told with each request; why it cannot be had has been said.
pub fn headers(
    secrets: &Secrets,
    otlp: &OtlpConfig,
) -> Result<Vec<(String, SecretString)>, Failed> {
    let resolve = |(name, secret): &(String, SecretRef)| {
        let value = secret.resolve(secrets).map_err(|error| {
            tell(format!(
                "error: header `{name}` of `telemetry.otlp` cannot be had: {}\n\
                 hint: put it there, then `scimport check` looks again",
                Causes(&error)
            ));
            Failed(Exit::Usage)
        })?;
        Ok((name.clone(), value))
    };
    otlp.headers.iter().map(resolve).collect()
}

/// Sends what is left.
pub async fn finish() {
    // it waits for the collector on a thread of its own
    let _ = tokio::task::spawn_blocking(flush_traces).await;
}
