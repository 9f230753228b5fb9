//! Making a target's operations move: delivery and tracking side by side, until a goal is reached.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::bridge::{Bridge, BridgeError};
use crate::delivery::{Courier, CourierSettings, Ladder, Stop};
use crate::domain::{OperationStatus, RunId, RunStatus, TargetName};
use crate::entra::{self, Cloud, EntraClient};
use crate::store::{CallLimits, LeaseHolder, Run, StoreError};
use crate::tracking::{Look, Tracker, TrackerSettings, TrackingError};

/// How often the store is asked whether the goal is reached.
const TICK: Duration = Duration::from_millis(200);
/// A look at a large run counts all its operations, and nothing is sent meanwhile: the pause after a
/// look is so many times as long as the look took.
const PAUSE_PER_LOOK: u32 = 20;
/// How often it is said that another process is waited for.
const SAY_AGAIN: Duration = Duration::from_mins(1);
/// Longest pause after a look.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How much longer than the burst window a call counts at most, from its start: with an answer within
/// this time the window is kept strictly, with a slower one a request may be held up this much
/// longer than another on its way. It costs 4 % of the rate at most.
const WINDOW_MARGIN: Duration = Duration::from_millis(200);
/// A call without an answer no longer counts in the burst window after this: no time-out is longer.
const LOST_AFTER: Duration = Duration::from_mins(10);
/// The first waiting time after a passing fault.
const TRANSIENT_BASE: Duration = Duration::from_secs(1);
/// `work` has no time-out of its own: after this long with nothing but faults, nothing more can be
/// done now, and the rest is left to the next time.
const IDLE_PATIENCE: Duration = Duration::from_mins(2);
/// The same for `work --until settled`, which is asked to hold out.
const SETTLED_PATIENCE: Duration = Duration::from_mins(10);
/// Most bytes in a bulk request; Entra states no limit.
const MAX_REQUEST_BYTES: usize = 1024 * 1024;
/// Most requests under way at once: 8 a second, at up to 3 seconds each.
const MAX_IN_FLIGHT: usize = 24;

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// Every operation of the run was accepted (or ended).
    Accepted(RunId),
    /// Every operation of the run has ended or is unconfirmed.
    Outcome(RunId),
    /// Nothing more can be done now.
    Idle,
    /// Every operation of the target has ended or is unconfirmed.
    Settled,
}

impl Goal {
    const fn run(&self) -> Option<&RunId> {
        match self {
            Self::Accepted(run) | Self::Outcome(run) => Some(run),
            Self::Idle | Self::Settled => None,
        }
    }
}

/// Why driving ended.
#[derive(Debug)]
pub enum Ended {
    /// The goal is reached.
    Reached,
    /// The time is over.
    TimedOut,
    /// The caller cancelled.
    Cancelled,
    /// Delivery stopped before the goal was reached.
    Stopped(Stop),
}

