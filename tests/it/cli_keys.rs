//! `key`: made once, listed without what opens anything, rotated with an overlap, revoked.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use scimport::bridge::{Bridge, Setup};
use scimport::domain::{Clock, KeyScope, ShiftedClock, SystemClock};
use scimport::intake::{Caller, KeyRefusal};
use serde_json::Value;

use crate::cli_support::{GOOD, Place, Ran, SOURCE, offline};

fn place() -> Place {
    offline(SOURCE, GOOD)
}

fn create(place: &Place, arguments: &[&str]) -> Ran {
    place.run(&[&["key", "create"], arguments].concat())
}

/// A key for the webhook of `hr`, and its id.
fn hr(place: &Place) -> (String, String) {
    let ran = create(place, &["--source", "hr", "--expires", "90d"]).expect(0);
    let key = ran.out.trim_end().to_owned();
    let id = key.split('_').nth(1).unwrap().to_owned();
    (key, id)
}

fn listed(place: &Place) -> Vec<Value> {
    place.run(&["key", "list", "--json"]).expect(0).json().as_array().unwrap().clone()
}

fn instant(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// What somebody who presents the key would hear, so long after now.
fn validate(place: &Place, key: &str, after: SignedDuration) -> Result<Caller, KeyRefusal> {
    let setup = Setup::load(&place.path("scimport.toml"), &[]).unwrap();
    let clock = Arc::new(ShiftedClock::new(SystemClock, after));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let bridge = Bridge::open(setup, clock, Vec::new()).unwrap();
        bridge.validate_key(&key.to_owned().into()).await.unwrap()
    })
}

/// Nothing that was written anywhere in the folder holds the secret part of the key.
fn is_kept_nowhere(place: &Place, key: &str) {
    let secret = key.rsplit('_').next().unwrap().as_bytes();
    for name in place.names() {
        let bytes = std::fs::read(place.path(&name)).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "in {name}");
    }
}

#[test]
fn a_key_is_printed_once_and_alone_and_only_its_digest_is_kept() {
    let place = place();
    let ran = create(&place, &["--source", "hr", "--expires", "90d", "-vv"]).expect(0);
    let key = ran.out.strip_suffix('\n').unwrap();
    let parts: Vec<&str> = key.split('_').collect();
    assert_eq!((parts.len(), parts[0], parts[1].len(), parts[2].len()), (3, "scim", 12, 64));
    assert!(
        ran.err.contains(parts[1]) && ran.err.contains("webhook of source `hr`"),
        "{}",
        ran.err
    );
    assert!(!ran.err.contains(parts[2]), "not in words, not in the log: {}", ran.err);
    is_kept_nowhere(&place, key);
    for arguments in [&["key", "list"][..], &["key", "list", "--json"]] {
        let list = place.run(arguments).expect(0);
        assert!(list.out.contains(parts[1]) && !list.out.contains(parts[2]), "{}", list.out);
    }
}

#[test]
fn the_documents_say_what_a_key_is_for_and_how_it_stands() {
    let place = place();
    assert_eq!(listed(&place), Vec::<Value>::new());
    let made = create(&place, &["--source", "hr", "--expires", "90d", "--json"]).expect(0).json();
    assert_eq!((&made["scope"], &made["source"]), (&"webhook".into(), &"hr".into()));
    assert_eq!((&made["state"], &made["last_used_at"]), (&"valid".into(), &Value::Null));
    assert!(made["key"].as_str().unwrap().starts_with("scim_"));
    let lifetime = instant(&made["expires_at"]).duration_since(instant(&made["created_at"]));
    assert_eq!(lifetime, SignedDuration::from_hours(90 * 24));
    create(&place, &["--scope", "reader", "--expires", "1h"]).expect(0);
    create(&place, &["--scope", "admin", "--expires", "1h"]).expect(0);
    let keys = listed(&place);
    let scopes: Vec<_> = keys.iter().map(|key| (&key["scope"], &key["source"])).collect();
    let (null, hr) = (Value::Null, Value::from("hr"));
    let words = ["webhook", "reader", "admin"].map(Value::from);
    assert_eq!(scopes, [(&words[0], &hr), (&words[1], &null), (&words[2], &null)]);
    assert!(keys.iter().all(|key| key.get("key").is_none() && key.get("digest").is_none()));
}

