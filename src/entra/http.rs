//! The one place where the clients for Graph and its authority are made.
//!
//! No redirect is followed, https only but for a literal loopback address, no proxy for loopback,
//! time-outs always. rustls with aws-lc-rs comes with the client: no process-wide provider is
//! needed. A client for plain http on loopback loads no certificate authorities, so that the
//! stand-in Entra works on a machine that has none.

use reqwest::{Client, ClientBuilder};

use crate::entra::base_url::BaseUrl;
use crate::entra::{EntraError, HttpSettings};
use crate::transport::{self, CaProblem, TransportFailure};

/// Most bytes that are read of an error's body. A proxy's page may be of any size.
pub(super) const MAX_ERROR_BYTES: usize = 64 * 1024;

/// What to do about a certificate that is not trusted: Microsoft's own are.
const OF_CERTIFICATE: &str = "a proxy on the way shows its own certificate: name its certificate authority \
     with `ca_file` under `[http]`, and check this machine's clock";

/// What to do about a request without an answer.
pub(super) const fn advice(failure: &TransportFailure) -> &'static str {
    failure.advice(OF_CERTIFICATE)
}

/// Makes the client for one address.
pub(super) fn client(base: &BaseUrl, http: &HttpSettings) -> Result<Client, EntraError> {
    let builder = builder(http).https_only(base.is_https());
    let builder = with_proxy(builder, base, http)?;
    let builder =
        if base.is_https() { with_ca(builder, http)? } else { builder.tls_certs_only([]) };
    builder.build().map_err(|source| EntraError::BuildClient(source.without_url()))
}

/// What all clients have in common.
pub(super) fn builder(http: &HttpSettings) -> ClientBuilder {
    transport::builder(http.timeout, http.connect_timeout)
}

pub(super) fn with_proxy(
    builder: ClientBuilder,
    base: &BaseUrl,
    http: &HttpSettings,
) -> Result<ClientBuilder, EntraError> {
    let proxy = http.proxy.as_ref().map(url::Url::as_str);
    transport::with_proxy(builder, base.is_loopback(), proxy).map_err(EntraError::BuildClient)
}

fn with_ca(builder: ClientBuilder, http: &HttpSettings) -> Result<ClientBuilder, EntraError> {
    transport::with_ca(builder, http.ca_file.as_deref()).map_err(|problem| {
        let path = http.ca_file.clone().unwrap_or_default();
        match problem {
            CaProblem::Read(source) => EntraError::ReadCaFile { path, source },
            CaProblem::NoCertificate => EntraError::CaFile { path },
        }
    })
}
