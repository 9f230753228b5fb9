//! Replacing the key of a vault while others read it.
//!
//! Three steps, each of which is whole or not at all: the new key is written below the old one, the
//! vault is written for it, and, only where that is asked for, the old one is taken out. Whoever reads
//! between two of them has both keys, or those of the step before and looks again (see [`Vault`]). After
//! a crash the vault opens; to do it again finishes what was begun.
//!
//! From the second step on the old key does not open the vault, wherever it is kept: that is what a
//! rotation is for. Why its line stays: one key file may open several vaults, of which this one knows
//! nothing, and without its key a vault is lost. Considered and refused: to take out the keys that are
//! marked as replaced (marked by one vault, needed by another), to mark who uses which (a vault that was
//! copied, or written by age, has told nobody), to keep them as comments (whoever reads the file has
//! them all the same).

use std::path::PathBuf;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{SecretRef, Secrets, VaultKeyRef};
use crate::vault::key::{VaultKey, VaultKeys};
use crate::vault::key_file::KeyFile;
use crate::vault::lock::Lock;
use crate::vault::open::KeySource;
use crate::vault::{Vault, VaultError};

/// What becomes of the old key in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldKey {
    /// It stays: another vault may need it.
    Kept,
    /// It is taken out, and with it what earlier rotations have replaced: no other vault needs them.
    TakenOut,
}

/// What became of the key.
#[derive(Debug, PartialEq, Eq)]
pub struct Rekeyed {
    /// How many secrets are in the vault.
    pub secrets: usize,
    /// The key file that was written.
    pub file: Option<PathBuf>,
    /// How many keys were taken out of that file.
    pub taken_out: usize,
    /// How many keys are in that file beside the new one.
    pub left: usize,
    /// Whether the vault is now written for a key that was there before.
    pub is_known: bool,
}

impl Vault {
    /// Whether [`Vault::rekey`] needs a new passphrase.
    #[must_use]
    pub const fn rekeys_by_passphrase(&self) -> bool {
        matches!(
            self.key,
            KeySource::Typed(_) | KeySource::Reference(VaultKeyRef::Passphrase(SecretRef::File(_)))
        )
    }

    /// Writes the vault for a new key. An identity is made here, a passphrase is `new`.
    ///
    /// Where the key is in no file, it is written for the last line of what the reference leads to.
    ///
    /// # Errors
    ///
    /// When the new passphrase is unfit, when the vault cannot be opened or written, or when the key is
    /// where nothing can be written and has only the line that opens the vault.
    pub fn rekey(
        &self,
        new: Option<SecretString>,
        old_key: OldKey,
        now: Timestamp,
        secrets: &Secrets,
    ) -> Result<Rekeyed, VaultError> {
        if let Some(new) = &new {
            check_line(new)?;
        }
        let lock = Lock::of(&self.path)?;
        let file = match &self.key {
            KeySource::Reference(key) => KeyFile::of(key)?,
            KeySource::Nowhere | KeySource::Typed(_) => None,
        };
        let opened = self.open(secrets)?;
        let old = opened.keys.keys.get(opened.opener);
        if let (Some(VaultKey::Passphrase { passphrase, .. }), Some(new)) = (old, &new)
            && passphrase.expose_secret() == new.expose_secret()
        {
            return Err(VaultError::SameKey);
        }
        let secrets_count = opened.contents.0.len();
        let mut done =
            Rekeyed { secrets: secrets_count, file: None, taken_out: 0, left: 0, is_known: false };
        match (&self.key, file) {
            (KeySource::Nowhere, _) => return Err(VaultError::NoKey),
            (KeySource::Typed(_), _) => {
                let keys = VaultKeys::typed(new.ok_or(VaultError::NoKey)?);
                self.write(&lock, &opened.contents, &keys)?;
            }
            (KeySource::Reference(_), Some(file)) => {
                file.add(old, new.as_ref(), now)?;
                self.write(&lock, &opened.contents, &self.keys(secrets)?)?;
                // the old one goes only when the new one is known to open it
                let again = self.open(secrets)?;
                if again.opener + 1 != again.keys.keys.len() {
                    let key = again.keys.place;
                    return Err(VaultError::WrongKey { path: self.path.clone(), key });
                }
                (done.taken_out, done.left) = match (old_key, old) {
                    (OldKey::TakenOut, Some(old)) => file.take_out(old)?,
                    _ => (0, file.others()?),
                };
                done.file = Some(file.path());
            }
            (KeySource::Reference(key), None) => {
                if opened.opener + 1 == opened.keys.keys.len() {
                    return Err(VaultError::KeyNotInFile(key.reference().to_string()));
                }
                opened.keys.last()?.check_new()?;
                self.write(&lock, &opened.contents, &opened.keys)?;
                done.is_known = true;
            }
        }
        Ok(done)
    }
}

/// Whether a new passphrase is one line of a file, and long enough.
fn check_line(new: &SecretString) -> Result<(), VaultError> {
    let text = new.expose_secret();
    if text.trim().is_empty() || text.contains(['\n', '\r']) {
        return Err(VaultError::NoPassphrase("what was given".to_owned()));
    }
    match VaultKeys::typed(new.clone()).last() {
        Ok(key) => key.check_new(),
        Err(error) => Err(error),
    }
}

/// Does so many of the steps of [`Vault::rekey`], and no more.
#[cfg(test)]
pub(super) fn crash_after(vault: &Vault, steps: usize, new: Option<&SecretString>, now: Timestamp) {
    let secrets = Secrets::default();
    let KeySource::Reference(key) = &vault.key else { panic!("a vault with a key file") };
    let lock = Lock::of(&vault.path).unwrap();
    let file = KeyFile::of(key).unwrap().unwrap();
    let opened = vault.open(&secrets).unwrap();
    let old = &opened.keys.keys[opened.opener];
    if steps > 0 {
        file.add(Some(old), new, now).unwrap();
    }
    if steps > 1 {
        vault.write(&lock, &opened.contents, &vault.keys(&secrets).unwrap()).unwrap();
    }
    if steps > 2 {
        file.take_out(old).unwrap();
    }
}
