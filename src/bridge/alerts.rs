//! Telling people that somebody has to look: a task of the daemon.
//!
//! Every so often it is found out what holds now (`look`), held against what was told, and what is
//! new goes out over every channel (`channels`). What was told is kept in the store, so that a restart
//! says nothing twice; it is noted after it was sent, so that nothing is lost on the way. A channel
//! that fails is tried again by itself, with pauses, and keeps no other waiting.
//!
//! Where several daemons work on one store, one of them tells, and another one takes over when it is
//! gone.

mod channels;
mod conditions;
mod expiry;
mod look;
mod refused;
mod rounds;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::bridge::Bridge;
use crate::bridge::alerts::look::Lookout;
use crate::bridge::alerts::rounds::Rounds;
use crate::bridge::daemon::is_over;
use crate::config::AlertsConfig;
use crate::domain::TargetName;
use crate::store::StoreError;
use crate::telemetry::Causes;
use crate::telemetry::alerts::{Book, Rules};

pub(super) use channels::missing_secrets;
pub use channels::{Channel, ChannelError, alert_channels};
pub use conditions::Conditions;
pub(super) use conditions::answer_of;

/// How often it is found out what holds.
const LOOK: Duration = Duration::from_secs(15);
/// How often while new alerts are being gathered.
const LOOK_SOON: Duration = Duration::from_secs(1);
/// How long what is on its way may take once it is to end.
const LAST_SENDINGS: Duration = Duration::from_secs(5);
/// Stands for no target: names of targets have no blank.
const LEASE: &str = "the alerts";

impl Bridge {
    /// Tells over these channels until cancelled. The daemon began then: what happened before that is
    /// not told unless alerts were on already.
    pub(super) async fn keep_alerting(
        self: Arc<Self>,
        config: AlertsConfig,
        channels: Vec<Arc<dyn Channel>>,
        began: Timestamp,
        cancel: CancellationToken,
    ) {
        let lease = TargetName::new(LEASE);
        let lease = loop {
            match self.store.lease(&lease, self.clock.now()).await {
                Ok(Some(lease)) => break Some(lease),
                Ok(None) => {}
                // better told by two than by none
                Err(error) => {
                    tracing::warn!(error = %Causes(&error), "whoever else tells alerts is not known");
                    break None;
                }
            }
            if is_over(&cancel, LOOK).await {
                return;
            }
        };
        let opened = self.open_book(&config, &channels, began, &cancel).await;
        let Some(book) = opened else { return };
        let mut lookout = Lookout::new(config);
        let mut rounds = Rounds::new(book, channels);
        while !cancel.is_cancelled() {
            self.alert_once(&mut lookout, &mut rounds).await;
            let wait = if rounds.is_gathering(self.clock.now()) { LOOK_SOON } else { LOOK };
            let wait = rounds.next_try().map_or(wait, |next| next.min(wait));
            tokio::select! {
                () = cancel.cancelled() => break,
                () = self.news(wait) => {}
                () = rounds.one_sent(self.clock.now()) => {}
            }
            // a burst of commits is looked at once
            if is_over(&cancel, LOOK_SOON).await {
                break;
            }
        }
        let _ = tokio::time::timeout(LAST_SENDINGS, rounds.all_sent(&*self.clock)).await;
        if let Err(error) = self.keep_book(&mut rounds).await {
            tracing::warn!(error = %Causes(&error), "what alerts were told last is not kept");
        }
        drop(lease);
    }

    /// One look, and the sendings that it makes due.
    async fn alert_once(&self, lookout: &mut Lookout, rounds: &mut Rounds) {
        let now = self.clock.now();
        let seen = lookout.look(self, rounds.book(), now).await;
        rounds.observe(seen, now);
        self.conditions.note_active(rounds.book().active());
        if rounds.is_changed() || self.conditions.has_store_trouble() {
            // told from memory all the same; while there is trouble this shows whether it lasts
            if let Err(error) = self.keep_book(rounds).await {
                self.note_trouble(&error);
            }
        }
        rounds.send(now);
    }

    /// What was told before; `None` when it is over before that could be read.
    async fn open_book(
        &self,
        config: &AlertsConfig,
        channels: &[Arc<dyn Channel>],
        began: Timestamp,
        cancel: &CancellationToken,
    ) -> Option<Book> {
        let rules = Rules {
            on: config.on.clone(),
            repeat: config.repeat.try_into().unwrap_or(jiff::SignedDuration::MAX),
            channels: channels.iter().map(|channel| channel.name().to_owned()).collect(),
        };
        loop {
            match self.store.alerts().await {
                Ok(kept) => return Some(Book::open(kept, rules, began)),
                Err(error) => {
                    tracing::error!(error = %Causes(&error), "what alerts were told cannot be read");
                }
            }
            if is_over(cancel, LOOK).await {
                return None;
            }
        }
    }

    async fn keep_book(&self, rounds: &mut Rounds) -> Result<(), StoreError> {
        self.store.keep_alerts(rounds.book().kept()).await?;
        rounds.note_kept();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
