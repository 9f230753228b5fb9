//! The loop that empties a target's outbox.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use tracing::field::Empty;

use crate::delivery::burst::Burst;
use crate::delivery::health::JobWatch;
use crate::delivery::pace::Pace;
use crate::delivery::token_trust::TokenTrust;
use crate::delivery::{CourierSettings, Stop};
use crate::domain::{BulkRequestId, Clock};
use crate::entra::{Accepted, Attempt, CallFailure, EntraClient};
use crate::scim::BulkWriter;
use crate::store::{CallId, CallPermit, Claim, Store, StoreError};
use crate::telemetry::TRACED;

/// A request without an answer may still be on its way, or in somebody's hands over there: it is
/// sent again no sooner than this, so that nobody is in two requests at once.
pub(super) const IN_DOUBT_PAUSE: Duration = Duration::from_secs(1);

/// How long the loop sleeps when it does not know when there will be more to do.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Empties the outbox of one target. Only the holder of the target's lease runs it.
pub struct Courier {
    pub(super) store: Arc<dyn Store>,
    pub(super) client: EntraClient,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) settings: CourierSettings,
}

/// A post that has ended.
pub(super) struct Posted {
    pub(super) id: BulkRequestId,
    pub(super) operations: usize,
    /// Which token it went out with.
    pub(super) token: u32,
    pub(super) result: Result<(), CallFailure>,
}

/// What the loop remembers between two turns.
pub(super) struct Turn {
    pub(super) pace: Pace,
    burst: Burst,
    pub(super) job: JobWatch,
    posts: JoinSet<Result<Posted, StoreError>>,
    pub(super) token: TokenTrust,
    /// A claimed request that waits for the burst window.
    ready: Option<Claim>,
    pub(super) stop: Option<Stop>,
}

