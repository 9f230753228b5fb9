//! What opens a vault: identities of age or passphrases, one a line.

use age::x25519;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::config::{Secrets, VaultKeyRef};
use crate::vault::VaultError;

/// Most scrypt work (2 to the power of it) that a vault may ask for: 1 GiB of memory, some seconds.
pub(super) const MAX_WORK: u8 = 20;
/// The work that a passphrase costs in a vault of ours: 128 MiB of memory, half a second.
pub(super) const WORK: u8 = 17;

/// Fewest characters of a passphrase that a vault is newly written for: whoever has the file can guess
/// as long as they like. NIST SP 800-63B has 8 where a server counts the guesses.
pub const MIN_PASSPHRASE_CHARS: usize = 12;
/// What editors of Windows write before a text; it belongs to none of its lines.
pub(super) const BOM: char = '\u{feff}';

/// What opens a vault; the last of them is what it is written for. Not shown.
pub struct VaultKeys {
    pub(super) keys: Vec<VaultKey>,
    /// Where they are, in words.
    pub(super) place: String,
}

/// One of them.
pub(super) enum VaultKey {
    Identity(Box<x25519::Identity>),
    Passphrase {
        passphrase: SecretString,
        /// What it costs where it is written with.
        work: u8,
    },
}

impl VaultKey {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Identity(_) => "an identity of age (`key`)",
            Self::Passphrase { .. } => "a passphrase (`passphrase`)",
        }
    }

    /// Whether a vault may be newly written for it. One that is written for it already opens with it.
    pub(super) fn check_new(&self) -> Result<(), VaultError> {
        match self {
            Self::Passphrase { passphrase, .. }
                if passphrase.expose_secret().chars().count() < MIN_PASSPHRASE_CHARS =>
            {
                Err(VaultError::ShortPassphrase)
            }
            _ => Ok(()),
        }
    }
}

impl VaultKeys {
    /// Reads what a reference leads to.
    pub(super) fn parse(key: &VaultKeyRef, text: &SecretString) -> Result<Self, VaultError> {
        let place = key.reference().to_string();
        match key {
            VaultKeyRef::Identity(_) => Self::identities(text, place),
            VaultKeyRef::Passphrase(_) => Self::passphrases(text, place),
        }
    }

    /// Identities as `age-keygen` writes them, comments and blank lines included.
    fn identities(text: &SecretString, place: String) -> Result<Self, VaultError> {
        let text = text.expose_secret();
        let lines = text.strip_prefix(BOM).unwrap_or(text).lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys = lines.map(|line| {
            let identity: x25519::Identity = line.parse().ok()?;
            Some(VaultKey::Identity(Box::new(identity)))
        });
        match keys.collect::<Option<Vec<_>>>() {
            Some(keys) if !keys.is_empty() => Ok(Self { keys, place }),
            _ => Err(VaultError::NoIdentity(place)),
        }
    }

    fn passphrases(text: &SecretString, place: String) -> Result<Self, VaultError> {
        let lines = text.expose_secret().lines().filter(|line| !line.trim().is_empty());
        let keys: Vec<_> = lines
            .map(|line| VaultKey::Passphrase { passphrase: line.into(), work: WORK })
            .collect();
        if keys.is_empty() {
            Err(VaultError::NoPassphrase(place))
        } else {
            Ok(Self { keys, place })
        }
    }

    /// One passphrase that a person has typed.
    #[must_use]
    pub fn typed(passphrase: SecretString) -> Self {
        let key = VaultKey::Passphrase { passphrase, work: WORK };
        Self { keys: vec![key], place: "this passphrase".to_owned() }
    }

    /// The one that the vault is written for.
    pub(super) fn last(&self) -> Result<&VaultKey, VaultError> {
        self.keys.last().ok_or(VaultError::NoKey)
    }

    /// Follows a reference to them.
    pub(super) fn fetch(key: &VaultKeyRef, secrets: &Secrets) -> Result<SecretString, VaultError> {
        key.reference().resolve(secrets).map_err(VaultError::Key)
    }
}

/// A new identity in a file as `age-keygen` writes it.
#[must_use]
pub fn new_identity(now: Timestamp) -> SecretString {
    let identity = x25519::Identity::generate();
    let line = identity.to_string();
    let text = Zeroizing::new(format!(
        "# created: {}\n# public key: {}\n{}\n",
        now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        identity.to_public(),
        line.expose_secret()
    ));
    SecretString::from(text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SecretRef;

    fn identities(text: &str) -> Result<usize, VaultError> {
        let key = VaultKeyRef::Identity(SecretRef::Env("K".into()));
        VaultKeys::parse(&key, &text.into()).map(|keys| keys.keys.len())
    }

    #[test]
    fn a_file_of_identities_may_hold_several_and_comments() {
        let one = new_identity(Timestamp::UNIX_EPOCH);
        let one = one.expose_secret();
        assert!(one.starts_with("# created: 1970-01-01T00:00:00Z\n# public key: age1"), "{one}");
        assert_eq!(identities(one).unwrap(), 1);
        assert_eq!(identities(&format!("{one}\r\n\n  \n{one}#x")).unwrap(), 2);
        // as Notepad saves it, and without a line break at its end
        assert_eq!(identities(&format!("\u{feff}{}", one.trim_end())).unwrap(), 1);
        assert_eq!(identities(&format!("\u{feff}{}", one.lines().last().unwrap())).unwrap(), 1);
        for bad in ["", "# only a comment", "hunter2", &format!("{one}hunter2")] {
            let error = identities(bad).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"));
            assert_eq!(
                error.to_string(),
                "environment variable `K` holds no identity of age: a line `AGE-SECRET-KEY-1…`"
            );
        }
    }

    #[test]
    fn passphrases_are_taken_as_they_are_line_by_line() {
        let key = VaultKeyRef::Passphrase(SecretRef::Env("K".into()));
        let keys = VaultKeys::parse(&key, &"# one \n\n two\n".into()).unwrap();
        let texts = keys.keys.iter().map(|key| match key {
            VaultKey::Passphrase { passphrase, .. } => passphrase.expose_secret().to_owned(),
            VaultKey::Identity(_) => String::new(),
        });
        assert_eq!(texts.collect::<Vec<_>>(), ["# one ", " two"]);
        assert!(VaultKeys::parse(&key, &" \n".into()).is_err());
    }
}
