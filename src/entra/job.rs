//! The health of a provisioning job.
//!
//! Follows the Microsoft Graph page "synchronizationStatus resource type".

use std::fmt;

use serde_json::Value;

use crate::entra::error_body::word;

/// How a provisioning job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobHealth {
    /// Its state.
    pub code: JobCode,
    /// Why it is in quarantine, as Graph names it.
    pub quarantine_reason: Option<String>,
    /// The accidental-deletion threshold: the most disables and deletes of one cycle; `None` when off.
    pub delete_threshold: Option<u64>,
}

/// The state of a provisioning job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobCode {
    /// Not set up.
    NotConfigured,
    /// Never run yet; takes uploads.
    NotRun,
    /// Runs.
    Active,
    /// Paused: uploads are taken, and lie there.
    Paused,
    /// In quarantine: runs once a day at most.
    Quarantine,
    /// A state that is not documented.
    Other(String),
}

impl JobHealth {
    /// Whether to upload: only to a job that runs, or will. To any other Entra would still answer
    /// 202, until the queue is full.
    #[must_use]
    pub fn accepts_uploads(&self) -> bool {
        matches!(self.code, JobCode::Active | JobCode::NotRun)
    }

    /// Reads Graph's synchronizationJob; `None` when there is no status in it.
    pub(super) fn read(job: &Value) -> Option<Self> {
        let status = job.get("status")?;
        let code = match status.get("code")?.as_str()? {
            "NotConfigured" => JobCode::NotConfigured,
            "NotRun" => JobCode::NotRun,
            "Active" => JobCode::Active,
            "Paused" => JobCode::Paused,
            "Quarantine" => JobCode::Quarantine,
            other => JobCode::Other(word(other).unwrap_or_else(|| "unknown".to_owned())),
        };
        let reason = status.get("quarantine").and_then(|quarantine| quarantine.get("reason"));
        let quarantine_reason = reason.and_then(Value::as_str).and_then(word);
        Some(Self { code, quarantine_reason, delete_threshold: delete_threshold(job) })
    }
}

/// The name of the accidental-deletion threshold among a job's settings (Entra docs,
/// `accidental-deletions`).
const DELETE_THRESHOLD: &str = "QuarantineTooManyDeletesThreshold";

fn delete_threshold(job: &Value) -> Option<u64> {
    let settings = job.get("synchronizationJobSettings")?.as_array()?;
    let setting = settings
        .iter()
        .find(|setting| setting.get("name").and_then(Value::as_str) == Some(DELETE_THRESHOLD))?;
    setting.get("value")?.as_str()?.trim().parse().ok()
}

impl fmt::Display for JobCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotConfigured => "NotConfigured",
            Self::NotRun => "NotRun",
            Self::Active => "Active",
            Self::Paused => "Paused",
            Self::Quarantine => "Quarantine",
            Self::Other(code) => code,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_job_that_runs_or_will_accepts_uploads() {
        for (code, expected) in [
            ("NotConfigured", false),
            ("NotRun", true),
            ("Active", true),
            ("Paused", false),
            ("Quarantine", false),
            ("Sleeping", false),
        ] {
            let health = JobHealth::read(&json!({"status": {"code": code, "quarantine": null}}));
            let health = health.unwrap();
            assert_eq!(health.accepts_uploads(), expected, "{code}");
            assert_eq!(health.code.to_string(), code);
            assert_eq!(health.quarantine_reason, None);
        }
    }

    #[test]
    fn the_reason_of_a_quarantine_is_read() {
        let job = json!({"status": {"code": "Quarantine", "quarantine": {"reason": "TooManyDeletes",
            "error": {"message": "Jane Doe"}}}});
        let health = JobHealth::read(&job).unwrap();
        assert_eq!(health.quarantine_reason.as_deref(), Some("TooManyDeletes"));
    }

    #[test]
    fn the_deletion_threshold_is_one_of_the_settings() {
        let job = |value: Value| {
            let settings = json!([{"name": "Other", "value": "1"},
                {"name": "QuarantineTooManyDeletesThreshold", "value": value}]);
            json!({"status": {"code": "Active"}, "synchronizationJobSettings": settings})
        };
        let read = |value| JobHealth::read(&job(value)).unwrap().delete_threshold;
        assert_eq!(read(json!("500")), Some(500));
        assert_eq!([read(json!("")), read(json!(null)), read(json!("many"))], [None, None, None]);
    }

    #[test]
    fn a_job_without_status_is_not_read() {
        for job in [json!(null), json!([]), json!({"status": null}), json!({"status": {"code": 7}})]
        {
            assert_eq!(JobHealth::read(&job), None);
        }
    }
}
