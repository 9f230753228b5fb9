//! The one place where clients for others than Graph are made.
//!
//! https only but for a literal loopback address, which is never reached through a proxy. No
//! redirect is followed by the client itself: whoever sends a secret along decides where it goes.
//! Time-outs always.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Client, ClientBuilder};
use url::{Host, Url};

use crate::config::HttpConfig;
use crate::transport::{self, CaProblem, TransportFailure};

/// The longest that making a connection may take, where a whole call may take longer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// What to do about a certificate that is not trusted: it may be the server's own.
const OF_CERTIFICATE: &str = "a proxy on the way, or the server itself, shows a certificate of an \
     authority of its own: name that with `ca_file` under `[http]`, and check this machine's clock";

/// What to do about a request without an answer.
pub(super) const fn advice(failure: &TransportFailure) -> &'static str {
    failure.advice(OF_CERTIFICATE)
}

/// Why no client can be made. Names no address: one may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// Anybody on the way could read and change what is said.
    #[error("the address begins with `{0}://`, expected `https://`")]
    Scheme(String),
    /// Where it leads is for the resolver to say, which plain http must not hang on.
    #[error("plain http is spoken with a literal loopback address only, such as `127.0.0.1`")]
    Plain,
    /// An address is shown here and there; what stands in it would be too.
    #[error("the address has a user name or password in it")]
    UserInfo,
    /// Such as `mailto:`.
    #[error("the address has no host")]
    NoHost,
    /// The file with certificate authorities cannot be read.
    #[error("cannot read `http.ca_file` (`{}`)", path.display())]
    ReadCaFile {
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file has no certificate that can be read.
    #[error("`http.ca_file` (`{}`) has no certificate in PEM form", .0.display())]
    CaFile(PathBuf),
    /// The client cannot be made.
    #[error("cannot make an HTTP client")]
    BuildClient(#[source] reqwest::Error),
}

/// Whether an address is a literal loopback address: 127.0.0.0/8 or `[::1]`. `localhost` is not:
/// what it means is for the resolver to say.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(_)) | None => false,
    }
}

/// Whether an address may be called: https, or http with a literal loopback address, and without a
/// user name or password.
///
/// # Errors
///
/// When it may not.
pub fn check_address(url: &Url) -> Result<(), WebError> {
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(url) => {}
        "http" => return Err(WebError::Plain),
        scheme => return Err(WebError::Scheme(scheme.to_owned())),
    }
    if !url.has_host() {
        return Err(WebError::NoHost);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(WebError::UserInfo);
    }
    Ok(())
}

/// Makes a client for one address and its like: what it may be used for is its scheme, and loopback
/// or not. It keeps its connections, so it is made once.
///
/// # Errors
///
/// When the address may not be called, or `ca_file` cannot be used.
pub fn client(url: &Url, http: &HttpConfig) -> Result<Client, WebError> {
    check_address(url)?;
    let is_https = url.scheme() == "https";
    let builder = transport::builder(http.timeout, CONNECT_TIMEOUT.min(http.timeout));
    let builder = builder.https_only(is_https);
    let proxy = http.proxy.as_deref();
    let builder = transport::with_proxy(builder, is_loopback(url), proxy);
    let builder = builder.map_err(WebError::BuildClient)?;
    // plain http needs no authorities, and a machine may have none
    let builder = if is_https { with_ca(builder, http)? } else { builder.tls_certs_only([]) };
    builder.build().map_err(|source| WebError::BuildClient(source.without_url()))
}

fn with_ca(builder: ClientBuilder, http: &HttpConfig) -> Result<ClientBuilder, WebError> {
    transport::with_ca(builder, http.ca_file.as_deref()).map_err(|problem| {
        let path = http.ca_file.clone().unwrap_or_default();
        match problem {
            CaProblem::Read(source) => WebError::ReadCaFile { path, source },
            CaProblem::NoCertificate => WebError::CaFile(path),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http() -> HttpConfig {
        HttpConfig { proxy: None, ca_file: None, timeout: Duration::from_secs(5) }
    }

    fn refuse(address: &str) -> String {
        client(&Url::parse(address).unwrap(), &http()).unwrap_err().to_string()
    }

    #[test]
    fn https_is_spoken_and_plain_http_with_a_literal_loopback_address_only() {
        for address in [
            "https://hr.example/a",
            "http://127.0.0.1:8080/a",
            "http://[::1]/",
            "https://127.8.8.8",
        ] {
            assert!(client(&Url::parse(address).unwrap(), &http()).is_ok(), "{address}");
        }
        let plain =
            "plain http is spoken with a literal loopback address only, such as `127.0.0.1`";
        assert_eq!(refuse("http://hr.example/a"), plain);
        assert_eq!(refuse("http://localhost/a"), plain);
        assert_eq!(refuse("http://127.0.0.1.evil.example/a"), plain);
        let scheme = "the address begins with `ftp://`, expected `https://`";
        assert_eq!(refuse("ftp://hr.example/a"), scheme);
    }

    #[test]
    fn an_address_with_a_password_in_it_is_refused_without_it() {
        let error = client(&Url::parse("https://me:hunter2@hr.example").unwrap(), &http());
        let error = error.unwrap_err();
        assert_eq!(error.to_string(), "the address has a user name or password in it");
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[test]
    fn a_file_of_authorities_that_cannot_be_used_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let url = Url::parse("https://hr.example").unwrap();
        let settings = HttpConfig { ca_file: Some(path.clone()), ..http() };
        assert!(matches!(client(&url, &settings), Err(WebError::ReadCaFile { .. })));
        std::fs::write(&path, "no certificate").unwrap();
        assert!(matches!(client(&url, &settings), Err(WebError::CaFile(_))));
    }
}
