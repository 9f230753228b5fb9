//! The loop that empties a target's outbox.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::delivery::Ladder;
use crate::delivery::health::JobWatch;
use crate::delivery::pace::{Pace, later};
use crate::domain::{BulkRequestId, Clock, TargetName};
use crate::entra::{Accepted, Attempt, CallFailure, Disposition, EntraClient};
use crate::scim::BulkWriter;
use crate::store::{CallId, CallLimits, CallPermit, Claim, Store, StoreError};
use crate::telemetry::Causes;

/// How long the loop sleeps when it does not know when there will be more to do.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// How many new tokens are tried, one after the other, when tokens are refused: one can be revoked
/// before its first use.
const NEW_TOKENS_TRIED: u32 = 2;

/// A request without an answer may still be on its way, or in somebody's hands over there: it is
/// sent again no sooner than this, so that nobody is in two requests at once.
const IN_DOUBT_PAUSE: Duration = Duration::from_secs(1);

/// How a target is delivered to.
#[derive(Debug, Clone)]
pub struct CourierSettings {
    /// The target.
    pub target: TargetName,
    /// The tenant that the limits count for.
    pub tenant: String,
    /// Burst and daily limits.
    pub limits: CallLimits,
    /// Waiting times after a 429 without Retry-After.
    pub throttle: Ladder,
    /// Waiting times after a passing fault.
    pub transient: Ladder,
    /// How long nothing is sent after the bucket was full.
    pub bucket_pause: Duration,
    /// How often the job's health is asked for.
    pub job_check: Duration,
    /// Most operations in a request.
    pub max_operations: usize,
    /// Most bytes in a request.
    pub max_bytes: usize,
    /// Most requests under way at once.
    pub max_in_flight: usize,
    /// How long the other side may answer with nothing but passing faults before the loop ends;
    /// `None` when the caller has a time-out of its own.
    pub patience: Option<Duration>,
}

/// Why the loop ended.
#[derive(Debug)]
pub enum Stop {
    /// Nothing is left to send.
    Drained,
    /// The caller asked for it; what was under way has been finished or put back.
    Cancelled,
    /// The provisioning job does not process uploads.
    JobUnavailable {
        /// Its code, such as `Paused`.
        code: String,
        /// The quarantine's reason.
        reason: Option<String>,
    },
    /// The day's calls are used up.
    QuotaExhausted {
        /// When the first call comes free.
        free_at: Timestamp,
    },
    /// The other side has not answered for longer than the caller's patience.
    Unreachable(Box<CallFailure>),
    /// The target is set up wrongly: nothing is sent until that is mended.
    Halted(Box<CallFailure>),
}

/// Empties the outbox of one target. Only the holder of the target's lease runs it.
pub struct Courier {
    store: Arc<dyn Store>,
    client: EntraClient,
    clock: Arc<dyn Clock>,
    settings: CourierSettings,
}

/// A post that has ended.
struct Posted {
    id: BulkRequestId,
    operations: usize,
    /// Which token it went out with.
    token: u32,
    result: Result<(), CallFailure>,
}

/// What the loop remembers between two turns.
struct Turn {
    pace: Pace,
    job: JobWatch,
    posts: JoinSet<Result<Posted, StoreError>>,
    token: TokenTrust,
    /// A claimed request that waits for the burst window.
    ready: Option<Claim>,
    stop: Option<Stop>,
}

/// Whether the token at hand has been taken yet. A token may expire or be revoked at any time, so a
/// 401 costs a new one; but when new ones are refused in a row, something is wrong.
#[derive(Default)]
struct TokenTrust {
    number: u32,
    refused_in_a_row: u32,
}

impl TokenTrust {
    /// While a new token is not proven, one request at a time goes out with it.
    const fn is_unproven(&self) -> bool {
        self.refused_in_a_row > 0
    }

    const fn taken(&mut self, number: u32) {
        if number == self.number {
            self.refused_in_a_row = 0;
        }
    }

