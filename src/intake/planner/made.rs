//! What a planned row becomes: operations, notes, statuses.

use jiff::Timestamp;

use crate::domain::{ActiveWindow, Change, OperationStatus};
use crate::intake::planner::rows::Person;
use crate::scim::AttributePath;
use crate::store::{PlannedOperation, PlannedVerdict, RecordNote};

/// Whether a changed path is the attribute that a guard names, or a part of it.
pub(super) fn is_of(changed: &str, guarded: &str) -> bool {
    let Ok(path) = AttributePath::parse(guarded) else { return false };
    let path = path.to_string();
    let shorter = path.strip_suffix(".value").unwrap_or(&path);
    [path.as_str(), shorter].iter().any(|path| {
        changed
            .strip_prefix(path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })
}

/// The status that a row will have.
pub(in crate::intake) const fn status_of(verdict: &PlannedVerdict) -> OperationStatus {
    match verdict {
        PlannedVerdict::Operation(operation) if operation.closes => OperationStatus::Superseded,
        PlannedVerdict::Operation(_) => OperationStatus::Queued,
        PlannedVerdict::Rejected { .. } => OperationStatus::Rejected,
        PlannedVerdict::Superseded { .. } => OperationStatus::Superseded,
        PlannedVerdict::Unchanged(_) => OperationStatus::Unchanged,
        PlannedVerdict::Later { .. } => OperationStatus::OutOfScope,
    }
}

/// What the ledger notes of a worker beside the resource.
pub(in crate::intake) fn note(
    row_digest: Option<[u8; 16]>,
    window: Option<ActiveWindow>,
    now: Timestamp,
) -> RecordNote {
    let next_effective_at = window.and_then(|window| window.next_change(now));
    RecordNote { row_digest, window, next_effective_at }
}

/// A user on the way.
pub(super) fn operation(
    user: Person,
    change: Change,
    resend: bool,
    closes: bool,
    graver: Option<(String, String)>,
    now: Timestamp,
) -> PlannedOperation {
    let note = note(user.row_digest, user.window, now);
    PlannedOperation {
        change,
        active: user.active,
        digest: user.digest,
        resource: user.resource,
        user_name_key: user.user_name_key,
        manager: user.manager,
        resend,
        closes,
        note,
        warning: graver.or(user.warning),
    }
}