impl Bridge {
    /// Delivers and tracks a target until the goal is reached, or cannot be.
    ///
    /// One process at a time holds a target's lease. While another does, this waits and watches
    /// the goal; when the lease comes free, it carries on itself.
    ///
    /// # Errors
    ///
    /// When the store fails, the credential cannot be read or the log cannot be read for good.
    pub async fn drive(
        &self,
        target: &TargetName,
        goal: &Goal,
        timeout: Option<Duration>,
        cancel: &CancellationToken,
        on_tick: &mut (dyn FnMut(&Run) + Send),
    ) -> Result<Ended, BridgeError> {
        self.bind_job(target).await?;
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        let began = Instant::now();
        let mut said_at: Option<Instant> = None;
        loop {
            if let Some(lease) = self.store.lease(target, self.clock.now()).await? {
                let ended = self.drive_leased(target, goal, deadline, cancel, on_tick).await;
                drop(lease);
                return ended;
            }
            if said_at.is_none_or(|at| at.elapsed() >= SAY_AGAIN) {
                said_at = Some(Instant::now());
                self.say_who_holds(target, began.elapsed()).await?;
            }
            // whoever has the lease does what is due
            if *goal == Goal::Idle
                || self.is_reached(target, goal, Tracked::Elsewhere, on_tick).await?
            {
                return Ok(Ended::Reached);
            }
            if cancel.is_cancelled() {
                return Ok(Ended::Cancelled);
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(Ended::TimedOut);
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// Says who delivers to a target, and how long this has been waited for.
    pub(super) async fn say_who_holds(
        &self,
        target: &TargetName,
        waited: Duration,
    ) -> Result<(), BridgeError> {
        let holder = match self.store.lease_holder(target).await? {
            Some(LeaseHolder { pid, since }) => {
                let since = since.round(jiff::Unit::Second).unwrap_or(since);
                format!("another process (pid {pid}, since {since})")
            }
            None => "another process".to_owned(),
        };
        tracing::info!(
            target = %target,
            waited_s = waited.as_secs(),
            "{holder} delivers to this target; waiting"
        );
        Ok(())
    }

    /// What the ledger knows was sent to one provisioning job must not be continued in another.
    pub(super) async fn bind_job(&self, target: &TargetName) -> Result<(), BridgeError> {
        let job = super::setup::provisioning_job(self.setup.target(target)?);
        match self.store.bound_job(target).await? {
            Some(bound) if bound != job => {
                Err(BridgeError::OtherJob { target: target.clone(), bound })
            }
            Some(_) => Ok(()),
            None => Ok(self.store.bind_job(target, &job, self.clock.now()).await?),
        }
    }

    async fn drive_leased(
        &self,
        target: &TargetName,
        goal: &Goal,
        deadline: Option<Instant>,
        cancel: &CancellationToken,
        on_tick: &mut (dyn FnMut(&Run) + Send),
    ) -> Result<Ended, BridgeError> {
        let client = self.setup.client_aside(target, &self.secrets).await?;
        self.contacts.follow(target, client.clone());
        let patience = match goal {
            Goal::Idle => Some(IDLE_PATIENCE),
            Goal::Settled => Some(SETTLED_PATIENCE),
            Goal::Accepted(_) | Goal::Outcome(_) => None,
        };
        let courier = self.courier(target, client.clone(), patience)?;
        let job_check = self.setup.target(target)?.job_check;
        let watching = self.watch_job(target, client.clone(), job_check);
        let tracker = self.tracker(target, client)?;
        let stop_sending = cancel.child_token();
        let (looks, look) = tokio::sync::watch::channel(None);
        let sending = self.keep_sending(target, &courier, &stop_sending);
        let looks_back = matches!(goal, Goal::Idle | Goal::Settled);
        let following = keep_following(tracker, looks, looks_back);
        tokio::pin!(sending, following, watching);
        let mut tick = tokio::time::interval(TICK);
        let mut stopped: Option<Stop> = None;
        let mut untracked: Option<TrackingError> = None;
        let ended = loop {
            tokio::select! {
                biased;
                () = cancel.cancelled() => break Ended::Cancelled,
                stop = &mut sending, if stopped.is_none() => {
                    stopped = Some(stop?);
                    // waiting for outcomes of what was sent is still of use to `settled`
                    if *goal != Goal::Settled { break Ended::Reached; }
                }
                error = &mut watching => return Err(error.into()),
                error = &mut following, if untracked.is_none() => match error {
                    error @ TrackingError::Store(_) => return Err(error.into()),
                    error @ TrackingError::Halted(_) => untracked = Some(error),
                },
                _ = tick.tick() => {
                    let look = *look.borrow();
                    let began = Instant::now();
                    if self.is_reached(target, goal, Tracked::Here(look), on_tick).await? {
                        break Ended::Reached;
                    }
                    let next = Instant::now() + pause_after(began);
                    tick.reset_at(deadline.map_or(next, |deadline| next.min(deadline)));
                    if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                        break Ended::TimedOut;
                    }
                    let has_nothing_to_follow = look == Some(Look::Nothing);
                    if stopped.is_some() && has_nothing_to_follow {
                        break Ended::Reached;
                    }
                    // deliveries may still be worth waiting for, outcomes are not
                    if untracked.is_some() && self.store.outbox(target).await?.is_empty() {
                        break Ended::Reached;
                    }
                }
            }
        };
        if stopped.is_none() {
            stop_sending.cancel();
            let stop = sending.await?;
            if matches!(ended, Ended::Reached) && !matches!(stop, Stop::Cancelled | Stop::Drained) {
                stopped = Some(stop);
            }
        }
        if let Some(stop) = &stopped {
            self.note_stop(target, stop);
        }
        let seen = Tracked::Here(*look.borrow());
        let is_reached = self.is_reached(target, goal, seen, on_tick).await?;
        let needs_outcomes = matches!(goal, Goal::Outcome(_) | Goal::Settled);
        match (ended, stopped, untracked) {
            (ended @ Ended::Cancelled, ..) => Ok(ended),
            _ if is_reached => Ok(Ended::Reached),
            (_, _, Some(error)) if needs_outcomes => Err(error.into()),
            (Ended::Reached, Some(stop), _) => Ok(Ended::Stopped(stop)),
            (ended, ..) => Ok(ended),
        }
    }

    /// Delivers whatever comes into the outbox; returns only when sending is of no use any more.
    async fn keep_sending(
        &self,
        target: &TargetName,
        courier: &Courier,
        cancel: &CancellationToken,
    ) -> Result<Stop, BridgeError> {
        loop {
            match courier.run(cancel).await? {
                Stop::Drained => {}
                stop => return Ok(stop),
            }
            if !self.has_work(target, TICK, cancel).await? {
                return Ok(Stop::Cancelled);
            }
        }
    }

    /// Waits until there is something in the outbox, for which it is looked so often; false when it
    /// is cancelled first.
    pub(super) async fn has_work(
        &self,
        target: &TargetName,
        look: Duration,
        cancel: &CancellationToken,
    ) -> Result<bool, StoreError> {
        while self.store.outbox(target).await?.is_empty() {
            tokio::select! {
                () = cancel.cancelled() => return Ok(false),
                () = self.news(look) => {}
            }
        }
        Ok(true)
    }

    async fn is_reached(
        &self,
        target: &TargetName,
        goal: &Goal,
        tracked: Tracked,
        on_tick: &mut (dyn FnMut(&Run) + Send),
    ) -> Result<bool, BridgeError> {
        if let Some(run) = goal.run() {
            let Some(run) = self.store.run(run).await? else {
                return Ok(true);
            };
            on_tick(&run);
            let is_sent = run.counts.get(OperationStatus::Queued) == 0
                && run.counts.get(OperationStatus::Sending) == 0;
            return Ok(match goal {
                Goal::Accepted(_) => is_sent,
                _ => is_sent && run.status != RunStatus::Tracking && !run.status.is_unfinished(),
            });
        }
        if !self.store.outbox(target).await?.is_empty() {
            return Ok(false);
        }
        let waits = self.store.open_window(target).await?.is_some();
        Ok(match (goal, tracked) {
            (Goal::Settled, _) => !waits,
            // the other process goes on by itself
            (_, Tracked::Elsewhere) => true,
            (_, Tracked::Here(look)) => !waits || matches!(look, Some(Look::At(_))),
        })
    }

    pub(super) fn courier(
        &self,
        target: &TargetName,
        client: EntraClient,
        patience: Option<Duration>,
    ) -> Result<Courier, BridgeError> {
        let config = self.setup.target(target)?;
        let settings = CourierSettings {
            target: target.clone(),
            tenant: config.tenant_id.clone(),
            limits: CallLimits {
                burst: config.burst.calls,
                window: config.burst.window,
                margin: WINDOW_MARGIN,
                daily: config.daily_calls,
                lost_after: LOST_AFTER,
            },
            throttle: Ladder { base: config.retry.base, cap: config.retry.cap },
            transient: Ladder {
                base: TRANSIENT_BASE.min(config.retry.base),
                cap: config.retry.cap,
            },
            bucket_pause: config.retry.bucket_pause,
            job_check: config.job_check,
            max_operations: entra::MAX_OPERATIONS,
            max_bytes: MAX_REQUEST_BYTES,
            max_in_flight: MAX_IN_FLIGHT,
            patience,
        };
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        Ok(Courier::new(store, client, clock, settings))
    }

    pub(super) fn tracker(
        &self,
        target: &TargetName,
        client: EntraClient,
    ) -> Result<Tracker, BridgeError> {
        let config = self.setup.target(target)?;
        let settings = TrackerSettings {
            target: target.clone(),
            first_poll: config.tracking.first_poll,
            poll: config.tracking.poll,
            unconfirmed_after: config.tracking.unconfirmed_after,
            reads: config.tracking.reads.calls,
            reads_window: config.tracking.reads.window,
            has_log: Cloud::parse(&config.cloud).is_none_or(Cloud::has_provisioning_log),
        };
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        Ok(Tracker::new(store, client, clock, settings))
    }
}

/// Who follows the target's operations.
#[derive(Clone, Copy)]
enum Tracked {
    /// Another process.
    Elsewhere,
    /// This one; what its tracker last saw.
    Here(Option<Look>),
}

/// How long to wait after a look that began then.
fn pause_after(began: Instant) -> Duration {
    (began.elapsed() * PAUSE_PER_LOOK).clamp(TICK, LONGEST_PAUSE)
}

/// Looks into the log whenever it is time to, before that for what was given up, if asked to; returns
/// only on an error.
async fn keep_following(
    mut tracker: Tracker,
    looks: tokio::sync::watch::Sender<Option<Look>>,
    looks_back: bool,
) -> TrackingError {
    if looks_back && let Err(error) = tracker.look_back().await {
        return error;
    }
    loop {
        let began = Instant::now();
        match tracker.step().await {
            Ok(look) => {
                // a look that read something says nothing yet about what is left
                looks.send_replace(Some(look));
                if !matches!(look, Look::Looked { .. }) {
                    tokio::time::sleep(pause_after(began)).await;
                }
            }
            Err(error) => return error,
        }
    }
}
