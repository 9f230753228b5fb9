//! The same delivery again.

use serde_json::{Value, json};

use super::*;

fn key_of(
    name: WebhookPreset,
    headers: &[(&'static str, String)],
    body: &Value,
    source: &str,
) -> IdempotencyKey {
    let bytes = serde_json::to_vec(body).unwrap();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let delivery = Delivery { headers: &headers, body: &bytes };
    let verified = Verified {
        id: None,
        sent_at: None,
        sent_at_text: None,
        secret: 1,
        id_pointer: match name {
            WebhookPreset::Gusto => Some("/uuid"),
            WebhookPreset::Stripe => Some("/id"),
            _ => None,
        },
    };
    let verified = (name != WebhookPreset::Bearer).then_some(verified);
    idempotency_key(&source.into(), &delivery, verified.as_ref(), "key", body)
}

#[test]
fn the_same_delivery_has_the_same_key_and_another_has_another() {
    let body: Value = serde_json::from_slice(BODY).unwrap();
    let mut keys = Vec::new();
    for (name, secret, headers) in vectors() {
        let verifier = preset(name, &[secret]);
        let proven = verify(&verifier, &borrowed(&headers), BODY, at(0)).unwrap();
        let delivery = Delivery { headers: &[], body: BODY };
        let key =
            |source: &str| idempotency_key(&source.into(), &delivery, Some(&proven), "", &body);
        assert_eq!(key("hr"), key("hr"));
        assert_ne!(key("hr").digest, key("payroll").digest, "{name:?}");
        keys.push((name, key("hr").basis));
    }
    let bases: Vec<_> = keys.into_iter().map(|(_, basis)| basis).collect();
    let (content, timed) = (Basis::Content, Basis::ContentAndTime);
    assert_eq!(bases, [content, content, content, content, timed, timed, Basis::SignedId]);
}

#[test]
fn the_senders_id_is_the_key_where_there_is_one() {
    let (gusto, bearer) = (WebhookPreset::Gusto, WebhookPreset::Bearer);
    let one = key_of(gusto, &[], &json!({"uuid": "u1", "try": 1}), "hr");
    assert_eq!(one, key_of(gusto, &[], &json!({"uuid": "u1", "try": 2}), "hr"));
    assert_ne!(one, key_of(gusto, &[], &json!({"uuid": "u2", "try": 1}), "hr"));
    assert_eq!(one.basis, Basis::SignedId);
    assert_eq!(key_of(gusto, &[], &json!({"uuid": ""}), "hr").basis, Basis::Content);
    let with_id = |id: &str| vec![("Idempotency-Key", id.to_owned())];
    // an id beside the body: another body under it is another delivery, and so is another holder's
    let held = key_of(bearer, &with_id("a"), &json!({"n": 1}), "hr");
    assert_eq!(held, key_of(bearer, &with_id("a"), &json!({"n": 1}), "hr"));
    assert_eq!(held.basis, Basis::SignedId);
    assert_ne!(held, key_of(bearer, &with_id("a"), &json!({"n": 2}), "hr"));
    assert_ne!(held, key_of(bearer, &with_id("b"), &json!({"n": 1}), "hr"));
    let headers = [("Idempotency-Key", &b"a"[..])];
    let delivery = Delivery { headers: &headers, body: br#"{"n":1}"# };
    let other = idempotency_key(&"hr".into(), &delivery, None, "other", &json!({"n": 1}));
    assert_ne!(held.digest, other.digest);
    assert_eq!(key_of(bearer, &[], &json!({}), "hr").basis, Basis::Content);

    // an id that nobody signed is known as one
    let github = preset(WebhookPreset::Github, &[KEY]);
    let signature = format!("sha256={BODY_HEX}");
    let headers = [("x-hub-signature-256", signature.as_str()), ("X-GitHub-Delivery", "d1")];
    let verified = verify(&github, &headers, BODY, at(0)).unwrap();
    assert_eq!(verified.id, Some(SendersId { text: "d1".into(), is_signed: false }));
    let delivery = Delivery { headers: &[], body: BODY };
    let key = idempotency_key(&"hr".into(), &delivery, Some(&verified), "", &Value::Null);
    assert_eq!(key.basis, Basis::UnsignedId);
}
