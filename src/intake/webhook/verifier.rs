//! Whether a delivery is from who holds a secret, and was sent now.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::config::{SignatureEncoding, SignedPart, VerifyConfig, WebhookPreset};
use crate::intake::webhook::delivery::{Delivery, readable};
use crate::intake::webhook::scheme::{self, Form, Scheme};
use crate::intake::webhook::secret::{Key, SecretFault, from_base64, from_hex};
use crate::intake::webhook::timestamp;

/// Most signatures looked at in one delivery. A sender that rotates secrets sends two or three.
const MOST_SIGNATURES: usize = 16;

/// Verifies the deliveries of one source. Holds its secrets, and shows none of them.
pub struct Verifier {
    scheme: Scheme,
    /// The live secrets in the order of the config, each with the form of its signatures.
    keys: Vec<(Form, Key)>,
}

/// A delivery that is what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The sender's id of it, where a header has one.
    pub id: Option<SendersId>,
    /// When it was sent, where that is signed.
    pub sent_at: Option<Timestamp>,
    /// That instant as it was written.
    pub(super) sent_at_text: Option<Box<str>>,
    /// Which of the secrets it was signed with, from 1: one that is never met any more can go.
    pub secret: usize,
    /// Where the body holds the delivery's id.
    pub(super) id_pointer: Option<&'static str>,
}

/// The sender's id of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendersId {
    /// The id.
    pub text: Box<str>,
    /// Whether the signature is over it too. An id that is not signed can be changed by whoever
    /// sends an old delivery again.
    pub is_signed: bool,
}

/// Why a delivery was not accepted. For events and metrics; whoever sent it hears one thing, except
/// where [`may_be_told`](Self::may_be_told).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureRefusal {
    /// A header that is needed is not there.
    #[error("the header `{header}` is missing")]
    MissingHeader {
        /// Its name.
        header: Box<str>,
    },
    /// A header that must be there once is there twice.
    #[error("the header `{header}` is there more than once")]
    RepeatedHeader {
        /// Its name.
        header: Box<str>,
    },
    /// A header is empty or not ASCII.
    #[error("the header `{header}` is empty or no ASCII text")]
    MalformedHeader {
        /// Its name.
        header: Box<str>,
    },
    /// Nothing in the header has the form of a signature.
    #[error("the header `{header}` has no signature of the expected form")]
    NoSignature {
        /// Its name.
        header: Box<str>,
    },
    /// There are more signatures than any sender needs.
    #[error("there are more than {MOST_SIGNATURES} signatures")]
    TooManySignatures,
    /// None of the signatures was made over this delivery with a live secret.
    #[error("no signature fits the delivery and a live secret")]
    WrongSignature,
    /// It is signed, and its instant is none.
    #[error("the instant of sending is neither Unix time nor ISO 8601 with an offset")]
    BadTimestamp,
    /// It was sent too long before it was received: held up, or sent again by somebody else.
    #[error("it was sent {} s before it was received", .0.as_secs())]
    Stale(SignedDuration),
    /// It was sent after it was received: one of the two clocks is wrong.
    #[error("it was sent {} s after it was received, so one of the two clocks is wrong", .0.as_secs())]
    FromTheFuture(SignedDuration),
}

