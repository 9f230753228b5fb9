//! `webhook` of a source: how a delivery proves whom it is from, and where its workers stand.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::format::pointer;
use crate::config::hydrate::{self, HydrateConfig};
use crate::config::node::Value;
use crate::config::secrets::{self, SecretRef};
use crate::config::section::{Field, Section};
use crate::config::suggest::{did_you_mean, nearest};
use crate::config::target::{Burst, burst};

pub(super) const KEYS: &[&str] =
    &["verify", "records", "secrets", "schema", "rate", "coalesce", "hydrate"];
pub(super) const VERIFY_KEYS: &[&str] = &[
    "header",
    "algorithm",
    "signs",
    "encoding",
    "prefix",
    "id_header",
    "timestamp_header",
    "tolerance",
    "secrets",
];
/// How far the clocks of both sides and the way between them may differ. Standard Webhooks and
/// Stripe both say five minutes.
pub(super) const DEFAULT_TOLERANCE: Duration = Duration::from_mins(5);
/// A sender that keeps to this is slower than the disk: what a whole company changes in a minute.
pub(super) const DEFAULT_RATE: Burst = Burst { calls: 6_000, window: Duration::from_mins(1) };
/// HR systems send several events for what a person did once.
pub(super) const DEFAULT_COALESCE: Duration = Duration::from_secs(2);
/// What stands between braces in `signs`.
const PLACEHOLDERS: [(&str, SignedPart); 3] =
    [("id", SignedPart::Id), ("timestamp", SignedPart::Timestamp), ("body", SignedPart::Body)];
const ALGORITHMS: [(&str, SignatureAlgorithm); 3] = [
    ("hmac-sha256", SignatureAlgorithm::HmacSha256),
    ("hmac-sha512", SignatureAlgorithm::HmacSha512),
    ("ed25519", SignatureAlgorithm::Ed25519),
];
const ENCODINGS: [(&str, SignatureEncoding); 2] =
    [("hex", SignatureEncoding::Hex), ("base64", SignatureEncoding::Base64)];

/// `webhook` of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookConfig {
    /// How a delivery proves whom it is from.
    pub verify: VerifyConfig,
    /// Where the secrets are that signatures are made with; all are live. Empty for
    /// [`WebhookPreset::Bearer`], whose keys are in the store, and for [`WebhookPreset::Unsigned`].
    pub secrets: Vec<SecretRef>,
    /// JSON Pointer to the worker or the list of workers; empty for the body itself.
    pub records: String,
    /// A file with a JSON Schema that each body has to fit.
    pub schema: Option<PathBuf>,
    /// How many deliveries are taken in how long a time, of each credential.
    pub rate: Burst,
    /// How long the first delivery waits for others about the same people.
    pub coalesce: Duration,
    /// Where the worker is fetched from, when an event carries only an id.
    pub hydrate: Option<HydrateConfig>,
}

impl WebhookConfig {
    /// Whether a recorded delivery may be sent again by somebody else and be taken for true: nothing
    /// that is signed tells it from a new one, and what is in it is used.
    #[must_use]
    pub fn can_be_replayed(&self) -> bool {
        use WebhookPreset as P;
        let signs_only_the_body = match &self.verify {
            VerifyConfig::Preset(preset) => matches!(preset, P::Github | P::Hibob | P::Deel),
            VerifyConfig::Signature(config) => {
                !config.signs.contains(&SignedPart::Timestamp)
                    && !config.signs.contains(&SignedPart::Id)
            }
        };
        signs_only_the_body && self.hydrate.is_none()
    }
}

/// How a delivery proves whom it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifyConfig {
    /// As a vendor or a convention has it.
    Preset(WebhookPreset),
    /// As the config says in full.
    Signature(SignatureConfig),
}

/// Conventions that need no more than their name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookPreset {
    /// Standard Webhooks, as Svix sends them.
    StandardWebhooks,
    /// As GitHub signs.
    Github,
    /// As Stripe signs.
    Stripe,
    /// `BambooHR`.
    Bamboohr,
    /// `HiBob`.
    Hibob,
    /// Gusto.
    Gusto,
    /// Deel.
    Deel,
    /// No signature: a provisioning key of the source.
    Bearer,
    /// Nothing: anybody may say that somebody has changed, and the worker is fetched.
    Unsigned,
}

