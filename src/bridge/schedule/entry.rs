//! One schedule: whether a time has come, what it is for, and how far that is noted.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::bridge::schedule::obtain::{self, Got, NotYet};
use crate::bridge::schedule::tell::{self, Overdue, tell_come_after_all, tell_overdue};
use crate::bridge::schedule::{LONGEST_SLEEP, SHORTEST_PAUSE, log_error, name};
use crate::bridge::{Applied, Applying, Bridge, BridgeError};
use crate::config::{ScheduleConfig, Takes};
use crate::domain::{Origin, RunId, SourceName};
use crate::intake::folder::{Looks, Seen};
use crate::intake::schedule::{come, next};
use crate::intake::{Asked, new_run_id};
use crate::store::{DueTime, Run, ScheduleNote, StoreError};
use crate::web::Hydrator;

/// Longest pause between two looks for a file that has not come.
pub(super) const LONGEST_LOOK: Duration = Duration::from_mins(1);
/// The first pause after something has gone wrong on our own side; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause after something has gone wrong.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// Longest pause whatever the other side asks for: a newer time may come meanwhile.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// So many times as long as it takes to settle, a file that is there is no reason for an alarm: an empty
/// one settles in six.
const SETTLES: u32 = 8;
/// A note from further ahead than this is of a clock that was wrong.
const AHEAD: SignedDuration = SignedDuration::from_hours(25);

/// One schedule.
pub(super) struct Entry {
    pub(super) bridge: Arc<Bridge>,
    pub(super) source: SourceName,
    pub(super) config: ScheduleConfig,
    /// What its notes are kept under.
    name: String,
    /// `None` before it was read, and after something has gone wrong.
    note: Option<ScheduleNote>,
    pub(super) looks: Looks,
    /// A file that came before, as it looked, and its run: it is not read again to find that out.
    pub(super) before: Option<(Seen, RunId)>,
    pub(super) hydrator: Option<Hydrator>,
    /// What was told about the time that is waited for: each thing once.
    told: Option<NotYet>,
    /// Not before then: another schedule of the source may wake us earlier.
    pub(super) again_at: Option<Instant>,
    /// Since when this process looks for what the time is for.
    looking_since: Option<Instant>,
    failures: u32,
}

/// What dealing with a time came to.
enum Dealt {
    /// It is done, and so are all times up to this instant.
    Done(Timestamp),
    /// It has to wait.
    NotYet(NotYet, Duration),
}

impl Entry {
    pub(super) fn new(bridge: &Arc<Bridge>, source: &SourceName, config: &ScheduleConfig) -> Self {
        Self {
            bridge: Arc::clone(bridge),
            source: source.clone(),
            config: config.clone(),
            name: name(config),
            note: None,
            looks: Looks::default(),
            before: None,
            hydrator: None,
            told: None,
            again_at: None,
            looking_since: None,
            failures: 0,
        }
    }

