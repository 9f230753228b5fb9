//! Setting, replacing and removing a secret: under the lock, and written in one step.

use std::path::PathBuf;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{SecretRef, Secrets, VaultKeyRef};
use crate::vault::contents::{Contents, Entry, MAX_NOTE_CHARS, MAX_SECRETS, MAX_VALUE_BYTES};
use crate::vault::key::{VaultKeys, new_identity};
use crate::vault::lock::Lock;
use crate::vault::open::KeySource;
use crate::vault::{SecretName, Vault, VaultError, file, seal};

/// A value with what is told of it.
pub struct NewSecret {
    /// The value.
    pub value: SecretString,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// What somebody notes; without one an older note stays.
    pub note: Option<String>,
}

/// What became of the vault.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    /// Whether there was a secret of that name.
    pub was_there: bool,
    /// Whether the vault was made.
    pub made_vault: bool,
    /// The key file that was made.
    pub made_key: Option<PathBuf>,
}

impl NewSecret {
    fn check(&self) -> Result<(), VaultError> {
        if self.value.expose_secret().is_empty() {
            return Err(VaultError::EmptyValue);
        }
        if self.value.expose_secret().len() > MAX_VALUE_BYTES {
            return Err(VaultError::LongValue);
        }
        match &self.note {
            Some(note) if note.chars().count() > MAX_NOTE_CHARS => Err(VaultError::Note),
            Some(note) if note.chars().any(char::is_control) => Err(VaultError::Note),
            _ => Ok(()),
        }
    }
}

impl Vault {
    /// Sets a secret, whether it was there or not. Where there is no vault, makes it, and its key file
    /// where the config names one that does not exist.
    ///
    /// # Errors
    ///
    /// When the value or the note is unfit, when the vault is full, or when the vault cannot be opened
    /// or written.
    pub fn set(
        &self,
        name: &SecretName,
        new: NewSecret,
        now: Timestamp,
        secrets: &Secrets,
    ) -> Result<Change, VaultError> {
        new.check()?;
        let lock = Lock::of(&self.path)?;
        let (mut contents, keys, made_vault, made_key) = match self.open(secrets) {
            Ok(opened) => (opened.contents, opened.keys, false, None),
            Err(VaultError::Missing(_)) => {
                let made_key = self.make_key(now)?;
                let keys = self.keys(secrets)?;
                keys.last()?.check_new()?;
                (Contents::default(), keys, true, made_key)
            }
            Err(error) => return Err(error),
        };
        let old = contents.0.remove(name);
        if contents.0.len() >= MAX_SECRETS {
            return Err(VaultError::Full);
        }
        let was_there = old.is_some();
        let note = new.note.or_else(|| old.and_then(|old| old.note));
        let entry = Entry { value: new.value, set_at: now, expires_at: new.expires_at, note };
        contents.0.insert(name.clone(), entry);
        self.write(&lock, &contents, &keys)?;
        Ok(Change { was_there, made_vault, made_key })
    }

    /// Puts a new value in the place of an old one.
    ///
    /// # Errors
    ///
    /// When there is no such secret, and as [`Vault::set`].
    pub fn rotate(
        &self,
        name: &SecretName,
        new: NewSecret,
        now: Timestamp,
        secrets: &Secrets,
    ) -> Result<(), VaultError> {
        new.check()?;
        let lock = Lock::of(&self.path)?;
        let mut opened = self.open(secrets)?;
        let Some(old) = opened.contents.0.get_mut(name) else {
            return Err(unknown(&opened.contents, name));
        };
        old.value = new.value;
        old.set_at = now;
        old.expires_at = new.expires_at;
        old.note = new.note.or_else(|| old.note.take());
        self.write(&lock, &opened.contents, &opened.keys)
    }

    /// Takes a secret out.
    ///
    /// # Errors
    ///
    /// When there is no such secret, or the vault cannot be opened or written.
    pub fn remove(&self, name: &SecretName, secrets: &Secrets) -> Result<(), VaultError> {
        let lock = Lock::of(&self.path)?;
        let mut opened = self.open(secrets)?;
        if opened.contents.0.remove(name).is_none() {
            return Err(unknown(&opened.contents, name));
        }
        self.write(&lock, &opened.contents, &opened.keys)
    }

    pub(super) fn write(
        &self,
        lock: &Lock,
        contents: &Contents,
        keys: &VaultKeys,
    ) -> Result<(), VaultError> {
        let sealed = seal::seal(contents, keys.last()?)?;
        if sealed.len() as u64 > file::MAX_FILE_BYTES {
            return Err(VaultError::TooLarge(self.path.clone()));
        }
        lock.write(&sealed)
    }

    /// Makes the file of the vault's key, where it is to be in one that does not exist.
    fn make_key(&self, now: Timestamp) -> Result<Option<PathBuf>, VaultError> {
        let KeySource::Reference(VaultKeyRef::Identity(SecretRef::File(path))) = &self.key else {
            return Ok(None);
        };
        if path.exists() {
            return Ok(None);
        }
        let lock = Lock::of(path)?;
        // another vault may have the same key file, and have made it meanwhile
        if path.exists() {
            return Ok(None);
        }
        lock.write(new_identity(now).expose_secret().as_bytes())?;
        Ok(Some(path.clone()))
    }
}

fn unknown(contents: &Contents, name: &SecretName) -> VaultError {
    VaultError::Unknown { name: name.to_string(), nearest: contents.nearest(name.as_str()) }
}