impl WebhookPreset {
    /// The names in the config.
    const WORDS: [(&'static str, Self); 9] = [
        ("standard-webhooks", Self::StandardWebhooks),
        ("github", Self::Github),
        ("stripe", Self::Stripe),
        ("bamboohr", Self::Bamboohr),
        ("hibob", Self::Hibob),
        ("gusto", Self::Gusto),
        ("deel", Self::Deel),
        ("bearer", Self::Bearer),
        ("none", Self::Unsigned),
    ];
}

/// A signature in a header, described in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureConfig {
    /// The header with the signature, or a list of them.
    pub header: String,
    /// How it is made.
    pub algorithm: SignatureAlgorithm,
    /// What is signed, in this order.
    pub signs: Vec<SignedPart>,
    /// How its bytes are written.
    pub encoding: SignatureEncoding,
    /// What stands before it, such as `sha256=`; of a list, what begins otherwise is passed over.
    pub prefix: String,
    /// The header with the delivery's id.
    pub id_header: Option<String>,
    /// The header with the instant of sending. Where `signs` has one and this is absent, it is the
    /// element `t=` of the signature's header.
    pub timestamp_header: Option<String>,
    /// How far that instant may lie from the receipt, either way.
    pub tolerance: Duration,
}

/// How a signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// HMAC with SHA-256; the secret is shared.
    HmacSha256,
    /// HMAC with SHA-512; the secret is shared.
    HmacSha512,
    /// Ed25519; the "secret" is the sender's public key.
    Ed25519,
}

/// How the bytes of a signature are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureEncoding {
    /// Two digits a byte.
    Hex,
    /// Base64, with or without `=` at its end.
    Base64,
}

/// A piece of what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedPart {
    /// This text.
    Literal(String),
    /// The delivery's id.
    Id,
    /// The instant of sending, as it is written.
    Timestamp,
    /// The body, as it came.
    Body,
}

/// Reads `webhook`.
pub(super) fn read(field: &Field<'_>, folder: &Path) -> Option<WebhookConfig> {
    let section = field.part()?;
    section.check_keys(KEYS);
    let hydrate = section.get("hydrate").map(|field| hydrate::read(&field, folder));
    let records = section.get("records").map_or(Some(String::new()), |field| pointer(&field));
    let outer = section.get("secrets").map(|field| secret_list(&field, folder));
    let verify = section.require("verify")?;
    let (verify, inner) = match &verify.node.value {
        Value::Table(_) => {
            let table = verify.part()?;
            let inner = table.get("secrets").map(|field| secret_list(&field, folder));
            (signature(&table).map(VerifyConfig::Signature)?, inner)
        }
        _ => (VerifyConfig::Preset(verify.word(&WebhookPreset::WORDS)?), None),
    };
    let is_unsigned = verify == VerifyConfig::Preset(WebhookPreset::Unsigned);
    let needs_none = is_unsigned || verify == VerifyConfig::Preset(WebhookPreset::Bearer);
    let secrets = match (outer, inner) {
        (Some(_), _) if needs_none => {
            let message = if is_unsigned {
                "`none` verifies nothing, and takes no `secrets`"
            } else {
                "`bearer` takes the keys of `scimport key create`, and no `secrets`"
            };
            section.get("secrets")?.refuse_key(message.to_owned(), None);
            return None;
        }
        (None, None) if needs_none => Vec::new(),
        (None, None) => {
            let hint = "write it like `secrets = [{ env = \"NAME\" }]`; all in the list are live";
            section.refuse(format!("{} needs `secrets`", section.title()), Some(hint.to_owned()));
            return None;
        }
        (Some(_), Some(_)) => {
            let message =
                format!("{} has `secrets` twice: outside and in `verify`", section.title());
            section.refuse(message, None);
            return None;
        }
        (Some(secrets), None) | (None, Some(secrets)) => secrets?,
    };
    let schema = section.get("schema").map(|field| field.text().map(|path| folder.join(path)));
    let rate = section.get("rate").map_or(Some(DEFAULT_RATE), |field| burst(&field));
    if is_unsigned && hydrate.is_none() {
        let hint =
            "add `hydrate`, which fetches the worker from the HR system, or let the sender sign";
        let message = "`none` lets anybody deliver, so what is delivered is never taken for true";
        section.get("verify")?.refuse(message.to_owned(), Some(hint.to_owned()));
        return None;
    }
    let hydrate = hydrate.map_or(Some(None), |hydrate| hydrate.map(Some))?;
    Some(WebhookConfig {
        verify,
        secrets,
        records: records?,
        schema: schema.map_or(Some(None), |path| path.map(Some))?,
        rate: rate?,
        hydrate,
        coalesce: section.duration_or("coalesce", DEFAULT_COALESCE),
    })
}

