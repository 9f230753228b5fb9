//! The file with the key of a vault, while the key is replaced.
//!
//! Other vaults may be opened by the same file, and nothing in it tells. So a new key is added and
//! nothing else is changed; the old ones go only when somebody says that no other vault needs them
//! ([`KeyFile::take_out`]), and even then only what this program has replaced. The file has a lock of its
//! own, as the vault's is not that of another vault.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use age::x25519;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::config::{SecretRef, VaultKeyRef};
use crate::vault::key::{BOM, VaultKey, VaultKeys, new_identity};
use crate::vault::lock::Lock;
use crate::vault::{VaultError, file};

/// Between a new identity and the one that it replaces, both as public keys.
const REPLACES: &str = " replaces ";
/// Largest file of keys, in bytes: what is larger is not read as a secret. Some hundred identities.
pub(super) const MAX_KEY_FILE_BYTES: usize = 64 * 1024;

/// A key file that nobody else writes.
pub(super) struct KeyFile<'a> {
    key: &'a VaultKeyRef,
    path: &'a Path,
    lock: Lock,
}

impl<'a> KeyFile<'a> {
    /// Locks the file that a reference leads to, where it leads to one that is there.
    pub(super) fn of(key: &'a VaultKeyRef) -> Result<Option<Self>, VaultError> {
        match key.reference() {
            SecretRef::File(path) if path.exists() => {
                Ok(Some(Self { key, path, lock: Lock::of(path)? }))
            }
            _ => Ok(None),
        }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.path.to_owned()
    }

    /// Writes a new key below those that are there: an identity is made, a passphrase is `new`.
    pub(super) fn add(
        &self,
        old: Option<&VaultKey>,
        new: Option<&SecretString>,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let mut text = self.read()?;
        let before = self.parse(&text)?;
        let is_there = |new: &SecretString| {
            matches!(before.keys.last(), Some(VaultKey::Passphrase { passphrase, .. })
                if passphrase.expose_secret() == new.expose_secret())
        };
        if new.is_some_and(is_there) {
            // an earlier attempt was cut off behind this step
            return Ok(());
        }
        if !text.ends_with('\n') {
            text.push('\n');
        }
        if let Some(VaultKey::Identity(old)) = old {
            let made = new_identity(now);
            if let Some(made) = made.expose_secret().lines().find_map(identity_in) {
                // a String takes whatever is written
                let _ = writeln!(text, "# {made}{REPLACES}{}", old.to_public());
            }
            text.push_str(made.expose_secret());
        } else {
            text.push_str(new.ok_or(VaultError::NoKey)?.expose_secret());
            text.push('\n');
        }
        if text.len() > MAX_KEY_FILE_BYTES {
            return Err(VaultError::KeyFileFull(self.path()));
        }
        let after = self.parse(&text)?;
        let kept = before.keys.iter().zip(&after.keys).filter(|(old, kept)| is_same(old, kept));
        if kept.count() != before.keys.len() || after.keys.len() != before.keys.len() + 1 {
            return Err(VaultError::KeyFileLines(self.path()));
        }
        self.lock.write(text.as_bytes())
    }

    /// Takes out the key that opened the vault before, and of identities those too that earlier
    /// rotations have replaced, or have made and not used. Every other stays, whoever needs it. Gives
    /// how many were taken out, and how many are left beside the new one.
    pub(super) fn take_out(&self, old: &VaultKey) -> Result<(usize, usize), VaultError> {
        let text = self.read()?;
        let before = self.parse(&text)?;
        let left = match old {
            VaultKey::Identity(old) => without_replaced(&text, &old.to_public().to_string()),
            VaultKey::Passphrase { passphrase, .. } => {
                let old = passphrase.expose_secret();
                lines(text.lines().filter(|line| *line != old), text.len())
            }
        };
        let after = self.parse(&left)?;
        if !is_same(before.last()?, after.last()?) {
            return Err(VaultError::KeyFileLines(self.path()));
        }
        self.lock.write(left.as_bytes())?;
        Ok((before.keys.len().saturating_sub(after.keys.len()), after.keys.len().saturating_sub(1)))
    }

    /// How many keys there are beside the newest.
    pub(super) fn others(&self) -> Result<usize, VaultError> {
        Ok(self.parse(&self.read()?)?.keys.len().saturating_sub(1))
    }

    fn parse(&self, text: &str) -> Result<VaultKeys, VaultError> {
        VaultKeys::parse(self.key, &text.into())
    }

    /// The text, in a buffer with room for a new key.
    fn read(&self) -> Result<Zeroizing<String>, VaultError> {
        let bytes = file::read(self.path).map_err(|error| match error {
            VaultError::Missing(path) => {
                VaultError::Read { path, source: std::io::ErrorKind::NotFound.into() }
            }
            error => error,
        })?;
        let bytes = Zeroizing::new(bytes);
        let mut text = Zeroizing::new(String::with_capacity(bytes.len() + MAX_KEY_FILE_BYTES));
        text.push_str(
            std::str::from_utf8(&bytes)
                .map_err(|_| VaultError::NoIdentity(format!("file `{}`", self.path.display())))?,
        );
        Ok(text)
    }
}

