//! Delivering and tracking one target for good.
//!
//! The lease is held all the time, so that whoever commits beside the daemon only waits. Sending may
//! stop (the job is paused, the day's calls are used up); outcomes of what was sent are followed
//! meanwhile, and sending is tried again after a pause.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::bridge::alerts::answer_of;
use crate::bridge::daemon::{LOOK, after_error, is_over, log_error};
use crate::bridge::{Bridge, BridgeError};
use crate::delivery::{Courier, JobAdvice, Stop, job_advice};
use crate::domain::{AlertKind, TargetName};
use crate::entra::{CallFailure, EntraClient};
use crate::store::StoreError;
use crate::telemetry::Causes;
use crate::telemetry::alerts::{Facts, log_subject};
use crate::tracking::{Look, TrackingError};

/// How long the other side may answer with nothing but faults before that is said as an error.
const PATIENCE: Duration = Duration::from_mins(10);
/// How often it is looked for late events of what was given up.
const LOOK_BACK: Duration = Duration::from_mins(10);
/// Longest sleep until a look whose time is known: the clock may be put right meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);
/// Shortest pause between two looks.
const SHORTEST_SLEEP: Duration = Duration::from_millis(100);
/// How often the lease is tried for while another process has it.
const LEASE: Duration = Duration::from_secs(2);
/// How often a failure is said that stays the same.
const SAY_FAILURE_AGAIN: Duration = Duration::from_hours(1);
/// How often it is said who has it.
const SAY_AGAIN: Duration = Duration::from_mins(10);

impl Bridge {
    /// Delivers and tracks a target until cancelled.
    pub(super) async fn keep_serving(&self, target: &TargetName, cancel: &CancellationToken) {
        let began = Instant::now();
        let mut said_at: Option<Instant> = None;
        while !cancel.is_cancelled() {
            let wait = match self.serve_once(target, cancel).await {
                Ok(true) => return,
                Ok(false) => {
                    if said_at.is_none_or(|at| at.elapsed() >= SAY_AGAIN) {
                        said_at = Some(Instant::now());
                        drop(self.say_who_holds(target, began.elapsed()).await);
                    }
                    LEASE
                }
                Err(error) => {
                    self.note_trouble(&error);
                    log_error(&error, target, "nothing is delivered or tracked for now");
                    after_error()
                }
            };
            if is_over(cancel, wait).await {
                return;
            }
        }
    }

    /// Serves a target until cancelled (true), or not at all, because another process does (false).
    async fn serve_once(
        &self,
        target: &TargetName,
        cancel: &CancellationToken,
    ) -> Result<bool, BridgeError> {
        self.bind_job(target).await?;
        let Some(lease) = self.store.lease(target, self.clock.now()).await? else {
            return Ok(false);
        };
        tracing::info!(target = %target, "delivering to this target");
        let client = self.setup.client_aside(target, &self.secrets).await?;
        self.contacts.follow(target, client.clone());
        let courier = self.courier(target, client.clone(), Some(PATIENCE))?;
        let job_check = self.setup.target(target)?.job_check;
        // what is under way when the others fail is finished as well
        let stop_sending = cancel.child_token();
        let sending = self.keep_sending_for_good(target, &courier, &stop_sending);
        let following = self.keep_following_for_good(target, &client);
        let watching = self.watch_job(target, client.clone(), job_check);
        tokio::pin!(sending, following, watching);
        let ended = tokio::select! {
            sent = &mut sending => return sent.map(|()| true).map_err(BridgeError::from),
            error = &mut following => error,
            error = &mut watching => BridgeError::from(error),
        };
        stop_sending.cancel();
        sending.await?;
        drop(lease);
        Err(ended)
    }

    /// Sends whatever comes into the outbox until cancelled.
    async fn keep_sending_for_good(
        &self,
        target: &TargetName,
        courier: &Courier,
        cancel: &CancellationToken,
    ) -> Result<(), StoreError> {
        let mut is_stopped = false;
        let mut said = Said::default();
        loop {
            let stop = courier.run(cancel).await?;
            let wait = match &stop {
                Stop::Cancelled => return Ok(()),
                Stop::Drained => {
                    self.clear_refusals(target);
                    said = Said::default();
                    if std::mem::take(&mut is_stopped) {
                        tracing::info!(target = %target, "everything that waited has been sent");
                    }
                    if !self.has_work(target, LOOK, cancel).await? {
                        return Ok(());
                    }
                    continue;
                }
                other => self.pause_after(target, other, &mut said),
            };
            is_stopped = true;
            if is_over(cancel, wait).await {
                return Ok(());
            }
        }
    }

