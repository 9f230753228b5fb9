//! Sealing one value, and opening it again.

use chacha20poly1305::aead::{AeadInOut as _, Generate as _};
use chacha20poly1305::{Tag, XNonce};

use crate::store::seal::key::{ID_LENGTH, SealKey, SealKeyId, SealKeys};

/// The version byte of a sealed value.
const SEALED: u8 = 2;
/// Version byte and key id.
const PREFIX: usize = 1 + ID_LENGTH;
const NONCE: usize = 24;
const TAG: usize = 16;

/// Where a value lies: what it is, and whose. A worker's resource may move between the ledger and
/// the outbox, and so its place is the worker's, whatever the table.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) enum Place<'a> {
    /// The resource of a worker of a target.
    Resource { target: &'a str, external_id: &'a str },
    /// What is kept of the rejected row of an operation.
    Cells { operation: i64 },
    /// The same, while its run is being planned.
    DraftCells,
    /// The body of a delivery.
    Delivery { id: &'a str },
    /// A word about the store itself.
    Mark { refuses_plain: bool },
}

/// Why a value does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum SealTrouble {
    /// It was sealed under a key that is not here.
    NoKey(SealKeyId),
    /// It is not what was sealed for this place.
    Damaged,
}

impl Place<'_> {
    /// What is authenticated with the value; no two places give the same.
    fn associated(self, prefix: &[u8]) -> Vec<u8> {
        let mut data = Vec::with_capacity(96);
        data.extend_from_slice(b"scimport store\0");
        data.extend_from_slice(prefix);
        let mut text = |text: &str| {
            data.extend_from_slice(&(text.len() as u64).to_le_bytes());
            data.extend_from_slice(text.as_bytes());
        };
        match self {
            Self::Resource { target, external_id } => {
                text("resource");
                text(target);
                text(external_id);
            }
            Self::Cells { operation } => {
                text("cells");
                data.extend_from_slice(&operation.to_le_bytes());
            }
            Self::DraftCells => text("draft-cells"),
            Self::Delivery { id } => {
                text("delivery");
                text(id);
            }
            Self::Mark { refuses_plain } => {
                text("mark");
                data.push(u8::from(refuses_plain));
            }
        }
        data
    }
}

/// Seals a value for a place; `None` when the system gives no random bytes.
pub(in crate::store) fn seal(key: &SealKey, place: Place<'_>, value: &[u8]) -> Option<Vec<u8>> {
    let nonce = XNonce::try_generate().ok()?;
    let mut sealed = Vec::with_capacity(PREFIX + NONCE + value.len() + TAG);
    sealed.push(SEALED);
    sealed.extend_from_slice(&key.id().bytes());
    let associated = place.associated(&sealed);
    sealed.extend_from_slice(&nonce);
    let begin = sealed.len();
    sealed.extend_from_slice(value);
    let text = sealed.get_mut(begin..)?;
    let tag = key.cipher.encrypt_inout_detached(&nonce, &associated, text.into()).ok()?;
    sealed.extend_from_slice(&tag);
    Some(sealed)
}

/// What every value begins with that was sealed with a key.
pub(in crate::store) fn prefix(key: &SealKey) -> Vec<u8> {
    let mut prefix = vec![SEALED];
    prefix.extend_from_slice(&key.id().bytes());
    prefix
}

/// The key of a sealed value; `None` where it is not sealed.
pub(in crate::store) fn key_id_of(sealed: &[u8]) -> Option<SealKeyId> {
    match sealed.split_first() {
        Some((&SEALED, rest)) => SealKeyId::from_bytes(rest.get(..ID_LENGTH)?),
        _ => None,
    }
}

/// Opens a sealed value of a place.
pub(in crate::store) fn open(
    keys: &SealKeys,
    place: Place<'_>,
    sealed: &[u8],
) -> Result<Vec<u8>, SealTrouble> {
    let id = key_id_of(sealed).ok_or(SealTrouble::Damaged)?;
    let key = keys.find(id).ok_or(SealTrouble::NoKey(id))?;
    let opened = || {
        let (prefix, rest) = sealed.split_at_checked(PREFIX)?;
        let (nonce, rest) = rest.split_at_checked(NONCE)?;
        let (text, tag) = rest.split_at_checked(rest.len().checked_sub(TAG)?)?;
        let (nonce, tag) = (XNonce::try_from(nonce).ok()?, Tag::try_from(tag).ok()?);
        let mut value = text.to_vec();
        let associated = place.associated(prefix);
        key.cipher
            .decrypt_inout_detached(&nonce, &associated, value.as_mut_slice().into(), &tag)
            .ok()?;
        Some(value)
    };
    opened().ok_or(SealTrouble::Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place<'_> = Place::Resource { target: "entra", external_id: "E1" };

    fn key(first: u8) -> SealKey {
        let digits = (0..32_u8).fold(String::new(), |digits, n| {
            digits + &format!("{:02x}", first ^ n.wrapping_mul(37))
        });
        SealKey::parse(&digits).unwrap()
    }

    fn keys(current: &SealKey) -> SealKeys {
        SealKeys::new(Some(current.clone()), Vec::new())
    }

    #[test]
    fn a_value_opens_where_it_was_sealed_for_and_nowhere_else() {
        let key = key(1);
        let keys = keys(&key);
        let sealed = seal(&key, HERE, b"Ada Lovelace").unwrap();
        assert_eq!(open(&keys, HERE, &sealed).unwrap(), b"Ada Lovelace");
        assert!(!sealed.windows(3).any(|bytes| bytes == b"Ada"));
        for place in [
            Place::Resource { target: "entra", external_id: "E2" },
            Place::Resource { target: "entraE", external_id: "1" },
            Place::Resource { target: "other", external_id: "E1" },
            Place::Delivery { id: "E1" },
            Place::Cells { operation: 1 },
            Place::DraftCells,
            Place::Mark { refuses_plain: true },
        ] {
            assert_eq!(open(&keys, place, &sealed), Err(SealTrouble::Damaged), "{place:?}");
        }
    }

    #[test]
    fn equal_values_do_not_look_equal() {
        let key = key(1);
        assert_ne!(seal(&key, HERE, b"x").unwrap(), seal(&key, HERE, b"x").unwrap());
    }

    #[test]
    fn another_key_is_named_and_the_older_one_still_opens() {
        let (old, new) = (key(1), key(2));
        let sealed = seal(&old, HERE, b"x").unwrap();
        assert_eq!(open(&keys(&new), HERE, &sealed), Err(SealTrouble::NoKey(old.id())));
        let both = SealKeys::new(Some(new), vec![old]);
        assert_eq!(open(&both, HERE, &sealed).unwrap(), b"x");
    }

    #[test]
    fn whatever_is_cut_off_is_noticed() {
        let key = key(1);
        let sealed = seal(&key, HERE, b"value").unwrap();
        for length in 0..sealed.len() {
            assert!(open(&keys(&key), HERE, &sealed[..length]).is_err(), "{length}");
        }
    }
}
