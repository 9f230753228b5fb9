//! What a person wants to know at a glance.

use jiff::{SignedDuration, Timestamp};

use crate::bridge::{Bridge, BridgeError};
use crate::delivery::{Quota, forecast};
use crate::domain::{RunId, TargetName};
use crate::entra::MAX_OPERATIONS;
use crate::store::{JobSeen, OutboxState, Resent, Run};
use crate::telemetry::alerts::{Facts, words};

/// How many runs a glance shows.
const RUNS_SHOWN: usize = 10;

/// The daily quota rolls over this.
const DAY: SignedDuration = SignedDuration::from_hours(24);

fn requests_of(operations: u64) -> u64 {
    operations.div_ceil(u64::try_from(MAX_OPERATIONS).unwrap_or(u64::MAX))
}

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
    /// When what was open was last sent again.
    pub resent: Option<Resent>,
    /// When what is queued will have gone out; `None` when nothing is, and while nothing goes out.
    pub forecast: Option<Forecast>,
    /// What keeps everything back, as far as it is known.
    pub blocked: Option<Blocked>,
}

/// Why nothing goes out to a target, whatever the quota lets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// What it is, in words.
    pub what: String,
    /// What to do.
    pub advice: String,
    /// Since when.
    pub since: Timestamp,
}

/// What is to be expected of what waits for a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// See [`TargetOverview::forecast`].
    pub forecast: Option<Forecast>,
    /// See [`TargetOverview::blocked`].
    pub blocked: Option<Blocked>,
}

/// When what is queued will have gone out, as far as the quota lets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// Calls made in the last 24 hours, over the whole tenant.
    pub calls: u64,
    /// Calls allowed in 24 hours.
    pub daily_calls: u32,
    /// Operations of the target that wait.
    pub operations: u64,
    /// Bulk requests that they need.
    pub requests: u64,
    /// When the last of them goes out; `None` when nothing may ever be sent.
    pub done_at: Option<Timestamp>,
}

impl Bridge {
    /// All targets and the newest runs.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn overview(&self) -> Result<Overview, BridgeError> {
        let since = self.clock.now() - DAY;
        let mut targets = Vec::new();
        for target in &self.setup.config().targets {
            let open = self.store.open_window(&target.name).await?;
            let outlook = self.outlook(&target.name).await?;
            targets.push(TargetOverview {
                target: target.name.clone(),
                calls: self.store.calls_since(&target.tenant_id, since).await?,
                daily_calls: target.daily_calls,
                outbox: self.store.outbox(&target.name).await?,
                accepted: open.map_or(0, |open| open.accepted),
                job: self.store.job_seen(&target.name).await?,
                resent: self.store.resent(&target.name).await?,
                forecast: outlook.forecast,
                blocked: outlook.blocked,
            });
        }
        Ok(Overview { targets, runs: self.store.runs(RUNS_SHOWN).await? })
    }

    /// When what a target has queued will have gone out; where something keeps it back, that instead.
    ///
    /// # Errors
    ///
    /// When the store fails, or there is no such target.
    pub async fn outlook(&self, target: &TargetName) -> Result<Outlook, BridgeError> {
        let blocked = self.blocked(target).await?;
        let forecast = match blocked {
            None => self.forecast(target).await?,
            Some(_) => None,
        };
        Ok(Outlook { forecast, blocked })
    }

    /// What keeps everything back that waits for a target: as this process has noticed it, else as a
    /// daemon that tells alerts has kept it.
    async fn blocked(&self, target: &TargetName) -> Result<Option<Blocked>, BridgeError> {
        let now = self.clock.now();
        let noticed = self.conditions.all(now).into_iter();
        let mut known: Vec<_> = noticed.map(|noticed| (noticed.facts, noticed.since)).collect();
        // whoever delivers has noticed itself what it could have kept
        if self.contact(target).is_none() {
            let kept = self.store.alerts().await?.map(|kept| kept.alerts).unwrap_or_default();
            let open = kept.into_iter().filter(|alert| alert.ended_at.is_none());
            known.extend(open.map(|alert| (alert.facts, alert.since)));
        }
        let found = known.into_iter().find(|(facts, _)| keeps_back(facts, target));
        Ok(found.map(|(facts, since)| Blocked {
            what: words::what(&facts, now),
            advice: words::advice(&facts, now),
            since,
        }))
    }

    /// When what a target has queued will have gone out, beside what the other targets of its tenant
    /// have; `None` when nothing is queued.
    ///
    /// # Errors
    ///
    /// When the store fails, or there is no such target.
    pub async fn forecast(&self, target: &TargetName) -> Result<Option<Forecast>, BridgeError> {
        let config = self.setup.target(target)?;
        let own = self.store.outbox(target).await?;
        let operations = own.queued + own.sending;
        if operations == 0 {
            return Ok(None);
        }
        let mut others = 0;
        let targets = &self.setup.config().targets;
        for other in targets.iter().filter(|other| other.tenant_id == config.tenant_id) {
            if other.name != *target {
                let outbox = self.store.outbox(&other.name).await?;
                others += requests_of(outbox.queued + outbox.sending);
            }
        }
        let now = self.clock.now();
        let starts = self.store.call_starts(&config.tenant_id, now - DAY).await?;
        let requests = requests_of(operations);
        let quota = Quota {
            daily: config.daily_calls,
            burst: config.burst.calls,
            window: config.burst.window,
        };
        Ok(Some(Forecast {
            calls: u64::try_from(starts.len()).unwrap_or(u64::MAX),
            daily_calls: config.daily_calls,
            operations,
            requests,
            done_at: forecast(&starts, quota, requests + others, now),
        }))
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

/// Whether it keeps back everything that waits for a target.
fn keeps_back(facts: &Facts, target: &TargetName) -> bool {
    match facts {
        Facts::AccessRefused { target: of, .. } | Facts::TargetUnreachable { target: of, .. } => {
            of == target.as_str()
        }
        _ => false,
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
