//! A vault that is given a new key: while others read, cut off at any instant, and with a key file that
//! other vaults need too.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use secrecy::{ExposeSecret as _, SecretString};

use super::{Place, new, now, value};
use crate::config::{SecretRef, SecretVault as _, Secrets, VaultKeyRef};
use crate::vault::{OldKey, Rekeyed, SecretName, Vault, VaultError, new_identity, rekey};

fn set(vault: &Vault, value: &str) {
    let name = SecretName::new("a").unwrap();
    vault.set(&name, new(value), now(), &Secrets::default()).unwrap();
}

/// Gives a vault a new identity.
fn rekeyed(vault: &Vault, old_key: OldKey) -> Rekeyed {
    vault.rekey(None, old_key, now(), &Secrets::default()).unwrap()
}

impl Place {
    fn key_text(&self) -> String {
        std::fs::read_to_string(self.path("vault.key")).unwrap()
    }
}

#[test]
fn a_new_identity_takes_the_place_of_the_old_one() {
    let place = Place::new();
    place.set("a", "one").unwrap();
    let before = place.keys();
    let file = place.path("vault.key");
    // somebody keeps another identity in the file, with a comment
    let other = new_identity(now());
    std::fs::write(&file, format!("# for backups\n{}{}", other.expose_secret(), place.key_text()))
        .unwrap();
    let done = rekeyed(&place.vault(), OldKey::TakenOut);
    let expected = Rekeyed { secrets: 1, file: Some(file), taken_out: 1, left: 1, is_known: false };
    assert_eq!(done, expected);
    let after = place.keys();
    assert_eq!(after.len(), 2);
    assert!(!after.contains(&before[0]) && other.expose_secret().contains(&after[0]));
    let text = place.key_text();
    assert!(text.starts_with("# for backups\n# created:"), "{text}");
    assert_eq!(text.matches("# public key:").count(), 2, "{text}");
    assert!(!text.contains("replaces"), "{text}");
    assert_eq!(place.value("a").unwrap(), "one");
}

#[test]
fn an_old_identity_stays_in_the_file_and_opens_nothing_until_it_is_taken_out() {
    let place = Place::new();
    place.set("a", "one").unwrap();
    let file = place.path("vault.key");
    for number in 1..=3 {
        let old = place.key_text();
        let done = rekeyed(&place.vault(), OldKey::Kept);
        assert_eq!((done.taken_out, done.left), (0, number));
        let text = place.key_text();
        assert!(text.starts_with(&old), "what was there is not touched:\n{text}");
        assert_eq!(place.value("a").unwrap(), "one");
        std::fs::write(&file, old).unwrap();
        assert!(place.value("a").is_err(), "whoever has only the old keys has nothing");
        std::fs::write(&file, text).unwrap();
    }
    let done = rekeyed(&place.vault(), OldKey::TakenOut);
    assert_eq!((done.taken_out, done.left), (4, 0));
    assert_eq!(place.key_text().lines().count(), 3, "{}", place.key_text());
    assert_eq!(place.value("a").unwrap(), "one");
}

#[test]
fn of_two_vaults_with_one_key_file_neither_is_lost_by_the_new_key_of_the_other() {
    let place = Place::new();
    let vaults = ["one.vault", "two.vault"].map(|name| place.vault_at(name));
    for vault in &vaults {
        set(vault, "v");
    }
    for turn in 0..4 {
        let before: BTreeSet<String> = place.keys().into_iter().collect();
        rekeyed(&vaults[turn % 2], OldKey::Kept);
        assert!(place.keys().into_iter().collect::<BTreeSet<_>>().is_superset(&before));
        for name in ["one.vault", "two.vault"] {
            assert_eq!(value(&place.vault_at(name), "a").unwrap(), "v", "{name}, turn {turn}");
        }
    }
}

