//! Promises of [`Keys`](crate::store::Keys).

use jiff::SignedDuration;

use crate::domain::{KeyId, KeyScope};
use crate::store::conformance::sample::{at, by, source};
use crate::store::{Key, KeyRevoked, KeyRotated, NewKey, Store};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

fn id(number: u8) -> KeyId {
    KeyId::parse(&format!("abcdefghij{number:02}")).unwrap()
}

fn new(number: u8, scope: KeyScope, expires: i64) -> NewKey {
    let digest = [number; 32];
    NewKey { id: id(number), scope, digest, expires_at: at(expires), by: by("ann") }
}

async fn add<S: Store>(store: &S, number: u8, expires: i64) {
    store.add_key(new(number, KeyScope::Webhook(source()), expires), at(0)).await.unwrap();
}

async fn get<S: Store>(store: &S, number: u8) -> Key {
    store.key(&id(number)).await.unwrap().unwrap()
}

pub async fn a_key_reads_back_and_keys_are_listed_oldest_first<S: Store>(store: &S) {
    store.add_key(new(2, KeyScope::Admin, DAY), at(5)).await.unwrap();
    store.add_key(new(1, KeyScope::Reader, DAY), at(6)).await.unwrap();
    store.add_key(new(3, KeyScope::Webhook(source()), DAY), at(4)).await.unwrap();
    let key = get(store, 3).await;
    assert_eq!((key.id.clone(), key.scope.clone()), (id(3), KeyScope::Webhook(source())));
    assert_eq!((key.digest, key.created_at, key.expires_at), ([3; 32], at(4), at(DAY)));
    assert_eq!((key.created_by.as_str(), key.last_used_at), ("ann", None));
    assert_eq!((key.revoked_at, &key.revoked_by, &key.replaced_by), (None, &None, &None));
    let listed: Vec<_> =
        store.keys().await.unwrap().into_iter().map(|key| (key.id, key.scope)).collect();
    let expected =
        [(id(3), KeyScope::Webhook(source())), (id(2), KeyScope::Admin), (id(1), KeyScope::Reader)];
    assert_eq!(listed, expected);
    assert_eq!(store.key(&id(9)).await.unwrap(), None);
}

pub async fn one_id_is_one_key<S: Store>(store: &S) {
    add(store, 1, DAY).await;
    store.add_key(new(1, KeyScope::Admin, DAY), at(1)).await.unwrap_err();
    add(store, 2, DAY).await;
    let taken = new(1, KeyScope::Admin, DAY);
    store.rotate_key(&id(2), taken, SignedDuration::ZERO, at(1)).await.unwrap_err();
    assert_eq!(get(store, 1).await.scope, KeyScope::Webhook(source()));
    assert_eq!(get(store, 2).await.expires_at, at(DAY), "a rotation is whole or not at all");
}

pub async fn a_rotated_key_ends_with_the_overlap_and_names_its_successor<S: Store>(store: &S) {
    add(store, 1, DAY).await;
    let overlap = SignedDuration::from_mins(10);
    let successor = new(2, KeyScope::Webhook(source()), 2 * DAY);
    let rotated = store.rotate_key(&id(1), successor, overlap, at(5)).await.unwrap().unwrap();
    let old = get(store, 1).await;
    assert_eq!(rotated, KeyRotated::Done(Box::new(old.clone())));
    assert_eq!((old.expires_at, old.replaced_by.clone()), (at(10 * MINUTE + 5), Some(id(2))));
    assert!(old.is_valid(at(10 * MINUTE + 4)) && !old.is_valid(at(10 * MINUTE + 5)));
    assert_eq!(get(store, 2).await.expires_at, at(2 * DAY));
    // an overlap never makes a key live longer
    let next = new(3, KeyScope::Webhook(source()), 9 * DAY);
    let long = SignedDuration::from_hours(24 * 5);
    store.rotate_key(&id(2), next, long, at(6)).await.unwrap().unwrap();
    assert_eq!(get(store, 2).await.expires_at, at(2 * DAY));
}

pub async fn a_key_that_is_no_longer_valid_is_not_rotated<S: Store>(store: &S) {
    for number in 1..=3 {
        add(store, number, DAY).await;
    }
    store.revoke_key(&id(1), &by("ben"), at(1)).await.unwrap();
    let overlap = SignedDuration::from_mins(10);
    store.rotate_key(&id(2), new(4, KeyScope::Admin, DAY), overlap, at(1)).await.unwrap();
    for (number, now) in [(1, at(2)), (2, at(2)), (3, at(DAY))] {
        let before = get(store, number).await;
        let new = new(9, KeyScope::Admin, DAY);
        let rotated = store.rotate_key(&id(number), new, overlap, now).await.unwrap();
        assert_eq!(rotated, Some(KeyRotated::NotPossible(Box::new(before.clone()))));
        assert_eq!(get(store, number).await, before);
    }
    assert_eq!(store.key(&id(9)).await.unwrap(), None);
    let missing = store.rotate_key(&id(8), new(9, KeyScope::Admin, DAY), overlap, at(2)).await;
    assert_eq!(missing.unwrap(), None);
}

pub async fn a_revoked_key_stays_revoked_as_it_was_first<S: Store>(store: &S) {
    add(store, 1, DAY).await;
    let revoked = store.revoke_key(&id(1), &by("ben"), at(3)).await.unwrap().unwrap();
    let key = get(store, 1).await;
    assert_eq!(revoked, KeyRevoked::Done(Box::new(key.clone())));
    assert_eq!((key.revoked_at, key.revoked_by.as_deref()), (Some(at(3)), Some("ben")));
    assert!(!key.is_valid(at(4)));
    let again = store.revoke_key(&id(1), &by("cy"), at(9)).await.unwrap().unwrap();
    assert_eq!(again, KeyRevoked::Before(Box::new(key)));
    assert_eq!(store.revoke_key(&id(2), &by("cy"), at(9)).await.unwrap(), None);
}

pub async fn the_last_use_is_noted_now_and_then<S: Store>(store: &S) {
    add(store, 1, DAY).await;
    for (now, noted) in [(0, 0), (MINUTE - 1, 0), (MINUTE, MINUTE), (MINUTE + 1, MINUTE)] {
        store.note_key_use(&id(1), at(now - MINUTE), at(now)).await.unwrap();
        assert_eq!(get(store, 1).await.last_used_at, Some(at(noted)), "{now}");
    }
    store.note_key_use(&id(9), at(0), at(1)).await.unwrap();
}
