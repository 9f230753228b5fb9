//! What all clients have in common.
//!
//! No redirect is followed: whoever sends a secret along decides where it goes. Time-outs always.
//! rustls with aws-lc-rs comes with the client: no process-wide provider is needed.

use std::fs;
use std::path::Path;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Proxy};

/// What we call ourselves.
const USER_AGENT: &str = concat!("scimport/", env!("CARGO_PKG_VERSION"));

/// An idle connection is given up after this long: before the other side does, so that a request is
/// not written into a connection that is just being closed. Such a request would be a call that
/// counts and has no answer.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// A client with our defaults: `timeout` for a whole call, `connect_timeout` for making a connection.
pub fn builder(timeout: Duration, connect_timeout: Duration) -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        // One call is one request: Entra counts them, and so do we.
        .retry(reqwest::retry::never())
        .referer(false)
        .timeout(timeout)
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(IDLE_TIMEOUT)
}

/// The same through a proxy, where one is set; a loopback address is never reached through one.
///
/// # Errors
///
/// When the proxy's address is none.
pub fn with_proxy(
    builder: ClientBuilder,
    is_loopback: bool,
    proxy: Option<&str>,
) -> Result<ClientBuilder, reqwest::Error> {
    if is_loopback {
        return Ok(builder.no_proxy());
    }
    // Without a setting the client takes the system's proxy by itself.
    let Some(proxy) = proxy else { return Ok(builder) };
    Ok(builder.proxy(Proxy::all(proxy).map_err(reqwest::Error::without_url)?))
}

/// Why a file of certificate authorities cannot be used.
#[derive(Debug)]
pub enum CaProblem {
    /// It cannot be read.
    Read(std::io::Error),
    /// It has no certificate that can be read.
    NoCertificate,
}

/// The same with the certificate authorities of a file beside the system's, where one is named.
///
/// # Errors
///
/// When the file cannot be used.
pub fn with_ca(builder: ClientBuilder, ca_file: Option<&Path>) -> Result<ClientBuilder, CaProblem> {
    let Some(path) = ca_file else { return Ok(builder) };
    let text = fs::read(path).map_err(CaProblem::Read)?;
    match Certificate::from_pem_bundle(&text) {
        Ok(certificates) if !certificates.is_empty() => Ok(builder.tls_certs_merge(certificates)),
        _ => Err(CaProblem::NoCertificate),
    }
}
