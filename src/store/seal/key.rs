//! Keys that values of a store are sealed with.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use zeroize::{Zeroize as _, Zeroizing};

use crate::domain::secret_digest;

/// Bytes of a key.
const LENGTH: usize = 32;
/// Bytes of a key's id.
pub(super) const ID_LENGTH: usize = 4;
/// What is hashed before the key: the id says nothing about other uses of the same bytes.
const ID_CONTEXT: &[u8] = b"scimport store key id\0";
/// So many different bytes has every random key but one in a million million.
const LEAST_DIFFERENT: usize = 20;
/// Digits of a key that is written in base 16.
const HEX_DIGITS: usize = LENGTH * 2;

/// Which key it is: a few bytes of a hash, written as eight digits. No secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SealKeyId(pub(super) [u8; ID_LENGTH]);

impl SealKeyId {
    fn of(key: &[u8]) -> Self {
        let digest = secret_digest(&[ID_CONTEXT, key]);
        let mut id = digest.first_chunk().copied().unwrap_or_default();
        // The top bit is set: where the version byte of a sealed value is damaged so that it looks
        // packed only, the id stands where the packed length would, and is longer than any.
        if let Some(last) = id.last_mut() {
            *last |= 0x80;
        }
        Self(id)
    }

    /// The id of these bytes, where they are as many as an id has.
    pub(in crate::store) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its bytes.
    pub(in crate::store) const fn bytes(self) -> [u8; ID_LENGTH] {
        self.0
    }
}

impl fmt::Display for SealKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SealKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealKeyId({self})")
    }
}

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealKeyError {
    /// It is not 32 bytes in base64 or base 16.
    #[error("the key is not 32 bytes written as base64 or as 64 hexadecimal digits")]
    Form,
    /// It was made up by a person, or is nothing but a pattern.
    #[error("the key is 32 bytes long, but they are text or repeat themselves: it can be guessed")]
    Weak,
}

impl SealKeyError {
    /// The way out.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        "make one with `openssl rand -base64 32`, and keep a copy where the store's backups are not"
    }
}

/// A key. Its bytes are wiped when it is dropped, and are never shown.
#[derive(Clone)]
pub struct SealKey {
    id: SealKeyId,
    pub(super) cipher: XChaCha20Poly1305,
}

impl SealKey {
    /// Reads a key from 44 letters of base64 or 64 hexadecimal digits; white space around it does
    /// not count.
    ///
    /// # Errors
    ///
    /// When it is something else, or plainly not random.
    pub fn parse(text: &str) -> Result<Self, SealKeyError> {
        let text = text.trim();
        let bytes = if text.len() == HEX_DIGITS { from_hex(text) } else { from_base64(text) };
        let bytes = bytes.ok_or(SealKeyError::Form)?;
        if is_weak(bytes.as_slice()) {
            return Err(SealKeyError::Weak);
        }
        let cipher =
            XChaCha20Poly1305::new_from_slice(bytes.as_slice()).map_err(|_| SealKeyError::Form)?;
        Ok(Self { id: SealKeyId::of(bytes.as_slice()), cipher })
    }

    /// Which key it is.
    #[must_use]
    pub const fn id(&self) -> SealKeyId {
        self.id
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealKey").field("id", &self.id).finish_non_exhaustive()
    }
}

fn from_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LENGTH));
    for pair in text.as_bytes().chunks_exact(2) {
        let mut byte = 0;
        for digit in pair {
            byte = byte * 16 + char::from(*digit).to_digit(16)?;
        }
        bytes.push(u8::try_from(byte).ok()?);
    }
    (bytes.len() == LENGTH).then_some(bytes)
}

fn from_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let engine = if text.ends_with('=') { &STANDARD } else { &STANDARD_NO_PAD };
    let mut bytes = engine.decode(text).ok()?;
    if bytes.len() == LENGTH {
        return Some(Zeroizing::new(bytes));
    }
    bytes.zeroize();
    None
}

/// Whether nobody's random numbers look like this: all of it printable, or few different bytes.
fn is_weak(bytes: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in bytes {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    let different = seen.iter().filter(|seen| **seen).count();
    let is_text = bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    let steps: Vec<u8> =
        bytes.windows(2).map(|pair| pair.iter().fold(0, |a: u8, b| b.wrapping_sub(a))).collect();
    let is_count = steps.windows(2).all(|pair| pair.first() == pair.last());
    is_text || is_count || different < LEAST_DIFFERENT
}

/// The keys a process has: the one that it seals with, where there is one, and older ones that it
/// only opens with.
#[derive(Debug, Clone, Default)]
pub struct SealKeys {
    current: Option<SealKey>,
    old: Vec<SealKey>,
}

impl SealKeys {
    /// Nothing is sealed, and nothing sealed can be read.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Seals with `current` and opens with all of them.
    #[must_use]
    pub fn new(current: Option<SealKey>, old: Vec<SealKey>) -> Self {
        Self { current, old }
    }

    /// The key that is sealed with.
    #[must_use]
    pub const fn current(&self) -> Option<&SealKey> {
        self.current.as_ref()
    }

    /// The key with an id, if it is here.
    #[must_use]
    pub fn find(&self, id: SealKeyId) -> Option<&SealKey> {
        self.current.iter().chain(&self.old).find(|key| key.id == id)
    }

    /// Whether both are the same keys in the same roles.
    #[must_use]
    pub fn are_those_of(&self, other: &Self) -> bool {
        let ids = |keys: &Self| {
            let old: Vec<_> = keys.old.iter().map(SealKey::id).collect();
            (keys.current.as_ref().map(SealKey::id), old)
        };
        ids(self) == ids(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE64: &str = "k1bUyIO0b0WnL1TQvZ9yE3mG7cR2hXqA5sDfJpNwVxk=";

    #[test]
    fn a_key_is_read_from_base64_and_from_hexadecimal_digits() {
        let key = SealKey::parse(&format!("{BASE64}\n")).unwrap();
        let bytes = STANDARD.decode(BASE64).unwrap();
        let hex = bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02X}"));
        assert_eq!(SealKey::parse(&hex).unwrap().id(), key.id());
        assert_eq!(SealKey::parse(BASE64.trim_end_matches('=')).unwrap().id(), key.id());
        assert_eq!(key.id().to_string().len(), 8);
        assert!(key.id().bytes()[3] >= 0x80);
    }

    #[test]
    fn what_is_no_key_is_refused_without_showing_it() {
        for text in ["", "hunter2", "correct horse battery staple and more", &BASE64[4..]] {
            assert_eq!(SealKey::parse(text).unwrap_err(), SealKeyError::Form, "{text}");
        }
        let counted: Vec<u8> = (0..32).collect();
        for bytes in [&[0; 32], b"thirty-two letters of a sentence", counted.as_slice()] {
            let text = STANDARD.encode(bytes);
            assert_eq!(SealKey::parse(&text).unwrap_err(), SealKeyError::Weak, "{text}");
        }
        assert!(SealKeyError::Weak.advice().contains("openssl rand -base64 32"));
    }

    #[test]
    fn a_key_does_not_show_itself() {
        let key = SealKey::parse(BASE64).unwrap();
        let keys = SealKeys::new(Some(key.clone()), vec![key.clone()]);
        assert_eq!(format!("{key:?}"), format!("SealKey {{ id: {:?}, .. }}", key.id()));
        assert!(!format!("{keys:?}").contains(&BASE64[..8]));
    }
}
