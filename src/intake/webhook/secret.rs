//! Secrets as keys: what stands in a secret reference, made ready to verify with.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::{ExposeSecret, SecretString};

use crate::config::SignatureAlgorithm;

/// Base64 with or without `=` at its end. The bits that are over have to be zero, so that a
/// signature is written one way only.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Bytes of a secret of Standard Webhooks (its specification 1.0.0).
const STANDARD_SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Bytes of a public key of Ed25519.
const ED25519_KEY_BYTES: usize = 32;
/// What begins a shared secret of Standard Webhooks, which is written in base64.
const SHARED: &str = "whsec_";
/// What begins a public key of Standard Webhooks.
const PUBLIC: &str = "whpk_";

/// A secret that cannot be one of its kind. Says nothing of what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("secret {number} of the webhook {what}")]
pub struct SecretFault {
    /// Which of them, from 1.
    pub number: usize,
    /// What is wrong, beginning with a verb.
    pub what: &'static str,
}

/// A secret, ready to verify with.
pub(super) enum Key {
    Hmac(Box<hmac::Key>),
    Ed25519(Box<[u8]>),
}

impl Key {
    /// Of an algorithm that was named. A secret that begins as those of Standard Webhooks do is
    /// read as they are; any other is taken as it stands.
    pub(super) fn new(
        algorithm: SignatureAlgorithm,
        secret: &SecretString,
    ) -> Result<Self, &'static str> {
        let text = secret.expose_secret();
        let shared = |algorithm| match text.strip_prefix(SHARED) {
            Some(_) => standard_secret(text).map(|bytes| hmac::Key::new(algorithm, &bytes)),
            None => Ok(hmac::Key::new(algorithm, text.as_bytes())),
        };
        match algorithm {
            SignatureAlgorithm::HmacSha256 => shared(hmac::HMAC_SHA256).map(Self::hmac),
            SignatureAlgorithm::HmacSha512 => shared(hmac::HMAC_SHA512).map(Self::hmac),
            SignatureAlgorithm::Ed25519 => public_key(text),
        }
    }

    /// Of Standard Webhooks, where the secret says which algorithm it is for.
    pub(super) fn standard(secret: &SecretString) -> Result<Self, &'static str> {
        let text = secret.expose_secret();
        if text.starts_with(PUBLIC) {
            return public_key(text);
        }
        standard_secret(text).map(|bytes| Self::hmac(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    fn hmac(key: hmac::Key) -> Self {
        Self::Hmac(Box::new(key))
    }

    /// Bytes of its signatures.
    pub(super) fn signature_bytes(&self) -> usize {
        match self {
            Self::Hmac(key) => key.algorithm().tag_len(),
            Self::Ed25519(_) => 64,
        }
    }

    /// Whether one of these signatures is of this message, given in pieces. Signatures are compared
    /// in constant time.
    pub(super) fn verifies(&self, message: &[&[u8]], signatures: &[Vec<u8>]) -> bool {
        match self {
            Self::Hmac(key) => {
                let mut context = hmac::Context::with_key(key);
                for piece in message {
                    context.update(piece);
                }
                let tag = context.sign();
                let is_it = |signature: &Vec<u8>| {
                    constant_time::verify_slices_are_equal(tag.as_ref(), signature).is_ok()
                };
                signatures.iter().any(is_it)
            }
            Self::Ed25519(key) => {
                let message = message.concat();
                let key = UnparsedPublicKey::new(&ED25519, key);
                signatures.iter().any(|signature| key.verify(&message, signature).is_ok())
            }
        }
    }
}

fn standard_secret(text: &str) -> Result<Vec<u8>, &'static str> {
    let text = text.strip_prefix(SHARED).unwrap_or(text);
    let bytes = from_base64(text).ok_or("is no `whsec_` with base64 behind it")?;
    if STANDARD_SECRET_BYTES.contains(&bytes.len()) {
        Ok(bytes)
    } else {
        Err("has to be `whsec_` with 24 to 64 bytes in base64 behind it")
    }
}

fn public_key(text: &str) -> Result<Key, &'static str> {
    let text = text.strip_prefix(PUBLIC).unwrap_or(text);
    let bytes = from_hex(text).filter(|bytes| bytes.len() == ED25519_KEY_BYTES);
    let bytes = bytes.or_else(|| from_base64(text)).unwrap_or_default();
    if bytes.len() == ED25519_KEY_BYTES {
        Ok(Key::Ed25519(bytes.into()))
    } else {
        Err("is no public key of Ed25519: 32 bytes in base64 or hex")
    }
}

/// Bytes out of base64 in the standard alphabet.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

/// Bytes out of hexadecimal digits in either case.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit =
        |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(byte).collect()
}
