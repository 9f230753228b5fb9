//! The same delivery again: how it is known.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::domain::SourceName;
use crate::intake::webhook::{Delivery, Verified};

/// Headers in which a caller with a provisioning key may give the delivery an id.
const KEY_HOLDERS_ID: [&str; 2] = ["idempotency-key", "webhook-id"];

/// Equal for the same delivery of a source, and for no other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey {
    /// SHA-256 over the source and what tells its deliveries apart.
    pub digest: [u8; 32],
    /// What that is, and so how far it can be trusted.
    pub basis: Basis,
}

/// What tells deliveries apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// The sender's id, proven by signature or key: the same is the same delivery for ever. An id beside
    /// the body counts together with it, so that nothing is lost where an id is used twice.
    SignedId,
    /// The sender's id in a header that is not signed, and the body.
    UnsignedId,
    /// The body and the signed instant of sending.
    ContentAndTime,
    /// The body alone. Two changes may look alike, such as two notices that somebody has changed:
    /// equal ones are the same delivery only as long as the first has not been processed.
    Content,
}

impl Basis {
    const fn word(self) -> &'static [u8] {
        match self {
            Self::SignedId => b"signed-id",
            Self::UnsignedId => b"unsigned-id",
            Self::ContentAndTime => b"content-and-time",
            Self::Content => b"content",
        }
    }
}

/// The key of a delivery. `verified` is what its signature proved, `None` for the holder of a
/// provisioning key, whose id `caller` is; `body` is its body as [`read_body`](crate::intake::webhook::read_body) gave it.
#[must_use]
pub fn idempotency_key(
    source: &SourceName,
    delivery: &Delivery<'_>,
    verified: Option<&Verified>,
    caller: &str,
    body: &Value,
) -> IdempotencyKey {
    let own_id = verified
        .and_then(|verified| body.pointer(verified.id_pointer?))
        .and_then(Value::as_str)
        .filter(|id| !id.is_empty());
    let header_id = verified.and_then(|verified| verified.id.as_ref());
    let holders_id = || KEY_HOLDERS_ID.iter().find_map(|header| delivery.one(header).ok());
    match (own_id, header_id) {
        (Some(id), _) => key(source, Basis::SignedId, &[id.as_bytes()]),
        (None, Some(id)) => {
            let basis = if id.is_signed { Basis::SignedId } else { Basis::UnsignedId };
            key(source, basis, &[id.text.as_bytes(), delivery.body])
        }
        (None, None) => match verified {
            Some(Verified { sent_at_text: Some(sent), .. }) => {
                key(source, Basis::ContentAndTime, &[delivery.body, sent.as_bytes()])
            }
            Some(_) => key(source, Basis::Content, &[delivery.body]),
            None => match holders_id() {
                Some(id) => {
                    key(source, Basis::SignedId, &[caller.as_bytes(), id.as_bytes(), delivery.body])
                }
                None => key(source, Basis::Content, &[delivery.body]),
            },
        },
    }
}

/// The key of a delivery that anybody may have sent: its body alone tells it apart.
#[must_use]
pub(super) fn unproven_key(source: &SourceName, delivery: &Delivery<'_>) -> IdempotencyKey {
    key(source, Basis::Content, &[delivery.body])
}

/// Hashes the pieces with their lengths, so that no two lists of them look alike.
fn key(source: &SourceName, basis: Basis, pieces: &[&[u8]]) -> IdempotencyKey {
    let mut hash = Sha256::new();
    for piece in [source.as_str().as_bytes(), basis.word()].iter().chain(pieces) {
        hash.update((piece.len() as u64).to_be_bytes());
        hash.update(piece);
    }
    IdempotencyKey { digest: hash.finalize().into(), basis }
}
