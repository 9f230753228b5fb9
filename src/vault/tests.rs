//! A vault on the disk: set, replaced, removed, read while it changes. Its key has tests of its own.

mod rekey_tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use super::key::VaultKey;
use super::*;
use crate::config::{SecretRef, SecretVault as _, Secrets, VaultConfig, VaultFault, VaultKeyRef};

struct Place {
    folder: TempDir,
    key: VaultKeyRef,
}

impl Place {
    /// A vault with a key file, neither of which is there.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = VaultKeyRef::Identity(SecretRef::File(folder.path().join("vault.key")));
        Self { folder, key }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn vault(&self) -> Vault {
        self.vault_at("scimport.vault")
    }

    /// A vault that is opened by the same key.
    fn vault_at(&self, name: &str) -> Vault {
        let path = self.path(name);
        Vault::new(&VaultConfig { path, key: Some(self.key.clone()) })
    }

    fn set(&self, name: &str, value: &str) -> Result<Change, VaultError> {
        self.vault().set(&SecretName::new(name)?, new(value), now(), &Secrets::default())
    }

    /// What a new process would get.
    fn value(&self, name: &str) -> Result<String, VaultFault> {
        value(&self.vault(), name)
    }

    fn keys(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("vault.key")).unwrap();
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }
}

fn value(vault: &Vault, name: &str) -> Result<String, VaultFault> {
    let secret = vault.secret(name, &Secrets::default())?;
    Ok(secret.expose_secret().to_owned())
}