    /// Counts a 401; true when [`NEW_TOKENS_TRIED`] new tokens in a row were refused as well.
    const fn refused(&mut self, number: u32) -> bool {
        if number == self.number {
            self.number += 1;
            self.refused_in_a_row += 1;
        }
        self.refused_in_a_row > NEW_TOKENS_TRIED
    }
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
        match self.store.begin_call(tenant, target, *limits, self.clock.now()).await? {
            CallPermit::Granted(call) => {
                self.post(turn, claim, call).await?;
                Ok(Some(Duration::ZERO))
            }
            CallPermit::Wait(until) => {
                turn.ready = Some(claim);
                let wait = until.duration_since(self.clock.now());
                Ok(Some(wait.unsigned_abs().max(Duration::from_millis(1))))
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

    /// No token, so nothing can be posted: waits and tries again, or halts.
    fn without_token(&self, turn: &mut Turn, failure: CallFailure) -> Option<Duration> {
        if matches!(failure.disposition(), Disposition::Halt) {
            tracing::error!(error = %Causes(&failure), "no token; nothing is sent until this is mended");
            turn.stop = Some(Stop::Halted(Box::new(failure)));
            return None;
        }
        let now = self.clock.now();
        let until = turn.pace.without_token(now);
        tracing::warn!(
            error = %Causes(&failure),
            retry_after_ms = until.duration_since(now).as_millis(),
            "no token this time; trying again"
        );
        self.lose_patience(turn, failure);
        None
    }

    /// Ends the loop when there has been nothing but faults for too long.
    fn lose_patience(&self, turn: &mut Turn, failure: CallFailure) {
        let now = self.clock.now();
        if self.settings.patience.is_some_and(|patience| turn.pace.is_unreachable(patience, now)) {
            turn.stop = Some(Stop::Unreachable(Box::new(failure)));
        }
    }

    async fn claim(&self, turn: &mut Turn, now: Timestamp) -> Result<Option<Claim>, StoreError> {
        let target = &self.settings.target;
        if turn.job.is_due(now) {
            // not asked for nothing: an empty outbox needs no healthy job
            if self.store.outbox(target).await?.queued == 0 {
                return Ok(None);
            }
            turn.stop = turn.job.check(&self.client, now).await;
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
        let token = turn.token.number;
        turn.posts.spawn(async move {
            // one POST, one noted call: a second try after a 401 is a call of its own
            let answer = client.upload_once(body, &claim.client_request_id, Attempt::First).await;
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

    /// Does what an answer asks for.
    async fn judge(&self, turn: &mut Turn, posted: Posted) -> Result<(), StoreError> {
        let Posted { id, operations, token, result } = posted;
        let failure = match result {
            Ok(()) => {
                turn.token.taken(token);
                turn.pace.accepted(id);
                return Ok(());
            }
            Err(failure) => failure,
        };
        let now = self.clock.now();
        let code = label(&failure);
        let in_doubt = failure.may_have_arrived();
        if failure.status().is_some_and(|status| status != 401) {
            turn.token.taken(token);
        }
        match failure.disposition() {
            Disposition::RefreshToken if turn.token.refused(token) => {
                self.halt(turn, id, failure).await
            }
            Disposition::RefreshToken => {
                tracing::warn!(request.id = id.0, "the token was refused; trying with a new one");
                self.store.postpone(id, now, code, in_doubt, now).await
            }
            Disposition::Throttled { retry_after } => {
                let until = turn.pace.throttled(retry_after, now);
                tracing::warn!(
                    request.id = id.0,
                    retry_after_ms = until.duration_since(now).as_millis(),
                    "delivery.throttled: Graph asks for a pause (429)"
                );
                if turn.pace.is_exhausted(now) {
                    let free_at = later(now, Duration::from_hours(1));
                    turn.stop = Some(Stop::QuotaExhausted { free_at });
                }
                self.store.postpone(id, until, code, in_doubt, now).await
            }
            Disposition::BucketFull => {
                let until = turn.pace.pause_for(self.settings.bucket_pause, now);
                tracing::warn!(
                    request.id = id.0,
                    pause_ms = until.duration_since(now).as_millis(),
                    "the job's ingestion bucket is full; pausing"
                );
                turn.job.expire();
                self.store.postpone(id, until, code, in_doubt, now).await?;
                if let Some(stop) = turn.job.check(&self.client, now).await {
                    turn.stop = Some(stop);
                }
                Ok(())
            }
            Disposition::Transient { retry_after } => {
                let mut until = turn.pace.transient(id, retry_after, now);
                if failure.status().is_none() {
                    until = until.max(later(now, IN_DOUBT_PAUSE));
                }
                tracing::warn!(
                    request.id = id.0,
                    error = %Causes(&failure),
                    retry_after_ms = until.duration_since(now).as_millis(),
                    "a request met a passing fault; trying again"
                );
                self.store.postpone(id, until, code, in_doubt, now).await?;
                self.lose_patience(turn, failure);
                Ok(())
            }
            Disposition::TooLarge if operations > 1 => {
                tracing::warn!(request.id = id.0, operations, "too large (413): split in two");
                self.store.split(id, operations.div_ceil(2), now).await
            }
            Disposition::TooLarge | Disposition::Reject => {
                tracing::error!(
                    request.id = id.0,
                    operations,
                    error = %Causes(&failure),
                    "Graph refused a request for good; its operations have failed"
                );
                self.store
                    .refuse(id, code, failure.to_string(), failure.advice().to_owned(), now)
                    .await
            }
            Disposition::Halt => self.halt(turn, id, failure).await,
        }
    }

    /// The target is set up wrongly: the request goes back, and nothing more is sent.
    async fn halt(
        &self,
        turn: &mut Turn,
        id: BulkRequestId,
        failure: CallFailure,
    ) -> Result<(), StoreError> {
        tracing::error!(
            request.id = id.0,
            error = %Causes(&failure),
            "nothing more is sent until this is mended"
        );
        let now = self.clock.now();
        self.store.postpone(id, now, label(&failure), failure.may_have_arrived(), now).await?;
        turn.stop = Some(Stop::Halted(Box::new(failure)));
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

/// A failure in one stable word: Graph's own code, else the status, else what it was.
fn label(failure: &CallFailure) -> String {
    failure.code().unwrap_or_else(|| match failure.status() {
        Some(status) => format!("HTTP{status}"),
        None => "NoAnswer".to_owned(),
    })
}
