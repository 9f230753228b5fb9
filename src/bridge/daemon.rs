//! The daemon: every target is delivered to and tracked, what is due is planned, every watched folder
//! is looked at, what is due by the clock is read, and what webhooks brought becomes runs, until somebody
//! cancels.
//!
//! What goes wrong is logged and tried again after a pause. Nothing that a file, a run or the other
//! side does ends the daemon; a config that cannot work is told before it starts
//! ([`Daemon::check`]). It waits idly: the store is looked at every few seconds for what other
//! processes have committed, and at once after [`Bridge::wake`].
//!
//! A reload puts another daemon in its place while this one ends: each of its tasks has a turn at what
//! it works on ([`Turns`](crate::bridge::turns::Turns)), and the next daemon's task begins when that is given back.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::bridge::folder::{Answers, Watch};
use crate::bridge::schedule::Timetable;
use crate::bridge::{Bridge, BridgeError, Channel, alert_channels};
use crate::domain::{RunStatus, TargetName};
use crate::store::{SealProblem, StoreTrouble};
use crate::telemetry::Causes;

/// How often it is looked for what other processes have committed.
pub(super) const LOOK: Duration = Duration::from_secs(3);
/// How often it is looked for dates that have come.
const DUE: Duration = Duration::from_secs(15);
/// The pause after something has gone wrong on our own side (the disk, the store).
const AFTER_ERROR: Duration = Duration::from_secs(30);

/// A bridge that runs by itself.
pub struct Daemon {
    bridge: Arc<Bridge>,
    answers: Arc<dyn Answers>,
    channels: Vec<Arc<dyn Channel>>,
}

impl Daemon {
    /// A daemon over a bridge; `answers` writes what goes back to HR.
    #[must_use]
    pub fn new(bridge: Arc<Bridge>, answers: Arc<dyn Answers>) -> Self {
        let channels = alert_channels(&bridge.setup, &bridge.secrets);
        Self { bridge, answers, channels }
    }

    /// The same, telling alerts over other channels than the config's.
    #[must_use]
    pub fn with_channels(self, channels: Vec<Arc<dyn Channel>>) -> Self {
        Self { channels, ..self }
    }

