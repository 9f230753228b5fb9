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
use crate::bridge::{Bridge, BridgeError};
use crate::config::WebhookConfig;
use crate::domain::{DeliveryId, Problem, RunId, RunKind, SourceName};
use crate::intake::webhook::RecordsPointer;
use crate::intake::{Feed, IntakeError, SpooledWorkers, new_run_id, plan_deliveries};
use crate::store::{RefusedRun, StoreTrouble, StoredProblem, TakenDelivery, WaitingDelivery};
use crate::telemetry::Causes;

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
            let wait = match self.process_waiting(source, config).await {
                Ok(true) => continue,
                Ok(false) => self.until_next(source, config).await,
                Err(error) => {
                    let advice = StoreTrouble::among_causes(&error).map(StoreTrouble::advice);
                    tracing::error!(
                        source = %source,
                        error = %Causes(&error),
                        advice,
                        "webhook deliveries cannot be processed; they wait, and it is tried again"
                    );
                    Some(after_error())
                }
            };
            let is_over = match wait {
                Some(wait) => is_over(cancel, wait).await,
                None => tokio::select! {
                    () = cancel.cancelled() => true,
                    () = self.news(LOOK) => false,
                },
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

    /// Makes a run of what waits, where it has waited long enough for others to join; whether there was
    /// any.
    ///
    /// # Errors
    ///
    /// When the store fails.
    async fn process_waiting(
        &self,
        source: &SourceName,
        config: &WebhookConfig,
    ) -> Result<bool, BridgeError> {
        let now = self.clock.now();
        let waiting =
            self.store.waiting_deliveries(source, MOST_DELIVERIES, MOST_BYTES, now).await?;
        let Some(first) = waiting.first() else { return Ok(false) };
        let is_alone = waiting.len() < MOST_DELIVERIES;
        let waited = now.duration_since(first.received_at);
        if is_alone && waited.unsigned_abs() < config.coalesce {
            return Ok(false);
        }
        let records = RecordsPointer::new(&config.records);
        let feed = self.setup.hook_feed(source)?;
        self.process(&feed, waiting, &records).await?;
        Ok(true)
    }

    /// How long until the first of them has waited enough; `None` when none waits.
    async fn until_next(&self, source: &SourceName, config: &WebhookConfig) -> Option<Duration> {
        let now = self.clock.now();
        let waiting = self.store.waiting_deliveries(source, 1, 0, now).await.ok()?;
        let waited = now.duration_since(waiting.first()?.received_at).unsigned_abs();
        Some(config.coalesce.saturating_sub(waited).max(Duration::from_millis(10)))
    }

    /// Makes runs of these deliveries: one, unless some of them cannot be read.
    async fn process(
        &self,
        feed: &Arc<Feed>,
        deliveries: Vec<WaitingDelivery>,
        records: &RecordsPointer,
    ) -> Result<(), BridgeError> {
        // in order, so that the last delivery of a worker is the one that counts
        let mut groups = vec![deliveries];
        while let Some(mut group) = groups.pop() {
            match self.apply_deliveries(feed, &group, records).await? {
                None => {}
                Some(_) if group.len() > 1 => {
                    let second = group.split_off(group.len() / 2);
                    groups.push(second);
                    groups.push(group);
                }
                Some(problem) => self.refuse_deliveries(feed, &group, &problem).await?,
            }
        }
        Ok(())
    }

    /// Plans and commits a run; gives the problem of one that cannot be read.
    async fn apply_deliveries(
        &self,
        feed: &Arc<Feed>,
        deliveries: &[WaitingDelivery],
        records: &RecordsPointer,
    ) -> Result<Option<Box<Problem>>, BridgeError> {
        for _ in 0..ATTEMPTS {
            let (spooled, closed) =
                spool(deliveries, records).map_err(|error| BridgeError::Spool { source: error })?;
            if !closed.is_empty() {
                for (id, _) in &closed {
                    tracing::warn!(
                        source = %feed.name,
                        delivery = %id,
                        "nothing came of a webhook delivery: there is no worker in it"
                    );
                }
                self.store.close_deliveries(closed, self.clock.now()).await?;
            }
            if spooled.workers() == 0 {
                return Ok(None);
            }
            let planned =
                plan_deliveries(&*self.store, Arc::clone(feed), spooled, &*self.clock).await;
            let mut planned = match planned {
                Ok(planned) => planned,
                Err(IntakeError::Refused { problem, .. }) => return Ok(Some(problem)),
                Err(error) => return Err(error.into()),
            };
            if let Some(run) = self.commit(&mut planned).await? {
                self.wake();
                self.tell_if_held(&run).await;
                return Ok(None);
            }
            if !self.still_wait(deliveries).await? {
                // another process has taken them
                return Ok(None);
            }
        }
        Err(BridgeError::LedgerBusy)
    }

    async fn still_wait(&self, deliveries: &[WaitingDelivery]) -> Result<bool, BridgeError> {
        for delivery in deliveries {
            let found = self.store.delivery(&delivery.id).await?;
            if found.is_some_and(|found| found.processed_at.is_some() && found.run.is_some()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Stores a delivery that cannot be read as a failed run.
    async fn refuse_deliveries(
        &self,
        feed: &Feed,
        deliveries: &[WaitingDelivery],
        problem: &Problem,
    ) -> Result<(), BridgeError> {
        let now = self.clock.now();
        let run: RunId = new_run_id(now);
        tracing::warn!(
            source = %feed.name,
            run.id = %run,
            code = problem.code,
            "a webhook delivery was refused"
        );
        let taken =
            |delivery: &WaitingDelivery| TakenDelivery { id: delivery.id.clone(), first_row: None };
        let refused = RefusedRun {
            id: run,
            source: feed.name.clone(),
            target: feed.target.clone(),
            kind: RunKind::Webhook,
            file: None,
            file_digest: [0; 32],
            mapping_fingerprint: feed.fingerprint(),
            started_at: now,
            ended_at: now,
            problem: StoredProblem {
                code: problem.code.to_owned(),
                place: problem.place.to_string(),
                message: problem.message.clone(),
                hint: problem.hint.clone(),
            },
            deliveries: deliveries.iter().map(taken).collect(),
        };
        self.store.store_refused(refused).await?;
        Ok(())
    }

    async fn forget_processed(&self) {
        let Ok(before) = self.clock.now().checked_sub(REMEMBERED) else { return };
        if let Err(error) = self.store.forget_deliveries(before, FORGOTTEN_AT_ONCE).await {
            tracing::warn!(error = %Causes(&error), "old deliveries cannot be forgotten now");
        }
    }
}

/// The workers of some deliveries, and the deliveries that have none, with the reason.
fn spool(
    deliveries: &[WaitingDelivery],
    records: &RecordsPointer,
) -> std::io::Result<(SpooledWorkers, Vec<(DeliveryId, String)>)> {
    let mut spooled = SpooledWorkers::new()?;
    let mut closed = Vec::new();
    for delivery in deliveries {
        if delivery.workers == 0 {
            closed.push((delivery.id.clone(), "there is no worker in it".to_owned()));
        } else if let Err(fault) = spooled.push(delivery, records)? {
            closed.push((delivery.id.clone(), fault.message));
        }
    }
    Ok((spooled, closed))
}