#[test]
fn two_vaults_that_are_given_new_keys_at_once_lose_no_line_of_their_key_file() {
    let place = Arc::new(Place::new());
    // each makes the key file, where the other has not
    let first = |name: &'static str| {
        let place = Arc::clone(&place);
        thread::spawn(move || {
            set(&place.vault_at(name), "v");
            for _ in 0..8 {
                rekeyed(&place.vault_at(name), OldKey::Kept);
            }
        })
    };
    let names = ["one.vault", "two.vault", "three.vault"];
    for writer in names.map(first) {
        writer.join().unwrap();
    }
    assert_eq!(place.keys().len(), 1 + 3 * 8);
    for name in names {
        assert_eq!(value(&place.vault_at(name), "a").unwrap(), "v", "{name}");
    }
}

#[test]
fn what_somebody_has_put_into_the_file_by_hand_stays() {
    let place = Place::new();
    place.set("a", "one").unwrap();
    rekeyed(&place.vault(), OldKey::Kept);
    // the new key is taken out of the file, its comment is left above one that somebody has put there
    let text = place.key_text();
    let mark = text.lines().find(|line| line.contains(" replaces ")).unwrap();
    let newest = text.lines().last().unwrap();
    let by_hand = new_identity(now());
    let by_hand = by_hand.expose_secret().lines().last().unwrap();
    std::fs::write(place.path("vault.key"), format!("{mark}\n{by_hand}\n\n# mine\n{newest}"))
        .unwrap();
    let done = rekeyed(&place.vault(), OldKey::TakenOut);
    assert_eq!((done.taken_out, done.left), (1, 1));
    assert!(place.keys().contains(&by_hand.to_owned()));
    assert!(place.key_text().contains("# mine\n"), "{}", place.key_text());
    assert_eq!(place.value("a").unwrap(), "one");
}

#[test]
fn a_key_file_of_notepad_and_one_without_a_last_line_break_are_written_to() {
    for old_key in [OldKey::Kept, OldKey::TakenOut] {
        let place = Place::new();
        let identity = new_identity(now());
        let text = identity.expose_secret().trim_end().replace('\n', "\r\n");
        for text in [format!("\u{feff}{text}"), format!("\u{feff}{}", place_line(&text))] {
            std::fs::write(place.path("vault.key"), text).unwrap();
            set(&place.vault(), "one");
            let done = rekeyed(&place.vault(), old_key);
            assert_eq!(done.left, usize::from(old_key == OldKey::Kept));
            assert_eq!(place.value("a").unwrap(), "one");
            let first = place.key_text().matches("# created:").count();
            assert_eq!(first, place.key_text().matches("# public key:").count());
            std::fs::remove_file(place.path("scimport.vault")).unwrap();
        }
    }
}

fn place_line(text: &str) -> &str {
    text.lines().last().unwrap()
}

#[test]
fn a_key_file_that_would_be_too_large_to_be_read_is_not_written() {
    let place = Place::new();
    place.set("a", "one").unwrap();
    let text = format!("{}{}", "# a comment\n".repeat(5400), place.key_text());
    std::fs::write(place.path("vault.key"), &text).unwrap();
    assert_eq!(place.value("a").unwrap(), "one");
    let full = loop {
        match place.vault().rekey(None, OldKey::Kept, now(), &Secrets::default()) {
            Ok(_) => assert_eq!(place.value("a").unwrap(), "one"),
            Err(error) => break error,
        }
    };
    assert!(matches!(full, VaultError::KeyFileFull(_)), "{full:?}");
    assert_eq!(place.value("a").unwrap(), "one");
}

#[test]
fn a_new_passphrase_takes_the_place_of_the_old_one_and_of_no_other() {
    let mut place = Place::new();
    let words = place.path("words");
    place.key = VaultKeyRef::Passphrase(SecretRef::File(words.clone()));
    std::fs::write(&words, "of another vault\nold words of ours").unwrap();
    place.set("a", "one").unwrap();
    let rekey = |new: &str, old_key| {
        place.vault().rekey(Some(new.into()), old_key, now(), &Secrets::default())
    };
    for none in ["", " ", "a line of words\n and another", "words of a line\r"] {
        let refused = rekey(none, OldKey::TakenOut);
        assert!(matches!(refused, Err(VaultError::NoPassphrase(_))), "{none:?}");
    }
    let done = rekey("new words of ours", OldKey::TakenOut).unwrap();
    assert_eq!((done.taken_out, done.left), (1, 1));
    let text = std::fs::read_to_string(&words).unwrap();
    assert_eq!(text, "of another vault\nnew words of ours\n");
    assert_eq!(place.value("a").unwrap(), "one");
}

