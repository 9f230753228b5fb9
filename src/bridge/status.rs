//! What a person wants to know at a glance.

use jiff::SignedDuration;

use crate::bridge::{Bridge, BridgeError};
use crate::domain::{RunId, TargetName};
use crate::store::{JobSeen, OutboxState, Run};

/// How many runs a glance shows.
const RUNS_SHOWN: usize = 10;

/// All targets and the newest runs.
#[derive(Debug)]
pub struct Overview {
    /// Every target of the config.
    pub targets: Vec<TargetOverview>,
    /// The newest runs, newest first.
    pub runs: Vec<Run>,
}

/// A target at a glance.
#[derive(Debug)]
pub struct TargetOverview {
    /// Its name.
    pub target: TargetName,
    /// Calls made in the last 24 hours, over the whole tenant.
    pub calls: u64,
    /// Calls allowed in 24 hours.
    pub daily_calls: u32,
    /// What waits to be sent.
    pub outbox: OutboxState,
    /// Operations that wait for an outcome.
    pub accepted: u64,
    /// The provisioning job, as it was last seen.
    pub job: Option<JobSeen>,
}

impl Bridge {
    /// All targets and the newest runs.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn overview(&self) -> Result<Overview, BridgeError> {
        let since = self.clock.now() - SignedDuration::from_hours(24);
        let mut targets = Vec::new();
        for target in &self.setup.config().targets {
            let open = self.store.open_window(&target.name).await?;
            targets.push(TargetOverview {
                target: target.name.clone(),
                calls: self.store.calls_since(&target.tenant_id, since).await?,
                daily_calls: target.daily_calls,
                outbox: self.store.outbox(&target.name).await?,
                accepted: open.map_or(0, |open| open.accepted),
                job: self.store.job_seen(&target.name).await?,
            });
        }
        Ok(Overview { targets, runs: self.store.runs(RUNS_SHOWN).await? })
    }

    /// A run by its id, by the beginning of its id, or by the word `latest`.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn find_run(&self, word: &str) -> Result<FoundRun, BridgeError> {
        if word == "latest" {
            let newest = self.store.runs(1).await?.into_iter().next();
            return Ok(newest.map_or(FoundRun::NoneYet, |run| FoundRun::One(Box::new(run))));
        }
        if let Some(run) = self.store.run(&RunId::new(word)).await? {
            return Ok(FoundRun::One(Box::new(run)));
        }
        let mut matching = self.store.runs(usize::MAX).await?;
        matching.retain(|run| !word.is_empty() && run.id.as_str().starts_with(word));
        Ok(match matching.len() {
            0 => FoundRun::None,
            1 => FoundRun::One(Box::new(matching.remove(0))),
            count => FoundRun::Several(count),
        })
    }
}

/// What a word for a run comes to.
#[derive(Debug)]
pub enum FoundRun {
    /// This run.
    One(Box<Run>),
    /// More than one run begins like that.
    Several(usize),
    /// No run is called that.
    None,
    /// There are no runs at all yet.
    NoneYet,
}
