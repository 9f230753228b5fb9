//! Whose certificate a server shows, when it is not trusted: the name of the authority that is
//! missing.
//!
//! A second handshake, with a verifier that notes what it is shown and refuses it always: nothing is
//! sent, whatever stands there. Of X.509 (RFC 5280 section 4.1) just as much is read as leads to the
//! issuer's name.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use url::Url;

use crate::entra::HttpSettings;
use crate::entra::base_url::BaseUrl;
use crate::entra::http;

/// The longest name that is shown; an authority's has some dozen letters.
const MAX_NAME: usize = 100;

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
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_ID: u8 = 0x06;
/// `[0]`, the version of a certificate.
const VERSION: u8 = 0xa0;
/// `UTF8String`, `PrintableString`, `TeletexString`, `IA5String`.
const TEXTS: [u8; 4] = [0x0c, 0x13, 0x14, 0x16];
/// 2.5.4.3 and 2.5.4.10, by which people know an authority.
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
const ORGANIZATION: [u8; 3] = [0x55, 0x04, 0x0a];

/// The issuer's common name and organization.
fn issuer_of(der: &[u8]) -> Option<String> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (mut rest, _) = element(certificate, SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        rest = element(rest, VERSION)?.1;
    }
    // serial number, signature algorithm
    for _ in 0..2 {
        let tag = *rest.first()?;
        rest = element(rest, tag)?.1;
    }
    let (mut names, _) = element(rest, SEQUENCE)?;
    let (mut common, mut organization) = (None, None);
    while !names.is_empty() {
        let (set, after) = element(names, SET)?;
        names = after;
        let (pair, _) = element(set, SEQUENCE)?;
        let (kind, value) = element(pair, OBJECT_ID)?;
        let tag = *value.first()?;
        if !TEXTS.contains(&tag) {
            continue;
        }
        let text = shown(element(value, tag)?.0);
        if kind == COMMON_NAME {
            common = Some(text);
        } else if kind == ORGANIZATION {
            organization = Some(text);
        }
    }
    let known: Vec<_> = [common, organization].into_iter().flatten().collect();
    (!known.is_empty()).then(|| known.join(", "))
}

/// A name from outside: a terminal obeys what it does not show.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().take(MAX_NAME).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// An element with this tag at the start: its content, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = if length < 0x80 {
        (usize::from(length), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
        if bytes.len() > 4 {
            return None;
        }
        (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
    };
    if found != tag {
        return None;
    }
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

    use super::*;

    fn certificate(names: &[(DnType, &str)]) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        params.distinguished_name = DistinguishedName::new();
        for (kind, text) in names {
            params.distinguished_name.push(kind.clone(), *text);
        }
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn an_authority_is_known_by_common_name_and_organization() {
        let both = certificate(&[
            (DnType::CountryName, "DE"),
            (DnType::OrganizationName, "Contoso"),
            (DnType::CommonName, "Inspection \u{1b}[31mroot"),
        ]);
        assert_eq!(issuer_of(&both).as_deref(), Some("Inspection \u{fffd}[31mroot, Contoso"));
        let one = certificate(&[(DnType::OrganizationName, "Contoso")]);
        assert_eq!(issuer_of(&one).as_deref(), Some("Contoso"));
        assert_eq!(issuer_of(&certificate(&[])), None);
    }

    #[test]
    fn half_a_certificate_and_any_other_bytes_are_survived() {
        let whole = certificate(&[(DnType::CommonName, "Root")]);
        for end in 0..whole.len() {
            let cut = &whole[..end];
            assert!(issuer_of(cut).is_none(), "{end}");
        }
        for bytes in [&b""[..], b"0", b"0\x80", b"0\x85\xff\xff\xff\xff\xff", b"<html>"] {
            assert_eq!(issuer_of(bytes), None);
        }
    }
}
