//! Reading by the clock: when a time of a schedule has come, its file or the HR system's answer becomes
//! a run.
//!
//! What is kept in the store is how far the times have been dealt with, and which one is being dealt
//! with, under the id that its run will have. So a restart neither repeats a time nor loses one: where
//! that run is there already, only the note is missing. However many times went by while nobody was
//! there, they are caught up with once. What does not come is waited for, until the next time and
//! beyond; when it is overdue, somebody is told, once for each time.

mod obtain;
mod tell;

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::bridge::daemon::is_over;
use crate::bridge::folder::out_of_patience;
use crate::bridge::schedule::obtain::{Got, NotYet};
use crate::bridge::{Applied, Applying, Bridge, BridgeError};
use crate::config::{ScheduleConfig, Takes, Times};
use crate::domain::{RunId, SourceName};
use crate::intake::folder::{Looks, Seen};
use crate::intake::schedule::{come, next};
use crate::intake::{Asked, new_run_id};
use crate::scim;
use crate::store::{DueTime, Lease, Run, ScheduleNote, StoreError, StoreTrouble};
use crate::telemetry::Causes;
use crate::web::{Hydrator, WebError};

pub(in crate::bridge) use tell::{Overdue, tell_come_after_all, tell_overdue};

/// Longest sleep until a time that is known: the clock may be put right meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// Shortest pause between two looks.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause between two looks for a file that has not come.
const LONGEST_LOOK: Duration = Duration::from_mins(1);
/// How often the lease is tried for while another process has it.
const LEASE: Duration = Duration::from_secs(5);
/// The first pause after something has gone wrong on our own side; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause after something has gone wrong.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// A note from further ahead than this is of a clock that was wrong.
const AHEAD: SignedDuration = SignedDuration::from_hours(25);

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

/// One schedule.
struct Entry {
    bridge: Arc<Bridge>,
    source: SourceName,
    config: ScheduleConfig,
    /// What its notes are kept under.
    name: String,
    /// `None` before it was read, and after something has gone wrong.
    note: Option<ScheduleNote>,
    looks: Looks,
    /// A file that came before, as it looked, and its run: it is not read again to find that out.
    before: Option<(Seen, RunId)>,
    hydrator: Option<Hydrator>,
    /// What was told about the time that is waited for: each thing once.
    told: Option<NotYet>,
    failures: u32,
}

/// What dealing with a time came to.
enum Dealt {
    /// It is done.
    Done,
    /// It has to wait.
    NotYet(NotYet, Duration),
}