#[test]
fn a_key_opens_what_it_is_for_until_it_ends() {
    let place = place();
    let (key, id) = hr(&place);
    let caller = validate(&place, &key, SignedDuration::ZERO).unwrap();
    assert_eq!(caller.scope, KeyScope::Webhook("hr".into()));
    let used = instant(&listed(&place)[0]["last_used_at"]);
    assert!(SystemClock.now().duration_since(used).abs() < SignedDuration::from_mins(5));
    let day = SignedDuration::from_hours(24);
    let expired = validate(&place, &key, day * 91).unwrap_err();
    let mut wrong = key.clone();
    wrong.replace_range(wrong.len() - 1.., if key.ends_with('0') { "1" } else { "0" });
    let forged = validate(&place, &wrong, SignedDuration::ZERO).unwrap_err();
    let unknown = validate(&place, &key.replace(&id, "abcdefgh2345"), day).unwrap_err();
    assert_eq!(expired, KeyRefusal::Expired);
    assert_eq!(forged, KeyRefusal::WrongSecret);
    assert_eq!(unknown, KeyRefusal::Unknown);
    assert_eq!(expired.to_string(), forged.to_string());
    assert_eq!(expired.to_string(), unknown.to_string());
}

#[test]
fn after_a_rotation_both_keys_work_until_the_overlap_is_over() {
    let place = place();
    let (old, id) = hr(&place);
    let ran = place.run(&["key", "rotate", &id, "--overlap", "2h"]).expect(0);
    let new = ran.out.trim_end();
    assert_ne!(new, old);
    assert!(ran.err.contains(&id), "{}", ran.err);
    let hour = SignedDuration::from_hours(1);
    assert!(validate(&place, &old, hour).is_ok() && validate(&place, new, hour).is_ok());
    assert_eq!(validate(&place, &old, hour * 2), Err(KeyRefusal::Expired));
    let caller = validate(&place, new, hour * 24 * 89).unwrap();
    assert_eq!(
        caller.scope,
        KeyScope::Webhook("hr".into()),
        "scope and lifetime are the old one's"
    );
    let keys = listed(&place);
    assert_eq!(keys[0]["replaced_by"], keys[1]["id"]);
    let again = place.run(&["key", "rotate", &id]).expect(1);
    assert!(again.err.contains("key rotate") && again.out.is_empty(), "{}", again.err);
    assert_eq!(listed(&place).len(), 2);
}

#[test]
fn a_revoked_key_opens_nothing_from_then_on() {
    let place = place();
    let (key, id) = hr(&place);
    let revoked = place.run(&["key", "revoke", &id, "--json"]).expect(0).json();
    assert_eq!((&revoked["id"], &revoked["state"]), (&id.as_str().into(), &"revoked".into()));
    assert_eq!(validate(&place, &key, SignedDuration::ZERO), Err(KeyRefusal::Revoked));
    // whoever finds a whole key somewhere may revoke it by what they found
    let again = place.run(&["key", "revoke", &key]).expect(0);
    assert!(again.err.contains("revoked before"), "{}", again.err);
    assert!(!again.err.contains(&key) && !again.out.contains(&key));
    assert_eq!(listed(&place)[0]["revoked_at"], revoked["revoked_at"]);
    assert!(place.run(&["key", "rotate", &id]).expect(1).err.contains("revoked"));
    let unknown = place.run(&["key", "revoke", "abcdefgh2345"]).expect(1);
    assert!(unknown.err.contains("key list"), "{}", unknown.err);
}

#[test]
fn wrong_usage_is_2_and_makes_no_key() {
    let place = place();
    for (arguments, words) in [
        (&["key"][..], "create"),
        (&["key", "create", "--expires", "90d"], "--source"),
        (&["key", "create", "--source", "hr"], "--expires"),
        (&["key", "create", "--source", "hr", "--expires", "soon"], "90d"),
        (&["key", "create", "--source", "hr", "--expires", "0d"], "some time"),
        (&["key", "create", "--scope", "webhook", "--expires", "1d"], "--source"),
        (&["key", "create", "--scope", "root", "--expires", "1d"], "reader"),
        (&["key", "create", "--scope", "admin", "--source", "hr", "--expires", "1d"], "admin"),
        (&["key", "create", "--source", "hrr", "--expires", "1d"], "no source `hrr`"),
        (&["key", "rotate", "latest"], "key list"),
        (&["key", "rotate", "abcdefgh2345", "--overlap=-1h"], "24h"),
        (&["key", "revoke", "x"], "key list"),
    ] {
        let ran = place.run(arguments).expect(2);
        assert!(ran.err.contains(words), "{arguments:?}: {}", ran.err);
        assert_eq!(ran.out, "", "{arguments:?}");
    }
    assert_eq!(listed(&place), Vec::<Value>::new());
}
