//! The provisioning job: its state, its last cycle, and how `GET` shows it.
//!
//! Follows "synchronizationJob resource type" and "synchronizationStatus resource type".

use std::str::FromStr;

use serde_json::{Value, json};

use crate::mock_entra::clock::instant_text;
use crate::mock_entra::config::JOB_ID;
use crate::mock_entra::graph::guid;

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

/// Why the job is in quarantine.
#[derive(Debug)]
pub(in crate::mock_entra) struct Quarantine {
    pub(in crate::mock_entra) reason: String,
    pub(in crate::mock_entra) since: i64,
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
    pub(super) quarantine: Option<Quarantine>,
    pub(super) last: Option<Execution>,
    pub(super) last_with_exports: Option<Execution>,
    pub(super) first_steady: Option<i64>,
}

impl Default for Job {
    fn default() -> Self {
        Self {
            code: JobCode::Active,
            quarantine: None,
            last: None,
            last_with_exports: None,
            first_steady: None,
        }
    }
}

/// How Graph writes "never".
const NEVER: &str = "0001-01-01T00:00:00Z";
/// The interval of a job that was never started.
const NO_INTERVAL: &str = "P10675199DT2H48M5.4775807S";
/// The interval of a running job. What API-driven jobs have is not documented; other provisioning
/// jobs have 40 minutes.
const INTERVAL: &str = "PT40M";

impl Job {
    pub(super) fn ended(&mut self, execution: Execution) {
        self.first_steady.get_or_insert(execution.ended);
        if execution.exported > 0 {
            self.last_with_exports = Some(execution.clone());
        }
        self.last = Some(execution);
    }

    /// The job as `GET` shows it.
    pub(super) fn json(&self, now: i64, users: usize, waiting: usize) -> Value {
        let never_started = matches!(self.code, JobCode::NotConfigured | JobCode::NotRun);
        let state = match self.code {
            JobCode::NotConfigured | JobCode::NotRun => "Disabled",
            JobCode::Paused => "Paused",
            JobCode::Active | JobCode::Quarantine => "Active",
        };
        let last = self.last.as_ref().map(Execution::json);
        let first_steady = self.first_steady.map_or_else(|| NEVER.to_owned(), instant_text);
        let last_steady =
            self.last.as_ref().map_or_else(|| NEVER.to_owned(), |last| instant_text(last.ended));
        json!({
            "id": JOB_ID,
            "templateId": "API2AAD",
            "schedule": {
                "expiration": null,
                "interval": if never_started { NO_INTERVAL } else { INTERVAL },
                "state": state,
            },
            "status": {
                "code": self.code.as_str(),
                "countSuccessiveCompleteFailures": 0,
                "escrowsPruned": false,
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
                "quarantine": self.quarantine.as_ref().map(|quarantine| json!({
                    "currentBegan": instant_text(quarantine.since),
                    "nextAttempt": instant_text(quarantine.since + super::cycle::QUARANTINE_PACE),
                    "reason": quarantine.reason,
                    "seriesBegan": instant_text(quarantine.since),
                    "seriesCount": 1,
                    "error": {
                        "code": quarantine.reason,
                        "message": "The provisioning job is in quarantine.",
                        "tenantActionable": true,
                    },
                })),
                "steadyStateFirstAchievedTime": first_steady,
                "steadyStateLastAchievedTime": last_steady,
                "synchronizedEntryCountByType": [{ "key": "User to User", "value": users }],
                "troubleshootingUrl": null,
            },
            "synchronizationJobSettings": [
                { "name": "AzureIngestionAttributeOptimization", "value": "False" },
                { "name": "LookaheadQueryEnabled", "value": "False" },
            ],
        })
    }
}