    /// Looks whether every target can work at all: its credential is there, and its ledger speaks of
    /// its provisioning job. Nothing is sent.
    ///
    /// # Errors
    ///
    /// When any cannot: everything that is in the way.
    pub async fn check(&self) -> Result<(), Vec<BridgeError>> {
        let mut problems = self.lacking();
        // what is looked at now is noted, so nothing may be wrong before
        if problems.is_empty() {
            for target in self.bridge.targets() {
                problems.extend(self.bridge.bind_job(&target).await.err());
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// What it would need that cannot be had: the targets' credentials.
    #[must_use]
    pub fn lacking(&self) -> Vec<BridgeError> {
        let client = |target| self.bridge.setup.client(&target, &self.bridge.secrets).err();
        self.bridge.targets().into_iter().filter_map(client).collect()
    }

    /// Runs until cancelled; then what is under way is finished or handed back.
    ///
    /// `stop` is cancelled when the process ends, `cancel` also when another daemon takes over: then
    /// a file that is being worked on is worked off, however long that takes.
    pub async fn run(&self, cancel: &CancellationToken, stop: &CancellationToken) {
        let began = self.bridge.clock.now();
        let mut tasks = JoinSet::new();
        for target in self.bridge.targets() {
            let (bridge, name, token) = (Arc::clone(&self.bridge), target.clone(), cancel.clone());
            let serving = async move { bridge.keep_serving(&name, &token).await };
            tasks.spawn(self.in_turn(format!("serve {target}"), cancel, serving));
            let (bridge, name, token) = (Arc::clone(&self.bridge), target.clone(), cancel.clone());
            let planning = async move { bridge.keep_planning_due(&name, &token).await };
            tasks.spawn(self.in_turn(format!("due {target}"), cancel, planning));
        }
        if let Some(config) = self.bridge.setup.config().alerts.clone() {
            let (bridge, channels) = (Arc::clone(&self.bridge), self.channels.clone());
            let alerting = bridge.keep_alerting(config, channels, began, cancel.clone());
            tasks.spawn(self.in_turn("alerts".to_owned(), cancel, alerting));
        }
        let (bridge, token) = (Arc::clone(&self.bridge), cancel.clone());
        let noting = async move { bridge.keep_noting_head(&token).await };
        tasks.spawn(self.in_turn("audit".to_owned(), cancel, noting));
        // also where nothing is let go: something may be left to wipe
        let (bridge, token) = (Arc::clone(&self.bridge), cancel.clone());
        let letting_go = async move { bridge.keep_letting_go(&token).await };
        tasks.spawn(self.in_turn("retention".to_owned(), cancel, letting_go));
        self.bridge.tell_of_stranded_deliveries().await;
        for source in &self.bridge.setup.config().sources {
            if let Some(webhook) = source.webhook.clone() {
                let (bridge, name) = (Arc::clone(&self.bridge), source.name.clone());
                let token = cancel.clone();
                let processing =
                    async move { bridge.keep_processing(&name, &webhook, &token).await };
                tasks.spawn(self.in_turn(format!("hook {}", source.name), cancel, processing));
            }
            if let Some(mut timetable) = Timetable::new(&self.bridge, &source.name) {
                let (token, stop) = (cancel.clone(), stop.clone());
                let reading = async move { timetable.run(&token, &stop).await };
                tasks.spawn(self.in_turn(format!("schedule {}", source.name), cancel, reading));
            }
            for folder in &source.folders {
                let (bridge, answers) = (Arc::clone(&self.bridge), Arc::clone(&self.answers));
                let mut watch = Watch::new(bridge, answers, source.name.clone(), folder.clone());
                let (token, stop) = (cancel.clone(), stop.clone());
                let watching = async move { watch.run(&token, &stop).await };
                let what = format!("watch {}", folder.path.display());
                tasks.spawn(self.in_turn(what, cancel, watching));
            }
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended
                && error.is_panic()
            {
                std::panic::resume_unwind(error.into_panic());
            }
        }
        // without targets there is nothing that waits
        cancel.cancelled().await;
    }

    /// The same, once no daemon before this one works on the same any more.
    fn in_turn(
        &self,
        what: String,
        cancel: &CancellationToken,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (turns, cancel) = (Arc::clone(&self.bridge.turns), cancel.clone());
        async move {
            if let Some(turn) = turns.take(what, &cancel).await {
                work.await;
                drop(turn);
            }
        }
    }
}

impl Bridge {
    /// Says that something was committed or decided: a daemon in this process looks at once.
    pub fn wake(&self) {
        self.wake.notify_waiters();
    }

    /// Waits until something may have been committed, at most so long.
    pub(super) async fn news(&self, at_most: Duration) {
        tokio::select! {
            () = self.wake.notified() => {}
            () = tokio::time::sleep(at_most) => {}
        }
    }

    /// Plans what is due of a target, again and again.
    async fn keep_planning_due(&self, target: &TargetName, cancel: &CancellationToken) {
        loop {
            let wait = match self.apply_due(target).await {
                Ok(runs) => {
                    if !runs.is_empty() {
                        self.wake();
                    }
                    for run in runs {
                        self.tell_if_held(&run).await;
                    }
                    DUE
                }
                Err(error) => {
                    self.note_trouble(&error);
                    log_error(&error, target, "what is due could not be planned this time");
                    AFTER_ERROR
                }
            };
            if is_over(cancel, wait).await {
                return;
            }
        }
    }

    pub(super) async fn tell_if_held(&self, id: &crate::domain::RunId) {
        if let Ok(Some(run)) = self.store.run(id).await
            && run.status == RunStatus::Held
        {
            let guards: Vec<&str> = run.held_by.iter().map(|held| held.guard.as_str()).collect();
            tracing::warn!(
                run.id = %id,
                source = %run.source,
                held_by = guards.join(", "),
                "the run is held: look at it with `scimport status`, then approve or cancel it"
            );
        }
    }
}

/// Waits; whether it is over.
pub(super) async fn is_over(cancel: &CancellationToken, wait: Duration) -> bool {
    tokio::select! {
        biased;
        () = cancel.cancelled() => true,
        () = tokio::time::sleep(wait) => false,
    }
}

/// Logs what somebody has to look at, with the way out where there is one.
pub(super) fn log_error(error: &BridgeError, target: &TargetName, what: &'static str) {
    let advice = StoreTrouble::among_causes(error)
        .map(StoreTrouble::advice)
        .or_else(|| SealProblem::among_causes(error).map(SealProblem::advice));
    tracing::error!(target = %target, error = %Causes(error), advice, "{what}; it is tried again");
}

/// The pause after an error of ours.
pub(super) const fn after_error() -> Duration {
    AFTER_ERROR
}
