//! From stored deliveries to runs.
//!
//! What waits of a source becomes one run: whoever is in several deliveries is sent once, as the last
//! one says. The run takes the deliveries with its commit, so a process that dies in between has taken
//! none. Deliveries that cannot be read are told from the others by halves, and fail alone.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::bridge::daemon::{LOOK, after_error, is_over};
use crate::bridge::hooks::hydrate::{Hydrated, Hydration, PutOff};
use crate::bridge::{Bridge, BridgeError};
use crate::config::WebhookConfig;
use crate::domain::{AlertKind, DeliveryId, Origin, Problem, RunId, RunKind, SourceName, Who};
use crate::intake::webhook::RecordsPointer;
use crate::intake::{
    Feed, IntakeError, ReadyDelivery, SpooledWorkers, new_run_id, plan_deliveries,
};
use crate::store::{RefusedRun, StoreTrouble, StoredProblem, TakenDelivery, WaitingDelivery};
use crate::telemetry::Causes;
use crate::telemetry::alerts::{Facts, source_subject};

/// Most deliveries in one run: a leaver behind many others waits for no more than these.
const MOST_DELIVERIES: usize = 1_000;
/// Most bytes of bodies in one run.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// How often a run is planned anew because another one changed the ledger meanwhile.
const ATTEMPTS: usize = 5;
/// How long processed deliveries are known, for senders that repeat themselves: longer than any is
/// documented to try again.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How often older ones are forgotten, and how many at a time.
const FORGET_EVERY: Duration = Duration::from_hours(1);
const FORGOTTEN_AT_ONCE: usize = 10_000;
/// Most events whose workers are fetched for one run: what has been fetched goes out before the next
/// are asked for.
const MOST_FETCHED: usize = 100;
/// How long events wait whose workers cannot be fetched: doubling from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// Events that could not be fetched before, tried again at a time.
const MOST_AGAIN: usize = 8;
/// After so many attempts somebody is told.
const LONG_AWAY: u32 = 4;
/// The shortest sleep while one waits for others to join.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);

/// What makes runs of one source's deliveries.
struct Processing<'a> {
    bridge: &'a Bridge,
    source: &'a SourceName,
    config: &'a WebhookConfig,
    records: RecordsPointer,
    feed: Arc<Feed>,
    hydration: Option<Hydration>,
    cancel: &'a CancellationToken,
}

impl Bridge {
    /// Makes runs of what a source's webhook brings, until cancelled.
    pub(in crate::bridge) async fn keep_processing(
        &self,
        source: &SourceName,
        config: &WebhookConfig,
        cancel: &CancellationToken,
    ) {
        let mut forgot: Option<Instant> = None;
        loop {
            let processing = match Processing::new(self, source, config, cancel) {
                Ok(processing) => processing,
                Err(error) => {
                    tell(source, &error);
                    if is_over(cancel, after_error()).await {
                        return;
                    }
                    continue;
                }
            };
            loop {
                let wait = match processing.step().await {
                    Ok(true) if !cancel.is_cancelled() => continue,
                    Ok(_) => processing.until_next().await,
                    Err(error) => {
                        tell(source, &error);
                        Some(after_error())
                    }
                };
                let is_over = if let Some(wait) = wait {
                    is_over(cancel, wait).await
                } else {
                    tokio::select! {
                        () = cancel.cancelled() => true,
                        () = self.news(LOOK) => false,
                    }
                };
                if is_over {
                    return;
                }
                if forgot.is_none_or(|at| at.elapsed() >= FORGET_EVERY) {
                    forgot = Some(Instant::now());
                    self.forget_processed().await;
                }
            }
        }
    }

    async fn forget_processed(&self) {
        let Ok(before) = self.clock.now().checked_sub(REMEMBERED) else { return };
        if let Err(error) = self.store.forget_deliveries(before, FORGOTTEN_AT_ONCE).await {
            tracing::warn!(error = %Causes(&error), "old deliveries cannot be forgotten now");
        }
    }
}

impl<'a> Processing<'a> {
    fn new(
        bridge: &'a Bridge,
        source: &'a SourceName,
        config: &'a WebhookConfig,
        cancel: &'a CancellationToken,
    ) -> Result<Self, BridgeError> {
        let hydration = match &config.hydrate {
            None => None,
            Some(hydrate) => Some(Hydration::new(bridge, source, hydrate)?),
        };
        let (feed, records) =
            (bridge.setup.hook_feed(source)?, RecordsPointer::new(&config.records));
        Ok(Self { bridge, source, config, records, feed, hydration, cancel })
    }