impl Timetable {
    /// The schedules of a source; `None` where it has none.
    pub(super) fn new(bridge: &Arc<Bridge>, source: &SourceName) -> Option<Self> {
        let config = bridge.setup.config().sources.iter().find(|one| one.name == *source)?;
        let entry = |config: &ScheduleConfig| Entry {
            bridge: Arc::clone(bridge),
            source: source.clone(),
            config: config.clone(),
            name: name(config),
            note: None,
            looks: Looks::default(),
            before: None,
            hydrator: None,
            told: None,
            failures: 0,
        };
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
    /// for each other.
    pub(super) async fn run(&mut self, cancel: &CancellationToken) {
        loop {
            let wait = tokio::select! {
                wait = self.pass(cancel) => wait,
                () = out_of_patience(cancel) => return,
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

impl Entry {
    async fn step_or_pause(&mut self, cancel: &CancellationToken) -> Duration {
        match self.step(cancel).await {
            Ok(wait) => {
                self.failures = 0;
                wait
            }
            Err(error) => {
                // what is kept is what counts
                self.note = None;
                let wait =
                    FIRST_PAUSE.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE);
                self.failures += 1;
                log_error(&self.source, &error, wait);
                wait
            }
        }
    }

    /// Looks whether a time has come, and deals with it; gives how long to wait.
    async fn step(&mut self, cancel: &CancellationToken) -> Result<Duration, BridgeError> {
        let now = self.bridge.clock.now();
        let mut note = match self.note.take() {
            Some(note) => note,
            None => self.begin(now).await?,
        };
        let newer = come(&self.config.times, note.through, now);
        match &mut note.due {
            None => {
                let Some(newer) = newer else {
                    self.note = Some(note);
                    return Ok(self.until_next(now));
                };
                let run = new_run_id(now);
                note.due = Some(DueTime { at: newer.at, run, missed: newer.missed });
                self.keep(&note).await?;
                tell::tell_begun(&self.source, &self.config, note.due.as_ref(), now);
                self.told = None;
            }
            // what was told to be overdue is waited for under the newest time, which is overdue anew
            Some(due) if note.alarmed == Some(due.at) => {
                if let Some(newer) = newer.filter(|newer| newer.at > due.at) {
                    due.missed = due.missed.saturating_add(newer.missed);
                    due.at = newer.at;
                    self.keep(&note).await?;
                    self.told = None;
                }
            }
            Some(_) => {}
        }
        let dealt = self.deal(&mut note, cancel).await?;
        let wait = match dealt {
            Dealt::Done => {
                self.finish(&mut note, now).await?;
                Duration::ZERO
            }
            Dealt::NotYet(why, wait) => {
                let wait = wait.min(self.look_for_overdue(&mut note, &why).await?);
                self.tell_once(why);
                wait
            }
        };
        self.note = Some(note);
        Ok(wait)
    }

    /// Where it was left; a schedule that is new begins now.
    async fn begin(&mut self, now: Timestamp) -> Result<ScheduleNote, BridgeError> {
        let kept = self.bridge.store.schedule(&self.source, &self.name).await?;
        let note = match kept {
            Some(note) if note.through.duration_since(now) <= AHEAD => return Ok(note),
            Some(note) => {
                tracing::warn!(
                    source = %self.source,
                    through = %note.through,
                    "this schedule was last followed by a clock that was ahead; it begins anew now"
                );
                ScheduleNote { through: now, ..note }
            }
            None => ScheduleNote::from(now),
        };
        self.keep(&note).await?;
        tell::tell_new(&self.source, &self.config, next(&self.config.times, now));
        Ok(note)
    }

    async fn keep(&self, note: &ScheduleNote) -> Result<(), StoreError> {
        self.bridge.store.note_schedule(&self.source, &self.name, note).await
    }

    /// Takes what the time is for, and commits it as a run.
    async fn deal(
        &mut self,
        note: &mut ScheduleNote,
        cancel: &CancellationToken,
    ) -> Result<Dealt, BridgeError> {
        let Some(due) = &note.due else { return Ok(Dealt::Done) };
        let (id, at) = (due.run.clone(), due.at);
        if let Some(run) = self.bridge.store.run(&id).await? {
            if obtain::was_read(&run) {
                tracing::info!(source = %self.source, run.id = %id, "the run of this time is there already");
                return Ok(Dealt::Done);
            }
            // the file went away while it was read; that says nothing about the next look
            return self.anew(note).await;
        }
        let got = match self.obtain(at, cancel).await? {
            Got::File(got) => got,
            Got::NotYet(why, wait) => return Ok(Dealt::NotYet(why, wait)),
        };
        let applying = Applying { asked: Asked::Automatic, id: Some(&id), ..Applying::default() };
        let source = self.source.clone();
        let applied = self.bridge.apply(source.as_str(), got.path(), applying, &mut |_| true).await;
        match applied {
            Ok(Applied::Committed(id)) => {
                self.bridge.wake();
                tracing::info!(source = %self.source, run.id = %id, due = %at, "the time's run is planned");
                self.bridge.tell_if_held(&id).await;
                Ok(Dealt::Done)
            }
            Ok(Applied::Already(run)) => Ok(self.again(&run, got.seen)),
            Ok(Applied::Declined) => Err(BridgeError::LedgerBusy),
            Err(BridgeError::Refused(problem)) if obtain::is_unread(problem.code) => {
                self.anew(note).await
            }
            Err(BridgeError::Refused(problem)) => {
                tracing::warn!(
                    source = %self.source,
                    run.id = %id,
                    code = problem.code,
                    place = %problem.place,
                    "what came was refused: {}",
                    problem.message
                );
                Ok(Dealt::Done)
            }
            Err(error) => Err(error),
        }
    }

    /// The bytes are those of the latest run. For what is asked for, nothing has changed; for a file
    /// that somebody puts there, it has not been put there.
    fn again(&mut self, run: &Run, seen: Option<Seen>) -> Dealt {
        match &self.config.takes {
            Takes::Fetch(_) => {
                tracing::info!(source = %self.source, run.id = %run.id, "nothing has changed since this run");
                Dealt::Done
            }
            Takes::File { .. } => {
                self.before = seen.map(|seen| (seen, run.id.clone()));
                Dealt::NotYet(NotYet::CameBefore(run.id.clone()), self.look())
            }
        }
    }

    /// Looks again, for a run of another id.
    async fn anew(&mut self, note: &mut ScheduleNote) -> Result<Dealt, BridgeError> {
        if let Some(due) = &mut note.due {
            due.run = new_run_id(self.bridge.clock.now());
        }
        self.keep(note).await?;
        Ok(Dealt::NotYet(NotYet::Unreadable, self.look()))
    }

    /// Notes that a time is dealt with, and all before the look that found what it is for.
    async fn finish(
        &mut self,
        note: &mut ScheduleNote,
        looked_at: Timestamp,
    ) -> Result<(), BridgeError> {
        let Some(due) = note.due.take() else { return Ok(()) };
        let newest = come(&self.config.times, due.at, looked_at);
        note.through = newest.map_or(due.at, |newest| newest.at);
        note.came = Some(self.bridge.clock.now());
        let alarmed = note.alarmed.take();
        self.keep(note).await?;
        if let Some(at) = alarmed {
            tell_come_after_all(&self.source, &self.what(), at);
        }
        (self.told, self.before) = (None, None);
        Ok(())
    }

    /// Tells that it is overdue when it is; gives when it will be.
    async fn look_for_overdue(
        &self,
        note: &mut ScheduleNote,
        why: &NotYet,
    ) -> Result<Duration, BridgeError> {
        let Some(due) = &note.due else { return Ok(LONGEST_LOOK) };
        if note.alarmed == Some(due.at) {
            return Ok(LONGEST_LOOK);
        }
        let overdue_after = self.config.overdue_after;
        let overdue_at = due.at.checked_add(overdue_after).unwrap_or(Timestamp::MAX);
        let left = Duration::try_from(overdue_at.duration_since(self.bridge.clock.now()));
        if let Ok(left) = left
            && !left.is_zero()
        {
            return Ok(left);
        }
        let at = due.at;
        note.alarmed = Some(at);
        self.keep(note).await?;
        tell_overdue(&self.source, &Overdue { what: &self.what(), at, why: &why.to_string() });
        Ok(LONGEST_LOOK)
    }

    /// What is waited for, as people call it.
    fn what(&self) -> String {
        match &self.config.takes {
            Takes::File { path, .. } => format!("file `{}`", path.display()),
            Takes::Fetch(_) => "the HR system's answer".to_owned(),
        }
    }

    fn tell_once(&mut self, why: NotYet) {
        if self.told.as_ref() != Some(&why) {
            tell::tell_waiting(&self.source, &self.what(), &why);
            self.told = Some(why);
        }
    }

    /// How long until it is looked for the file again.
    fn look(&self) -> Duration {
        match &self.config.takes {
            Takes::File { settle, .. } => (*settle).clamp(SHORTEST_PAUSE, LONGEST_LOOK),
            Takes::Fetch(_) => LONGEST_LOOK,
        }
    }

    fn until_next(&self, now: Timestamp) -> Duration {
        let next = next(&self.config.times, now);
        let wait = next.and_then(|next| Duration::try_from(next.duration_since(now)).ok());
        wait.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP)
    }
}

/// What the notes of a schedule are kept under: another time or file is another schedule.
fn name(config: &ScheduleConfig) -> String {
    match &config.takes {
        Takes::File { path, .. } => note_name(&config.times, path.as_os_str().to_owned()),
        Takes::Fetch(fetch) => note_name(&config.times, format!("GET {}", fetch.url).into()),
    }
}

/// The same for times and whatever they are for, which is not kept in plain: an address may be secret.
pub(super) fn note_name(times: &Times, what: OsString) -> String {
    let digest = scim::digest(what.as_encoded_bytes());
    let what: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{} {} {what}", times.text(), times.zone().name)
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
