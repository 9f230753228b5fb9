//! Traces, where the config names a collector.

use secrecy::SecretString;

use crate::cli::context::{Context, Failed};
use crate::cli::exit::Exit;
use crate::cli::terminal::tell;
use crate::config::{Config, OtlpConfig};
use crate::telemetry::{Causes, flush_traces, send_traces};

/// Sends traces from now on, if the config says where to.
pub fn start(context: &Context, config: &Config) -> Result<(), Failed> {
    let Some(otlp) = &config.telemetry.otlp else { return Ok(()) };
    let headers = headers(context, otlp)?;
    send_traces(&otlp.endpoint, otlp.is_here(), &headers).map_err(|error| {
        tell(format!("error: {}\nhint: look at `[telemetry]`", Causes(&error)));
        Failed(Exit::Usage)
    })
}

/// What the collector is told with each request; why it cannot be had has been said.
pub fn headers(
    context: &Context,
    otlp: &OtlpConfig,
) -> Result<Vec<(String, SecretString)>, Failed> {
    let lookup = |name: &str| context.variable(name);
    let resolve = |(name, secret): &(String, crate::config::SecretRef)| {
        let value = secret.resolve(&lookup).map_err(|error| {
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
