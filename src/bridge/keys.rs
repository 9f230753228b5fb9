//! Provisioning keys: made, listed, rotated, revoked, and validated when somebody calls.

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::bridge::{Bridge, BridgeError};
use crate::domain::{KeyId, KeyScope, Who};
use crate::intake::{
    Caller, KeyRefusal, MintedKey, judge_key, key_id, mint_key, note_use_unless_since,
};
use crate::store::{Key, KeyRevoked, KeyRotated, NewKey};

/// Why nothing was done about a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is no such key.
    #[error("there is no key `{0}`")]
    NoSuchKey(KeyId),
    /// Another key took its place already.
    #[error("key `{id}` was rotated before: key `{by}` took its place")]
    Replaced {
        /// The key.
        id: KeyId,
        /// The one after it.
        by: KeyId,
    },
    /// It is expired or revoked.
    #[error("key `{id}` is {state}, so it cannot be rotated")]
    Ended {
        /// The key.
        id: KeyId,
        /// `expired` or `revoked`.
        state: &'static str,
    },
    /// It would have ended before it began, or lies beyond the calendar.
    #[error("the key cannot be valid for so long")]
    Lifetime,
    /// The system gave no random bytes.
    #[error(transparent)]
    NoRandomness(#[from] crate::intake::NoRandomness),
}

/// A key that was just made. The key itself is nowhere else.
#[derive(Debug)]
pub struct CreatedKey {
    /// What is stored of it.
    pub stored: Key,
    /// The key.
    pub key: SecretString,
}

impl Bridge {
    /// Makes a key that is valid for so long from now on.
    ///
    /// # Errors
    ///
    /// When the key is for a source that is not in the config, the lifetime is none, or the store
    /// fails.
    pub async fn create_key(
        &self,
        scope: KeyScope,
        lifetime: SignedDuration,
        by: &Who,
    ) -> Result<CreatedKey, BridgeError> {
        if let Some(source) = scope.source() {
            self.setup.feed(source.as_str())?;
        }
        let now = self.clock.now();
        let (new, key) = new_key(scope, lifetime, by, now)?;
        let id = new.id.clone();
        self.store.add_key(new, now).await?;
        let created = self.created(id, key).await?;
        let stored = &created.stored;
        tracing::info!(
            key.id = %stored.id,
            key.role = %stored.scope.role(),
            key.expires_at = %stored.expires_at,
            "a key was made"
        );
        Ok(created)
    }

    /// All keys, oldest first.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn keys(&self) -> Result<Vec<Key>, BridgeError> {
        Ok(self.store.keys().await?)
    }

    /// Makes a key in the place of another, which ends after the overlap. The new one has the old
    /// one's scope, and its lifetime unless told otherwise. Returns it and the old one.
    ///
    /// # Errors
    ///
    /// When the old key is not there or no longer valid, or the store fails.
    pub async fn rotate_key(
        &self,
        id: &KeyId,
        overlap: SignedDuration,
        lifetime: Option<SignedDuration>,
        by: &Who,
    ) -> Result<(CreatedKey, Key), BridgeError> {
        let now = self.clock.now();
        let old = self.store.key(id).await?.ok_or_else(|| KeyError::NoSuchKey(id.clone()))?;
        let lifetime = lifetime.unwrap_or_else(|| old.expires_at.duration_since(old.created_at));
        let (new, key) = new_key(old.scope, lifetime, by, now)?;
        let new_id = new.id.clone();
        match self.store.rotate_key(id, new, overlap, now).await? {
            Some(KeyRotated::Done(old)) => {
                tracing::info!(
                    key.id = %old.id,
                    key.replaced_by = %new_id,
                    key.expires_at = %old.expires_at,
                    "a key was rotated"
                );
                Ok((self.created(new_id, key).await?, *old))
            }
            Some(KeyRotated::NotPossible(old)) => Err(no_rotation(*old).into()),
            None => Err(KeyError::NoSuchKey(id.clone()).into()),
        }
    }

    /// Ends a key at once; tells whether it was revoked before.
    ///
    /// # Errors
    ///
    /// When there is no such key, or the store fails.
    pub async fn revoke_key(&self, id: &KeyId, by: &Who) -> Result<KeyRevoked, BridgeError> {
        let revoked = self.store.revoke_key(id, by, self.clock.now()).await?;
        let revoked = revoked.ok_or_else(|| KeyError::NoSuchKey(id.clone()))?;
        if matches!(revoked, KeyRevoked::Done(_)) {
            tracing::info!(key.id = %id, "a key was revoked");
        }
        Ok(revoked)
    }

    /// Validates a key that somebody presented, and notes its use.
    ///
    /// Why a key is not accepted is an event here, and for metrics; the caller must hear the same
    /// whatever it is.
    ///
    /// # Errors
    ///
    /// When the store cannot be read. That a use cannot be noted keeps nobody out.
    pub async fn validate_key(
        &self,
        presented: &SecretString,
    ) -> Result<Result<Caller, KeyRefusal>, BridgeError> {
        let now = self.clock.now();
        let id = key_id(presented);
        let stored = match &id {
            Some(id) => self.store.key(id).await?,
            None => None,
        };
        let judged = judge_key(presented, stored.as_ref(), now);
        match (&judged, &stored) {
            (Ok(_), Some(stored)) => self.note_use(stored, now).await,
            (Ok(_), None) => {}
            (Err(refusal), _) => {
                self.conditions.note_refused_key(refusal.as_str());
                let id = id.as_ref().map_or("-", KeyId::as_str);
                tracing::warn!(key.id = id, reason = refusal.as_str(), "a key was refused");
            }
        }
        Ok(judged)
    }

    async fn note_use(&self, stored: &Key, now: Timestamp) {
        let Some(since) = note_use_unless_since(stored, now) else { return };
        if let Err(error) = self.store.note_key_use(&stored.id, since, now).await {
            tracing::warn!(key.id = %stored.id, %error, "the use of a key cannot be noted");
        }
    }

    async fn created(&self, id: KeyId, key: SecretString) -> Result<CreatedKey, BridgeError> {
        let stored = self.store.key(&id).await?.ok_or(KeyError::NoSuchKey(id))?;
        Ok(CreatedKey { stored, key })
    }
}

fn new_key(
    scope: KeyScope,
    lifetime: SignedDuration,
    by: &Who,
    now: Timestamp,
) -> Result<(NewKey, SecretString), KeyError> {
    let expires_at = now.checked_add(lifetime).map_err(|_| KeyError::Lifetime)?;
    if expires_at <= now {
        return Err(KeyError::Lifetime);
    }
    let MintedKey { id, key, digest } = mint_key()?;
    Ok((NewKey { id, scope, digest, expires_at, by: by.clone() }, key))
}

/// Why a key is not rotated.
fn no_rotation(old: Key) -> KeyError {
    let id = old.id;
    match old.replaced_by {
        _ if old.revoked_at.is_some() => KeyError::Ended { id, state: "revoked" },
        Some(by) => KeyError::Replaced { id, by },
        None => KeyError::Ended { id, state: "expired" },
    }
}
