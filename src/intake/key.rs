//! Provisioning keys: made, and judged when somebody presents one.
//!
//! A key reads `scim_ID_SECRET`: the id finds it, the secret is 256 random bits. What is kept is the
//! SHA-256 of the whole key. A slow hash would add nothing: nobody guesses 256 bits.

use std::fmt::Write as _;

use aws_lc_rs::{constant_time, rand};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use crate::domain::{KeyId, KeyScope, secret_digest};
use crate::store::Key;

/// What every key begins with, so that people and scanners know one when they see it.
const PREFIX: &str = "scim_";
/// Random bytes of a secret: 256 bits.
const SECRET_BYTES: usize = 32;
/// Letters of an id: no two of them look alike, and 32 of them take a byte without bias.
const ID_LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
/// How often the last use of a key is noted at most.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// A key as its holder gets it, once.
#[derive(Debug)]
pub struct MintedKey {
    /// Its public part.
    pub id: KeyId,
    /// The key.
    pub key: SecretString,
    /// What is kept of it.
    pub digest: [u8; 32],
}

/// The system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random bytes, so no key can be made")]
pub struct NoRandomness;

/// Who presented a valid key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The key's public part.
    pub key: KeyId,
    /// What it allows.
    pub scope: KeyScope,
    /// Until when it is valid.
    pub expires_at: Timestamp,
}

/// Why a key was not accepted. For events and metrics: the caller is told one thing for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRefusal {
    /// It does not look like a key of ours.
    Malformed,
    /// No key has this id.
    Unknown,
    /// The id is known, the secret is not the one that goes with it.
    WrongSecret,
    /// It was valid once.
    Expired,
    /// Somebody has revoked it.
    Revoked,
}

impl KeyRefusal {
    /// Every one of them.
    pub const ALL: [Self; 5] =
        [Self::Malformed, Self::Unknown, Self::WrongSecret, Self::Expired, Self::Revoked];

    /// The word used in events and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::WrongSecret => "wrong_secret",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// What a caller may hear about a key that was not accepted: the same whatever is wrong with it.
impl std::fmt::Display for KeyRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the key is not valid here")
    }
}

impl std::error::Error for KeyRefusal {}

/// Makes a new key.
///
/// # Errors
///
/// When the system gives no random bytes.
pub fn mint_key() -> Result<MintedKey, NoRandomness> {
    let mut random = [0; SECRET_BYTES + KeyId::LENGTH];
    rand::fill(&mut random).map_err(|_| NoRandomness)?;
    let (secret, id) = random.split_at(SECRET_BYTES);
    let letter = |byte: &u8| ID_LETTERS.get(usize::from(byte % 32)).copied().map(char::from);
    let id: String = id.iter().filter_map(letter).collect();
    let mut key = format!("{PREFIX}{id}_");
    for byte in secret {
        let _ = write!(key, "{byte:02x}");
    }
    let digest = digest(&key);
    // the letters are those of an id
    let id = KeyId::parse(&id).ok_or(NoRandomness)?;
    Ok(MintedKey { id, key: SecretString::from(key), digest })
}

/// The public part of what may be a key. `None` when it does not look like one.
#[must_use]
pub fn key_id(presented: &SecretString) -> Option<KeyId> {
    let (id, secret) = presented.expose_secret().strip_prefix(PREFIX)?.split_once('_')?;
    let is_secret =
        secret.len() == 2 * SECRET_BYTES && secret.bytes().all(|byte| byte.is_ascii_hexdigit());
    KeyId::parse(id).filter(|_| is_secret)
}

/// Judges a presented key by what is stored under its id. The secret is compared first and in
/// constant time, so that only its holder learns (by the event that follows) that it has ended.
///
/// # Errors
///
/// Why it is not accepted.
pub fn judge_key(
    presented: &SecretString,
    stored: Option<&Key>,
    now: Timestamp,
) -> Result<Caller, KeyRefusal> {
    if key_id(presented).is_none() {
        return Err(KeyRefusal::Malformed);
    }
    let digest = digest(presented.expose_secret());
    let Some(stored) = stored else { return Err(KeyRefusal::Unknown) };
    if constant_time::verify_slices_are_equal(&digest, &stored.digest).is_err() {
        return Err(KeyRefusal::WrongSecret);
    }
    if stored.revoked_at.is_some() {
        return Err(KeyRefusal::Revoked);
    }
    if !stored.is_valid(now) {
        return Err(KeyRefusal::Expired);
    }
    let (key, scope) = (stored.id.clone(), stored.scope.clone());
    Ok(Caller { key, scope, expires_at: stored.expires_at })
}

