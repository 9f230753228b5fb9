//! What the tests of webhooks share: the vectors of the design, and presets and tables made of them.

use std::fmt::Write as _;
use std::time::Duration;

use aws_lc_rs::hmac;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::*;
use crate::config::{
    SignatureAlgorithm, SignatureConfig, SignatureEncoding, SignedPart, VerifyConfig, WebhookPreset,
};

mod bodies;
mod hooks;
mod idempotency;
mod properties;
mod secrets;
mod signatures;

/// Names and values.
type Headers = Vec<(&'static str, String)>;

const BODY: &[u8] = br#"{"type":"employee.updated","timestamp":"2026-01-31T18:42:00+0000","data":{"companyId":"12345","employeeId":"67890","changedFields":["firstName"]}}"#;
const KEY: &str = "bridge-test-key-0001";
const SECONDS: &str = "1769884920";
const ISO: &str = "2026-01-31T18:42:00+0000";
const BODY_HEX: &str = "6a0cba992de2f6ec0368e37aeebe4823479c808a42fea00268172906cc17998c";
const BODY_AND_TIME_HEX: &str = "413d39cf53f0c3eee3aa9763538e21ea935438017c36bd19055b8a8f6807f4f0";
const POST_AND_BODY_HEX: &str = "ed0c4ae13a2dbce63743971339f3e547a3da83edcb2cbc0f4be87fb9a2e4b1fa";
const SHA512_BASE64: &str =
    "KO7ZmFNSHUdAHrVzlnIwcu3S7R2goH3MbINKmsAvs6BgOnp3tKJge1/1y7PctXyATVLM9TFc7lP9wifm/yQ6eQ==";
const STRIPE_HEX: &str = "d8118f1eb7126d3478377a8513171b668911693ad16f268f1d4e63a94cb99312";
const STANDARD_SECRET: &str = "whsec_YnJpZGdlLXRlc3Qta2V5LTAwMDEtMjQtYnl0ZXMh";
const STANDARD_ID: &str = "msg_bridge0001";
const STANDARD_BASE64: &str = "v1,/AzwEHb4S9hPFQrv+5sKdhTOVrYs1MKfPbcBTk/5bjw=";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_769_884_920).unwrap() + SignedDuration::from_secs(seconds)
}

fn secrets(texts: &[&str]) -> Vec<SecretString> {
    texts.iter().map(|text| SecretString::from(*text)).collect()
}

fn preset(preset: WebhookPreset, texts: &[&str]) -> Verifier {
    Verifier::new(&VerifyConfig::Preset(preset), &secrets(texts)).unwrap().unwrap()
}

/// A table that signs the body in hex, in the header `x-signature`.
fn table() -> SignatureConfig {
    SignatureConfig {
        header: "x-signature".into(),
        algorithm: SignatureAlgorithm::HmacSha256,
        signs: vec![SignedPart::Body],
        encoding: SignatureEncoding::Hex,
        prefix: String::new(),
        id_header: None,
        timestamp_header: None,
        tolerance: Duration::from_mins(5),
    }
}

fn declared(config: SignatureConfig, texts: &[&str]) -> Verifier {
    Verifier::new(&VerifyConfig::Signature(config), &secrets(texts)).unwrap().unwrap()
}

fn verify(
    verifier: &Verifier,
    headers: &[(&str, &str)],
    body: &[u8],
    received_at: Timestamp,
) -> Result<Verified, SignatureRefusal> {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    verifier.verify(&Delivery { headers: &headers, body }, received_at)
}

/// Preset, secret, and the headers of a delivery of [`BODY`] by the vectors of the design.
fn vectors() -> Vec<(WebhookPreset, &'static str, Headers)> {
    let one = |name, value: &str| vec![(name, value.to_owned())];
    vec![
        (WebhookPreset::Github, KEY, one("X-Hub-Signature-256", &format!("sha256={BODY_HEX}"))),
        (WebhookPreset::Gusto, KEY, one("X-Gusto-Signature", BODY_HEX)),
        (WebhookPreset::Deel, KEY, one("x-deel-signature", POST_AND_BODY_HEX)),
        (WebhookPreset::Hibob, KEY, one("Bob-Signature", SHA512_BASE64)),
        (
            WebhookPreset::Bamboohr,
            KEY,
            vec![
                ("X-BambooHR-Signature", BODY_AND_TIME_HEX.to_owned()),
                ("X-BambooHR-Timestamp", ISO.to_owned()),
            ],
        ),
        (
            WebhookPreset::Stripe,
            KEY,
            one("Stripe-Signature", &format!("t={SECONDS},v1={STRIPE_HEX},v0=00")),
        ),
        (
            WebhookPreset::StandardWebhooks,
            STANDARD_SECRET,
            vec![
                ("webhook-id", STANDARD_ID.to_owned()),
                ("webhook-timestamp", SECONDS.to_owned()),
                ("webhook-signature", STANDARD_BASE64.to_owned()),
            ],
        ),
    ]
}

fn borrowed<'a>(headers: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    headers.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

fn in_hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// HMAC-SHA-256 with [`KEY`] over the pieces, in hex.
fn hex(pieces: &[&[u8]]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes());
    let tag = hmac::sign(&key, &pieces.concat());
    in_hex(tag.as_ref())
}
