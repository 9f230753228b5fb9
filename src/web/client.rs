//! The one place where clients for others than Graph are made, and how answers are read.
//!
//! https only but for a literal loopback address, which is never reached through a proxy. No
//! redirect is followed by the client itself: whoever sends a secret along decides where it goes.
//! Time-outs always.

use std::error::Error;
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Proxy, Response};
use url::{Host, Url};

use crate::config::HttpConfig;

/// What we call ourselves.
const USER_AGENT: &str = concat!("scimport/", env!("CARGO_PKG_VERSION"));
/// The longest that making a connection may take, where a whole call may take longer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// An idle connection is given up after this long: before the other side does.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest wait that is taken from a `Retry-After`. More is a mistake of the other side's.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);

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
    let builder = Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .https_only(is_https)
        .timeout(http.timeout)
        .connect_timeout(CONNECT_TIMEOUT.min(http.timeout))
        .pool_idle_timeout(IDLE_TIMEOUT);
    let builder = with_proxy(builder, url, http)?;
    // plain http needs no authorities, and a machine may have none
    let builder = if is_https { with_ca(builder, http)? } else { builder.tls_certs_only([]) };
    builder.build().map_err(|source| WebError::BuildClient(source.without_url()))
}

fn with_proxy(
    builder: ClientBuilder,
    url: &Url,
    http: &HttpConfig,
) -> Result<ClientBuilder, WebError> {
    if is_loopback(url) {
        return Ok(builder.no_proxy());
    }
    // Without a setting the client takes the system's proxy by itself.
    let Some(proxy) = &http.proxy else { return Ok(builder) };
    let proxy =
        Proxy::all(proxy.as_str()).map_err(|source| WebError::BuildClient(source.without_url()))?;
    Ok(builder.proxy(proxy))
}

fn with_ca(builder: ClientBuilder, http: &HttpConfig) -> Result<ClientBuilder, WebError> {
    let Some(path) = &http.ca_file else { return Ok(builder) };
    let text =
        fs::read(path).map_err(|source| WebError::ReadCaFile { path: path.clone(), source })?;
    match Certificate::from_pem_bundle(&text) {
        Ok(certificates) if !certificates.is_empty() => Ok(builder.tls_certs_merge(certificates)),
        _ => Err(WebError::CaFile(path.clone())),
    }
}

/// How a request came to have no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportKind {
    /// No connection; nothing was sent.
    Connect,
    /// The server's certificate is not trusted; nothing was sent.
    Certificate,
    /// No answer in time; the request may have arrived.
    Timeout,
    /// The connection was cut; the request may have arrived.
    Cut,
}

/// A request without an answer, or with half of one. Holds no address.
#[derive(Debug, Clone)]
pub struct TransportFailure {
    /// How it came to have none.
    pub kind: TransportKind,
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
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self.kind {
            TransportKind::Connect => {
                "check that this machine reaches the address by name and port, and whether it \
                 needs `proxy` under `[http]`"
            }
            TransportKind::Certificate => {
                "a proxy on the way, or the server itself, shows a certificate of an authority of \
                 its own: name that with `ca_file` under `[http]`, and check this machine's clock"
            }
            TransportKind::Timeout | TransportKind::Cut => {
                "nothing: it is tried again; if it goes on, check the proxy and the line"
            }
        }
    }
}

fn is_certificate(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return matches!(tls, rustls::Error::InvalidCertificate(_));
        }
        // An I/O error's `source` skips what it wraps, and here one wraps another.
        cause = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    false
}

/// A body, as far as it was read. No `Debug`, on purpose: it may hold people.
pub struct Body {
    /// What was read.
    pub bytes: Vec<u8>,
    /// Whether it went on beyond the limit.
    pub is_too_long: bool,
    /// Why it ended early.
    pub cut: Option<TransportFailure>,
}

/// Reads a body up to a limit in bytes, counted after decompression.
pub async fn read_at_most(response: &mut Response, limit: usize) -> Body {
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

/// `Retry-After`, in seconds or as a date (RFC 9110 section 10.2.3), a day at most. A date is held
/// against the server's own clock where it shows it.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits that do not fit are a very long time.
        Duration::from_secs(text.parse().unwrap_or(if text.is_empty() { 0 } else { u64::MAX }))
    } else {
        let then = http_date(text)?;
        let served = headers.get(DATE).and_then(|date| date.to_str().ok()).and_then(http_date);
        let wait = then.duration_since(served.unwrap_or(now));
        wait.max(SignedDuration::ZERO).unsigned_abs()
    };
    (!text.is_empty()).then_some(wait.min(MAX_RETRY_AFTER))
}

fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
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
        fs::write(&path, "no certificate").unwrap();
        assert!(matches!(client(&url, &settings), Err(WebError::CaFile(_))));
    }

    #[test]
    fn retry_after_is_read_in_seconds_or_as_a_date_of_the_servers_clock() {
        let wait = |pairs: &[(&'static str, &'static str)]| {
            let one =
                |(name, value): &(&str, &str)| (name.parse().unwrap(), value.parse().unwrap());
            let headers = pairs.iter().map(one).collect();
            retry_after(&headers, "2026-09-01T10:00:00Z".parse().unwrap())
        };
        assert_eq!(wait(&[("retry-after", " 17 ")]), Some(Duration::from_secs(17)));
        assert_eq!(wait(&[("retry-after", "99999999999999999999999")]), Some(MAX_RETRY_AFTER));
        for nonsense in ["", "soon", "-3", "1.5"] {
            assert_eq!(wait(&[("retry-after", nonsense)]), None, "{nonsense}");
        }
        let then = ("retry-after", "Tue, 01 Sep 2026 10:00:30 GMT");
        assert_eq!(wait(&[then]), Some(Duration::from_secs(30)));
        let date = ("date", "Tue, 01 Sep 2026 10:00:10 GMT");
        assert_eq!(wait(&[then, date]), Some(Duration::from_secs(20)));
        let past = ("retry-after", "Tue, 01 Sep 2026 09:00:00 GMT");
        assert_eq!(wait(&[past]), Some(Duration::ZERO));
    }
}
