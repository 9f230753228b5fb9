//! The webhooks of a config: what is judged of a delivery before it is stored, storing it, and
//! (in `process.rs`) making runs of what waits.

mod current;
mod hydrate;
mod process;
mod rate;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use secrecy::SecretString;

use crate::bridge::{Bridge, BridgeError};
use crate::config::{SecretError, Secrets, SourceConfig, WebhookConfig};
use crate::domain::{DeliveryId, SourceName};
use crate::intake::webhook::{
    Accepted, Basis, BodyLimits, BodySchema, Delivery, Handshake, Hook, NoSchema, Received,
    Refused, SecretFault, presented_key,
};
use crate::intake::{Caller, InboxError, key_id};
use crate::store::{KeptDelivery, NewDelivery};

use current::CurrentHook;
use rate::Rates;

/// Most deliveries of a source that may wait: then the senders are asked to come later.
const MOST_WAITING: u64 = 1_000_000;
/// How often they are counted.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// How long a sender is asked to wait while that many wait.
const BACKLOG_PAUSE: Duration = Duration::from_mins(1);

/// The webhooks of a config, with their secrets at hand.
#[derive(Default)]
pub struct Hooks {
    hooks: BTreeMap<SourceName, OpenHook>,
    answered: Mutex<BTreeMap<(SourceName, &'static str), u64>>,
}

struct OpenHook {
    hook: CurrentHook,
    rates: Rates,
    /// How many waited when they were last counted.
    backlog: Mutex<Option<(Instant, u64)>>,
    verification: Mutex<Option<Verification>>,
}

/// A token that Gusto has handed over. Anybody can post one: it is proven when Gusto takes it back.
#[derive(Debug, Clone)]
pub struct Verification {
    /// The token: it goes back to Gusto once, and is the webhook's secret from then on.
    pub token: SecretString,
    /// Gusto's id of the subscription.
    pub subscription: Option<String>,
    /// When it came.
    pub received_at: Timestamp,
}

/// Why a webhook cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("the webhook of source `{webhook}` cannot be opened")]
pub struct HookError {
    /// The source.
    pub webhook: SourceName,
    /// Why.
    #[source]
    pub reason: HookFault,
}

/// What is wrong with what a webhook refers to.
#[derive(Debug, thiserror::Error)]
pub enum HookFault {
    /// A secret cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A secret is not of its kind.
    #[error(transparent)]
    Unfit(#[from] SecretFault),
    /// The schema cannot be read.
    #[error("the file of `schema` cannot be read")]
    Read(#[from] std::io::Error),
    /// The schema is none.
    #[error("the file of `schema` cannot be used")]
    Schema(#[from] NoSchema),
}

/// What became of a delivery.
#[derive(Debug)]
pub enum Taken {
    /// A vendor's test: nothing was stored.
    Handshake,
    /// It is stored, now or before.
    Kept {
        /// Its id, and whether it is new.
        kept: KeptDelivery,
        /// How many workers are in it.
        workers: u64,
        /// How it was proven whom it is from.
        by: String,
    },
}

/// Why a delivery was not stored.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// There is no webhook of that name.
    #[error("there is no such webhook")]
    NoSuchHook,
    /// What came with it, or is in it, is not as it has to be.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Its sender delivers more than the config allows.
    #[error("this sender delivers more than `rate` of the webhook allows")]
    TooMany(Duration),
    /// Too many wait already.
    #[error("too many deliveries wait to be processed")]
    Backlog(Duration),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] InboxError),
    /// Keys cannot be looked up.
    #[error(transparent)]
    Bridge(#[from] BridgeError),
}

impl NotTaken {
    /// The word for metrics and logs.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NoSuchHook => "no_such_hook",
            Self::Refused(refused) => refused.as_str(),
            Self::TooMany(_) => "rate",
            Self::Backlog(_) => "backlog",
            Self::Store(_) | Self::Bridge(_) => "store",
        }
    }
}