impl SignatureRefusal {
    /// The word used in events and metrics.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::MissingHeader { .. } => "missing_header",
            Self::RepeatedHeader { .. } => "repeated_header",
            Self::MalformedHeader { .. } => "malformed_header",
            Self::NoSignature { .. } => "no_signature",
            Self::TooManySignatures => "too_many_signatures",
            Self::WrongSignature => "wrong_signature",
            Self::BadTimestamp => "bad_timestamp",
            Self::Stale(_) => "stale",
            Self::FromTheFuture(_) => "from_the_future",
        }
    }

    /// Whether the sender has shown a secret, so that the reason helps nobody else.
    #[must_use]
    pub const fn may_be_told(&self) -> bool {
        matches!(self, Self::BadTimestamp | Self::Stale(_) | Self::FromTheFuture(_))
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = &self.scheme.header;
        f.debug_struct("Verifier")
            .field("header", header)
            .field("secrets", &self.keys.len())
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// Makes the verifier of a config with its secrets. `None` for [`WebhookPreset::Bearer`] and
    /// [`WebhookPreset::Unsigned`], whose deliveries have no signature.
    ///
    /// # Errors
    ///
    /// When a secret is not of its kind.
    pub fn new(
        config: &VerifyConfig,
        secrets: &[SecretString],
    ) -> Result<Option<Self>, SecretFault> {
        let simple = match config {
            VerifyConfig::Signature(config) => Some(scheme::declared(config)),
            VerifyConfig::Preset(preset) => scheme::preset(*preset),
        };
        let is_bearer =
            matches!(config, VerifyConfig::Preset(WebhookPreset::Bearer | WebhookPreset::Unsigned));
        let mut keys = Vec::new();
        for (index, secret) in secrets.iter().enumerate() {
            let fault = |what| SecretFault { number: index + 1, what };
            let key = if let Some((_, form, algorithm)) = &simple {
                let form = Form { prefix: form.prefix.clone(), encodings: form.encodings };
                (form, Key::new(*algorithm, secret).map_err(fault)?)
            } else {
                let (_, shared, public) = scheme::standard();
                let key = Key::standard(secret).map_err(fault)?;
                (if matches!(key, Key::Hmac(_)) { shared } else { public }, key)
            };
            keys.push(key);
        }
        let scheme = simple.map_or_else(|| scheme::standard().0, |(scheme, ..)| scheme);
        Ok((!is_bearer).then_some(Self { scheme, keys }))
    }

    /// Verifies a delivery that was received at an instant. The signature is judged first: only who
    /// holds a secret learns anything of the time.
    ///
    /// # Errors
    ///
    /// Why it is not accepted.
    pub fn verify(
        &self,
        delivery: &Delivery<'_>,
        received_at: Timestamp,
    ) -> Result<Verified, SignatureRefusal> {
        let scheme = &self.scheme;
        let pieces = self.pieces(delivery)?;
        let (signs_id, signs_time) =
            (scheme.signs.contains(&SignedPart::Id), scheme.signs.contains(&SignedPart::Timestamp));
        let id = match &scheme.id_header {
            Some(header) if signs_id => Some(delivery.one(header)?),
            // what proves nothing refuses nothing
            Some(header) => delivery.one(header).ok(),
            None => None,
        };
        let sent = match &scheme.timestamp_header {
            Some(header) if signs_time => Some(delivery.one(header)?),
            None if signs_time => Some(time_among(&pieces, &scheme.header)?),
            _ => None,
        };
        let message: Vec<&[u8]> = scheme
            .signs
            .iter()
            .map(|part| match part {
                SignedPart::Literal(text) => text.as_bytes(),
                SignedPart::Id => id.unwrap_or_default().as_bytes(),
                SignedPart::Timestamp => sent.unwrap_or_default().as_bytes(),
                SignedPart::Body => delivery.body,
            })
            .collect();
        let secret = self.signer(&message, &pieces)?;
        let sent_at = sent.map(|text| self.fresh(text, received_at)).transpose()?;
        Ok(Verified {
            id: id.map(|text| SendersId { text: text.into(), is_signed: signs_id }),
            sent_at,
            sent_at_text: sent.map(Into::into),
            secret,
            id_pointer: scheme.id_pointer,
        })
    }

    /// The entries of the signature's header: it may be a list, and there several times.
    fn pieces<'a>(&self, delivery: &Delivery<'a>) -> Result<Vec<&'a str>, SignatureRefusal> {
        let header = || self.scheme.header.as_str().into();
        // the comma of Standard Webhooks stands between the version and the signature
        let has_comma = self.keys.iter().any(|(form, _)| form.prefix.contains(','));
        let mut pieces = Vec::new();
        for value in delivery.all(&self.scheme.header) {
            let text = readable(value)
                .ok_or_else(|| SignatureRefusal::MalformedHeader { header: header() })?;
            let entries = text.split(|sign| sign == ' ' || (sign == ',' && !has_comma));
            pieces.extend(entries.filter(|entry| !entry.is_empty()).take(MOST_SIGNATURES + 1));
            if pieces.len() > MOST_SIGNATURES {
                return Err(SignatureRefusal::TooManySignatures);
            }
        }
        if pieces.is_empty() {
            return Err(SignatureRefusal::MissingHeader { header: header() });
        }
        Ok(pieces)
    }

    /// The number of the secret that one of the signatures was made with.
    fn signer(&self, message: &[&[u8]], pieces: &[&str]) -> Result<usize, SignatureRefusal> {
        let mut has_form = false;
        for (index, (form, key)) in self.keys.iter().enumerate() {
            let signatures: Vec<_> =
                pieces.iter().filter_map(|piece| signature(piece, form, key)).collect();
            has_form |= !signatures.is_empty();
            if !signatures.is_empty() && key.verifies(message, &signatures) {
                return Ok(index + 1);
            }
        }
        if has_form {
            Err(SignatureRefusal::WrongSignature)
        } else {
            Err(SignatureRefusal::NoSignature { header: self.scheme.header.as_str().into() })
        }
    }

    fn fresh(&self, sent: &str, received_at: Timestamp) -> Result<Timestamp, SignatureRefusal> {
        let sent_at = timestamp::parse(sent).ok_or(SignatureRefusal::BadTimestamp)?;
        let age = received_at.duration_since(sent_at);
        let tolerance =
            SignedDuration::try_from(self.scheme.tolerance).unwrap_or(SignedDuration::MAX);
        if age > tolerance {
            Err(SignatureRefusal::Stale(age))
        } else if -age > tolerance {
            Err(SignatureRefusal::FromTheFuture(-age))
        } else {
            Ok(sent_at)
        }
    }
}

/// The element `t=` of a list, which must be there once.
fn time_among<'a>(pieces: &[&'a str], header: &str) -> Result<&'a str, SignatureRefusal> {
    let mut times = pieces.iter().filter_map(|piece| piece.strip_prefix("t="));
    let header = || format!("{header} (t=)").into();
    let time = times.next().ok_or_else(|| SignatureRefusal::MissingHeader { header: header() })?;
    if times.next().is_some() {
        return Err(SignatureRefusal::RepeatedHeader { header: header() });
    }
    Ok(time)
}

/// The bytes of a signature that has the form and the length of those of a key.
fn signature(piece: &str, form: &Form, key: &Key) -> Option<Vec<u8>> {
    let text = piece.strip_prefix(form.prefix.as_str())?;
    let decoded = form.encodings.iter().map(|encoding| match encoding {
        SignatureEncoding::Hex => from_hex(text),
        SignatureEncoding::Base64 => from_base64(text),
    });
    decoded.flatten().find(|bytes| bytes.len() == key.signature_bytes())
}
