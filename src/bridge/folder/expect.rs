//! When a file always comes into a watched folder: one that does not is told, once for each time.
//!
//! A file counts for a time when it came no longer before it than it may come after it, and not
//! before the time that went before. The bytes of the latest run again are no file that came.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::bridge::folder::{Watch, WatchError};
use crate::bridge::schedule::{Overdue, note_name, tell_come_after_all, tell_overdue};
use crate::config::{ExpectedConfig, FolderConfig};
use crate::intake::schedule::{come, previous};
use crate::store::ScheduleNote;

/// What the notes of a folder are kept under; `None` where nothing is expected of it.
pub(in crate::bridge) fn expected_name(folder: &FolderConfig) -> Option<String> {
    let config = folder.expected.as_ref()?;
    let mut what = folder.path.clone().into_os_string();
    what.push(" expected");
    Some(note_name(&config.times, &what))
}

/// What is expected of a folder.
pub(super) struct Expecting {
    config: ExpectedConfig,
    /// What its notes are kept under.
    name: String,
    /// `None` before it was read.
    note: Option<ScheduleNote>,
    began: Instant,
    /// A file that came while nobody was there has this long to be taken.
    grace: Duration,
}

impl Expecting {
    pub(super) fn new(folder: &FolderConfig) -> Option<Self> {
        Some(Self {
            name: expected_name(folder)?,
            config: folder.expected.clone()?,
            note: None,
            began: Instant::now(),
            grace: folder.settle + folder.poll * 2,
        })
    }

    /// Forgets what was read: another process may have noted something else meanwhile.
    pub(super) fn forget(&mut self) {
        self.note = None;
    }

    /// Whether what came last came for a time.
    fn has_come(&self, at: Timestamp, came: Option<Timestamp>) -> bool {
        let from = at.checked_sub(self.config.within).unwrap_or(Timestamp::MIN);
        let from = previous(&self.config.times, at).map_or(from, |before| from.max(before));
        came.is_some_and(|came| came >= from)
    }
}

impl Watch {
    /// Tells that a file is overdue, when it is.
    pub(super) async fn look_for_expected(&mut self) -> Result<(), WatchError> {
        let Some(mut expecting) = self.expecting.take() else { return Ok(()) };
        let looked = self.look_for(&mut expecting).await;
        self.expecting = Some(expecting);
        looked
    }

    async fn look_for(&self, expecting: &mut Expecting) -> Result<(), WatchError> {
        let now = self.bridge.clock.now();
        let mut note = self.note_of(expecting, now).await?;
        let until = now.checked_sub(expecting.config.within).unwrap_or(Timestamp::MIN);
        if let Some(overdue) = come(&expecting.config.times, note.through, until) {
            let has_come = expecting.has_come(overdue.at, note.came);
            if !has_come && expecting.began.elapsed() < expecting.grace {
                expecting.note = Some(note);
                return Ok(());
            }
            note.through = overdue.at;
            if !has_come {
                note.alarmed = Some(overdue.at);
            }
            self.keep(expecting, &note).await?;
            if !has_come {
                let why = if self.is_away {
                    "the folder is not there"
                } else {
                    "no file came, or the one that came before"
                };
                let what = self.what();
                tell_overdue(&self.source, &Overdue { what: &what, at: overdue.at, why });
            }
        }
        expecting.note = Some(note);
        Ok(())
    }

    /// Notes that a file has come and is answered.
    pub(super) async fn note_came(&mut self) -> Result<(), WatchError> {
        let Some(mut expecting) = self.expecting.take() else { return Ok(()) };
        let noted = self.note_came_for(&mut expecting).await;
        self.expecting = Some(expecting);
        noted
    }

    async fn note_came_for(&self, expecting: &mut Expecting) -> Result<(), WatchError> {
        let now = self.bridge.clock.now();
        let mut note = self.note_of(expecting, now).await?;
        note.came = Some(now);
        let alarmed = note.alarmed.take();
        self.keep(expecting, &note).await?;
        if let Some(at) = alarmed {
            tell_come_after_all(&self.source, &self.what(), at);
        }
        expecting.note = Some(note);
        Ok(())
    }

    /// How far the times are; those of a folder that is new begin now.
    async fn note_of(
        &self,
        expecting: &mut Expecting,
        now: Timestamp,
    ) -> Result<ScheduleNote, WatchError> {
        if let Some(note) = expecting.note.take() {
            return Ok(note);
        }
        if let Some(note) = self.bridge.store.schedule(&self.source, &expecting.name).await? {
            // what is still to come was noted by a clock that was ahead
            let came = note.came.filter(|came| *came <= now);
            return Ok(ScheduleNote { through: note.through.min(now), came, ..note });
        }
        let note = ScheduleNote::from(now);
        self.keep(expecting, &note).await?;
        Ok(note)
    }

    async fn keep(&self, expecting: &Expecting, note: &ScheduleNote) -> Result<(), WatchError> {
        Ok(self.bridge.store.note_schedule(&self.source, &expecting.name, note).await?)
    }

    fn what(&self) -> String {
        format!("a file in folder `{}`", self.config.path.display())
    }
}
