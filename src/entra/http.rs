//! The one place where HTTP clients are made, and how answers are read.
//!
//! No redirect is followed, https only but for a literal loopback address, no proxy for loopback,
//! time-outs always. rustls with aws-lc-rs comes with the client: no process-wide provider is
//! needed. A client for plain http on loopback loads no certificate authorities, so that the
//! stand-in Entra works on a machine that has none.

use std::error::Error;
use std::fmt;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Proxy, Response};

use crate::entra::base_url::BaseUrl;
use crate::entra::{EntraError, HttpSettings};

/// What we call ourselves.
const USER_AGENT: &str = concat!("scimport/", env!("CARGO_PKG_VERSION"));

/// Most bytes that are read of an error's body. A proxy's page may be of any size.
pub(super) const MAX_ERROR_BYTES: usize = 64 * 1024;

/// The longest wait that is taken from a `Retry-After`. More is a mistake of the other side's.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);

/// An idle connection is given up after this long: before the other side does, so that a request is
/// not written into a connection that is just being closed. Such a request would be a call that
/// counts and has no answer.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

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
    Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        // One call is one request: Entra counts them, and so do we.
        .retry(reqwest::retry::never())
        .referer(false)
        .timeout(http.timeout)
        .connect_timeout(http.connect_timeout)
        .pool_idle_timeout(IDLE_TIMEOUT)
}

pub(super) fn with_proxy(
    builder: ClientBuilder,
    base: &BaseUrl,
    http: &HttpSettings,
) -> Result<ClientBuilder, EntraError> {
    if base.is_loopback() {
        return Ok(builder.no_proxy());
    }
    // Without a setting the client takes the system's proxy by itself.
    let Some(url) = &http.proxy else { return Ok(builder) };
    let proxy =
        Proxy::all(url.clone()).map_err(|source| EntraError::BuildClient(source.without_url()))?;
    Ok(builder.proxy(proxy))
}

fn with_ca(builder: ClientBuilder, http: &HttpSettings) -> Result<ClientBuilder, EntraError> {
    let Some(path) = &http.ca_file else { return Ok(builder) };
    let text =
        fs::read(path).map_err(|source| EntraError::ReadCaFile { path: path.clone(), source })?;
    match Certificate::from_pem_bundle(&text) {
        Ok(certificates) if !certificates.is_empty() => Ok(builder.tls_certs_merge(certificates)),
        _ => Err(EntraError::CaFile { path: path.clone() }),
    }
}

/// How a request came to have no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TransportKind {
    /// No connection; nothing was sent.
    Connect,
    /// The server's certificate is not trusted; nothing was sent.
    Certificate,
    /// No answer in time; the request may have arrived.
    Timeout,
    /// The connection was cut; the request may have arrived.
    Cut,
}

/// A request without an answer, or with half of one.
#[derive(Debug, Clone)]
pub(super) struct TransportFailure {
    pub(super) kind: TransportKind,
    source: Arc<reqwest::Error>,
}

impl From<reqwest::Error> for TransportFailure {
    fn from(error: reqwest::Error) -> Self {
        let kind = if is_certificate(&error) {
            TransportKind::Certificate
        } else if error.is_connect() {
            // Connecting that takes too long is both; nothing was sent.
            TransportKind::Connect
        } else if error.is_timeout() {
            TransportKind::Timeout
        } else {
            TransportKind::Cut
        };
        // An address may hold a token of the log's pages.
        Self { kind, source: Arc::new(error.without_url()) }
    }
}

impl fmt::Display for TransportFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TransportKind::Connect => "no connection",
            TransportKind::Certificate => "the server's certificate is not trusted",
            TransportKind::Timeout => "no answer within the time-out",
            TransportKind::Cut => "the connection was cut",
        })
    }
}

impl Error for TransportFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

impl TransportFailure {
    /// What to do about it.
    pub(super) const fn advice(&self) -> &'static str {
        match self.kind {
            TransportKind::Connect => {
                "check that this machine reaches the address by name and port, and whether it \
                 needs `proxy` under `[http]`"
            }
            TransportKind::Certificate => {
                "a proxy on the way shows its own certificate: name its certificate authority \
                 with `ca_file` under `[http]`, and check this machine's clock"
            }
            TransportKind::Timeout | TransportKind::Cut => {
                "nothing: it is tried again; if it goes on, check the proxy and the line"
            }
        }
    }
}

fn is_certificate(error: &reqwest::Error) -> bool {
    matches!(tls_fault(error), Some(rustls::Error::InvalidCertificate(_)))
}

/// What TLS failed with, if it was TLS.
pub(super) fn tls_fault(error: &reqwest::Error) -> Option<rustls::Error> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(tls.clone());
        }
        // An I/O error's `source` skips what it wraps, and here one wraps another.
        cause = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// A body, as far as it was read.
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    /// Whether it went on beyond the limit.
    pub(super) is_too_long: bool,
    /// Why it ended early.
    pub(super) cut: Option<TransportFailure>,
}

/// Reads a body up to a limit, counted after decompression.
pub(super) async fn read_at_most(response: &mut Response, limit: usize) -> Body {
    let mut body = Body { bytes: Vec::new(), is_too_long: false, cut: None };
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = limit.saturating_sub(body.bytes.len());
                body.bytes.extend(chunk.iter().take(room));
                if chunk.len() > room {
                    body.is_too_long = true;
                    return body;
                }
            }
            Ok(None) => return body,
            Err(error) => {
                body.cut = Some(error.into());
                return body;
            }
        }
    }
}

/// The server's `Date`.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    http_date(headers.get(DATE)?.to_str().ok()?)
}

/// `Retry-After`, in seconds or as a date (RFC 9110 section 10.2.3). A date is held against the
/// server's own clock where it shows it.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits that do not fit are a very long time.
        Duration::from_secs(text.parse().unwrap_or(if text.is_empty() { 0 } else { u64::MAX }))
    } else {
        let then = http_date(text)?;
        let now = date(headers).unwrap_or(now);
        then.duration_since(now).max(SignedDuration::ZERO).unsigned_abs()
    };
    (!text.is_empty()).then_some(wait.min(MAX_RETRY_AFTER))
}

fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn wait(pairs: &[(&'static str, &'static str)]) -> Option<Duration> {
        retry_after(&headers(pairs), "2026-09-01T10:00:00Z".parse().unwrap())
    }

    #[test]
    fn retry_after_is_read_in_seconds() {
        assert_eq!(wait(&[("retry-after", "17")]), Some(Duration::from_secs(17)));
        assert_eq!(wait(&[("retry-after", " 0 ")]), Some(Duration::ZERO));
        assert_eq!(wait(&[("retry-after", "99999999999999999999999")]), Some(MAX_RETRY_AFTER));
        assert_eq!(wait(&[]), None);
        for nonsense in ["", "soon", "-3", "1.5"] {
            assert_eq!(wait(&[("retry-after", nonsense)]), None, "{nonsense}");
        }
    }

    #[test]
    fn retry_after_as_a_date_is_held_against_the_servers_clock() {
        let then = ("retry-after", "Tue, 01 Sep 2026 10:00:30 GMT");
        assert_eq!(wait(&[then]), Some(Duration::from_secs(30)));
        let date = ("date", "Tue, 01 Sep 2026 10:00:10 GMT");
        assert_eq!(wait(&[then, date]), Some(Duration::from_secs(20)));
        let past = ("retry-after", "Tue, 01 Sep 2026 09:00:00 GMT");
        assert_eq!(wait(&[past]), Some(Duration::ZERO));
    }
}
