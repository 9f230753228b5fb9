//! Whole deliveries: what is taken, and a reason of its own for each that is not.

use crate::config::{Burst, WebhookConfig};
use crate::domain::KeyScope;
use crate::intake::Caller;

use super::*;

fn config(verify: VerifyConfig, records: &str) -> WebhookConfig {
    WebhookConfig {
        verify,
        secrets: Vec::new(),
        records: records.to_owned(),
        schema: None,
        hydrate: None,
        rate: Burst { calls: 1, window: std::time::Duration::from_secs(1) },
        coalesce: std::time::Duration::ZERO,
    }
}

fn hook(verify: VerifyConfig, records: &str, texts: &[&str]) -> Hook {
    let config = config(verify, records);
    let limits = BodyLimits { bytes: 400, depth: 5 };
    Hook::new("hr".into(), &config, &secrets(texts), limits).unwrap()
}

/// A table over instant and body, with the workers at `/data`.
fn stamped() -> Hook {
    let config = SignatureConfig {
        signs: vec![SignedPart::Timestamp, SignedPart::Body],
        timestamp_header: Some("x-time".into()),
        ..table()
    };
    hook(VerifyConfig::Signature(config), "/data", &[KEY])
}

fn caller(scope: KeyScope) -> Caller {
    let key = crate::domain::KeyId::parse("abcdefgh2345").unwrap();
    Caller { key, scope, expires_at: at(1) }
}

/// What becomes of a body that is signed as it should be.
fn signed(
    hook: &Hook,
    body: &str,
    kind: &str,
    received_at: Timestamp,
) -> Result<Received, Refused> {
    let signature = hex(&[SECONDS.as_bytes(), body.as_bytes()]);
    let headers =
        [("x-signature", signature.as_str()), ("x-time", SECONDS), ("content-type", kind)];
    let headers = headers.map(|(name, value)| (name, value.as_bytes()));
    hook.receive(&Delivery { headers: &headers, body: body.as_bytes() }, None, received_at)
}

#[test]
fn a_delivery_that_is_right_is_accepted_with_its_workers_counted() {
    let body = r#"{"data": [{"id": 1}, {"id": 2}]}"#;
    let received = signed(&stamped(), body, "application/json", at(9)).unwrap();
    let Received::Delivery(accepted) = received else { panic!("{received:?}") };
    assert_eq!((accepted.workers, accepted.key.basis), (2, Basis::ContentAndTime));
    assert_eq!(accepted.verified.unwrap().sent_at, Some(at(0)));
    assert_eq!(accepted.body["data"][1]["id"], 2);
    let form = hook(VerifyConfig::Preset(WebhookPreset::Bearer), "", &[]);
    let headers = [("Content-Type", &b"application/x-www-form-urlencoded"[..])];
    let delivery = Delivery { headers: &headers, body: b"event_name=employee.hired&id=7" };
    let holder = caller(KeyScope::Webhook("hr".into()));
    let Received::Delivery(accepted) = form.receive(&delivery, Some(&holder), at(0)).unwrap()
    else {
        panic!("no delivery")
    };
    assert_eq!((accepted.workers, &accepted.body["id"]), (1, &"7".into()));
}