    /// Looks whether a time has come, and deals with it; gives how long to wait, also after a failure.
    pub(super) async fn step_or_pause(&mut self, cancel: &CancellationToken) -> Duration {
        if let Some(at) = self.again_at {
            let left = at.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                return left;
            }
        }
        let wait = self.step_or_fail(cancel).await;
        self.again_at = Some(Instant::now() + wait);
        wait
    }

    async fn step_or_fail(&mut self, cancel: &CancellationToken) -> Duration {
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
        if note.due.is_none() {
            let Some(newer) = come(&self.config.times, note.through, now) else {
                self.note = Some(note);
                return Ok(self.until_next(now));
            };
            let run = new_run_id(now);
            note.due = Some(DueTime { at: newer.at, run, missed: newer.missed });
            self.keep(&note).await?;
            tell::tell_begun(&self.source, &self.config, note.due.as_ref(), now);
            self.told = None;
        } else if self.move_on(&mut note, now) {
            self.keep(&note).await?;
            self.told = None;
        }
        self.looking_since.get_or_insert_with(Instant::now);
        let dealt = self.deal(&mut note, cancel).await?;
        let wait = match dealt {
            Dealt::Done(looked_at) => {
                self.finish(&mut note, looked_at).await?;
                Duration::ZERO
            }
            // the next start sees what is left of it
            Dealt::NotYet(..) if cancel.is_cancelled() => Duration::ZERO,
            Dealt::NotYet(why, wait) => {
                let wait = wait.min(self.look_for_overdue(&mut note, &why).await?);
                let wait = wait.min(LONGEST_WAIT);
                self.tell_once(why);
                wait
            }
        };
        self.note = Some(note);
        Ok(wait)
    }

    /// Lets a newer time take the place of the one that nothing came for: where that was told, since it
    /// is overdue anew then; where nobody was there to tell it, since one alarm is enough.
    fn move_on(&self, note: &mut ScheduleNote, now: Timestamp) -> bool {
        let Some(due) = &mut note.due else { return false };
        let until = if note.alarmed == Some(due.at) {
            now
        } else {
            now.checked_sub(self.config.overdue_after).unwrap_or(Timestamp::MIN)
        };
        let Some(newer) = come(&self.config.times, due.at, until) else { return false };
        due.missed = due.missed.saturating_add(newer.missed).saturating_add(1);
        due.at = newer.at;
        true
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
        let looked_at = self.bridge.clock.now();
        let Some(due) = &note.due else { return Ok(Dealt::Done(looked_at)) };
        let (id, at) = (due.run.clone(), due.at);
        if let Some(run) = self.bridge.store.run(&id).await? {
            if obtain::was_read(&run) {
                tracing::info!(source = %self.source, run.id = %id, "the run of this time is there already");
                // what has come since then is still to be dealt with
                return Ok(Dealt::Done(at));
            }
            // the file went away while it was read; that says nothing about the next look
            return self.anew(note).await;
        }
        let got = match self.obtain(at, cancel).await? {
            Got::File(got) => got,
            Got::NotYet(why, wait) => return Ok(Dealt::NotYet(why, wait)),
        };
        let who = self.bridge.who.clone().via(Origin::Schedule);
        let applying = Applying {
            asked: Asked::Automatic,
            id: Some(&id),
            who: Some(&who),
            ..Applying::default()
        };
        let source = self.source.clone();
        let applied = self.bridge.apply(source.as_str(), got.path(), applying, &mut |_| true).await;
        match applied {
            Ok(Applied::Committed(id)) => {
                self.bridge.wake();
                tracing::info!(source = %self.source, run.id = %id, due = %at, "the time's run is planned");
                self.bridge.tell_if_held(&id).await;
                Ok(Dealt::Done(looked_at))
            }
            Ok(Applied::Already(run)) => {
                let is_new = run.started_at > note.came.unwrap_or(note.through);
                Ok(self.again(&run, is_new, got.seen, looked_at))
            }
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
                Ok(Dealt::Done(looked_at))
            }
            Err(error) => Err(error),
        }
    }

    /// The bytes are those of the latest run. For what is asked for, nothing has changed; a file that
    /// somebody puts there has not been put there, unless somebody applied it by hand meanwhile.
    fn again(&mut self, run: &Run, is_new: bool, seen: Option<Seen>, at: Timestamp) -> Dealt {
        match &self.config.takes {
            Takes::File { .. } if !is_new => {
                self.before = seen.map(|seen| (seen, run.id.clone()));
                Dealt::NotYet(NotYet::CameBefore(run.id.clone()), self.look())
            }
            Takes::File { .. } | Takes::Fetch(_) => {
                tracing::info!(source = %self.source, run.id = %run.id, "nothing has changed since this run");
                Dealt::Done(at)
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
        (self.told, self.before, self.looking_since) = (None, None, None);
        Ok(())
    }

    /// Tells that it is overdue when it is; gives when it will be.
    async fn look_for_overdue(
        &self,
        note: &mut ScheduleNote,
        why: &NotYet,
    ) -> Result<Duration, BridgeError> {
        let Some(due) = &note.due else { return Ok(LONGEST_WAIT) };
        if note.alarmed == Some(due.at) {
            return Ok(LONGEST_WAIT);
        }
        // where it is late because nobody was there, what lies there may be whole and only new to us
        if let (NotYet::Growing, Takes::File { settle, .. }) = (why, &self.config.takes)
            && self.looking_since.is_some_and(|since| since.elapsed() < *settle * SETTLES)
        {
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
        Ok(LONGEST_WAIT)
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
    pub(super) fn look(&self) -> Duration {
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
