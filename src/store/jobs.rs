//! Provisioning jobs, as they were last seen: so that the next look, in whatever process, notices what
//! has changed, and so that what needs no network can speak of it.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::TargetName;
use crate::store::StoreError;

/// A provisioning job, as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSeen {
    /// Its state, such as `Active`.
    pub code: String,
    /// Why it is in quarantine, as Graph names it.
    pub quarantine: Option<String>,
    /// The most disables and deletes of one cycle that it carries out unasked; `None` when that is off.
    pub delete_threshold: Option<u64>,
    /// When.
    pub at: Timestamp,
}

impl JobSeen {
    /// Whether it did not process what it was sent: only a job that runs, or will, does.
    #[must_use]
    pub fn is_ill(&self) -> bool {
        !matches!(self.code.as_str(), "Active" | "NotRun")
    }
}

/// Why everything that was open was sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResentWhy {
    /// The job runs again: a restart out of a pause or a quarantine drops what lay there.
    Resumed,
    /// What was sent later has been settled.
    Overtaken,
    /// A person asked for it.
    Asked,
}

impl ResentWhy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Resumed, Self::Overtaken, Self::Asked];

    /// The word used in JSON and SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resumed => "resumed",
            Self::Overtaken => "overtaken",
            Self::Asked => "asked",
        }
    }
}

/// The last time that what was open was sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resent {
    /// When.
    pub at: Timestamp,
    /// How many operations.
    pub operations: u64,
    /// Why.
    pub why: ResentWhy,
}

/// Provisioning jobs.
#[async_trait]
pub trait Jobs {
    /// How the job of a target was last seen; `None` when it never was.
    async fn job_seen(&self, target: &TargetName) -> Result<Option<JobSeen>, StoreError>;

    /// Notes how it is seen now; gives how it was seen before. Nothing is noted of a target that
    /// never had a run.
    async fn note_job(
        &self,
        target: &TargetName,
        job: JobSeen,
    ) -> Result<Option<JobSeen>, StoreError>;

    /// When what was open was last sent again; `None` when it never was.
    async fn resent(&self, target: &TargetName) -> Result<Option<Resent>, StoreError>;

    /// Notes that what was open is sent again.
    async fn note_resent(&self, target: &TargetName, resent: Resent) -> Result<(), StoreError>;

    /// Makes everything of a target wait in the outbox once more that was sent before `sent_before`
    /// and is `accepted` or `unconfirmed`, each worker's latest operation. Where `resent_before` is
    /// given, only of workers to whom nothing was sent again since then. Returns how many.
    async fn queue_open_again(
        &self,
        target: &TargetName,
        sent_before: Timestamp,
        resent_before: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<u64, StoreError>;
}