impl Courier {
    /// A courier for one target.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        client: EntraClient,
        clock: Arc<dyn Clock>,
        settings: CourierSettings,
    ) -> Self {
        Self { store, client, clock, settings }
    }

    /// Sends until there is nothing left, sending is of no use, or the caller cancels.
    ///
    /// # Errors
    ///
    /// When the store fails. What was under way then is sent again by the next run.
    pub async fn run(&self, cancel: &CancellationToken) -> Result<Stop, StoreError> {
        let recovered = self.store.recover(&self.settings.target, self.clock.now()).await?;
        if recovered > 0 {
            tracing::warn!(
                operations = recovered,
                "operations whose answer is not known from the last time are sent again"
            );
        }
        let mut turn = Turn {
            pace: Pace::new(self.settings.throttle, self.settings.transient),
            burst: Burst::default(),
            job: JobWatch::new(self.settings.job_check),
            posts: JoinSet::new(),
            token: TokenTrust::default(),
            ready: None,
            stop: None,
        };
        if recovered > 0 {
            turn.pace.pause_for(IN_DOUBT_PAUSE, self.clock.now());
        }
        loop {
            if turn.stop.is_none() && cancel.is_cancelled() {
                turn.stop = Some(Stop::Cancelled);
            }
            let wait = if turn.stop.is_some() {
                self.put_back(&mut turn).await?;
                None
            } else {
                self.advance(&mut turn).await?
            };
            if turn.posts.is_empty()
                && let Some(stop) = turn.stop.take()
            {
                return Ok(stop);
            }
            // a zero wait means: there is more to do right away
            if wait == Some(Duration::ZERO) && turn.posts.is_empty() {
                continue;
            }
            let is_stopping = turn.stop.is_some();
            let sleep = tokio::time::sleep(wait.unwrap_or(LOOK_AGAIN));
            tokio::select! {
                Some(post) = turn.posts.join_next() => {
                    let posted = match post {
                        Ok(posted) => posted?,
                        Err(error) => std::panic::resume_unwind(error.into_panic()),
                    };
                    self.judge(&mut turn, posted).await?;
                }
                () = cancel.cancelled(), if !is_stopping => {}
                () = sleep => {}
            }
        }
    }

    /// Starts one more post if that may be; returns how long to wait otherwise.
    async fn advance(&self, turn: &mut Turn) -> Result<Option<Duration>, StoreError> {
        let now = self.clock.now();
        if let Some(pause) = turn.pace.pause(now) {
            self.put_back(turn).await?;
            return Ok(Some(pause));
        }
        let is_probing = turn.token.is_unproven() && !turn.posts.is_empty();
        if is_probing || turn.posts.len() >= self.settings.max_in_flight {
            return Ok(None);
        }
        let claim = match turn.ready.take() {
            Some(claim) => claim,
            None => match self.claim(turn, now).await? {
                Some(claim) => claim,
                None => return self.nothing_claimed(turn, now).await,
            },
        };
        if let Err(failure) = self.client.ready().await {
            self.store.release(claim.id, self.clock.now()).await?;
            return Ok(self.without_token(turn, failure));
        }
        let CourierSettings { tenant, target, limits, .. } = &self.settings;
        if let Some(wait) = turn.burst.wait(limits.burst, limits.window) {
            turn.ready = Some(claim);
            return Ok(Some(wait.max(Duration::from_millis(1))));
        }
        match self.store.begin_call(tenant, target, *limits, self.clock.now()).await? {
            CallPermit::Granted(call) => {
                turn.burst.count();
                self.post(turn, claim, call).await?;
                Ok(Some(Duration::ZERO))
            }
            CallPermit::Wait(until) => {
                turn.ready = Some(claim);
                let wait = until.duration_since(self.clock.now()).unsigned_abs();
                // longer only when the clock has just gone back
                let longest = limits.window + limits.margin;
                Ok(Some(wait.clamp(Duration::from_millis(1), longest)))
            }
            CallPermit::Exhausted(free_at) => {
                self.store.release(claim.id, now).await?;
                tracing::error!(
                    daily_calls = limits.daily,
                    free_at = %free_at,
                    "the tenant's calls of the last 24 hours are used up; the rest stays queued"
                );
                turn.stop = Some(Stop::QuotaExhausted { free_at });
                Ok(None)
            }
        }
    }

    async fn claim(&self, turn: &mut Turn, now: Timestamp) -> Result<Option<Claim>, StoreError> {
        let target = &self.settings.target;
        if turn.job.is_due(now) {
            // not asked for nothing: an empty outbox needs no healthy job
            if self.store.outbox(target).await?.queued == 0 {
                return Ok(None);
            }
            turn.stop = turn.job.check(&*self.store, target, &self.client, now).await?;
            if turn.stop.is_some() {
                return Ok(None);
            }
        }
        let request_id = uuid::Uuid::new_v4().to_string();
        self.store.claim(target, self.settings.max_operations, request_id, now).await
    }

    async fn nothing_claimed(
        &self,
        turn: &mut Turn,
        now: Timestamp,
    ) -> Result<Option<Duration>, StoreError> {
        if turn.stop.is_some() {
            return Ok(None);
        }
        let outbox = self.store.outbox(&self.settings.target).await?;
        if outbox.queued == 0 && outbox.sending == 0 && turn.posts.is_empty() {
            turn.stop = Some(Stop::Drained);
            return Ok(None);
        }
        let due = outbox.next_at.map(|at| at.duration_since(now));
        Ok(due
            .filter(jiff::SignedDuration::is_positive)
            .map(|due| LOOK_AGAIN.min(due.unsigned_abs())))
    }

    async fn post(&self, turn: &mut Turn, claim: Claim, call: CallId) -> Result<(), StoreError> {
        let operations = claim.operations.len();
        let mut bulk = BulkWriter::new(operations);
        bulk.begin();
        for operation in &claim.operations {
            // never full: it was made for as many as there are
            let _ = bulk.push(operation.external_id.as_str(), &operation.resource);
        }
        let body = bulk.take();
        if body.len() > self.settings.max_bytes && operations > 1 {
            self.store.forget_call(call).await?;
            return self.store.split(claim.id, operations.div_ceil(2), self.clock.now()).await;
        }
        let (store, client) = (Arc::clone(&self.store), self.client.clone());
        let clock = Arc::clone(&self.clock);
        let token = turn.token.number();
        let span = tracing::info_span!(
            target: TRACED,
            "delivery.send",
            scimport.target = %self.settings.target,
            request.id = claim.id.0,
            request.operations = operations,
            request.attempt = claim.attempt,
            graph.status = Empty,
            otel.status_code = Empty,
        );
        turn.posts.spawn(async move {
            // one POST, one noted call: a second try after a 401 is a call of its own
            let answer = client
                .upload_once(body, &claim.client_request_id, Attempt::First)
                .instrument(span.clone())
                .await;
            match &answer {
                Ok(_) => span.record("graph.status", 202),
                Err(failure) => {
                    span.record("otel.status_code", "ERROR");
                    span.record("graph.status", failure.status())
                }
            };
            drop(span);
            let now = clock.now();
            match &answer {
                // the token went meanwhile, and there was no other: nothing was posted
                Err(failure) if failure.token_failure().is_some() => {
                    store.forget_call(call).await?;
                }
                _ => store.end_call(call, now).await?,
            }
            // a 202 is stored here and now: whatever else happens, it is not sent twice
            let result = match answer {
                Ok(Accepted { request_id, sent_at }) => {
                    tracing::debug!(
                        request.id = claim.id.0,
                        graph.request_id = request_id.as_deref(),
                        operations,
                        attempt = claim.attempt,
                        "accepted"
                    );
                    store.accepted(claim.id, request_id, sent_at, now).await?;
                    Ok(())
                }
                Err(failure) => Err(failure),
            };
            Ok(Posted { id: claim.id, operations, token, result })
        });
        Ok(())
    }

    /// Gives a claimed request back that was not posted.
    async fn put_back(&self, turn: &mut Turn) -> Result<(), StoreError> {
        if let Some(claim) = turn.ready.take() {
            self.store.release(claim.id, self.clock.now()).await?;
        }
        Ok(())
    }
}
