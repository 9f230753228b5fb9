//! Signatures: the vectors of the design, forgeries, replays.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::*;

#[test]
fn the_vectors_of_the_design_are_accepted_by_their_presets() {
    assert_eq!(BODY.len(), 146);
    for (name, secret, headers) in vectors() {
        let verified = verify(&preset(name, &[secret]), &borrowed(&headers), BODY, at(3)).unwrap();
        let is_timed = matches!(
            name,
            WebhookPreset::Bamboohr | WebhookPreset::Stripe | WebhookPreset::StandardWebhooks
        );
        assert_eq!(verified.sent_at, is_timed.then(|| at(0)), "{name:?}");
        assert_eq!(verified.secret, 1);
    }
}

#[test]
fn the_vectors_of_the_design_are_accepted_as_tables() {
    let literal = |text: &str| SignedPart::Literal(text.to_owned());
    let time = Some("x-time".to_owned());
    let body_and_time = vec![SignedPart::Body, SignedPart::Timestamp];
    let time_and_body = vec![SignedPart::Timestamp, literal("."), SignedPart::Body];
    let standard =
        vec![SignedPart::Id, literal("."), SignedPart::Timestamp, literal("."), SignedPart::Body];
    let base64 = SignatureEncoding::Base64;
    let sha512 = SignatureAlgorithm::HmacSha512;
    let (v1, id) = ("v1,".to_owned(), Some("x-id".to_owned()));
    for (config, secret, signature, sent) in [
        (table(), KEY, BODY_HEX, ""),
        (
            SignatureConfig { signs: body_and_time, timestamp_header: time.clone(), ..table() },
            KEY,
            BODY_AND_TIME_HEX,
            ISO,
        ),
        (
            SignatureConfig { signs: vec![literal("POST"), SignedPart::Body], ..table() },
            KEY,
            POST_AND_BODY_HEX,
            "",
        ),
        (
            SignatureConfig { algorithm: sha512, encoding: base64, ..table() },
            KEY,
            SHA512_BASE64,
            "",
        ),
        (
            SignatureConfig { signs: time_and_body, timestamp_header: time.clone(), ..table() },
            KEY,
            STRIPE_HEX,
            SECONDS,
        ),
        (
            SignatureConfig {
                signs: standard,
                encoding: base64,
                prefix: v1,
                id_header: id,
                timestamp_header: time,
                ..table()
            },
            STANDARD_SECRET,
            STANDARD_BASE64,
            SECONDS,
        ),
    ] {
        let verifier = declared(config, &[secret]);
        let headers = [("X-Signature", signature), ("X-Id", STANDARD_ID), ("X-Time", sent)];
        verify(&verifier, &headers, BODY, at(0)).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn a_changed_body_id_or_instant_is_a_forgery() {
    for (name, secret, headers) in vectors() {
        let verifier = preset(name, &[secret]);
        let mut body = BODY.to_vec();
        body[20] ^= 1;
        let refused = verify(&verifier, &borrowed(&headers), &body, at(0)).unwrap_err();
        assert_eq!(refused, SignatureRefusal::WrongSignature, "{name:?}");
        let refused = verify(&verifier, &borrowed(&headers), b"", at(0)).unwrap_err();
        assert_eq!(refused, SignatureRefusal::WrongSignature, "{name:?}");
        let other = preset(name, &[&secret.replace('Y', "Z").replace("key", "kez")]);
        let refused = verify(&other, &borrowed(&headers), BODY, at(0)).unwrap_err();
        assert_eq!(refused, SignatureRefusal::WrongSignature, "{name:?}");
        for changed in 0..headers.len() {
            let mut headers = headers.clone();
            let value = &mut headers[changed].1;
            *value =
                value.replace("18:42", "18:43").replace("884920", "884921").replace("0001", "0002");
            let is_signed =
                *value != vectors().into_iter().find(|each| each.0 == name).unwrap().2[changed].1;
            if is_signed {
                let refused = verify(&verifier, &borrowed(&headers), BODY, at(0)).unwrap_err();
                assert_eq!(refused, SignatureRefusal::WrongSignature, "{name:?}");
            }
        }
    }
}

#[test]
fn what_is_missing_twice_or_unreadable_has_its_own_reason() {
    for (name, secret, headers) in vectors() {
        let verifier = preset(name, &[secret]);
        let expected = |refusal: SignatureRefusal| refusal.as_str();
        for left_out in 0..headers.len() {
            let mut fewer = borrowed(&headers);
            fewer.remove(left_out);
            let refused = verify(&verifier, &fewer, BODY, at(0)).unwrap_err();
            assert_eq!(expected(refused), "missing_header", "{name:?}");
            let mut empty = borrowed(&headers);
            empty[left_out].1 = " ";
            let refused = verify(&verifier, &empty, BODY, at(0)).unwrap_err();
            assert_eq!(expected(refused), "malformed_header", "{name:?}");
            let mut odd = borrowed(&headers);
            odd[left_out].1 = "ä";
            let refused = verify(&verifier, &odd, BODY, at(0)).unwrap_err();
            assert_eq!(expected(refused), "malformed_header", "{name:?}");
            if !headers[left_out].0.to_lowercase().contains("signature") {
                let mut twice = borrowed(&headers);
                twice.push(twice[left_out]);
                let refused = verify(&verifier, &twice, BODY, at(0)).unwrap_err();
                assert_eq!(expected(refused), "repeated_header", "{name:?}");
            }
        }
    }
    let stripe = preset(WebhookPreset::Stripe, &[KEY]);
    let sig = format!("t={SECONDS},t={SECONDS},v1={STRIPE_HEX}");
    let refused = verify(&stripe, &[("stripe-signature", &sig)], BODY, at(0)).unwrap_err();
    assert_eq!(refused.as_str(), "repeated_header");
    let sig = format!("v1={STRIPE_HEX}");
    let refused = verify(&stripe, &[("stripe-signature", &sig)], BODY, at(0)).unwrap_err();
    assert_eq!(refused.as_str(), "missing_header");
}

#[test]
fn what_has_not_the_form_of_a_signature_is_none() {
    let github = preset(WebhookPreset::Github, &[KEY]);
    let short = format!("sha256={}", &BODY_HEX[2..]);
    let long = format!("sha256={BODY_HEX}00");
    let base64 = format!("sha256={}", BASE64_STANDARD.encode([0; 32]));
    for value in [BODY_HEX, "sha256=", "sha256=xyz", &short, &long, &base64, "sha1=00", "SHA256=00"]
    {
        let refused = verify(&github, &[("x-hub-signature-256", value)], BODY, at(0)).unwrap_err();
        assert_eq!(refused.as_str(), "no_signature", "{value}");
    }
    let many = vec![BODY_HEX; 17].join(",");
    let gusto = preset(WebhookPreset::Gusto, &[KEY]);
    let refused = verify(&gusto, &[("x-gusto-signature", &many)], BODY, at(0)).unwrap_err();
    assert_eq!(refused, SignatureRefusal::TooManySignatures);
    let headers = vec![("x-gusto-signature", BODY_HEX); 17];
    let refused = verify(&gusto, &headers, BODY, at(0)).unwrap_err();
    assert_eq!(refused, SignatureRefusal::TooManySignatures);
}

#[test]
fn a_replay_is_stale_once_the_tolerance_is_over_judged_by_its_receipt() {
    for (name, secret, headers) in vectors() {
        let verifier = preset(name, &[secret]);
        let most = match name {
            WebhookPreset::Stripe | WebhookPreset::StandardWebhooks => 300,
            WebhookPreset::Bamboohr => 7_200,
            _ => continue,
        };
        for (seconds, expected) in [
            (most, None),
            (-most, None),
            (most + 1, Some(SignatureRefusal::Stale(SignedDuration::from_secs(most + 1)))),
            (-most - 1, Some(SignatureRefusal::FromTheFuture(SignedDuration::from_secs(most + 1)))),
        ] {
            let refused = verify(&verifier, &borrowed(&headers), BODY, at(seconds)).err();
            assert_eq!(refused, expected, "{name:?}");
            assert!(refused.is_none_or(|refused| refused.may_be_told()));
        }
        // whoever holds no secret learns nothing of the time
        let refused = verify(&verifier, &borrowed(&headers), b"{}", at(most + 1)).unwrap_err();
        assert_eq!(refused, SignatureRefusal::WrongSignature);
        assert!(!refused.may_be_told());
    }
    let config = SignatureConfig {
        signs: vec![SignedPart::Timestamp, SignedPart::Body],
        timestamp_header: Some("x-time".into()),
        ..table()
    };
    let signature = hex(&[b"soon", BODY]);
    let headers = [("x-signature", signature.as_str()), ("x-time", "soon")];
    let refused = verify(&declared(config, &[KEY]), &headers, BODY, at(0)).unwrap_err();
    assert_eq!(refused, SignatureRefusal::BadTimestamp);
}