fn new(value: &str) -> NewSecret {
    NewSecret { value: value.into(), expires_at: None, note: None }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

#[test]
fn the_first_secret_makes_the_vault_and_its_key() {
    let place = Place::new();
    let made = place.set("a", "one").unwrap();
    let key = place.path("vault.key");
    assert_eq!(made, Change { was_there: false, made_vault: true, made_key: Some(key.clone()) });
    let again = place.set("a", "two").unwrap();
    assert_eq!(again, Change { was_there: true, made_vault: false, made_key: None });
    assert_eq!(place.value("a").unwrap(), "two");
    #[cfg(unix)]
    for path in [key, place.path("scimport.vault")] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let names: BTreeSet<_> = std::fs::read_dir(place.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected = ["scimport.vault", "scimport.vault.lock", "vault.key", "vault.key.lock"];
    assert_eq!(names, expected.map(str::to_owned).into(), "nothing is left beside them");
}

#[test]
fn no_key_is_made_for_a_vault_that_is_there() {
    let place = Place::new();
    place.set("a", "one").unwrap();
    std::fs::remove_file(place.path("vault.key")).unwrap();
    assert!(matches!(place.set("b", "two"), Err(VaultError::Key(_))));
    assert!(!place.path("vault.key").exists());
}

#[test]
fn a_new_value_keeps_the_note_and_not_the_end() {
    let place = Place::new();
    let (vault, secrets) = (place.vault(), Secrets::default());
    let name = SecretName::new("a").unwrap();
    let ends = now().checked_add(SignedDuration::from_hours(24)).unwrap();
    let first = NewSecret {
        expires_at: Some(ends),
        note: Some("from the portal".to_owned()),
        ..new("one")
    };
    vault.set(&name, first, now(), &secrets).unwrap();
    let listed = |set_at, expires_at| {
        vec![Listed {
            name: name.clone(),
            set_at,
            expires_at,
            note: Some("from the portal".into()),
        }]
    };
    assert_eq!(vault.list(&secrets).unwrap(), listed(now(), Some(ends)));
    vault.rotate(&name, new("two"), ends, &secrets).unwrap();
    assert_eq!(vault.list(&secrets).unwrap(), listed(ends, None));
    assert_eq!(value(&vault, "a").unwrap(), "two");
}

#[test]
fn what_is_not_there_is_not_replaced_or_removed() {
    let place = Place::new();
    place.set("hr-token", "one").unwrap();
    let (vault, secrets) = (place.vault(), Secrets::default());
    let before = bytes(vault.path());
    let name = SecretName::new("hr-tokn").unwrap();
    let errors = [
        vault.rotate(&name, new("x"), now(), &secrets).unwrap_err(),
        vault.remove(&name, &secrets).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.to_string(), "there is no secret `hr-tokn` in the vault");
        assert_eq!(error.hint().unwrap(), "did you mean `hr-token`?");
    }
    assert_eq!(bytes(vault.path()), before);
    let Err(VaultFault::Unknown { nearest }) = value(&vault, "hr-tokn") else { panic!("unknown") };
    assert_eq!(nearest.as_deref(), Some("hr-token"));
    vault.remove(&SecretName::new("hr-token").unwrap(), &secrets).unwrap();
    assert_eq!(vault.list(&secrets).unwrap(), []);
}

#[test]
fn ceilings_hold() {
    let place = Place::new();
    assert!(matches!(place.set("a", ""), Err(VaultError::EmptyValue)));
    let most = "x".repeat(MAX_VALUE_BYTES);
    assert!(matches!(place.set("a", &format!("{most}x")), Err(VaultError::LongValue)));
    assert!(!place.path("scimport.vault").exists(), "nothing is made for what is refused");
    place.set("a", &most).unwrap();
    assert_eq!(place.value("a").unwrap(), most);
    for note in ["x\ny".to_owned(), "x".repeat(201)] {
        let new = NewSecret { note: Some(note), ..new("v") };
        let name = SecretName::new("a").unwrap();
        let refused = place.vault().set(&name, new, now(), &Secrets::default());
        assert!(matches!(refused, Err(VaultError::Note)));
    }
}

#[test]
fn there_are_only_so_many() {
    let place = Place::new();
    place.set("a", "v").unwrap();
    let (vault, secrets) = (place.vault(), Secrets::default());
    let mut opened = vault.open(&secrets).unwrap();
    let entry = opened.contents.entry("a").unwrap().clone();
    for number in 1..MAX_SECRETS {
        let name = SecretName::new(&format!("s{number}")).unwrap();
        opened.contents.0.insert(name, entry.clone());
    }
    let lock = lock::Lock::of(vault.path()).unwrap();
    vault.write(&lock, &opened.contents, &opened.keys).unwrap();
    drop(lock);
    assert!(matches!(place.set("b", "v"), Err(VaultError::Full)));
    place.set("a", "another").unwrap();
}

#[test]
fn two_who_set_at_once_lose_nothing() {
    let place = Arc::new(Place::new());
    let each = |writer: usize| {
        let place = Arc::clone(&place);
        thread::spawn(move || {
            for number in 0..8 {
                place.set(&format!("w{writer}-{number}"), "v").unwrap();
            }
        })
    };
    let writers: Vec<_> = (0..4).map(each).collect();
    for writer in writers {
        writer.join().unwrap();
    }
    assert_eq!(place.vault().list(&Secrets::default()).unwrap().len(), 32);
}

#[test]
fn a_changed_vault_is_seen_at_once_and_a_broken_one_too() {
    let place = Place::new();
    place.set("a", "one").unwrap();
    let vault = place.vault();
    assert_eq!(value(&vault, "a").unwrap(), "one");
    place.set("a", "two").unwrap();
    assert_eq!(value(&vault, "a").unwrap(), "two");
    let whole = bytes(vault.path());
    std::fs::write(vault.path(), &whole[..whole.len() - 1]).unwrap();
    let Err(VaultFault::Closed(error)) = value(&vault, "a") else { panic!("it was cut") };
    assert!(error.to_string().contains("is damaged"), "{error}");
    std::fs::write(vault.path(), &whole).unwrap();
    assert_eq!(value(&vault, "a").unwrap(), "two");
    let key = bytes(&place.path("vault.key"));
    std::fs::write(place.path("vault.key"), "AGE-SECRET-KEY-1").unwrap();
    assert!(value(&vault, "a").is_err(), "a key that is none opens nothing");
    std::fs::write(place.path("vault.key"), key).unwrap();
    assert_eq!(value(&vault, "a").unwrap(), "two");
}

#[test]
fn a_passphrase_costs_its_work_once() {
    let mut place = Place::new();
    place.key = VaultKeyRef::Passphrase(SecretRef::File(place.path("words")));
    std::fs::write(place.path("words"), "correct horse\n").unwrap();
    place.set("a", "one").unwrap();
    let vault = place.vault();
    let timed = || {
        let began = std::time::Instant::now();
        assert_eq!(value(&vault, "a").unwrap(), "one");
        began.elapsed()
    };
    let first = timed();
    let others = (0..50).map(|_| timed()).max().unwrap();
    assert!(
        others < first / 2,
        "{first:?} for the first, {others:?} for the slowest of the others"
    );
    std::fs::write(place.path("words"), "wrong\n").unwrap();
    assert!(value(&vault, "a").is_err(), "another key is not taken for the one before");
}

#[test]
fn a_typed_passphrase_opens_what_it_was_set_with() {
    let place = Place::new();
    let config = VaultConfig { path: place.path("scimport.vault"), key: None };
    assert!(Vault::new(&config).needs_passphrase());
    let name = SecretName::new("a").unwrap();
    let with = |words: &str| Vault::new(&config).with_passphrase(words.into());
    let secrets = Secrets::default();
    assert!(matches!(
        Vault::new(&config).set(&name, new("v"), now(), &secrets),
        Err(VaultError::NoKey)
    ));
    let (one, two) = ("one of the words", "two of the words");
    with(one).set(&name, new("v"), now(), &secrets).unwrap();
    assert_eq!(value(&with(one), "a").unwrap(), "v");
    let error = with(two).list(&secrets).unwrap_err();
    assert!(error.to_string().starts_with("this passphrase does not open the vault"), "{error}");
    with(one).rekey(Some(two.into()), OldKey::Kept, now(), &secrets).unwrap();
    assert_eq!(value(&with(two), "a").unwrap(), "v");
    let same = with(two).rekey(Some(two.into()), OldKey::Kept, now(), &secrets);
    assert!(matches!(same, Err(VaultError::SameKey)));
}

#[test]
fn a_new_passphrase_is_not_short_and_an_old_one_opens_however_short() {
    let place = Place::new();
    let config = VaultConfig { path: place.path("scimport.vault"), key: None };
    let name = SecretName::new("a").unwrap();
    let with = |words: &str| Vault::new(&config).with_passphrase(words.into());
    let secrets = Secrets::default();
    let short = with("elevencharü").set(&name, new("v"), now(), &secrets);
    assert!(matches!(short, Err(VaultError::ShortPassphrase)));
    assert!(!config.path.exists());
    // one that was written before there was a shortest
    let old = VaultKeys {
        keys: vec![VaultKey::Passphrase { passphrase: "x".into(), work: 2 }],
        place: String::new(),
    };
    let lock = lock::Lock::of(&config.path).unwrap();
    with("x").write(&lock, &contents::Contents::default(), &old).unwrap();
    drop(lock);
    let short = with("x").rekey(Some("elevenchars".into()), OldKey::Kept, now(), &secrets);
    assert!(matches!(short, Err(VaultError::ShortPassphrase)));
    with("x").set(&name, new("v"), now(), &secrets).unwrap();
    assert_eq!(value(&with("x"), "a").unwrap(), "v");
}

#[test]
fn nothing_that_can_be_printed_shows_a_value() {
    let place = Place::new();
    place.set("a", "hunter2-hunter2").unwrap();
    let vault = place.vault();
    value(&vault, "a").unwrap();
    let secrets = Secrets::new(vec![("K".to_owned(), "hunter2".to_owned())]);
    let opened = vault.open(&secrets).unwrap();
    let shown = format!("{vault:?} {:?} {:?} {secrets:?}", vault.list(&secrets), opened.contents);
    assert!(!shown.contains("hunter2"), "{shown}");
    let sealed = bytes(vault.path());
    assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
    assert!(!sealed.windows(9).any(|window| window == b"aHVudGVyM"), "nor in Base64");
}