#[test]
fn each_refusal_has_a_reason_of_its_own() {
    let (hook, json) = (stamped(), "application/json");
    let good = r#"{"data": {"id": 1}}"#;
    let large = format!(r#"{{"data": {{"id": "{}"}}}}"#, "x".repeat(400));
    let mut reasons = Vec::new();
    for (body, kind, received_at, expected, is_told) in [
        (good, json, at(301), "stale", true),
        (good, json, at(-301), "from_the_future", true),
        (&large, json, at(0), "too_large", true),
        ("", json, at(0), "empty", true),
        (r#"{"data": [[[[[1]]]]]}"#, json, at(0), "too_deep", true),
        (r#"{"data": {"id": 1, "id": 2}}"#, json, at(0), "duplicate_key", true),
        (r#"{"data": {"id": 1}"#, json, at(0), "syntax", true),
        ("5", json, at(0), "wrong_type", true),
        (r#"{"data": 5}"#, json, at(0), "no_records", true),
        (good, "application/xml", at(0), "unsupported_type", true),
    ] {
        let refused = signed(&hook, body, kind, received_at).unwrap_err();
        assert_eq!((refused.as_str(), refused.may_be_told()), (expected, is_told), "{body}");
        reasons.push(expected);
    }
    let mut forged = vec![("x-signature", BODY_HEX), ("x-time", SECONDS)];
    for expected in ["wrong_signature", "missing_header"] {
        let headers: Vec<_> =
            forged.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let delivery = Delivery { headers: &headers, body: good.as_bytes() };
        let refused = hook.receive(&delivery, None, at(0)).unwrap_err();
        assert_eq!((refused.as_str(), refused.may_be_told()), (expected, false));
        reasons.push(expected);
        forged.pop();
    }
    reasons.sort_unstable();
    reasons.dedup();
    assert_eq!(reasons.len(), 12);
}

#[test]
fn a_replay_in_time_is_the_same_delivery() {
    let body = r#"{"data": {"id": 1}}"#;
    let key = |received_at| match signed(&stamped(), body, "application/json", received_at).unwrap()
    {
        Received::Delivery(accepted) => accepted.key,
        Received::Handshake(_) => panic!("no delivery"),
    };
    assert_eq!(key(at(0)), key(at(200)));
}

#[test]
fn only_a_key_of_the_source_opens_it() {
    let keyed = hook(VerifyConfig::Preset(WebhookPreset::Bearer), "", &[]);
    let delivery = Delivery { headers: &[], body: b"{}" };
    let right = caller(KeyScope::Webhook("hr".into()));
    assert!(keyed.receive(&delivery, Some(&right), at(0)).is_ok());
    for scope in [KeyScope::Webhook("payroll".into()), KeyScope::Reader, KeyScope::Admin] {
        let refused = keyed.receive(&delivery, Some(&caller(scope)), at(0)).unwrap_err();
        assert_eq!(refused, Refused::NoKey);
    }
    let refused = keyed.receive(&delivery, None, at(0)).unwrap_err();
    assert_eq!((refused.as_str(), refused.may_be_told()), ("no_key", false));
    // a key of the source is as good as a signature, and nobody else's is
    let keyless = stamped();
    let delivery = Delivery { headers: &[], body: br#"{"data": {}}"# };
    assert!(keyless.receive(&delivery, Some(&right), at(0)).is_ok());
    let refused = keyless.receive(&delivery, Some(&caller(KeyScope::Admin)), at(0)).unwrap_err();
    assert_eq!(refused.as_str(), "missing_header");
}

#[test]
fn a_ping_needs_no_signature_and_is_no_delivery() {
    let hibob = hook(VerifyConfig::Preset(WebhookPreset::Hibob), "", &[KEY]);
    let ping = Delivery { headers: &[("content-type", b"text/plain")], body: b"Ping test" };
    let received = hibob.receive(&ping, None, at(0)).unwrap();
    assert!(matches!(received, Received::Handshake(Handshake::HibobPing)));
}

#[test]
fn a_body_that_says_twice_what_it_is_is_refused() {
    let keyed = hook(VerifyConfig::Preset(WebhookPreset::Bearer), "", &[]);
    let right = caller(KeyScope::Webhook("hr".into()));
    let kind: (&str, &[u8]) = ("content-type", b"application/json");
    for headers in [vec![kind, kind], vec![("content-type", &b"\xff"[..])]] {
        let delivery = Delivery { headers: &headers, body: b"{}" };
        let refused = keyed.receive(&delivery, Some(&right), at(0)).unwrap_err();
        assert_eq!(refused.as_str(), "unsupported_type");
    }
}
