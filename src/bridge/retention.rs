//! Letting go of what was kept long enough: once a day by the daemon, and by `work`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::bridge::daemon::{after_error, is_over};
use crate::bridge::{Bridge, BridgeError};
use crate::domain::{Origin, Who};
use crate::store::Wiped;
use crate::telemetry::Causes;

/// How often the daemon looks.
const DAILY: Duration = Duration::from_hours(24);
/// Operations or people in one transaction: some milliseconds in which others wait.
const AT_ONCE: usize = 500;

/// What was let go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LetGo {
    /// Operations and rejected rows.
    pub operations: u64,
    /// People who left, of whom no more is kept than who they were.
    pub people: u64,
}

impl Bridge {
    /// Lets go of what `[retention]` says was kept long enough; stops early when cancelled.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn let_go(
        &self,
        who: &Who,
        cancel: &CancellationToken,
    ) -> Result<LetGo, BridgeError> {
        let config = self.setup.config().retention;
        let now = self.clock.now();
        let mut done = LetGo::default();
        if let Some(before) = before(now, config.runs) {
            while !cancel.is_cancelled() {
                match self.store.remove_operations(before, AT_ONCE).await? {
                    0 => break,
                    removed => done.operations += removed,
                }
            }
        }
        if let Some(before) = before(now, config.left) {
            while !cancel.is_cancelled() {
                match self.store.reduce_leavers(before, AT_ONCE).await? {
                    0 => break,
                    reduced => done.people += reduced,
                }
            }
        }
        self.store.tell_let_go(who.clone(), now).await?;
        if done != LetGo::default() {
            tracing::info!(
                retention.operations = done.operations,
                retention.people = done.people,
                "what was kept long enough has been let go"
            );
        }
        Ok(done)
    }

    /// Lets go daily until cancelled, and wipes what an interrupted command has left to wipe.
    pub(super) async fn keep_letting_go(&self, cancel: &CancellationToken) {
        let who = Who::bridge(Origin::Daemon);
        loop {
            let wait = match self.let_go(&who, cancel).await {
                Ok(_) => DAILY,
                Err(error) => {
                    tracing::error!(
                        error = %Causes(&error),
                        "what was kept long enough cannot be let go now; it is tried again"
                    );
                    after_error()
                }
            };
            self.wipe_what_was_left(cancel).await;
            if is_over(cancel, wait).await {
                return;
            }
        }
    }

    async fn wipe_what_was_left(&self, cancel: &CancellationToken) {
        match self.wipe(cancel).await {
            Ok(Wiped::NothingDue) => {}
            Ok(Wiped::Clean) => tracing::info!(
                "the store's file and its log were written anew: nothing is left there of who was \
                 forgotten, nor from before the last rekeying"
            ),
            Ok(Wiped::InUse) => tracing::warn!(
                "the store's file and its log may still hold something of who was forgotten, or from \
                 before the last rekeying: something reads from the store all the time; it is tried again \
                 tomorrow"
            ),
            Err(error) => tracing::error!(
                error = %Causes(&error),
                "the store's file cannot be written anew, and may still hold something of who was \
                 forgotten, or from before the last rekeying; it is tried again tomorrow"
            ),
        }
    }
}

fn before(now: Timestamp, kept: Option<Duration>) -> Option<Timestamp> {
    let kept = SignedDuration::try_from(kept?).ok()?;
    now.checked_sub(kept).ok()
}
