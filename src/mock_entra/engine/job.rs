//! The provisioning job: its state, its last cycle, and how `GET` shows it.
//!
//! Follows "synchronizationJob resource type" and "synchronizationStatus resource type".

use std::str::FromStr;

use serde_json::{Value, json};

use super::quarantine::Quarantine;
use crate::mock_entra::clock::instant_text;
use crate::mock_entra::config::JOB_ID;
use crate::mock_entra::graph::guid;
use crate::mock_entra::shared::Settings;

/// The template of a job that provisions to Entra ID.
pub(in crate::mock_entra) const TO_ENTRA: &str = "API2AAD";
/// The template of a job that provisions to on-premises Active Directory.
pub(in crate::mock_entra) const TO_ACTIVE_DIRECTORY: &str = "API2AD";

/// `status.code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mock_entra) enum JobCode {
    NotConfigured,
    NotRun,
    Active,
    Paused,
    Quarantine,
}

impl JobCode {
    const ALL: [(Self, &'static str); 5] = [
        (Self::NotConfigured, "NotConfigured"),
        (Self::NotRun, "NotRun"),
        (Self::Active, "Active"),
        (Self::Paused, "Paused"),
        (Self::Quarantine, "Quarantine"),
    ];

    pub(in crate::mock_entra) fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(code, _)| *code == self).map_or("", |(_, word)| word)
    }
}

impl FromStr for JobCode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|(_, word)| *word == text);
        found.map(|(code, _)| *code).ok_or_else(|| {
            let words = Self::ALL.map(|(_, word)| word).join(", ");
            format!("`{text}` is not one of {words}")
        })
    }
}

/// What one cycle did.
#[derive(Debug, Default, Clone)]
pub(super) struct Execution {
    pub(super) id: String,
    pub(super) began: i64,
    pub(super) ended: i64,
    pub(super) imported: u64,
    pub(super) exported: u64,
    pub(super) failed: u64,
}

impl Execution {
    pub(super) fn begin(now: i64) -> Self {
        Self { id: guid(), began: now, ..Self::default() }
    }

    fn json(&self) -> Value {
        json!({
            "activityIdentifier": self.id,
            "countEntitled": self.imported,
            "countEntitledForProvisioning": self.imported,
            "countEscrowed": self.failed,
            "countEscrowedRaw": self.failed,
            "countExported": self.exported,
            "countExports": self.exported,
            "countImported": self.imported,
            "countImportedDeltas": 0,
            "countImportedReferenceDeltas": 0,
            "error": null,
            "state": if self.failed > 0 { "EntryLevelErrors" } else { "Succeeded" },
            "timeBegan": instant_text(self.began),
            "timeEnded": instant_text(self.ended),
        })
    }
}

/// The job.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) code: JobCode,
    /// Kept when the job is disabled for it, to tell why.
    pub(super) quarantine: Option<Quarantine>,
    /// Whether the service has given it up: it is paused, and its schedule is disabled.
    disabled: bool,
    /// Whether records in escrow have been given up.
    pub(super) escrows_pruned: bool,
    pub(super) last: Option<Execution>,
    pub(super) last_with_exports: Option<Execution>,
    pub(super) first_steady: Option<i64>,
}

impl Default for Job {
    fn default() -> Self {
        Self {
            code: JobCode::Active,
            quarantine: None,
            disabled: false,
            escrows_pruned: false,
            last: None,
            last_with_exports: None,
            first_steady: None,
        }
    }
}

/// How Graph writes "never".
pub(super) const NEVER: &str = "0001-01-01T00:00:00Z";
/// The interval of a job that was never started.
const NO_INTERVAL: &str = "P10675199DT2H48M5.4775807S";
/// The interval of a running job. What API-driven jobs have is not documented; other provisioning
/// jobs have 40 minutes.
const INTERVAL: &str = "PT40M";

impl Job {
    /// Comes into a state, and out of quarantine.
    pub(super) fn set(&mut self, code: JobCode) {
        self.code = code;
        self.quarantine = None;
        self.disabled = false;
    }

    /// Gives the job up after too long a quarantine.
    pub(super) fn disable(&mut self) {
        self.code = JobCode::Paused;
        self.disabled = true;
    }

    pub(super) fn is_quarantined_for(&self, reason: &str) -> bool {
        self.code == JobCode::Quarantine
            && self.quarantine.as_ref().is_some_and(|quarantine| quarantine.reason() == reason)
    }

    /// When the next try in quarantine is due.
    pub(super) fn next_attempt(&self) -> Option<i64> {
        self.quarantine.as_ref().map(Quarantine::next_attempt)
    }

    pub(super) fn ended(&mut self, execution: Execution) {
        self.first_steady.get_or_insert(execution.ended);
        if execution.exported > 0 {
            self.last_with_exports = Some(execution.clone());
        }
        self.last = Some(execution);
    }

    /// The job as `GET` shows it.
    pub(super) fn json(
        &self,
        settings: &Settings,
        now: i64,
        users: usize,
        waiting: usize,
    ) -> Value {
        let never_started = matches!(self.code, JobCode::NotConfigured | JobCode::NotRun);
        let state = match self.code {
            JobCode::NotConfigured | JobCode::NotRun => "Disabled",
            JobCode::Paused if self.disabled => "Disabled",
            JobCode::Paused => "Paused",
            JobCode::Active | JobCode::Quarantine => "Active",
        };
        let last = self.last.as_ref().map(Execution::json);
        let first_steady = self.first_steady.map_or_else(|| NEVER.to_owned(), instant_text);
        let last_steady =
            self.last.as_ref().map_or_else(|| NEVER.to_owned(), |last| instant_text(last.ended));
        json!({
            "id": JOB_ID,
            // The id stays whatever the template: it is what a client's config names.
            "templateId": settings.job_template,
            "schedule": {
                "expiration": null,
                "interval": if never_started { NO_INTERVAL } else { INTERVAL },
                "state": state,
            },
            "status": {
                "code": self.code.as_str(),
                "countSuccessiveCompleteFailures": 0,
                "escrowsPruned": self.escrows_pruned,
                "lastExecution": last,
                "lastSuccessfulExecution": last,
                "lastSuccessfulExecutionWithExports":
                    self.last_with_exports.as_ref().map(Execution::json),
                "progress": [{
                    "completedUnits": self.last.as_ref().map_or(0, |last| last.imported),
                    "progressObservationDateTime": instant_text(now),
                    "totalUnits": waiting,
                    "units": "Users",
                }],
                "quarantine":
                    self.quarantine.as_ref().map(|quarantine| quarantine.json(self.disabled)),
                "steadyStateFirstAchievedTime": first_steady,
                "steadyStateLastAchievedTime": last_steady,
                "synchronizedEntryCountByType": [{ "key": "User to User", "value": users }],
                "troubleshootingUrl": null,
            },
            "synchronizationJobSettings": job_settings(settings),
        })
    }
}

fn job_settings(settings: &Settings) -> Vec<Value> {
    let named = |name: &str, value: &str| json!({ "name": name, "value": value });
    let mut shown = vec![
        named("AzureIngestionAttributeOptimization", "False"),
        named("LookaheadQueryEnabled", "False"),
    ];
    if let Some(most) = settings.delete_threshold {
        shown.push(named("QuarantineTooManyDeletesThreshold", &most.to_string()));
    }
    shown
}