impl Hooks {
    /// Opens the webhooks of a bridge's config; secrets are fetched now.
    ///
    /// # Errors
    ///
    /// When one cannot be opened.
    pub fn open(bridge: &Bridge) -> Result<Self, HookError> {
        Self::of(&bridge.setup.config().sources, &bridge.secrets)
    }

    /// The same for some sources.
    ///
    /// # Errors
    ///
    /// When one cannot be opened.
    pub fn of(sources: &[SourceConfig], secrets: &Secrets) -> Result<Self, HookError> {
        let mut hooks = BTreeMap::new();
        for source in sources {
            let Some(config) = &source.webhook else { continue };
            let hook = CurrentHook::open(&source.name, config, secrets)
                .map_err(|reason| HookError { webhook: source.name.clone(), reason })?;
            let rates = Rates::new(config.rate);
            let (backlog, verification) = (Mutex::default(), Mutex::default());
            hooks.insert(source.name.clone(), OpenHook { hook, rates, backlog, verification });
        }
        Ok(Self { hooks, answered: Mutex::default() })
    }

    /// Whether there is a webhook of that name.
    #[must_use]
    pub fn has(&self, source: &SourceName) -> bool {
        self.hooks.contains_key(source)
    }

    /// Most bytes of a body, of whatever source.
    #[must_use]
    pub fn most_bytes(&self) -> usize {
        let most = self.hooks.values().map(|open| open.hook.last().most_bytes()).max();
        most.unwrap_or(BodyLimits::default().bytes)
    }

    /// The last token that Gusto, or somebody else, has handed over.
    #[must_use]
    pub fn verification(&self, source: &SourceName) -> Option<Verification> {
        let open = self.hooks.get(source)?;
        open.verification.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps what the webhooks before these have noticed.
    pub fn follow(&self, before: &Self) {
        for (source, open) in &self.hooks {
            let verification = before.verification(source);
            *open.verification.lock().unwrap_or_else(PoisonError::into_inner) = verification;
        }
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = before.answered();
    }

    /// How often deliveries of each source were answered how, in this process.
    #[must_use]
    pub fn answered(&self) -> BTreeMap<(SourceName, &'static str), u64> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self, source: &SourceName, outcome: &'static str) {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        *answered.entry((source.clone(), outcome)).or_default() += 1;
    }
}

fn open(source: &SourceName, config: &WebhookConfig, secrets: &Secrets) -> Result<Hook, HookFault> {
    let secrets: Vec<_> =
        config.secrets.iter().map(|secret| secret.resolve(secrets)).collect::<Result<_, _>>()?;
    let hook = Hook::new(source.clone(), config, &secrets, BodyLimits::default())?;
    Ok(match &config.schema {
        None => hook,
        Some(path) => hook.with_schema(BodySchema::new(&std::fs::read_to_string(path)?)?),
    })
}

impl Bridge {
    /// Judges a delivery to a source's webhook, `from` some address, and stores it; it is on the disk when
    /// this returns. Run it to its end: deliveries are stored together.
    ///
    /// # Errors
    ///
    /// Why it was not stored.
    pub async fn receive(
        &self,
        hooks: &Hooks,
        source: &str,
        delivery: &Delivery<'_>,
        from: Option<IpAddr>,
    ) -> Result<Taken, NotTaken> {
        let source = SourceName::new(source);
        let Some(open) = hooks.hooks.get(&source) else { return Err(NotTaken::NoSuchHook) };
        let taken = self.judge_and_keep(open, &source, delivery, from).await;
        hooks.count(
            &source,
            match &taken {
                Ok(Taken::Handshake) => "handshake",
                Ok(Taken::Kept { kept, .. }) if kept.is_new => "accepted",
                Ok(Taken::Kept { .. }) => "again",
                Err(not_taken) => not_taken.as_str(),
            },
        );
        if let Err(not_taken) = &taken {
            tracing::warn!(
                source = %source,
                reason = not_taken.as_str(),
                "a webhook delivery was not taken"
            );
        }
        taken
    }