fn is_same(one: &VaultKey, other: &VaultKey) -> bool {
    match (one, other) {
        (VaultKey::Identity(one), VaultKey::Identity(other)) => {
            one.to_public().to_string() == other.to_public().to_string()
        }
        (
            VaultKey::Passphrase { passphrase: one, .. },
            VaultKey::Passphrase { passphrase: other, .. },
        ) => one.expose_secret() == other.expose_secret(),
        _ => false,
    }
}

/// A text of identities without `old`, those that the file says were replaced, and those that were made
/// to replace one, but for the newest.
fn without_replaced(text: &str, old: &str) -> Zeroizing<String> {
    let newest = text.lines().rev().find_map(identity_in);
    let marks = text.lines().filter_map(mark).flat_map(|(made, replaced)| [made, replaced]);
    let gone: Vec<&str> =
        marks.chain([old]).filter(|key| newest.as_deref() != Some(*key)).collect();
    let mut left = Vec::new();
    // what stands above an identity goes with it, as far as age-keygen wrote it
    let mut above = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim_start_matches(BOM).trim();
        if mark(line).is_some() {
            continue;
        }
        if trimmed.starts_with("# created:") || trimmed.starts_with("# public key:") {
            above.push(line);
            continue;
        }
        if identity_in(line).is_some_and(|found| gone.contains(&found.as_str())) {
            above.clear();
            continue;
        }
        left.append(&mut above);
        left.push(line);
    }
    lines(left.into_iter().chain(above), text.len())
}

/// The public keys of a new identity and of the one that it replaces, as a comment of ours has them.
fn mark(line: &str) -> Option<(&str, &str)> {
    let (made, replaced) = line.trim().strip_prefix("# ")?.split_once(REPLACES)?;
    (made.starts_with("age1") && replaced.starts_with("age1")).then_some((made, replaced))
}

/// Lines as a text, in a buffer that does not grow.
fn lines<'a>(lines: impl Iterator<Item = &'a str>, length: usize) -> Zeroizing<String> {
    // the last may have had no end
    let mut text = Zeroizing::new(String::with_capacity(length + 1));
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// What the public key of the identity in a line is.
fn identity_in(line: &str) -> Option<String> {
    let identity: x25519::Identity = line.trim_start_matches(BOM).trim().parse().ok()?;
    Some(identity.to_public().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Words(tempfile::TempDir);

    impl Words {
        fn new(text: &str) -> Self {
            let words = Self(tempfile::tempdir().unwrap());
            std::fs::write(words.path(), text).unwrap();
            words
        }

        fn path(&self) -> PathBuf {
            self.0.path().join("words")
        }

        fn text(&self) -> String {
            std::fs::read_to_string(self.path()).unwrap()
        }

        fn add(&self, new: &str) -> Result<(), VaultError> {
            let key = VaultKeyRef::Passphrase(SecretRef::File(self.path()));
            let file = KeyFile::of(&key).unwrap().unwrap();
            file.add(None, Some(&new.into()), Timestamp::UNIX_EPOCH)
        }

        fn take_out(&self, old: &str) -> Result<(usize, usize), VaultError> {
            let key = VaultKeyRef::Passphrase(SecretRef::File(self.path()));
            let file = KeyFile::of(&key).unwrap().unwrap();
            file.take_out(VaultKeys::typed(old.into()).last().unwrap())
        }
    }

    #[test]
    fn a_new_passphrase_stands_below_the_others_and_only_the_old_one_goes() {
        let words = Words::new("of another vault\r\nours\r\n\nof a third");
        words.add("new").unwrap();
        assert_eq!(words.text(), "of another vault\r\nours\r\n\nof a third\nnew\n");
        words.add("new").unwrap();
        assert_eq!(words.text().matches("new").count(), 1, "an attempt that was cut off goes on");
        assert_eq!(words.take_out("ours").unwrap(), (1, 2));
        assert_eq!(words.text(), "of another vault\n\nof a third\nnew\n");
        assert_eq!(words.take_out("ours").unwrap(), (0, 2), "again changes nothing");
    }

    #[test]
    fn a_passphrase_that_would_be_another_with_a_line_below_it_is_not_touched() {
        let text = "words of an old mac\r";
        let words = Words::new(text);
        assert!(matches!(words.add("new"), Err(VaultError::KeyFileLines(_))));
        assert_eq!(words.text(), text);
    }

    #[test]
    fn the_newest_is_never_taken_out() {
        let words = Words::new("one\ntwo\n");
        assert!(matches!(words.take_out("two"), Err(VaultError::KeyFileLines(_))));
        assert_eq!(words.text(), "one\ntwo\n");
    }
}
