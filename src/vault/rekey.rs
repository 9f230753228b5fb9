//! Replacing the key of a vault while others read it.
//!
//! Three steps, each of which is whole or not at all: the new key is written below the old one, the
//! vault is written for it, the old one is taken out. Whoever reads between two of them has both keys,
//! or those of the step before and looks again (see [`Vault`]). After a crash the vault opens; to do it
//! again finishes what was begun.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use age::x25519;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::config::{SecretRef, Secrets, VaultKeyRef};
use crate::vault::key::{VaultKey, VaultKeys, new_identity};
use crate::vault::open::{KeySource, Opened};
use crate::vault::{Vault, VaultError, file};

/// Before the identity that a new one replaces, while both are in the file.
const REPLACES: &str = "# replaces: ";

/// What became of the key.
#[derive(Debug, PartialEq, Eq)]
pub struct Rekeyed {
    /// How many secrets are in the vault.
    pub secrets: usize,
    /// The key file that was written.
    pub file: Option<PathBuf>,
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
    /// When the vault cannot be opened or written, or when the key is where nothing can be written and
    /// has only the line that opens the vault.
    pub fn rekey(
        &self,
        new: Option<SecretString>,
        now: Timestamp,
        secrets: &Secrets,
    ) -> Result<Rekeyed, VaultError> {
        // it would be no line of the file, or two of them
        let is_line = |new: &SecretString| {
            let text = new.expose_secret();
            !text.trim().is_empty() && !text.contains(['\n', '\r'])
        };
        if new.as_ref().is_some_and(|new| !is_line(new)) {
            return Err(VaultError::NoPassphrase("what was given".to_owned()));
        }
        let _lock = file::lock(&self.path)?;
        let opened = self.open(secrets)?;
        let old = opened.keys.keys.get(opened.opener);
        if let (Some(VaultKey::Passphrase { passphrase, .. }), Some(new)) = (old, &new)
            && passphrase.expose_secret() == new.expose_secret()
        {
            return Err(VaultError::SameKey);
        }
        let count = opened.contents.0.len();
        let done = |file, is_known| Rekeyed { secrets: count, file, is_known };
        match &self.key {
            KeySource::Nowhere => Err(VaultError::NoKey),
            KeySource::Typed(_) => {
                let keys = VaultKeys::typed(new.ok_or(VaultError::NoKey)?);
                self.write(&opened.contents, &keys)?;
                Ok(done(None, false))
            }
            KeySource::Reference(key) => match key.reference() {
                SecretRef::File(path) => {
                    add(path, &opened, new.as_ref(), now)?;
                    self.write(&opened.contents, &self.keys(secrets)?)?;
                    // the old one goes only when the new one is known to open it
                    let again = self.open(secrets)?;
                    if again.opener + 1 != again.keys.keys.len() {
                        let key = again.keys.place;
                        return Err(VaultError::WrongKey { path: self.path.clone(), key });
                    }
                    take_out(path, &opened)?;
                    Ok(done(Some(path.clone()), false))
                }
                reference if opened.opener + 1 == opened.keys.keys.len() => {
                    Err(VaultError::KeyNotInFile(reference.to_string()))
                }
                _ => {
                    self.write(&opened.contents, &opened.keys)?;
                    Ok(done(None, true))
                }
            },
        }
    }
}

/// Writes the new key below the old one.
fn add(
    path: &Path,
    opened: &Opened,
    new: Option<&SecretString>,
    now: Timestamp,
) -> Result<(), VaultError> {
    let mut text = read(path)?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    if let Some(VaultKey::Identity(old)) = opened.keys.keys.get(opened.opener) {
        // a String takes whatever is written
        let _ = writeln!(text, "{REPLACES}{}", old.to_public());
        text.push_str(new_identity(now).expose_secret());
    } else {
        let new = new.ok_or(VaultError::NoKey)?;
        text.push_str(new.expose_secret());
        text.push('\n');
    }
    file::write(path, text.as_bytes())
}

/// Takes out the key that opened the vault before, and those that earlier attempts were to replace.
fn take_out(path: &Path, opened: &Opened) -> Result<(), VaultError> {
    let text = read(path)?;
    let mut left = Zeroizing::new(String::with_capacity(text.len()));
    if let Some(VaultKey::Identity(_)) = opened.keys.keys.get(opened.opener) {
        let replaced: Vec<&str> =
            text.lines().filter_map(|line| line.trim().strip_prefix(REPLACES)).collect();
        let newest = text.lines().rev().find_map(identity_in);
        // what stands above an identity goes with it, as far as age-keygen wrote it
        let mut above: Vec<&str> = Vec::new();
        let mut is_ours = false;
        for line in text.lines() {
            let trimmed = line.trim();
            if trimmed.starts_with(REPLACES) {
                is_ours = true;
                continue;
            }
            if trimmed.starts_with("# created:") || trimmed.starts_with("# public key:") {
                above.push(line);
                continue;
            }
            if let Some(found) = identity_in(line) {
                let was_never_used = is_ours && Some(&found) != newest.as_ref();
                is_ours = false;
                if was_never_used || replaced.contains(&found.as_str()) {
                    above.clear();
                    continue;
                }
            }
            for line in above.drain(..).chain([line]) {
                left.push_str(line);
                left.push('\n');
            }
        }
    } else {
        // the last line is the new one; whatever earlier attempts have left above it goes
        left.push_str(text.lines().last().unwrap_or_default());
        left.push('\n');
    }
    file::write(path, left.as_bytes())
}

/// What the public key of the identity in a line is.
fn identity_in(line: &str) -> Option<String> {
    let identity: x25519::Identity = line.trim().parse().ok()?;
    Some(identity.to_public().to_string())
}

/// The text of a key file, in a buffer with room for a new key.
fn read(path: &Path) -> Result<Zeroizing<String>, VaultError> {
    /// More than a new key with its comments takes.
    const ROOM: usize = 2048;
    let bytes = file::read(path).map_err(|error| match error {
        VaultError::Missing(path) => {
            VaultError::Read { path, source: std::io::ErrorKind::NotFound.into() }
        }
        error => error,
    })?;
    let bytes = Zeroizing::new(bytes);
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() + ROOM));
    text.push_str(
        std::str::from_utf8(&bytes)
            .map_err(|_| VaultError::NoIdentity(format!("file `{}`", path.display())))?,
    );
    Ok(text)
}

/// Does so many of the steps of [`Vault::rekey`], and no more.
#[cfg(test)]
pub(super) fn crash_after(vault: &Vault, steps: usize, now: Timestamp) {
    let secrets = Secrets::default();
    let KeySource::Reference(VaultKeyRef::Identity(SecretRef::File(path))) = &vault.key else {
        panic!("a vault with a key file")
    };
    let opened = vault.open(&secrets).unwrap();
    if steps > 0 {
        add(path, &opened, None, now).unwrap();
    }
    if steps > 1 {
        vault.write(&opened.contents, &vault.keys(&secrets).unwrap()).unwrap();
    }
    if steps > 2 {
        take_out(path, &opened).unwrap();
    }
}