fn secret_list(field: &Field<'_>, folder: &Path) -> Option<Vec<SecretRef>> {
    if field.is_empty_list() {
        field.refuse_key(format!("`{}` lists nothing", field.key), None);
        return None;
    }
    if !matches!(field.node.value, Value::Array(_)) {
        // what stands there instead may be the secret
        let hint = "write it like `secrets = [{ env = \"NAME\" }]`".to_owned();
        field.refuse_key(format!("`{}` has to be a list of references", field.key), Some(hint));
        return None;
    }
    let read: Vec<_> = field.items()?.iter().map(|item| secrets::read(item, folder)).collect();
    read.into_iter().collect()
}

fn signature(section: &Section<'_>) -> Option<SignatureConfig> {
    section.check_keys(VERIFY_KEYS);
    let named = |key: &str| section.get(key).map(|field| header(&field));
    let signature_header = section.require("header").and_then(|field| header(&field));
    let algorithm = section.require("algorithm").and_then(|field| field.word(&ALGORITHMS));
    let encoding = section.get("encoding").map(|field| field.word(&ENCODINGS));
    let prefix = section.get("prefix").map(|field| field.text());
    let (id_header, timestamp_header) = (named("id_header"), named("timestamp_header"));
    let tolerance = section.positive_duration_or("tolerance", DEFAULT_TOLERANCE);
    let signs = section.get("signs").map_or(Some(vec![SignedPart::Body]), |field| parts(&field))?;
    let signs_time = signs.contains(&SignedPart::Timestamp);
    if signs.contains(&SignedPart::Id) && id_header.is_none() {
        let message = "`signs` has `{id}` in it, which needs `id_header`".to_owned();
        section.get("signs")?.refuse_key(message, None);
    }
    for key in ["timestamp_header", "tolerance"] {
        if let Some(field) = section.get(key).filter(|_| !signs_time) {
            let message = format!("`{key}` proves nothing, because `signs` has no `{{timestamp}}`");
            field.refuse_key(message, None);
        }
    }
    Some(SignatureConfig {
        header: signature_header?,
        algorithm: algorithm?,
        signs,
        encoding: encoding.unwrap_or(Some(SignatureEncoding::Hex))?,
        prefix: prefix.unwrap_or(Some("")).map(str::to_owned)?,
        id_header: id_header.map_or(Some(None), |name| name.map(Some))?,
        timestamp_header: timestamp_header.map_or(Some(None), |name| name.map(Some))?,
        tolerance,
    })
}

/// The name of a header (RFC 9110, section 5.1), in lower case.
pub(super) fn header(field: &Field<'_>) -> Option<String> {
    let name = field.text()?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.bytes().all(fits) {
        return Some(name.to_ascii_lowercase());
    }
    field.refuse_key(format!("`{}` is no name of a header", field.key), None);
    None
}

/// The pieces of `signs`.
fn parts(field: &Field<'_>) -> Option<Vec<SignedPart>> {
    let mut rest = field.any_text()?;
    let mut parts = Vec::new();
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        if before.contains('}') {
            break;
        }
        if !before.is_empty() {
            parts.push(SignedPart::Literal(before.to_owned()));
        }
        let Some((_, part)) = PLACEHOLDERS.iter().find(|(known, _)| *known == name) else {
            let suggestion = nearest(name, PLACEHOLDERS.iter().map(|(known, _)| *known));
            let hint = suggestion.map(|known| did_you_mean(&format!("{{{known}}}")));
            let message =
                "`signs` is made of `{id}`, `{timestamp}`, `{body}` and text between them";
            field.refuse(message.to_owned(), hint);
            return None;
        };
        parts.push(part.clone());
        rest = after;
    }
    if rest.contains(['{', '}']) {
        field.refuse("`signs` has a brace without its other half".to_owned(), None);
        return None;
    }
    if !rest.is_empty() {
        parts.push(SignedPart::Literal(rest.to_owned()));
    }
    if !parts.contains(&SignedPart::Body) {
        let message = "`signs` has no `{body}`, so anybody could change it".to_owned();
        field.refuse(message, None);
        return None;
    }
    Some(parts)
}

#[cfg(test)]
mod tests;
