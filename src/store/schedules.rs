//! Schedules: how far their times have been dealt with.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::{RunId, SourceName};
use crate::store::{Lease, StoreError};

/// How far the times of a schedule have been dealt with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleNote {
    /// Times up to this one are.
    pub through: Timestamp,
    /// The one that is being dealt with.
    pub due: Option<DueTime>,
    /// The time that nothing came for, although somebody was told; until something comes.
    pub alarmed: Option<Timestamp>,
    /// When something came last.
    pub came: Option<Timestamp>,
}

/// A time that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueTime {
    /// When.
    pub at: Timestamp,
    /// The id of its run, made beforehand: after a crash it says whether the run was committed.
    pub run: RunId,
    /// How many earlier times it stands for, because nobody was there.
    pub missed: u64,
}

impl ScheduleNote {
    /// Begins at an instant: nothing before it is dealt with any more.
    #[must_use]
    pub const fn from(through: Timestamp) -> Self {
        Self { through, due: None, alarmed: None, came: None }
    }
}

/// Schedules.
#[async_trait]
pub trait Schedules {
    /// How far a schedule of a source has got; `None` for one that was never noted.
    async fn schedule(
        &self,
        source: &SourceName,
        name: &str,
    ) -> Result<Option<ScheduleNote>, StoreError>;

    /// Notes how far a schedule of a source has got, in the place of what was noted before.
    async fn note_schedule(
        &self,
        source: &SourceName,
        name: &str,
        note: &ScheduleNote,
    ) -> Result<(), StoreError>;

    /// Takes the lease of a source's schedules; `None` while another process (or another holder in
    /// this one) has it.
    async fn schedules_lease(
        &self,
        source: &SourceName,
        now: Timestamp,
    ) -> Result<Option<Box<dyn Lease>>, StoreError>;
}
