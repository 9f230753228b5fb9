//! The keys that the store is encrypted with: from references in the config to the keys.

use secrecy::ExposeSecret as _;

use crate::bridge::{Bridge, BridgeError};
use crate::config::{SecretError, SecretRef, Secrets, StoreConfig, aside};
use crate::store::{SealKey, SealKeyError, SealKeys, Seals};

/// Why a key of the store cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum StoreKeyError {
    /// The reference leads nowhere.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// There is something, but no key.
    #[error("{reference} holds no key for the store")]
    NoKey {
        /// Where it was looked for.
        reference: SecretRef,
        /// What is wrong with it.
        source: SealKeyError,
    },
}

impl StoreKeyError {
    /// The way out.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Secret(_) => "put it there, then `scimport check` looks again",
            Self::NoKey { source, .. } => source.advice(),
        }
    }
}

/// Fetches the keys of the store.
///
/// # Errors
///
/// When a reference leads nowhere, or to something else than a key.
pub fn store_keys(config: &StoreConfig, secrets: &Secrets) -> Result<SealKeys, BridgeError> {
    let fetch = |reference: &SecretRef| -> Result<SealKey, BridgeError> {
        let secret = reference.resolve(secrets).map_err(StoreKeyError::Secret)?;
        let key = SealKey::parse(secret.expose_secret());
        Ok(key.map_err(|source| StoreKeyError::NoKey { reference: reference.clone(), source })?)
    };
    let current = config.key.as_ref().map(fetch).transpose()?;
    let old = config.old_keys.iter().map(fetch).collect::<Result<_, _>>()?;
    Ok(SealKeys::new(current, old))
}

impl Bridge {
    /// Takes the keys that the config names now, for everything that is stored from now on.
    ///
    /// # Errors
    ///
    /// When a key cannot be had, or the store holds what none of them opens; then the old ones stay.
    pub async fn take_store_keys(&self) -> Result<(), BridgeError> {
        let (config, secrets) = (self.setup.config().store.clone(), self.secrets.clone());
        let keys = aside(move || store_keys(&config, &secrets)).await?;
        Ok(self.store.use_keys(keys).await?)
    }

    /// How the store is encrypted.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn seals(&self) -> Result<Seals, BridgeError> {
        Ok(self.store.seals().await?)
    }
}
