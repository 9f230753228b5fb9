//! What the service manager hears of us: systemd's `sd_notify`. Where nobody listens, nothing is said.
//!
//! It is `READY=1` when the API listens and every target has been looked at, `RELOADING=1` and `READY=1`
//! around a reload, `STOPPING=1` at the end, and `STATUS=` in between: what waits, what is held, how the
//! jobs are; no names. Where it asks for a watchdog's sign of life, that comes only while the store
//! answers and the runtime turns.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::bridge::{Bridge, BridgeError, Overview};
use crate::domain::RunStatus;

/// How often the status is said anew, at most.
const STATUS: Duration = Duration::from_secs(30);
/// A count takes long in a large store: the pause after it is so many times as long.
const PAUSE_PER_LOOK: u32 = 20;
/// The variable with the socket's address.
const SOCKET: &str = "NOTIFY_SOCKET";
/// What is said between a reload that was refused and the next one.
const REFUSED: &str = "the last reload was refused, the log says why; ";

/// One word to the service manager.
enum Word<'a> {
    Ready,
    Reloading,
    Stopping,
    Status(&'a str),
    Alive,
}

/// What the manager's status is made of.
#[derive(Clone)]
struct Seen {
    bridge: Arc<Bridge>,
    is_refused: bool,
}

/// Speaks to the service manager.
pub(super) struct Manager(Option<watch::Sender<Seen>>);

impl Manager {
    /// Says that we are ready, and from now on how it goes.
    pub(super) fn start(
        env: &[(String, String)],
        bridge: Arc<Bridge>,
        cancel: &CancellationToken,
    ) -> Self {
        if !env.iter().any(|(name, value)| name == SOCKET && !value.is_empty()) {
            return Self(None);
        }
        let (sender, seen) = watch::channel(Seen { bridge, is_refused: false });
        say(&[Word::Ready]);
        if let Some(period) = watchdog() {
            let (seen, cancel) = (seen.clone(), cancel.clone());
            tokio::spawn(async move {
                // half the time is what sd_watchdog_enabled(3) recommends
                tokio::select! {
                    () = keep_alive(seen, period / 2) => {}
                    () = cancel.cancelled() => {}
                }
            });
        }
        let cancel = cancel.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = keep_telling(seen) => {}
                () = cancel.cancelled() => {}
            }
        });
        Self(Some(sender))
    }

    /// A reload has begun.
    pub(super) fn is_reloading(&self) {
        if self.0.is_some() {
            say(&[Word::Reloading]);
        }
    }

    /// A reload has ended, with another bridge or with the old one.
    pub(super) fn is_ready(&self, next: Option<Arc<Bridge>>) {
        if let Some(seen) = &self.0 {
            say(&[Word::Ready]);
            seen.send_modify(|seen| {
                seen.is_refused = next.is_none();
                if let Some(next) = next {
                    seen.bridge = next;
                }
            });
        }
    }

    /// We end.
    pub(super) fn is_stopping(&self) {
        if self.0.is_some() {
            say(&[Word::Stopping, Word::Status("finishing what is under way")]);
        }
    }
}

/// Says how it goes, again and again.
async fn keep_telling(mut seen: watch::Receiver<Seen>) {
    let mut said = String::new();
    loop {
        let Seen { bridge, is_refused } = seen.borrow_and_update().clone();
        let began = Instant::now();
        // a store that does not answer is told by whoever works with it
        if let Ok((overview, held)) = look(&bridge).await {
            let status = status(&overview, held, is_refused);
            if status != said {
                say(&[Word::Status(&status)]);
                said = status;
            }
        }
        let pause = STATUS.max(began.elapsed() * PAUSE_PER_LOOK);
        tokio::select! {
            changed = seen.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// All targets, and how many runs are held.
async fn look(bridge: &Bridge) -> Result<(Overview, u64), BridgeError> {
    let overview = bridge.overview().await?;
    let tally = bridge.store.tally().await?;
    let held = tally.runs.iter().filter(|((_, status), _)| *status == RunStatus::Held);
    Ok((overview, held.map(|(_, count)| count).sum()))
}

fn status(overview: &Overview, held: u64, is_refused: bool) -> String {
    let mut text = String::new();
    if is_refused {
        text.push_str(REFUSED);
    }
    text.push_str("serving");
    for target in &overview.targets {
        let queued = target.outbox.queued + target.outbox.sending;
        let (name, accepted) = (&target.target, target.accepted);
        let job = target.job.as_ref().map_or("not seen yet", |job| job.code.as_str());
        // nothing is written to but memory
        let _ = write!(text, "; {name}: {queued} queued, {accepted} await an outcome, job {job}");
    }
    let runs = if held == 1 { "run" } else { "runs" };
    let _ = write!(text, "; {held} {runs} held");
    text
}

/// Gives the signs of life, as long as the store answers.
async fn keep_alive(seen: watch::Receiver<Seen>, period: Duration) {
    let mut due = tokio::time::interval(period);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        let bridge = Arc::clone(&seen.borrow().bridge);
        let looked = tokio::time::timeout(period, bridge.store.keys()).await;
        match looked {
            Ok(Ok(_)) => say(&[Word::Alive]),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the store does not answer: no sign of life is given");
            }
            Err(_) => {
                tracing::warn!("the store does not answer in time: no sign of life is given");
            }
        }
    }
}

#[cfg(target_os = "linux")]
fn say(words: &[Word<'_>]) {
    use sd_notify::NotifyState;
    let mut states = Vec::new();
    for word in words {
        states.push(match word {
            Word::Ready => NotifyState::Ready,
            Word::Reloading => NotifyState::Reloading,
            Word::Stopping => NotifyState::Stopping,
            Word::Status(text) => NotifyState::Status(text),
            Word::Alive => NotifyState::Watchdog,
        });
        // since version 253 systemd wants to know when it was said
        if matches!(word, Word::Reloading)
            && let Ok(now) = NotifyState::monotonic_usec_now()
        {
            states.push(now);
        }
    }
    if let Err(error) = sd_notify::notify(&states) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}

#[cfg(not(target_os = "linux"))]
fn say(_words: &[Word<'_>]) {}

/// How long the manager waits for a sign of life; `None` where it does not.
#[cfg(target_os = "linux")]
fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().filter(|period| !period.is_zero())
}

#[cfg(not(target_os = "linux"))]
fn watchdog() -> Option<Duration> {
    None
}
