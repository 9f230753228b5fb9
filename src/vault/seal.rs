//! Encrypting and decrypting, in the format of age.

use std::io::{Read as _, Write as _};
use std::iter::once;
use std::path::Path;

use age::{DecryptError, Decryptor, Encryptor, Recipient, scrypt};
use zeroize::Zeroizing;

use crate::vault::VaultError;
use crate::vault::contents::{Contents, NoContents};
use crate::vault::key::{MAX_WORK, VaultKey, VaultKeys};

/// Encrypts what is in a vault.
pub(super) fn seal(contents: &Contents, key: &VaultKey) -> Result<Vec<u8>, VaultError> {
    let text = contents.write()?;
    let encryptor = match key {
        VaultKey::Identity(identity) => {
            let recipient = identity.to_public();
            Encryptor::with_recipients(once(&recipient as &dyn Recipient))
        }
        VaultKey::Passphrase { passphrase, work } => {
            let mut recipient = scrypt::Recipient::new(passphrase.clone());
            recipient.set_work_factor(*work);
            Encryptor::with_recipients(once(&recipient as &dyn Recipient))
        }
    };
    let sealed = || {
        let mut writer = encryptor.ok()?.wrap_output(Vec::new()).ok()?;
        writer.write_all(&text).ok()?;
        writer.finish().ok()
    };
    sealed().ok_or(VaultError::Encrypt)
}

/// Decrypts a vault with the last of the keys that opens it; gives the key's index too.
pub(super) fn open(
    sealed: &[u8],
    keys: &VaultKeys,
    path: &Path,
) -> Result<(Contents, usize), VaultError> {
    let path = || path.to_owned();
    let mut failure = None;
    // from the last, for which it is written where nobody has just changed the list
    for (index, key) in keys.keys.iter().enumerate().rev() {
        let text = match unseal(sealed, key) {
            Ok(text) => text,
            Err(Unopened::WrongKey) => {
                failure = Some(VaultError::WrongKey { path: path(), key: keys.place.clone() });
                continue;
            }
            Err(Unopened::OtherKind { wanted }) => {
                let found = key.kind();
                return Err(VaultError::OtherKind { path: path(), wanted, found });
            }
            Err(Unopened::TooMuchWork(work)) => {
                return Err(VaultError::TooMuchWork { path: path(), work });
            }
            Err(Unopened::Foreign) => return Err(VaultError::Foreign(path())),
            Err(Unopened::Damaged) => return Err(VaultError::Damaged(path())),
        };
        return match Contents::parse(&text) {
            Ok(contents) => Ok((contents, index)),
            Err(NoContents::Malformed) => Err(VaultError::Contents(path())),
            Err(NoContents::Version(version)) => Err(VaultError::Version { path: path(), version }),
        };
    }
    Err(failure.unwrap_or(VaultError::NoKey))
}

