//! Provisioning keys: what those who call us hold. The store has their digests, never the keys.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::domain::{KeyId, KeyScope, Who};
use crate::store::StoreError;

/// A key that is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// Its public part.
    pub id: KeyId,
    /// What it allows.
    pub scope: KeyScope,
    /// SHA-256 of the whole key.
    pub digest: [u8; 32],
    /// Until when it is valid, this instant not included.
    pub expires_at: Timestamp,
    /// Who makes it, and from where.
    pub by: Who,
}

/// A stored key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its public part.
    pub id: KeyId,
    /// What it allows.
    pub scope: KeyScope,
    /// SHA-256 of the whole key.
    pub digest: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// Until when it is valid, this instant not included. A rotation may have moved it forward.
    pub expires_at: Timestamp,
    /// When it was last used, to the minute or so.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Who revoked it.
    pub revoked_by: Option<String>,
    /// The key that took its place.
    pub replaced_by: Option<KeyId>,
}

/// What became of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyRotated {
    /// The new key is stored; the old one, as it is now.
    Done(Box<Key>),
    /// Nothing was done: the old key is revoked, expired or replaced already.
    NotPossible(Box<Key>),
}

/// What became of a revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyRevoked {
    /// It is revoked from now on.
    Done(Box<Key>),
    /// It was revoked before, as it says.
    Before(Box<Key>),
}

/// Provisioning keys.
#[async_trait]
pub trait Keys {
    /// Stores a new key, made `now`. An id that is there already is an error.
    async fn add_key(&self, key: NewKey, now: Timestamp) -> Result<(), StoreError>;

    /// The key with this id.
    async fn key(&self, id: &KeyId) -> Result<Option<Key>, StoreError>;

    /// All keys, also those that are no longer valid, oldest first.
    async fn keys(&self) -> Result<Vec<Key>, StoreError>;

    /// Stores a new key in the place of an old one, which is valid for no longer than `overlap` from
    /// `now` on; in one transaction. `None` when there is no such old key.
    async fn rotate_key(
        &self,
        old: &KeyId,
        new: NewKey,
        overlap: SignedDuration,
        now: Timestamp,
    ) -> Result<Option<KeyRotated>, StoreError>;

    /// Ends a key at once; `None` when there is none.
    async fn revoke_key(
        &self,
        id: &KeyId,
        by: &Who,
        now: Timestamp,
    ) -> Result<Option<KeyRevoked>, StoreError>;

    /// Notes that a key is used `now`, unless its last use is noted to be after `unless_since`.
    async fn note_key_use(
        &self,
        id: &KeyId,
        unless_since: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError>;
}

impl Key {
    /// Whether it is neither expired nor revoked.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }

    /// The word for how it stands: `valid`, `expired` or `revoked`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> &'static str {
        match self.revoked_at {
            Some(_) => "revoked",
            None if self.is_valid(now) => "valid",
            None => "expired",
        }
    }
}