    /// Makes a run of what waits, where it has waited long enough for others to join; whether there was
    /// any.
    async fn step(&self) -> Result<bool, BridgeError> {
        let now = self.bridge.clock.now();
        let most = if self.hydration.is_some() { MOST_FETCHED } else { MOST_DELIVERIES };
        let waiting =
            self.bridge.store.waiting_deliveries(self.source, most, MOST_BYTES, now).await?;
        let Some(first) = waiting.first() else { return Ok(false) };
        let waited = now.duration_since(first.received_at).unsigned_abs();
        if waiting.len() < most && waited < self.config.coalesce {
            return Ok(false);
        }
        let ready = match &self.hydration {
            None => self.read(waiting).await?,
            Some(hydration) => self.fetch(hydration, in_turn(waiting)).await?,
        };
        self.process(ready).await?;
        Ok(true)
    }

    /// How long until the first of them has waited enough; `None` when none waits.
    async fn until_next(&self) -> Option<Duration> {
        let now = self.bridge.clock.now();
        let waiting = self.bridge.store.waiting_deliveries(self.source, 1, 0, now).await.ok()?;
        let waited = now.duration_since(waiting.first()?.received_at).unsigned_abs();
        Some(self.config.coalesce.saturating_sub(waited).max(SHORTEST_WAIT))
    }

    /// The workers in the bodies.
    async fn read(
        &self,
        deliveries: Vec<WaitingDelivery>,
    ) -> Result<Vec<ReadyDelivery>, BridgeError> {
        let mut ready = Vec::new();
        let mut closed = Vec::new();
        for delivery in &deliveries {
            match ReadyDelivery::of(delivery, &self.records) {
                Ok(found) if found.workers.is_empty() => {
                    closed.push((found.id, "there is no worker in it".to_owned()));
                }
                Ok(found) => ready.push(found),
                Err(fault) => closed.push((delivery.id.clone(), fault.message)),
            }
        }
        self.close(closed).await?;
        Ok(ready)
    }

    /// The workers that the events name.
    async fn fetch(
        &self,
        hydration: &Hydration,
        deliveries: Vec<WaitingDelivery>,
    ) -> Result<Vec<ReadyDelivery>, BridgeError> {
        // what is said from now on about the same people asks for them anew
        let ids = deliveries.iter().map(|delivery| delivery.id.clone()).collect();
        self.bridge.store.begin_deliveries(ids).await?;
        let Hydrated { ready, closed, put_off, unasked } =
            hydration.fetch(deliveries, &self.records, self.cancel).await;
        self.close(closed).await?;
        if self.cancel.is_cancelled() {
            return Ok(ready);
        }
        if !ready.is_empty() {
            self.bridge.conditions.clear(AlertKind::AuthFailing, &source_subject(self.source));
        }
        let now = self.bridge.clock.now();
        if let Some(PutOff { delivery, why }) = put_off.first() {
            tracing::error!(
                source = %self.source,
                deliveries = put_off.len() + unasked.len(),
                attempts = delivery.attempts + 1,
                error = why.words,
                advice = why.advice,
                "workers cannot be fetched from the HR system; their events wait"
            );
            if ready.is_empty() && (!why.is_temporary || delivery.attempts >= LONG_AWAY) {
                let (source, advice) = (self.source.as_str().to_owned(), why.advice.to_owned());
                self.bridge.conditions.raise(Facts::WorkersRefused { source, advice }, now);
            }
        }
        for PutOff { delivery, why } in put_off {
            let pause = FIRST_PAUSE.saturating_mul(1 << delivery.attempts.min(10));
            let asked = why.retry_after.unwrap_or_default();
            let until = now + pause.max(asked).min(LONGEST_PAUSE);
            self.bridge.store.put_off_deliveries(vec![delivery.id], &why.words, until).await?;
        }
        if !unasked.is_empty() {
            let ids = unasked.into_iter().map(|delivery| delivery.id).collect();
            let why = "the HR system could not be asked";
            self.bridge.store.put_off_deliveries(ids, why, now + FIRST_PAUSE).await?;
        }
        Ok(ready)
    }

    async fn close(&self, closed: Vec<(DeliveryId, String)>) -> Result<(), BridgeError> {
        if closed.is_empty() {
            return Ok(());
        }
        for (id, _) in &closed {
            tracing::warn!(
                source = %self.source,
                delivery = %id,
                "nothing comes of a webhook delivery; `/api/v1/deliveries/{id}` says why"
            );
        }
        Ok(self.bridge.store.close_deliveries(closed, self.bridge.clock.now()).await?)
    }

