//! What one event of the provisioning log means.

use crate::domain::OperationStatus;
use crate::entra::{EventStatus, LogEvent, StepKind};
use crate::tracking::advice;

/// The code of an account that is done while its manager is still open.
pub const MANAGER_UNRESOLVED: &str = "ManagerUnresolved";

/// An event's meaning for the operation it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// `provisioned`, `skipped` or `failed`.
    pub status: OperationStatus,
    /// What was done (`created`, `updated`, `enabled`, `disabled`), or Entra's error code.
    pub code: Option<String>,
    /// Entra's words; they may quote names.
    pub reason: Option<String>,
    /// What to do.
    pub advice: Option<String>,
}

/// Judges an event by its status; `None` when it is no outcome (a status this version of the log
/// does not explain).
#[must_use]
pub fn classify(event: &LogEvent) -> Option<Outcome> {
    if is_staged_delete(event) {
        return Some(staged());
    }
    match event.status {
        EventStatus::Success | EventStatus::Warning => Some(done(event)),
        EventStatus::Skipped => Some(skipped(event)),
        EventStatus::Failure => Some(failed(event)),
        EventStatus::Other => None,
    }
}

/// Whether the job's accidental-deletion threshold keeps a change back. Whatever the event's status
/// says, the account is as it was (Entra docs, `accidental-deletions`).
fn is_staged_delete(event: &LogEvent) -> bool {
    let action = event.action.as_deref().unwrap_or_default();
    action.eq_ignore_ascii_case("stageddelete") || action.eq_ignore_ascii_case("stagedaction")
}

/// The code of a change that the threshold keeps back.
const STAGED_DELETE: &str = "StagedDelete";

fn staged() -> Outcome {
    Outcome {
        status: OperationStatus::Failed,
        code: Some(STAGED_DELETE.to_owned()),
        reason: Some(
            "the job's accidental-deletion threshold keeps it back: the account is as it was"
                .to_owned(),
        ),
        advice: Some(advice(STAGED_DELETE).to_owned()),
    }
}

/// What was done, in one word; `None` when the action does not say.
#[must_use]
pub(super) fn deed(event: &LogEvent) -> Option<&'static str> {
    let action = event.action.as_deref()?.to_ascii_lowercase();
    match (action.as_str(), event.account_enabled) {
        ("create", _) => Some("created"),
        ("disable", _) | ("update", Some(false)) => Some("disabled"),
        ("update", Some(true)) => Some("enabled"),
        ("update", None) => Some("updated"),
        ("delete", _) => Some("deleted"),
        _ => None,
    }
}

fn done(event: &LogEvent) -> Outcome {
    let status = OperationStatus::Provisioned;
    if event.manager_unresolved() {
        return Outcome {
            status,
            code: Some(MANAGER_UNRESOLVED.to_owned()),
            reason: Some("the account is done; its manager is not found yet".to_owned()),
            advice: Some(
                "send the manager through this job too; Entra tries again in later cycles, and \
                 sending the worker again after the manager settles it"
                    .to_owned(),
            ),
        };
    }
    if event.status == EventStatus::Warning {
        let code = event.error_code.clone();
        let advice = code.as_deref().map(|code| advice(code).to_owned());
        return Outcome { status, code, reason: event.reason.clone(), advice };
    }
    Outcome { status, code: deed(event).map(str::to_owned), reason: None, advice: None }
}

fn skipped(event: &LogEvent) -> Outcome {
    let by_scope = event
        .steps
        .iter()
        .rev()
        .find(|step| step.status == EventStatus::Skipped)
        .is_some_and(|step| step.kind == StepKind::Scoping);
    let (code, reason, advice) = if by_scope {
        (
            "NotInScope",
            "the job's scoping filter leaves this worker out",
            "nothing, if that is wanted; otherwise change the scoping filter of the provisioning app",
        )
    } else {
        ("NoChange", "the account is already as it should be", "nothing")
    };
    // Entra has one code for both; which of the two it is, the steps tell
    let own = event.error_code.clone().filter(|code| code != "EntrySynchronizationSkipped");
    Outcome {
        status: OperationStatus::Skipped,
        code: Some(own.unwrap_or_else(|| code.to_owned())),
        reason: Some(event.reason.clone().unwrap_or_else(|| reason.to_owned())),
        advice: Some(advice.to_owned()),
    }
}

fn failed(event: &LogEvent) -> Outcome {
    let code = event.error_code.clone().unwrap_or_else(|| "Unknown".to_owned());
    let advice = advice(&code).to_owned();
    Outcome {
        status: OperationStatus::Failed,
        code: Some(code),
        reason: event.reason.clone(),
        advice: Some(advice),
    }
}