#[test]
fn a_key_in_the_environment_is_replaced_where_it_is_told() {
    let mut place = Place::new();
    place.key = VaultKeyRef::Identity(SecretRef::Env("K".into()));
    let env = |keys: &[&SecretString]| {
        let text = keys.iter().map(|key| key.expose_secret()).collect::<String>();
        Secrets::new(vec![("K".to_owned(), text)])
    };
    let (old, fresh) = (new_identity(now()), new_identity(now()));
    let name = SecretName::new("a").unwrap();
    place.vault().set(&name, new("v"), now(), &env(&[&old])).unwrap();
    let rekey = |keys: &Secrets| place.vault().rekey(None, OldKey::Kept, now(), keys);
    let error = rekey(&env(&[&old])).unwrap_err();
    assert!(matches!(error, VaultError::KeyNotInFile(_)));
    let done = rekey(&env(&[&old, &fresh])).unwrap();
    let expected = Rekeyed { secrets: 1, file: None, taken_out: 0, left: 0, is_known: true };
    assert_eq!(done, expected);
    assert!(place.vault().secret("a", &env(&[&fresh])).is_ok());
    assert!(place.vault().secret("a", &env(&[&old])).is_err());
}

/// The instants at which a rotation may be cut off are those between its writes.
#[test]
fn wherever_a_new_key_is_cut_off_the_vault_opens_and_it_can_be_done_again() {
    for (steps, is_changed) in (0..=3).flat_map(|steps| [(steps, false), (steps, true)]) {
        for old_key in [OldKey::Kept, OldKey::TakenOut] {
            let place = Place::new();
            place.set("a", "one").unwrap();
            let old = place.key_text();
            rekey::crash_after(&place.vault(), steps, None, now());
            assert_eq!(place.value("a").unwrap(), "one", "after {steps} steps");
            if is_changed {
                place.set("a", "two").unwrap();
            }
            let cut_off = place.key_text();
            rekeyed(&place.vault(), old_key);
            let expected = if is_changed { "two" } else { "one" };
            assert_eq!(place.value("a").unwrap(), expected, "after {steps} steps");
            let text = place.key_text();
            if old_key == OldKey::TakenOut {
                assert_eq!(text.lines().count(), 3, "after {steps} steps nothing is left over");
            } else {
                assert!(text.starts_with(&cut_off), "after {steps} steps nothing is taken out");
            }
            for keys in [old, cut_off] {
                std::fs::write(place.path("vault.key"), keys).unwrap();
                assert!(place.value("a").is_err(), "after {steps} steps an old key opens it");
            }
        }
    }
}

#[test]
fn whoever_reads_while_the_key_is_replaced_never_fails() {
    let place = Arc::new(Place::new());
    place.set("a", "one").unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let shared = Arc::new(place.vault());
    let read = |own: bool| {
        let (place, is_over, shared) =
            (Arc::clone(&place), Arc::clone(&is_over), Arc::clone(&shared));
        thread::spawn(move || {
            let mut reads = 0_u32;
            while !is_over.load(Ordering::Relaxed) {
                // one of its own looks at the files afresh each time
                let got = if own { place.value("a") } else { value(&shared, "a") };
                assert_eq!(got.expect("it opens at every instant"), "one");
                reads += 1;
            }
            reads
        })
    };
    let readers: Vec<_> = [true, true, false, false].map(read).into();
    let first = place.keys();
    for number in 0..60 {
        let old_key = if number % 3 == 0 { OldKey::Kept } else { OldKey::TakenOut };
        rekeyed(&place.vault(), old_key);
    }
    is_over.store(true, Ordering::Relaxed);
    for reader in readers {
        assert!(reader.join().unwrap() > 0);
    }
    assert_ne!(place.keys(), first);
    assert_eq!(place.keys().len(), 1);
}