    /// Makes runs of these deliveries: one, unless some of them cannot be read.
    async fn process(&self, deliveries: Vec<ReadyDelivery>) -> Result<(), BridgeError> {
        // in order, so that the last delivery of a worker is the one that counts
        let mut groups = vec![deliveries];
        while let Some(mut group) = groups.pop() {
            if group.is_empty() {
                continue;
            }
            match self.apply(&group).await? {
                None => {}
                Some(_) if group.len() > 1 => {
                    let second = group.split_off(group.len() / 2);
                    groups.push(second);
                    groups.push(group);
                }
                Some(problem) => self.refuse(&group, &problem).await?,
            }
        }
        Ok(())
    }

    /// Plans and commits a run; gives the problem of one that cannot be read.
    async fn apply(
        &self,
        deliveries: &[ReadyDelivery],
    ) -> Result<Option<Box<Problem>>, BridgeError> {
        let bridge = self.bridge;
        for _ in 0..ATTEMPTS {
            let spooled = spool(deliveries).map_err(|source| BridgeError::Spool { source })?;
            let feed = Arc::clone(&self.feed);
            let planned = plan_deliveries(&*bridge.store, feed, spooled, &*bridge.clock).await;
            let mut planned = match planned {
                Ok(planned) => planned,
                Err(IntakeError::Refused { problem, .. }) => return Ok(Some(problem)),
                Err(error) => return Err(error.into()),
            };
            if let Some(run) = bridge.commit(&mut planned, &self.who()).await? {
                bridge.wake();
                bridge.tell_if_held(&run).await;
                return Ok(None);
            }
            if !self.still_wait(deliveries).await? {
                // another process has taken them
                return Ok(None);
            }
        }
        Err(BridgeError::LedgerBusy)
    }

    fn who(&self) -> Who {
        self.bridge.who.clone().via(Origin::Webhook(None))
    }

    async fn still_wait(&self, deliveries: &[ReadyDelivery]) -> Result<bool, BridgeError> {
        for delivery in deliveries {
            let found = self.bridge.store.delivery(&delivery.id).await?;
            if found.is_some_and(|found| found.processed_at.is_some()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Stores a delivery that cannot be read as a failed run.
    async fn refuse(
        &self,
        deliveries: &[ReadyDelivery],
        problem: &Problem,
    ) -> Result<(), BridgeError> {
        let now = self.bridge.clock.now();
        let run: RunId = new_run_id(now);
        tracing::warn!(
            source = %self.source,
            run.id = %run,
            code = problem.code,
            "a webhook delivery was refused"
        );
        let taken = |delivery: &ReadyDelivery| TakenDelivery {
            id: delivery.id.clone(),
            first_row: None,
            problem: Some(problem.message.clone()),
        };
        let refused = RefusedRun {
            id: run,
            source: self.source.clone(),
            target: self.feed.target.clone(),
            kind: RunKind::Webhook,
            file: None,
            file_digest: [0; 32],
            mapping_fingerprint: self.feed.fingerprint(),
            started_at: now,
            ended_at: now,
            problem: StoredProblem {
                code: problem.code.to_owned(),
                place: problem.place.to_string(),
                message: problem.message.clone(),
                hint: problem.hint.clone(),
            },
            deliveries: deliveries.iter().map(taken).collect(),
            who: self.who(),
        };
        Ok(self.bridge.store.store_refused(refused).await?)
    }
}

/// Events that nobody has asked about go before those that could not be fetched, a few of which are
/// tried at a time: nobody waits for them.
fn in_turn(waiting: Vec<WaitingDelivery>) -> Vec<WaitingDelivery> {
    let (new, mut again): (Vec<_>, Vec<_>) =
        waiting.into_iter().partition(|delivery| delivery.attempts == 0);
    if new.is_empty() {
        again.truncate(MOST_AGAIN);
        return again;
    }
    new
}

fn spool(deliveries: &[ReadyDelivery]) -> std::io::Result<SpooledWorkers> {
    let mut spooled = SpooledWorkers::new()?;
    for delivery in deliveries {
        spooled.push(delivery)?;
    }
    Ok(spooled)
}

fn tell(source: &SourceName, error: &BridgeError) {
    let advice = StoreTrouble::among_causes(error).map(StoreTrouble::advice);
    tracing::error!(
        source = %source,
        error = %Causes(error),
        advice,
        "webhook deliveries cannot be processed; they wait, and it is tried again"
    );
}
