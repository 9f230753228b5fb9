//! One source's webhook: everything that is judged of a delivery before it is stored.

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;

use crate::config::{VerifyConfig, WebhookConfig, WebhookPreset};
use crate::domain::SourceName;
use crate::intake::Caller;
use crate::intake::webhook::body::is_form;
use crate::intake::webhook::delivery::readable;
use crate::intake::webhook::idempotency::unproven_key;
use crate::intake::webhook::{
    BodyFault, BodyLimits, BodyReason, BodySchema, Delivery, Handshake, IdPointer, IdempotencyKey,
    RecordsFault, RecordsPointer, SchemaFault, SecretFault, SignatureRefusal, Verified, Verifier,
    handshake, idempotency_key, read_body,
};

/// The webhook of a source, with its secrets at hand.
#[derive(Debug)]
pub struct Hook {
    source: SourceName,
    verify: VerifyConfig,
    verifier: Option<Verifier>,
    records: RecordsPointer,
    /// Where each element holds the id of a worker who is to be fetched.
    id: Option<IdPointer>,
    schema: Option<BodySchema>,
    limits: BodyLimits,
}

/// What a delivery turned out to be.
#[derive(Debug)]
pub enum Received {
    /// A vendor's test: answer it, and store nothing.
    Handshake(Handshake),
    /// Workers, or events about them: store it, then answer.
    Delivery(Box<Accepted>),
}

/// A delivery that may be stored.
#[derive(Debug)]
pub struct Accepted {
    /// What its signature proved; `None` for the holder of a key.
    pub verified: Option<Verified>,
    /// Equal for the same delivery of this source.
    pub key: IdempotencyKey,
    /// The body; a form as an object.
    pub body: Value,
    /// Whether it came as a form.
    pub is_form: bool,
    /// How many workers the source's `records` finds in it.
    pub workers: usize,
}

/// Why a delivery is refused. Nothing of it may be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nobody has shown a key of this source.
    #[error("no key of this source was presented")]
    NoKey,
    /// The signature, or the instant that it is over.
    #[error(transparent)]
    Signature(#[from] SignatureRefusal),
    /// The body.
    #[error(transparent)]
    Body(#[from] BodyFault),
    /// There are no workers where the source's `records` points to.
    #[error(transparent)]
    Records(#[from] RecordsFault),
    /// The body does not fit the source's JSON Schema.
    #[error(transparent)]
    Schema(#[from] SchemaFault),
}

impl Refused {
    /// The word used in events and metrics; each reason has its own.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NoKey => "no_key",
            Self::Signature(refusal) => refusal.as_str(),
            Self::Body(fault) => fault.reason.as_str(),
            Self::Records(_) => "no_records",
            Self::Schema(_) => "schema",
        }
    }

    /// Whether the sender has proven who they are, so that they may hear what is wrong. All the
    /// others hear that they are not known. (That a body is too large is told to everybody: it is
    /// seen before it is read.)
    #[must_use]
    pub const fn may_be_told(&self) -> bool {
        match self {
            Self::NoKey => false,
            Self::Signature(refusal) => refusal.may_be_told(),
            Self::Body(_) | Self::Records(_) | Self::Schema(_) => true,
        }
    }
}

impl Hook {
    /// The webhook of a config, with the secrets that its references led to, in their order.
    ///
    /// # Errors
    ///
    /// When a secret is not of its kind.
    pub fn new(
        source: SourceName,
        config: &WebhookConfig,
        secrets: &[SecretString],
        limits: BodyLimits,
    ) -> Result<Self, SecretFault> {
        let verifier = Verifier::new(&config.verify, secrets)?;
        let records = RecordsPointer::new(&config.records);
        let (verify, schema) = (config.verify.clone(), None);
        let id = config.hydrate.as_ref().map(|hydrate| IdPointer::new(&hydrate.id));
        Ok(Self { source, verify, verifier, records, id, schema, limits })
    }

    /// The same, taking only bodies that fit a schema.
    #[must_use]
    pub fn with_schema(mut self, schema: BodySchema) -> Self {
        self.schema = Some(schema);
        self
    }

    /// Whether nothing but a key proves who delivers.
    #[must_use]
    pub fn needs_key(&self) -> bool {
        self.verify == VerifyConfig::Preset(WebhookPreset::Bearer)
    }

    /// Whether anybody may deliver.
    fn is_unsigned(&self) -> bool {
        self.verify == VerifyConfig::Preset(WebhookPreset::Unsigned)
    }

    /// Most bytes of a body.
    #[must_use]
    pub const fn most_bytes(&self) -> usize {
        self.limits.bytes
    }

    /// Judges a delivery that was received at an instant. `caller` is who holds the valid key that
    /// came with it, if one did; a key of this source is taken in the place of a signature.
    ///
    /// # Errors
    ///
    /// Why it is refused.
    pub fn receive(
        &self,
        delivery: &Delivery<'_>,
        caller: Option<&Caller>,
        received_at: Timestamp,
    ) -> Result<Received, Refused> {
        if delivery.body.len() > self.limits.bytes {
            return Err(BodyFault::too_large(self.limits).into());
        }
        if let Some(handshake) = handshake(&self.verify, delivery.body) {
            return Ok(Received::Handshake(handshake));
        }
        let has_key = caller.is_some_and(|caller| caller.scope.may_deliver_to(&self.source));
        let verified = match &self.verifier {
            _ if has_key => None,
            Some(verifier) => Some(verifier.verify(delivery, received_at)?),
            None if self.is_unsigned() => None,
            None => return Err(Refused::NoKey),
        };
        let media_type = content_type(delivery)?;
        let body = read_body(media_type, delivery.body, self.limits)?;
        if let Some(schema) = &self.schema {
            schema.check(&body)?;
        }
        let workers = self.records.find(&body)?;
        if let Some(id) = &self.id {
            id.check(&self.records, &workers)?;
        }
        let workers = workers.len();
        let key = if verified.is_none() && !has_key {
            unproven_key(&self.source, delivery)
        } else {
            let caller = caller.map_or("", |caller| caller.key.as_str());
            idempotency_key(&self.source, delivery, verified.as_ref(), caller, &body)
        };
        let is_form = is_form(media_type, delivery.body);
        Ok(Received::Delivery(Box::new(Accepted { verified, key, body, is_form, workers })))
    }
}

/// What the body is said to be; one that says it twice, or in no words, says something else.
fn content_type<'a>(delivery: &Delivery<'a>) -> Result<Option<&'a str>, BodyFault> {
    let mut values = delivery.all("content-type");
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) if readable(value).is_some() => Ok(readable(value)),
        _ => {
            let message = "the header `content-type` is unreadable or there twice";
            Err(BodyFault::whole(BodyReason::UnsupportedType, message))
        }
    }
}