    /// Says why nothing is sent; gives when that is tried again.
    fn pause_after(&self, target: &TargetName, stop: &Stop, said: &mut Said) -> Duration {
        let (longest, job_check) = self
            .setup
            .target(target)
            .map_or((after_error(), after_error()), |config| (config.retry.cap, config.job_check));
        let wait = match stop {
            Stop::Drained | Stop::Cancelled => Duration::ZERO,
            Stop::JobUnavailable { code, reason } => {
                let JobAdvice { means, advice } = job_advice(code, reason.as_deref());
                // it has answered
                self.clear_refusals(target);
                *said = Said::default();
                let wait = longest.min(job_check);
                tracing::error!(
                    target = %target,
                    graph.job = %code,
                    advice,
                    again_in_s = wait.as_secs(),
                    "nothing is sent: {means}"
                );
                wait
            }
            Stop::QuotaExhausted { free_at } => longest.min(until(*free_at, self.clock.now())),
            Stop::Unreachable(failure) => {
                self.note_stop(target, stop);
                said.tell(target, failure, "the other side has not answered for some time");
                longest
            }
            Stop::Halted(failure) => {
                self.note_stop(target, stop);
                said.tell(target, failure, "nothing is sent until this is mended");
                longest
            }
        };
        wait.max(Duration::from_secs(1))
    }

    /// Follows what was sent; returns only when the store fails.
    async fn keep_following_for_good(
        &self,
        target: &TargetName,
        client: &EntraClient,
    ) -> BridgeError {
        let mut looked_back: Option<Instant> = None;
        let mut said = Said::default();
        let tracker = || self.tracker(target, client.clone());
        let mut following = match tracker() {
            Ok(following) => following,
            Err(error) => return error,
        };
        loop {
            let looked = if looked_back.is_none_or(|at| at.elapsed() >= LOOK_BACK) {
                looked_back = Some(Instant::now());
                match following.look_back().await {
                    Ok(_) => following.step().await,
                    Err(error) => Err(error),
                }
            } else {
                following.step().await
            };
            match looked {
                Ok(Look::Nothing) => {
                    self.clear_log_refusal(target);
                    said = Said::default();
                    self.news(LOOK).await;
                }
                Ok(Look::At(at)) => {
                    let wait = until(at, self.clock.now());
                    tokio::time::sleep(wait.clamp(SHORTEST_SLEEP, LONGEST_SLEEP)).await;
                }
                // a look that read something says nothing yet about what is left
                Ok(Look::Looked { .. }) => {
                    self.clear_log_refusal(target);
                    said = Said::default();
                }
                Err(TrackingError::Store(error)) => return error.into(),
                Err(TrackingError::Halted(failure)) => {
                    let (status, code) = answer_of(&failure);
                    let (target_name, advice) =
                        (target.as_str().to_owned(), failure.advice().to_owned());
                    let facts = Facts::LogRefused { target: target_name, status, code, advice };
                    self.conditions.raise(facts, self.clock.now());
                    said.tell(target, &failure, "the provisioning log cannot be read");
                    let wait = self.setup.target(target).map(|config| config.retry.cap);
                    tokio::time::sleep(wait.unwrap_or(after_error()).max(LOOK)).await;
                    following = match tracker() {
                        Ok(following) => following,
                        Err(error) => return error,
                    };
                }
            }
        }
    }
}

impl Bridge {
    /// Notes that the other side of a target answers, and does not refuse what is sent.
    fn clear_refusals(&self, target: &TargetName) {
        self.conditions.clear(AlertKind::AuthFailing, target.as_str());
        self.conditions.clear(AlertKind::TargetUnreachable, target.as_str());
    }

    /// Notes why nothing is sent to a target, where the other side is the reason.
    pub(super) fn note_stop(&self, target: &TargetName, stop: &Stop) {
        let target = target.as_str().to_owned();
        let facts = match stop {
            Stop::Unreachable(failure) => {
                Facts::TargetUnreachable { target, advice: failure.advice().to_owned() }
            }
            Stop::Halted(failure) => {
                let (status, code) = answer_of(failure);
                Facts::AccessRefused { target, status, code, advice: failure.advice().to_owned() }
            }
            _ => return,
        };
        self.conditions.raise(facts, self.clock.now());
    }

    /// Notes that the log of a target can be read, or need not be.
    fn clear_log_refusal(&self, target: &TargetName) {
        self.conditions.clear(AlertKind::AuthFailing, &log_subject(target));
    }
}

/// What was said of failures: one that lasts is not said at each try.
#[derive(Default)]
struct Said(Option<(Kind, Instant)>);

/// What tells one failure from another: what was said of it, its status, its code, and what to do.
type Kind = (&'static str, Option<u16>, Option<String>, &'static str);

impl Said {
    /// Says a failure, unless it was said not long ago.
    fn tell(&mut self, target: &TargetName, failure: &CallFailure, what: &'static str) {
        let kind = (what, failure.status(), failure.code(), failure.advice());
        let is_known =
            |(before, at): &(Kind, Instant)| *before == kind && at.elapsed() < SAY_FAILURE_AGAIN;
        if self.0.as_ref().is_some_and(is_known) {
            tracing::debug!(target = %target, error = %Causes(failure), "{what}, as before");
            return;
        }
        tracing::error!(
            target = %target,
            error = %Causes(failure),
            advice = failure.advice(),
            "{what}; it is tried again, and said again when something changes, or in an hour"
        );
        self.0 = Some((kind, Instant::now()));
    }
}

/// How long until an instant; nothing when it has come.
fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
}
