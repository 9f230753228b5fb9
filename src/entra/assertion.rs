//! The client assertion: a JWT signed with the app's certificate.
//!
//! Follows the Microsoft identity platform page "Microsoft identity platform application
//! authentication certificate credentials": PS256 and the SHA-256 thumbprint (or, where it is asked for,
//! the older RS256 and SHA-1), a fresh `jti`, a short life, the token URL as audience.

use std::sync::Arc;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{Error, InconsistentKeys, SignatureAlgorithm};
use secrecy::SecretString;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::entra::{AssertionSignature, CertificateProblem};

/// How long an assertion is valid, in seconds; the page above asks for 5 to 10 minutes.
const ASSERTION_SECONDS: i64 = 600;

/// A certificate's key, ready to sign.
pub(super) struct Signer {
    key: EncodingKey,
    signature: AssertionSignature,
    /// Digest of the certificate's DER, base64url: SHA-256, or SHA-1 in the older form.
    thumbprint: String,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    nbf: i64,
    iat: i64,
    exp: i64,
}

impl Signer {
    /// Reads a certificate and its key, in any order, a chain beside them or not.
    pub(super) fn from_pem(
        text: &str,
        signature: AssertionSignature,
    ) -> Result<Self, CertificateProblem> {
        let blocks = pem::parse_many(text).map_err(|_| CertificateProblem::NotPem)?;
        let mut certificates = Vec::new();
        let mut keys = Vec::new();
        for block in blocks {
            match block.tag() {
                "CERTIFICATE" => certificates.push(CertificateDer::from(block.into_contents())),
                "PRIVATE KEY" | "RSA PRIVATE KEY" => keys.push(block),
                "ENCRYPTED PRIVATE KEY" => return Err(CertificateProblem::EncryptedKey),
                "EC PRIVATE KEY" => return Err(CertificateProblem::NotRsa),
                _ => {}
            }
        }
        let key = match (keys.pop(), keys.is_empty()) {
            (Some(key), true) => key,
            (Some(_), false) => return Err(CertificateProblem::SeveralKeys),
            (None, _) => return Err(CertificateProblem::NoKey),
        };
        // An old tool's header lines (`Proc-Type: 4,ENCRYPTED`) say that it is encrypted.
        if key.headers().get("Proc-Type").is_some() {
            return Err(CertificateProblem::EncryptedKey);
        }
        let certificate = own_certificate(certificates, key.contents())?;
        let signer = Self {
            key: EncodingKey::from_rsa_pem(pem::encode(&key).as_bytes())
                .map_err(|_| CertificateProblem::NotRsa)?,
            signature,
            thumbprint: match signature {
                AssertionSignature::Ps256 => {
                    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate))
                }
                AssertionSignature::Rs256 => BASE64_URL_SAFE_NO_PAD
                    .encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &certificate)),
            },
        };
        // A key that is too short shows only when it signs; better now than in the night.
        match signer.assertion("", "", Timestamp::UNIX_EPOCH) {
            Some(_) => Ok(signer),
            None => Err(CertificateProblem::NotRsa),
        }
    }

    /// What the header names the certificate by.
    pub(super) fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// Signs a fresh assertion; `None` when the key cannot sign.
    pub(super) fn assertion(
        &self,
        client_id: &str,
        token_url: &str,
        now: Timestamp,
    ) -> Option<SecretString> {
        let thumbprint = Some(self.thumbprint.clone());
        let header = match self.signature {
            AssertionSignature::Ps256 => {
                Header { x5t_s256: thumbprint, ..Header::new(Algorithm::PS256) }
            }
            AssertionSignature::Rs256 => {
                Header { x5t: thumbprint, ..Header::new(Algorithm::RS256) }
            }
        };
        let now = now.as_second();
        let claims = Claims {
            aud: token_url,
            iss: client_id,
            sub: client_id,
            jti: Uuid::new_v4().to_string(),
            nbf: now,
            iat: now,
            exp: now.saturating_add(ASSERTION_SECONDS),
        };
        jsonwebtoken::encode(&header, &claims, &self.key).ok().map(SecretString::from)
    }
}

/// The certificate of the key, among those of a chain.
fn own_certificate(
    certificates: Vec<CertificateDer<'static>>,
    key: &[u8],
) -> Result<CertificateDer<'static>, CertificateProblem> {
    let key = signing_key(key).ok_or(CertificateProblem::NotRsa)?;
    let only = certificates.len() == 1;
    if certificates.is_empty() {
        return Err(CertificateProblem::NoCertificate);
    }
    for certificate in certificates {
        match CertifiedKey::new(vec![certificate.clone()], Arc::clone(&key)).keys_match() {
            Ok(()) => return Ok(certificate),
            Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {}
            // A certificate that this parser cannot judge (X.509 version 1) is for Entra to judge.
            Err(_) if only => return Ok(certificate),
            Err(_) => {}
        }
    }
    Err(CertificateProblem::Mismatch)
}

fn signing_key(der: &[u8]) -> Option<Arc<dyn SigningKey>> {
    let der = PrivateKeyDer::try_from(der).ok()?.clone_key();
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let key = provider.key_provider.load_private_key(der).ok()?;
    (key.algorithm() == SignatureAlgorithm::RSA).then_some(key)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256};

    use super::*;

    fn pair(algorithm: &'static rcgen::SignatureAlgorithm) -> (String, String) {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let params = CertificateParams::new(vec!["scimport.example".to_owned()]).unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    fn signer(text: &str) -> Result<Signer, CertificateProblem> {
        Signer::from_pem(text, AssertionSignature::Ps256)
    }

    fn problem(text: &str) -> Option<CertificateProblem> {
        signer(text).err()
    }

    #[test]
    fn certificate_and_key_are_found_in_any_order_and_in_a_chain() {
        let (certificate, key) = pair(&PKCS_RSA_SHA256);
        let (other, _) = pair(&PKCS_ECDSA_P256_SHA256);
        let first = signer(&format!("{certificate}{key}")).unwrap();
        let last = signer(&format!("Bag Attributes\n{key}\n{certificate}")).unwrap();
        let chain = signer(&format!("{other}{certificate}{key}")).unwrap();
        assert_eq!(first.thumbprint, last.thumbprint);
        assert_eq!(first.thumbprint, chain.thumbprint);
        let der = pem::parse(&certificate).unwrap().into_contents();
        assert_eq!(first.thumbprint, BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(der)));
    }

    #[test]
    fn what_cannot_sign_is_refused_with_the_reason() {
        let (certificate, key) = pair(&PKCS_RSA_SHA256);
        let (ec_certificate, ec_key) = pair(&PKCS_ECDSA_P256_SHA256);
        assert_eq!(problem("nothing"), Some(CertificateProblem::NoKey));
        assert_eq!(problem(&certificate), Some(CertificateProblem::NoKey));
        assert_eq!(problem(&key), Some(CertificateProblem::NoCertificate));
        let text = format!("{ec_certificate}{ec_key}");
        assert_eq!(problem(&text), Some(CertificateProblem::NotRsa));
        let text = format!("{ec_certificate}{key}");
        assert_eq!(problem(&text), Some(CertificateProblem::Mismatch));
        let text = format!("{certificate}{key}{key}");
        assert_eq!(problem(&text), Some(CertificateProblem::SeveralKeys));
        let text = certificate + &key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        assert_eq!(problem(&text), Some(CertificateProblem::EncryptedKey));
    }
}
