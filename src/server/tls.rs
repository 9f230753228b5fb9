//! The certificate that the server shows, where it speaks TLS itself.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use secrecy::ExposeSecret as _;

use crate::config::{SecretError, SecretRef, Secrets, ServerTls};

/// Why a certificate cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// It cannot be had.
    #[error("`server.tls.{key}` cannot be read")]
    Read {
        /// `certificate` or `key`.
        key: &'static str,
        /// Why.
        #[source]
        source: SecretError,
    },
    /// There is no certificate in it.
    #[error("`server.tls.certificate` has no certificate in PEM")]
    NoCertificate,
    /// There is no key in it.
    #[error(
        "`server.tls` has no private key in PEM (PKCS#8, PKCS#1 or SEC1), beside the certificate or as `key`"
    )]
    NoKey,
    /// They are not made for each other.
    #[error("the key and the certificate of `server.tls` do not fit, or are of an unknown kind")]
    Unfit(#[source] rustls::Error),
}

/// The certificate shown from now on; a reload replaces it while connections stay.
pub(super) struct Shown(RwLock<Arc<CertifiedKey>>);

impl Shown {
    pub(super) fn new(key: Arc<CertifiedKey>) -> Self {
        Self(RwLock::new(key))
    }

    pub(super) fn replace(&self, key: Arc<CertifiedKey>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = key;
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown")
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn provider() -> CryptoProvider {
    aws_lc_rs::default_provider()
}

/// Fetches certificate and key.
///
/// # Errors
///
/// When they cannot be had, are none, or do not fit.
pub(super) fn read(tls: &ServerTls, secrets: &Secrets) -> Result<Arc<CertifiedKey>, TlsError> {
    let pem = |key, reference: &SecretRef| {
        reference.resolve(secrets).map_err(|source| TlsError::Read { key, source })
    };
    let certificate = pem("certificate", &tls.certificate)?;
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(certificate.expose_secret().as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|_| TlsError::NoCertificate)?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate);
    }
    let key = match &tls.key {
        None => certificate,
        Some(key) => pem("key", key)?,
    };
    let key = PrivateKeyDer::from_pem_slice(key.expose_secret().as_bytes())
        .map_err(|_| TlsError::NoKey)?;
    CertifiedKey::from_der(chain, key, &provider()).map(Arc::new).map_err(TlsError::Unfit)
}

/// TLS 1.2 and 1.3 with this certificate.
///
/// # Errors
///
/// When the provider knows neither version, which does not happen.
pub(super) fn config(shown: Arc<Shown>) -> Result<rustls::ServerConfig, TlsError> {
    let builder = rustls::ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Unfit)?;
    Ok(builder.with_no_client_auth().with_cert_resolver(shown))
}