    async fn judge_and_keep(
        &self,
        open: &OpenHook,
        source: &SourceName,
        delivery: &Delivery<'_>,
        from: Option<IpAddr>,
    ) -> Result<Taken, NotTaken> {
        let received_at = self.clock.now();
        let hook = open.hook.now().await;
        let caller = match presented_key(delivery) {
            // beside a signature there may be a credential of somebody else's
            Some(key) if hook.needs_key() || key_id(&key).is_some() => {
                self.validate_key(&key).await?.ok()
            }
            _ => None,
        };
        let accepted = match hook.receive(delivery, caller.as_ref(), received_at)? {
            Received::Delivery(accepted) => accepted,
            Received::Handshake(handshake) => {
                open.rates.take("handshake").map_err(NotTaken::TooMany)?;
                open.note(source, handshake, received_at);
                return Ok(Taken::Handshake);
            }
        };
        let by = proof(&accepted, caller.as_ref());
        open.rates.take(&by).map_err(NotTaken::TooMany)?;
        if self.waiting(open, source).await? >= MOST_WAITING {
            return Err(NotTaken::Backlog(BACKLOG_PAUSE));
        }
        let workers = u64::try_from(accepted.workers).unwrap_or(u64::MAX);
        let kept = self
            .inbox
            .keep(NewDelivery {
                id: new_delivery_id(received_at),
                source: source.clone(),
                identity: accepted.key.digest,
                is_lasting: accepted.key.basis != Basis::Content,
                received_at,
                caller: by.clone(),
                from,
                is_form: accepted.is_form,
                workers,
                body: delivery.body.to_vec(),
            })
            .await?;
        tracing::info!(
            source = %source,
            delivery = %kept.id,
            again = !kept.is_new,
            workers,
            by,
            "a webhook delivery is stored"
        );
        if kept.is_new {
            self.wake();
        }
        Ok(Taken::Kept { kept, workers, by })
    }

    /// Says which deliveries wait for a webhook that is not in the config any more.
    pub(super) async fn tell_of_stranded_deliveries(&self) {
        let Ok(waiting) = self.store.waiting_sources().await else { return };
        for (source, deliveries) in waiting {
            if self.setup.hook_feed(&source).is_err() {
                tracing::error!(
                    source = %source,
                    deliveries,
                    "webhook deliveries wait, and the source has no `webhook` in the config any more: they \
                     are processed once it has one again"
                );
            }
        }
    }

    /// How many deliveries wait, as of a few seconds ago.
    async fn waiting(&self, open: &OpenHook, source: &SourceName) -> Result<u64, NotTaken> {
        let last = *open.backlog.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, waiting)) = last
            && at.elapsed() < COUNT_EVERY
        {
            return Ok(waiting);
        }
        let backlog = self.store.backlog(source).await.map_err(BridgeError::from)?;
        *open.backlog.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), backlog.waiting));
        Ok(backlog.waiting)
    }
}

impl OpenHook {
    fn note(&self, source: &SourceName, handshake: Handshake, received_at: Timestamp) {
        match handshake {
            Handshake::HibobPing => {
                tracing::info!(source = %source, "the webhook's sender has tested the connection");
            }
            Handshake::GustoVerification { token, subscription } => {
                tracing::warn!(
                    source = %source,
                    "a verification token came for this webhook; an admin sees it at \
                     `GET /api/v1/sources/{source}/webhook` and gives it back to Gusto"
                );
                *self.verification.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some(Verification { token, subscription, received_at });
            }
        }
    }
}

/// How it was proven whom a delivery is from.
fn proof(accepted: &Accepted, caller: Option<&Caller>) -> String {
    match (&accepted.verified, caller) {
        (Some(verified), _) => format!("signature, secret {}", verified.secret),
        (None, Some(caller)) => format!("key {}", caller.key),
        (None, None) => "nobody".to_owned(),
    }
}

fn new_delivery_id(now: Timestamp) -> DeliveryId {
    DeliveryId::new(crate::intake::new_run_id(now).as_str())
}
