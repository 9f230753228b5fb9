//! Whose certificate a server shows, when it is not trusted: the name of the authority that is
//! missing.
//!
//! A second handshake, with a verifier that notes what it is shown and refuses it always: nothing is
//! sent, whatever stands there.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use url::Url;

use crate::entra::HttpSettings;
use crate::entra::base_url::BaseUrl;
use crate::entra::certificate::issuer_of;
use crate::entra::http;

/// The name of the authority above all that the server shows; `None` where it cannot be told.
pub(super) async fn issuer(url: &Url, base: &BaseUrl, settings: &HttpSettings) -> Option<String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let schemes = provider.signature_verification_algorithms.supported_schemes();
    let witness = Arc::new(Witness { seen: Mutex::default(), schemes });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&witness) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    let builder = http::builder(settings).https_only(true).tls_backend_preconfigured(config);
    let client = http::with_proxy(builder, base, settings).ok()?.build().ok()?;
    // it fails, as it should
    drop(client.get(url.clone()).send().await);
    let seen = witness.seen.lock().unwrap_or_else(PoisonError::into_inner).take()?;
    issuer_of(&seen)
}

/// Trusts nobody, and remembers the last certificate of the chain.
#[derive(Debug)]
struct Witness {
    seen: Mutex<Option<Vec<u8>>>,
    schemes: Vec<SignatureScheme>,
}

fn refused<T>() -> Result<T, Error> {
    Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let last = intermediates.last().unwrap_or(end_entity);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(last.to_vec());
        refused()
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        refused()
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        refused()
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}
