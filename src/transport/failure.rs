//! How a request came to have no answer.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

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
    source: Option<Arc<reqwest::Error>>,
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
        // An address may name a person, or hold a token.
        Self { kind, source: Some(Arc::new(error.without_url())) }
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
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

impl TransportFailure {
    /// Nothing came for as long as one is willing to wait.
    #[must_use]
    pub const fn too_slow() -> Self {
        Self { kind: TransportKind::Timeout, source: None }
    }

    /// What to do about it; `of_certificate` is that for a certificate that is not trusted, which depends
    /// on whose it should be.
    #[must_use]
    pub const fn advice(&self, of_certificate: &'static str) -> &'static str {
        match self.kind {
            TransportKind::Connect => {
                "check that this machine reaches the address by name and port, and whether it \
                 needs `proxy` under `[http]`"
            }
            TransportKind::Certificate => of_certificate,
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
#[must_use]
pub fn tls_fault(error: &reqwest::Error) -> Option<rustls::Error> {
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
