//! A vault at hand: read whenever a secret is asked for, decrypted only when something has changed.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{SecretRef, SecretVault, Secrets, VaultConfig, VaultFault, VaultKeyRef};
use crate::domain::secret_digest;
use crate::vault::contents::{Contents, Listed};
use crate::vault::kept::{self, Kept};
use crate::vault::key::VaultKeys;
use crate::vault::{VaultError, file, seal};

/// How often vault and key may be replaced while they are read; each time both are read anew.
const MOST_LOOKS: usize = 20;
/// A key that a program prints is asked for again after so long, if the vault has not changed.
const ASK_AGAIN: Duration = Duration::from_mins(1);

/// A vault.
pub struct Vault {
    pub(super) path: PathBuf,
    pub(super) key: KeySource,
    kept: Arc<Mutex<Option<Kept>>>,
}

/// Where the key comes from.
pub(super) enum KeySource {
    Nowhere,
    Reference(VaultKeyRef),
    Typed(SecretString),
}

/// A vault that is open, with what opened it.
pub(super) struct Opened {
    pub(super) contents: Contents,
    pub(super) keys: VaultKeys,
    /// The key that opened it, in their list.
    pub(super) opener: usize,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Vault {
    /// The vault of a config.
    #[must_use]
    pub fn new(config: &VaultConfig) -> Self {
        let key = config.key.clone().map_or(KeySource::Nowhere, KeySource::Reference);
        Self { path: config.path.clone(), key, kept: Arc::default() }
    }

    /// The same, opened with what a person has typed.
    #[must_use]
    pub fn with_passphrase(self, passphrase: SecretString) -> Self {
        Self { key: KeySource::Typed(passphrase), ..self }
    }

    /// Whether a person has to say what opens it.
    #[must_use]
    pub const fn needs_passphrase(&self) -> bool {
        matches!(self.key, KeySource::Nowhere)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file is there.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Vault and key file, as far as other users of this machine may put something else into them.
    #[must_use]
    pub fn written_by_others(&self) -> Vec<&Path> {
        let key = match &self.key {
            KeySource::Reference(key) => match key.reference() {
                SecretRef::File(path) => Some(path),
                _ => None,
            },
            KeySource::Nowhere | KeySource::Typed(_) => None,
        };
        let files = [Some(&self.path), key].into_iter().flatten().map(PathBuf::as_path);
        files.filter(|path| file::may_others_write(path)).collect()
    }

    /// What may be shown of its secrets, by name.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub fn list(&self, secrets: &Secrets) -> Result<Vec<Listed>, Arc<VaultError>> {
        self.contents(secrets).map(|contents| contents.list())
    }

    /// Its keys, fetched now.
    pub(super) fn keys(&self, secrets: &Secrets) -> Result<VaultKeys, VaultError> {
        match &self.key {
            KeySource::Nowhere => Err(VaultError::NoKey),
            KeySource::Typed(passphrase) => Ok(VaultKeys::typed(passphrase.clone())),
            KeySource::Reference(key) => VaultKeys::parse(key, &VaultKeys::fetch(key, secrets)?),
        }
    }

    /// Opens it now, for whoever holds the lock.
    pub(super) fn open(&self, secrets: &Secrets) -> Result<Opened, VaultError> {
        let sealed = file::read(&self.path)?;
        let keys = self.keys(secrets)?;
        let (contents, opener) = seal::open(&sealed, &keys, &self.path)?;
        Ok(Opened { contents, keys, opener })
    }

    /// What is in it now.
    fn contents(&self, secrets: &Secrets) -> Result<Arc<Contents>, Arc<VaultError>> {
        // others wait: to derive a key from a passphrase twice at once gains nothing
        let mut kept = kept::lock(&self.kept);
        let mut failure = VaultError::NoKey.into();
        for _ in 0..MOST_LOOKS {
            let sealed = file::read(&self.path)?;
            let vault = secret_digest(&[&sealed]);
            if let Some(kept) = &mut *kept
                && kept.vault == vault
                && self.asks_a_program()
                && kept.age() < ASK_AGAIN
            {
                return kept.take();
            }
            let text = match &self.key {
                KeySource::Nowhere => return Err(VaultError::NoKey.into()),
                KeySource::Typed(passphrase) => passphrase.clone(),
                KeySource::Reference(key) => VaultKeys::fetch(key, secrets)?,
            };
            let key = secret_digest(&[text.expose_secret().as_bytes()]);
            // of a failure it is what is left of a second look: nothing was replaced in between
            if let Some(kept) = &mut *kept
                && (kept.vault, kept.key) == (vault, key)
            {
                return kept.take();
            }
            let keys = match &self.key {
                KeySource::Reference(key) => VaultKeys::parse(key, &text),
                KeySource::Nowhere | KeySource::Typed(_) => Ok(VaultKeys::typed(text)),
            };
            let opened = keys.and_then(|keys| seal::open(&sealed, &keys, &self.path));
            let found = opened.map(|(contents, _)| Arc::new(contents)).map_err(Arc::new);
            let is_watched = kept.is_some() || kept::forget_in_time(&self.kept);
            *kept = is_watched.then(|| Kept::new(vault, key, found.clone()));
            match found {
                Ok(contents) => return Ok(contents),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    const fn asks_a_program(&self) -> bool {
        matches!(
            self.key,
            KeySource::Reference(
                VaultKeyRef::Identity(SecretRef::Command(_))
                    | VaultKeyRef::Passphrase(SecretRef::Command(_))
            )
        )
    }
}

impl SecretVault for Vault {
    fn secret(&self, name: &str, env: &Secrets) -> Result<SecretString, VaultFault> {
        let contents = self.contents(env).map_err(|error| VaultFault::Closed(error))?;
        let found = contents.entry(name).map(|entry| entry.value.clone());
        found.ok_or_else(|| VaultFault::Unknown { nearest: contents.nearest(name) })
    }
}