enum Unopened {
    Foreign,
    Damaged,
    WrongKey,
    OtherKind { wanted: &'static str },
    TooMuchWork(u8),
}

/// What the errors of age mean here. Their own words are never shown: they are for a person at `age`.
impl From<DecryptError> for Unopened {
    fn from(error: DecryptError) -> Self {
        match error {
            DecryptError::NoMatchingKeys
            | DecryptError::DecryptionFailed
            | DecryptError::KeyDecryptionFailed => Self::WrongKey,
            DecryptError::ExcessiveWork { required, .. } => Self::TooMuchWork(required),
            DecryptError::UnknownFormat => Self::Foreign,
            _ => Self::Damaged,
        }
    }
}

fn unseal(sealed: &[u8], key: &VaultKey) -> Result<Zeroizing<Vec<u8>>, Unopened> {
    if !sealed.starts_with(b"age-encryption.org/v1\n") {
        return Err(Unopened::Foreign);
    }
    let decryptor = Decryptor::new_buffered(sealed)?;
    let reader = match key {
        VaultKey::Identity(_) if decryptor.is_scrypt() => {
            return Err(Unopened::OtherKind { wanted: "a passphrase" });
        }
        VaultKey::Passphrase { .. } if !decryptor.is_scrypt() => {
            return Err(Unopened::OtherKind { wanted: "an identity of age" });
        }
        VaultKey::Identity(identity) => {
            decryptor.decrypt(once(identity.as_ref() as &dyn age::Identity))
        }
        VaultKey::Passphrase { passphrase, .. } => {
            let mut identity = scrypt::Identity::new(passphrase.clone());
            identity.set_max_work_factor(MAX_WORK);
            decryptor.decrypt(once(&identity as &dyn age::Identity))
        }
    };
    // never more than came in, so the buffer does not grow and leaves no copy behind
    let mut text = Zeroizing::new(Vec::with_capacity(sealed.len()));
    reader?.read_to_end(&mut text).map_err(|_| Unopened::Damaged)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::vault::SecretName;
    use crate::vault::contents::Entry;

    /// Quick, for tests.
    const LITTLE_WORK: u8 = 2;

    fn identity() -> VaultKeys {
        let key = VaultKey::Identity(Box::new(age::x25519::Identity::generate()));
        VaultKeys { keys: vec![key], place: "the key".to_owned() }
    }

    fn passphrase(text: &str) -> VaultKeys {
        let key = VaultKey::Passphrase { passphrase: text.into(), work: LITTLE_WORK };
        VaultKeys { keys: vec![key], place: "the key".to_owned() }
    }

    fn contents(value: &str) -> Contents {
        let set_at = Timestamp::from_second(1_800_000_000).unwrap();
        let entry = Entry { value: value.into(), set_at, expires_at: None, note: None };
        Contents(BTreeMap::from([(SecretName::new("a").unwrap(), entry)]))
    }

    fn sealed(value: &str, keys: &VaultKeys) -> Vec<u8> {
        seal(&contents(value), keys.last().unwrap()).unwrap()
    }

    fn opened(sealed: &[u8], keys: &VaultKeys) -> Result<Contents, VaultError> {
        open(sealed, keys, Path::new("v")).map(|(contents, _)| contents)
    }

    /// Every byte that is not as it was written, and every end that is missing, is noticed.
    fn assert_every_change_is_noticed(keys: &VaultKeys) {
        let sealed = sealed("hunter2", keys);
        assert!(opened(&sealed, keys).is_ok());
        for at in 0..sealed.len() {
            for flip in [0x01, 0x20, 0x80, 0xff] {
                let mut changed = sealed.clone();
                changed[at] ^= flip;
                let error = opened(&changed, keys).err();
                let error = error.unwrap_or_else(|| panic!("byte {at} ^ {flip:x} goes unnoticed"));
                assert!(!format!("{error:?} {error} {:?}", error.hint()).contains("hunter2"));
            }
            assert!(opened(&sealed[..at], keys).is_err(), "cut at {at}");
        }
        for more in ["\n", "\0", "age-encryption.org/v1\n"] {
            let longer = [&sealed, more.as_bytes()].concat();
            assert!(opened(&longer, keys).is_err(), "{more:?} at the end");
        }
    }

    #[test]
    fn a_changed_vault_of_an_identity_is_refused() {
        assert_every_change_is_noticed(&identity());
    }

    #[test]
    fn a_changed_vault_of_a_passphrase_is_refused() {
        assert_every_change_is_noticed(&passphrase("correct horse"));
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        let (mine, others) = (identity(), identity());
        let vault = sealed("hunter2", &mine);
        assert!(matches!(opened(&vault, &others), Err(VaultError::WrongKey { .. })));
        assert!(matches!(opened(&vault, &passphrase("x")), Err(VaultError::OtherKind { .. })));
        let by_words = sealed("hunter2", &passphrase("x"));
        assert!(matches!(opened(&by_words, &passphrase("y")), Err(VaultError::WrongKey { .. })));
        assert!(matches!(opened(&by_words, &mine), Err(VaultError::OtherKind { .. })));
        for foreign in ["", "age", "-----BEGIN AGE ENCRYPTED FILE-----\n", "{\"version\":1}"] {
            let error = opened(foreign.as_bytes(), &mine).unwrap_err();
            assert!(matches!(error, VaultError::Foreign(_)), "{foreign}: {error:?}");
        }
        let end = vault.len() - 1;
        assert!(matches!(opened(&vault[..end], &mine), Err(VaultError::Damaged(_))));
    }

    #[test]
    fn an_absurd_work_factor_is_refused_at_once() {
        let keys = passphrase("x");
        let vault = sealed("hunter2", &keys);
        let end = vault.windows(3).position(|bytes| bytes == b" 2\n").unwrap();
        for work in ["21", "30", "63", "64", "99"] {
            let changed = [&vault[..=end], work.as_bytes(), &vault[end + 2..]].concat();
            let error = opened(&changed, &keys).unwrap_err();
            assert!(matches!(error, VaultError::TooMuchWork { .. }), "{work}: {error:?}");
        }
    }

    #[test]
    fn any_of_several_keys_opens_it() {
        let (old, new) = (identity(), identity());
        let (by_old, by_new) = (sealed("v", &old), sealed("v", &new));
        let keys = [old.keys, new.keys].into_iter().flatten().collect();
        let both = VaultKeys { keys, place: String::new() };
        assert_eq!(open(&by_old, &both, Path::new("v")).unwrap().1, 0);
        assert_eq!(open(&by_new, &both, Path::new("v")).unwrap().1, 1);
        let words = ["a", "b"].map(passphrase);
        let vault = sealed("v", &words[1]);
        let keys = words.into_iter().flat_map(|words| words.keys).collect();
        let both = VaultKeys { keys, place: String::new() };
        assert_eq!(open(&vault, &both, Path::new("v")).unwrap().1, 1);
    }

    #[test]
    fn another_document_in_an_age_file_is_refused() {
        let keys = identity();
        let VaultKey::Identity(identity) = &keys.keys[0] else { panic!("it was made an identity") };
        for (text, is_version) in [("hello", false), ("{\"version\":7}", true)] {
            let recipient = identity.to_public();
            let file = age::encrypt(&recipient, text.as_bytes()).unwrap();
            match opened(&file, &keys) {
                Err(VaultError::Version { version: 7, .. }) => assert!(is_version),
                Err(VaultError::Contents(_)) => assert!(!is_version),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn age_opens_it_without_us() {
        let keys = identity();
        let VaultKey::Identity(identity) = &keys.keys[0] else { panic!("it was made an identity") };
        let text = age::decrypt(identity.as_ref(), &sealed("s3cret", &keys)).unwrap();
        let document: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(document["version"], 1);
        assert_eq!(document["secrets"]["a"]["value"], "czNjcmV0");
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_without_a_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..400),
            begins in any::<bool>(),
        ) {
            let start: &[u8] = if begins { b"age-encryption.org/v1\n-> " } else { b"" };
            let bytes = [start, &bytes].concat();
            prop_assert!(opened(&bytes, &identity()).is_err());
            prop_assert!(opened(&bytes, &passphrase("x")).is_err());
        }
    }
}
