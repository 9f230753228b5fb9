//! Reading by the clock: when a time of a schedule has come, its file or the HR system's answer becomes
//! a run.
//!
//! What is kept in the store is how far the times have been dealt with, and which one is being dealt
//! with, under the id that its run will have. So a restart neither repeats a time nor loses one: where
//! that run is there already, only the note is missing. However many times went by while nobody was
//! there, they are caught up with once. What does not come is waited for, until the next time and
//! beyond; when it is overdue, somebody is told, once for each time.

mod entry;
mod obtain;
mod tell;

use std::ffi::OsStr;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::bridge::daemon::is_over;
use crate::bridge::folder::expect::expected_name;
use crate::bridge::folder::out_of_patience;
use crate::bridge::schedule::entry::Entry;
use crate::bridge::{Bridge, BridgeError};
use crate::config::{ScheduleConfig, SourceConfig, Takes, Times};
use crate::domain::SourceName;
use crate::scim;
use crate::store::{Lease, StoreTrouble};
use crate::telemetry::Causes;
use crate::web::WebError;

pub(in crate::bridge) use tell::{Overdue, tell_come_after_all, tell_overdue};

/// Longest sleep until a time that is known: the clock may be put right meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// Shortest pause between two looks.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// How often the lease is tried for while another process has it.
const LEASE: Duration = Duration::from_secs(5);

/// Why nothing can be fetched, on our own side.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// The client cannot be made.
    #[error("the HR system of source `{name}` cannot be asked with these settings")]
    Client {
        /// The source.
        name: SourceName,
        /// Why.
        #[source]
        source: WebError,
    },
    /// There is no room for what is fetched.
    #[error("what is fetched cannot be kept in the temporary folder")]
    Spool(#[source] std::io::Error),
}

/// The schedules of one source; one process follows them at a time.
pub(super) struct Timetable {
    bridge: Arc<Bridge>,
    source: SourceName,
    entries: Vec<Entry>,
    lease: Option<Box<dyn Lease>>,
    is_locked_out: bool,
}

impl Timetable {
    /// The schedules of a source; `None` where it has none.
    pub(super) fn new(bridge: &Arc<Bridge>, source: &SourceName) -> Option<Self> {
        let config = bridge.setup.config().sources.iter().find(|one| one.name == *source)?;
        let entry = |config| Entry::new(bridge, source, config);
        let entries: Vec<Entry> = config.schedules.iter().map(entry).collect();
        let (bridge, source) = (Arc::clone(bridge), source.clone());
        (!entries.is_empty()).then(|| Self {
            bridge,
            source,
            entries,
            lease: None,
            is_locked_out: false,
        })
    }

    /// Follows them until cancelled, one after the other: two runs of a source at once would only wait
    /// for each other. A file that is being read is read to its end then; when the process ends
    /// (`stop`), only for so long.
    pub(super) async fn run(&mut self, cancel: &CancellationToken, stop: &CancellationToken) {
        loop {
            let wait = tokio::select! {
                wait = self.pass(cancel) => wait,
                () = out_of_patience(stop) => return,
            };
            if is_over(cancel, wait.max(SHORTEST_PAUSE)).await {
                return;
            }
        }
    }

    async fn pass(&mut self, cancel: &CancellationToken) -> Duration {
        if !self.has_lease().await {
            return LEASE;
        }
        let mut wait = LONGEST_SLEEP;
        for entry in &mut self.entries {
            if cancel.is_cancelled() {
                break;
            }
            wait = wait.min(entry.step_or_pause(cancel).await);
        }
        wait
    }

    async fn has_lease(&mut self) -> bool {
        if self.lease.is_some() {
            return true;
        }
        match self.bridge.store.schedules_lease(&self.source, self.bridge.clock.now()).await {
            Ok(Some(lease)) => {
                if std::mem::take(&mut self.is_locked_out) {
                    tracing::info!(source = %self.source, "this process follows its schedules now");
                }
                self.lease = Some(lease);
            }
            Ok(None) => {
                if !std::mem::replace(&mut self.is_locked_out, true) {
                    tracing::warn!(
                        source = %self.source,
                        "another process follows the schedules of this source; waiting"
                    );
                }
            }
            Err(error) => log_error(&self.source, &error.into(), LEASE),
        }
        self.lease.is_some()
    }
}

/// What the notes of a schedule are kept under: another time or file is another schedule.
fn name(config: &ScheduleConfig) -> String {
    match &config.takes {
        Takes::File { path, .. } => note_name(&config.times, path.as_os_str()),
        Takes::Fetch(fetch) => note_name(&config.times, format!("GET {}", fetch.url).as_ref()),
    }
}

/// What the notes of everything are kept under that a source is to have come by the clock.
pub(super) fn names(source: &SourceConfig) -> Vec<String> {
    let folders = source.folders.iter().filter_map(expected_name);
    source.schedules.iter().map(name).chain(folders).collect()
}

/// The same for times and whatever they are for, which is not kept in plain: an address may be secret.
pub(super) fn note_name(times: &Times, what: &OsStr) -> String {
    let digest = u128::from_be_bytes(scim::digest(what.as_encoded_bytes()));
    format!("{} {} {digest:032x}", times.text(), times.zone().name)
}

fn log_error(source: &SourceName, error: &BridgeError, wait: Duration) {
    tracing::error!(
        source = %source,
        error = %Causes(error),
        advice = StoreTrouble::among_causes(error).map(StoreTrouble::advice),
        again_in_s = wait.as_secs(),
        "what is due by the clock waits; it is tried again"
    );
}

#[cfg(test)]
mod tests;
