//! Several secrets, lists of signatures, public keys, and secrets that are none.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::*;

#[test]
fn every_live_secret_works_and_lists_of_signatures_are_searched() {
    for (name, secret, headers) in vectors() {
        let other = if secret == KEY { "another".to_owned() } else { secret.replace('Y', "Z") };
        for (texts, number) in [(vec![secret, &other], 1), (vec![other.as_str(), secret], 2)] {
            let verified = verify(&preset(name, &texts), &borrowed(&headers), BODY, at(0)).unwrap();
            assert_eq!(verified.secret, number, "{name:?}");
        }
    }
    let standard = preset(WebhookPreset::StandardWebhooks, &[STANDARD_SECRET]);
    let zeros = format!("v1,{}", BASE64_STANDARD.encode([0; 32]));
    let list = format!("v2,abc {zeros} {STANDARD_BASE64}");
    let pair = [("webhook-id", STANDARD_ID), ("webhook-timestamp", SECONDS)];
    verify(&standard, &[pair[0], pair[1], ("webhook-signature", &list)], BODY, at(0)).unwrap();
    let twice = [
        pair[0],
        pair[1],
        ("webhook-signature", zeros.as_str()),
        ("Webhook-Signature", STANDARD_BASE64),
    ];
    verify(&standard, &twice, BODY, at(0)).unwrap();
    let stripe = preset(WebhookPreset::Stripe, &[KEY]);
    let rolled = format!("t={SECONDS}, v1={}, v1={STRIPE_HEX}", "00".repeat(32));
    verify(&stripe, &[("stripe-signature", &rolled)], BODY, at(0)).unwrap();
}

#[test]
fn ed25519_is_verified_in_standard_webhooks_and_in_tables() {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let public = BASE64_STANDARD.encode(pair.public_key().as_ref());
    let mut message = format!("{STANDARD_ID}.{SECONDS}.").into_bytes();
    message.extend(BODY);
    let signature = BASE64_STANDARD.encode(pair.sign(&message).as_ref());
    let (whpk, v1a) = (format!("whpk_{public}"), format!("v1a,{signature}"));
    let standard = preset(WebhookPreset::StandardWebhooks, &[STANDARD_SECRET, &whpk]);
    let mut headers = [
        ("webhook-id", STANDARD_ID),
        ("webhook-timestamp", SECONDS),
        ("webhook-signature", v1a.as_str()),
    ];
    assert_eq!(verify(&standard, &headers, BODY, at(0)).unwrap().secret, 2);
    let refused = verify(&standard, &headers, b"{}", at(0)).unwrap_err();
    assert_eq!(refused, SignatureRefusal::WrongSignature);
    // a signature of one kind is never taken for one of the other
    let swapped = v1a.replace("v1a,", "v1,");
    headers[2].1 = &swapped;
    assert_eq!(verify(&standard, &headers, BODY, at(0)).unwrap_err().as_str(), "no_signature");

    let config = SignatureConfig { algorithm: SignatureAlgorithm::Ed25519, ..table() };
    let signature = in_hex(pair.sign(BODY).as_ref()).to_uppercase();
    let hex = in_hex(pair.public_key().as_ref());
    for key in [public.as_str(), hex.as_str()] {
        let verifier = declared(config.clone(), &[key]);
        verify(&verifier, &[("x-signature", &signature)], BODY, at(0)).unwrap();
    }
}

#[test]
fn a_secret_that_cannot_be_one_is_told_by_number_and_never_shown() {
    let standard = VerifyConfig::Preset(WebhookPreset::StandardWebhooks);
    let short = format!("whsec_{}", BASE64_STANDARD.encode([1; 23]));
    let long = format!("whsec_{}", BASE64_STANDARD.encode([1; 65]));
    for secret in ["hunter2~Zk", "whsec_hunter2~Zk", "whpk_aGVsbG8=", &short, &long] {
        let fault = Verifier::new(&standard, &secrets(&[STANDARD_SECRET, secret])).unwrap_err();
        assert_eq!(fault.number, 2);
        assert!(fault.to_string().starts_with("secret 2 of the webhook"), "{fault}");
        assert!(!fault.to_string().contains("hunter2"), "{fault}");
    }
    let verifier = preset(WebhookPreset::Github, &["hunter2~Zk"]);
    assert!(!format!("{verifier:?}").contains("hunter2"));
    let bearer = Verifier::new(&VerifyConfig::Preset(WebhookPreset::Bearer), &[]).unwrap();
    assert!(bearer.is_none());
}
