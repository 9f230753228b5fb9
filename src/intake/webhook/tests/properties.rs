//! Whatever may come: flipped bits, any secrets, any bytes.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

proptest! {
    #[test]
    fn a_flipped_bit_in_body_instant_or_signature_is_refused(
        vector in 0..7_usize,
        part in 0..4_usize,
        at_bit in 0..4_000_usize,
    ) {
        let (name, secret, mut headers) = vectors().swap_remove(vector);
        let mut body = BODY.to_vec();
        let flip = |bytes: &mut [u8]| {
            let bit = at_bit % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        };
        let mut raw: Vec<(&str, Vec<u8>)> =
            headers.drain(..).map(|(name, value)| (name, value.into_bytes())).collect();
        let before = raw.clone();
        match raw.get_mut(part) {
            Some((_, value)) => flip(value),
            None => flip(&mut body),
        }
        // digits in hex are the same in either case, and what is not looked at is not signed
        let is_same = raw.iter().zip(&before).any(|((_, now), (_, then))| {
            now != then && (now.eq_ignore_ascii_case(then) && name != WebhookPreset::Hibob
                && name != WebhookPreset::StandardWebhooks)
                || now != then && name == WebhookPreset::Stripe
                && now[..79] == then[..79] && now.len() == then.len()
        });
        prop_assume!(!is_same);
        let views: Vec<_> = raw.iter().map(|(name, value)| (*name, value.as_slice())).collect();
        let verifier = preset(name, &[secret]);
        let delivery = Delivery { headers: &views, body: &body };
        prop_assert!(verifier.verify(&delivery, at(0)).is_err());
    }

    #[test]
    fn what_is_signed_with_either_secret_is_accepted(
        body in prop::collection::vec(any::<u8>(), 0..200),
        first in "[ -~]{1,40}",
        second in "[ -~]{1,40}",
    ) {
        let key = hmac::Key::new(hmac::HMAC_SHA256, second.as_bytes());
        prop_assume!(!first.starts_with("whsec_") && !second.starts_with("whsec_"));
        let tag = hmac::sign(&key, &body);
        let signature = in_hex(tag.as_ref());
        for texts in [[first.as_str(), second.as_str()], [second.as_str(), first.as_str()]] {
            let verifier = declared(table(), &texts);
            prop_assert!(verify(&verifier, &[("x-signature", &signature)], &body, at(0)).is_ok());
        }
        if first != second {
            let verifier = declared(table(), &[&first]);
            prop_assert!(verify(&verifier, &[("x-signature", &signature)], &body, at(0)).is_err());
        }
    }

    #[test]
    fn no_header_and_no_body_makes_it_panic(
        vector in 0..7_usize,
        values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..90), 4),
        texts in prop::collection::vec("(t=|v1=|v1,|v1a,|sha256=|[0-9a-fA-F]{2}|[ ,=+/-]|18446744073709551616|T|:){0,40}", 4),
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let (name, secret, headers) = vectors().swap_remove(vector);
        let verifier = preset(name, &[secret]);
        for given in [values, texts.into_iter().map(String::into_bytes).collect()] {
            let views: Vec<_> = headers
                .iter()
                .zip(&given)
                .map(|((name, _), value)| (*name, value.as_slice()))
                .collect();
            let delivery = Delivery { headers: &views, body: &body };
            prop_assert!(verifier.verify(&delivery, at(0)).is_err());
            let _ = presented_key(&delivery);
            let _ = handshake(&VerifyConfig::Preset(name), &body);
            let _ = idempotency_key(&"hr".into(), &delivery, None, "", &Value::Null);
        }
    }
}
