//! What the presets mean, in the terms of the declarative verifier. Sources: `webhooks.md` of the
//! design; what is uncertain there is noted here.

use std::time::Duration;

use crate::config::{
    SignatureAlgorithm, SignatureConfig, SignatureEncoding, SignedPart, WebhookPreset,
};

/// What senders and Standard Webhooks agree on.
const FIVE_MINUTES: Duration = Duration::from_mins(5);
/// `BambooHR` tries again for 75 minutes, and it is not told whether each attempt has a time of its
/// own.
const BAMBOOHR_TOLERANCE: Duration = Duration::from_hours(2);

/// How a signature is found and what it is made over.
pub(super) struct Scheme {
    /// The header with signatures, in lower case.
    pub(super) header: String,
    pub(super) signs: Vec<SignedPart>,
    pub(super) id_header: Option<String>,
    pub(super) timestamp_header: Option<String>,
    pub(super) tolerance: Duration,
    /// Where the body holds the delivery's id: a JSON Pointer.
    pub(super) id_pointer: Option<&'static str>,
}

/// How one kind of signature is written.
pub(super) struct Form {
    pub(super) prefix: String,
    pub(super) encodings: &'static [SignatureEncoding],
}

const HEX: &[SignatureEncoding] = &[SignatureEncoding::Hex];
const BASE64: &[SignatureEncoding] = &[SignatureEncoding::Base64];
const EITHER: &[SignatureEncoding] = &[SignatureEncoding::Base64, SignatureEncoding::Hex];

impl Scheme {
    fn of_body(header: &str) -> Self {
        Self {
            header: header.to_owned(),
            signs: vec![SignedPart::Body],
            id_header: None,
            timestamp_header: None,
            tolerance: FIVE_MINUTES,
            id_pointer: None,
        }
    }
}

/// What a table of the config says.
pub(super) fn declared(config: &SignatureConfig) -> (Scheme, Form, SignatureAlgorithm) {
    let scheme = Scheme {
        header: config.header.clone(),
        signs: config.signs.clone(),
        id_header: config.id_header.clone(),
        timestamp_header: config.timestamp_header.clone(),
        tolerance: config.tolerance,
        id_pointer: None,
    };
    let encodings = match config.encoding {
        SignatureEncoding::Hex => HEX,
        SignatureEncoding::Base64 => BASE64,
    };
    (scheme, Form { prefix: config.prefix.clone(), encodings }, config.algorithm)
}

/// Standard Webhooks: the scheme, the form of shared secrets and that of public keys.
pub(super) fn standard() -> (Scheme, Form, Form) {
    let dot = || SignedPart::Literal(".".to_owned());
    let scheme = Scheme {
        signs: vec![SignedPart::Id, dot(), SignedPart::Timestamp, dot(), SignedPart::Body],
        id_header: Some("webhook-id".to_owned()),
        timestamp_header: Some("webhook-timestamp".to_owned()),
        ..Scheme::of_body("webhook-signature")
    };
    let form = |prefix: &str| Form { prefix: prefix.to_owned(), encodings: BASE64 };
    (scheme, form("v1,"), form("v1a,"))
}

/// A preset with one kind of signature; `None` for those that are unlike the others.
pub(super) fn preset(preset: WebhookPreset) -> Option<(Scheme, Form, SignatureAlgorithm)> {
    let hex = |prefix: &str| Form { prefix: prefix.to_owned(), encodings: HEX };
    let sha256 = SignatureAlgorithm::HmacSha256;
    Some(match preset {
        WebhookPreset::StandardWebhooks | WebhookPreset::Bearer | WebhookPreset::Unsigned => {
            return None;
        }
        WebhookPreset::Github => {
            let id_header = Some("x-github-delivery".to_owned());
            let scheme = Scheme { id_header, ..Scheme::of_body("x-hub-signature-256") };
            (scheme, hex("sha256="), sha256)
        }
        WebhookPreset::Stripe => {
            let dot = SignedPart::Literal(".".to_owned());
            let scheme = Scheme {
                signs: vec![SignedPart::Timestamp, dot, SignedPart::Body],
                id_pointer: Some("/id"),
                ..Scheme::of_body("stripe-signature")
            };
            (scheme, hex("v1="), sha256)
        }
        WebhookPreset::Bamboohr => {
            let scheme = Scheme {
                signs: vec![SignedPart::Body, SignedPart::Timestamp],
                timestamp_header: Some("x-bamboohr-timestamp".to_owned()),
                tolerance: BAMBOOHR_TOLERANCE,
                ..Scheme::of_body("x-bamboohr-signature")
            };
            (scheme, hex(""), sha256)
        }
        // how the bytes are written is not told: base64 was seen
        WebhookPreset::Hibob => {
            let form = Form { prefix: String::new(), encodings: EITHER };
            (Scheme::of_body("bob-signature"), form, SignatureAlgorithm::HmacSha512)
        }
        WebhookPreset::Gusto => {
            let id_pointer = Some("/uuid");
            (Scheme { id_pointer, ..Scheme::of_body("x-gusto-signature") }, hex(""), sha256)
        }
        WebhookPreset::Deel => {
            let method = SignedPart::Literal("POST".to_owned());
            let signs = vec![method, SignedPart::Body];
            (Scheme { signs, ..Scheme::of_body("x-deel-signature") }, hex(""), sha256)
        }
    })
}