/// Up to when a noted use is too old to stand for one of now; `None` when a newer one is noted.
#[must_use]
pub fn note_use_unless_since(stored: &Key, now: Timestamp) -> Option<Timestamp> {
    let since = now.checked_sub(NOTED_EVERY).unwrap_or(Timestamp::MIN);
    stored.last_used_at.is_none_or(|used| used <= since).then_some(since)
}

fn digest(key: &str) -> [u8; 32] {
    secret_digest(&[key.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-01-31T18:42:00Z".parse().unwrap()
    }

    fn stored(minted: &MintedKey) -> Key {
        Key {
            id: minted.id.clone(),
            scope: KeyScope::Webhook("hr".into()),
            digest: minted.digest,
            created_at: now(),
            created_by: "ann".to_owned(),
            expires_at: now() + SignedDuration::from_hours(1),
            last_used_at: None,
            revoked_at: None,
            revoked_by: None,
            replaced_by: None,
        }
    }

    #[test]
    fn keys_are_long_unlike_each_other_and_carry_their_id() {
        let (one, other) = (mint_key().unwrap(), mint_key().unwrap());
        let text = one.key.expose_secret();
        assert_eq!(text.len(), "scim_".len() + 12 + 1 + 64);
        assert!(text.starts_with(&format!("scim_{}_", one.id)));
        assert_eq!(key_id(&one.key), Some(one.id.clone()));
        assert_ne!(one.key.expose_secret(), other.key.expose_secret());
        assert_ne!((one.id, one.digest), (other.id, other.digest));
    }

    #[test]
    fn a_key_is_not_printed_by_accident() {
        let minted = mint_key().unwrap();
        let (_, secret) = minted.key.expose_secret().rsplit_once('_').unwrap();
        assert!(!format!("{minted:?}").contains(secret));
    }

    #[test]
    fn the_right_key_is_its_scope() {
        let minted = mint_key().unwrap();
        let caller = judge_key(&minted.key, Some(&stored(&minted)), now()).unwrap();
        assert_eq!((caller.key, caller.scope), (minted.id, KeyScope::Webhook("hr".into())));
    }

    #[test]
    fn each_refusal_has_its_reason_and_the_caller_hears_one_thing() {
        let (minted, other) = (mint_key().unwrap(), mint_key().unwrap());
        let good = stored(&minted);
        let revoked = Key { revoked_at: Some(now()), ..good.clone() };
        let ended = Key { expires_at: now(), ..good.clone() };
        let ended_and_revoked = Key { expires_at: now(), ..revoked.clone() };
        let mut heard = Vec::new();
        for (key, stored, expected) in [
            (&minted.key, None, KeyRefusal::Unknown),
            (&other.key, Some(&good), KeyRefusal::WrongSecret),
            // that it has ended is not for somebody who does not hold it
            (&other.key, Some(&revoked), KeyRefusal::WrongSecret),
            (&minted.key, Some(&revoked), KeyRefusal::Revoked),
            (&minted.key, Some(&ended), KeyRefusal::Expired),
            (&minted.key, Some(&ended_and_revoked), KeyRefusal::Revoked),
            (&"Bearer".to_owned().into(), Some(&good), KeyRefusal::Malformed),
        ] {
            let refusal = judge_key(key, stored, now()).unwrap_err();
            assert_eq!(refusal, expected);
            heard.push(refusal.to_string());
        }
        heard.dedup();
        assert_eq!(heard.len(), 1);
    }

    #[test]
    fn one_changed_character_is_another_key() {
        let minted = mint_key().unwrap();
        let good = stored(&minted);
        let text = minted.key.expose_secret();
        for at in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'a' { b'b' } else { b'a' };
            let changed = SecretString::from(String::from_utf8(bytes).unwrap());
            judge_key(&changed, Some(&good), now()).unwrap_err();
        }
        for text in [format!("{text}0"), format!(" {text}"), text.to_uppercase(), String::new()] {
            let refusal = judge_key(&text.into(), Some(&good), now()).unwrap_err();
            assert_eq!(refusal, KeyRefusal::Malformed);
        }
    }

    #[test]
    fn a_use_is_noted_once_a_minute() {
        let mut key = stored(&mint_key().unwrap());
        assert!(note_use_unless_since(&key, now()).is_some());
        key.last_used_at = Some(now());
        let later = |seconds| now() + SignedDuration::from_secs(seconds);
        assert_eq!(note_use_unless_since(&key, later(59)), None);
        assert_eq!(note_use_unless_since(&key, later(60)), Some(now()));
    }
}
