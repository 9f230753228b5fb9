//! The JSON documents of `README.md`. Members are only ever added.

use jiff::{Timestamp, Unit};
use serde_json::{Map, Value, json};

use crate::bridge::{Forecast, Overview};
use crate::domain::{HeldBy, OperationStatus, RunStatus};
use crate::intake::PlannedRun;
use crate::store::{
    ChangeCounts, Decided, JobSeen, Key, Operation, Record, Resent, Run, StatusCounts,
    StoredProblem,
};
use crate::tracking::failure_class;

/// An instant: RFC 3339, UTC, milliseconds at most.
pub fn instant(at: Timestamp) -> String {
    at.round(Unit::Millisecond).unwrap_or(at).to_string()
}

fn counts(counts: &StatusCounts) -> Value {
    let members = counts.iter().map(|(status, count)| (status.as_str().to_owned(), json!(count)));
    Value::Object(members.collect::<Map<_, _>>())
}

fn changes(changes: &ChangeCounts) -> Value {
    json!({
        "joiner": changes.joiner,
        "joiner_inactive": changes.joiner_inactive,
        "mover": changes.mover,
        "leaver": changes.leaver,
        "rehire": changes.rehire,
        "missing": changes.missing,
    })
}

fn problem(problem: &StoredProblem) -> Value {
    json!({
        "code": problem.code,
        "place": problem.place,
        "message": problem.message,
        "hint": problem.hint,
    })
}

/// Why a run is (or would be) held. Kept after somebody has decided.
fn held_by(held_by: &[HeldBy]) -> Value {
    let each = held_by.iter().map(|held| {
        json!({"guard": held.guard, "limit": held.limit, "value": held.value, "of": held.of})
    });
    each.collect()
}

fn decided(decided: &Decided) -> Value {
    json!({
        "decision": decided.decision.as_str(),
        "by": decided.by,
        "at": instant(decided.at),
    })
}

/// A run: `apply --json`, `status RUN --json`.
pub fn run(run: &Run) -> Value {
    json!({
        "run": run.id.as_str(),
        "source": run.source.as_str(),
        "target": run.target.as_str(),
        "file": run.file,
        "status": run.status.as_str(),
        "rows": run.rows,
        "without_row": run.without_row,
        "counts": counts(&run.counts),
        "changes": changes(&run.changes),
        "bulk_requests": run.bulk_requests,
        "held_by": held_by(&run.held_by),
        "problem": run.problem.as_ref().map(problem),
        "started_at": instant(run.started_at),
        "ended_at": run.ended_at.map(instant),
        "kind": run.kind.as_str(),
        "as_of": run.as_of.map(instant),
        "complete": run.is_full.then_some(run.is_complete),
        "note": run.note,
        "decisions": run.decisions.iter().map(decided).collect::<Vec<_>>(),
        "superseded_by": run.superseded_by.as_ref().map(crate::domain::RunId::as_str),
    })
}

/// A plan: `plan --json`. The run document without `run`, plus `would_hold`.
pub fn plan(planned: &PlannedRun, max_operations: u64) -> Value {
    let run = &planned.run;
    let queued = planned.to_send();
    json!({
        "source": run.source.as_str(),
        "target": run.target.as_str(),
        "file": run.file,
        "status": "planned",
        "rows": run.rows,
        "without_row": planned.without_row,
        "counts": counts(&planned.counts),
        "changes": changes(&run.changes),
        "bulk_requests": queued.div_ceil(max_operations.max(1)),
        "held_by": [],
        "problem": null,
        "started_at": instant(run.started_at),
        "ended_at": null,
        "would_hold": held_by(&run.held_by),
        "as_of": run.as_of.map(instant),
        "complete": run.is_full.then_some(run.is_complete),
        "note": run.note,
        "changed_by_mapping": planned.by_mapping,
        "missing": planned.missing.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(),
    })
}

/// The plan of a file that is a run already: nothing would be done.
pub fn already_planned(run: &Run) -> Value {
    let mut unchanged = StatusCounts::default();
    unchanged.add(crate::domain::OperationStatus::Unchanged, run.rows);
    json!({
        "source": run.source.as_str(),
        "target": run.target.as_str(),
        "file": run.file,
        "status": "planned",
        "rows": run.rows,
        "without_row": 0,
        "counts": counts(&unchanged),
        "changes": changes(&ChangeCounts::default()),
        "bulk_requests": 0,
        "held_by": [],
        "problem": null,
        "started_at": instant(run.started_at),
        "ended_at": null,
        "would_hold": if run.status == RunStatus::Held { held_by(&run.held_by) } else { json!([]) },
        "already_applied": run.id.as_str(),
    })
}

/// Who can mend a failed operation: `data`, `order`, `configuration` or `wait`.
fn class(operation: &Operation) -> Option<&'static str> {
    (operation.status == OperationStatus::Failed)
        .then(|| failure_class(operation.code.as_deref().unwrap_or_default()).as_str())
}

/// An operation: `status RUN --json --operations`, one a line.
pub fn operation(operation: &Operation) -> Value {
    json!({
        "row": operation.row,
        "line": operation.line,
        "externalId": operation.external_id.as_ref().map(crate::domain::ExternalId::as_str),
        "change": operation.change.map(crate::domain::Change::as_str),
        "status": operation.status.as_str(),
        "code": operation.code,
        "reason": operation.reason,
        "advice": operation.advice,
        "class": class(operation),
        "attempts": operation.attempts,
        "bulk_request": operation.bulk_request.map(|id| id.0),
        "updated_at": instant(operation.updated_at),
    })
}

/// A record: `record EXTERNAL_ID --json`.
pub fn record(record: &Record) -> Value {
    let history = record.history.iter().map(|each| {
        let mut value = operation(each);
        if let Some(members) = value.as_object_mut() {
            members.insert("run".to_owned(), json!(each.run.as_str()));
        }
        value
    });
    json!({
        "source": record.source.as_str(),
        "target": record.target.as_str(),
        "externalId": record.external_id.as_str(),
        "state": if record.active { "active" } else { "left" },
        "last_sent": record.last_sent.map(instant),
        "next_effective_at": record.next_effective_at.map(instant),
        "history": history.collect::<Vec<_>>(),
    })
}

/// A key: `key list --json`. Nothing that opens anything.
pub fn key(key: &Key, now: Timestamp) -> Value {
    json!({
        "id": key.id.as_str(),
        "scope": key.scope.role().as_str(),
        "source": key.scope.source().map(crate::domain::SourceName::as_str),
        "state": key.state(now),
        "created_at": instant(key.created_at),
        "created_by": key.created_by,
        "expires_at": instant(key.expires_at),
        "last_used_at": key.last_used_at.map(instant),
        "revoked_at": key.revoked_at.map(instant),
        "revoked_by": key.revoked_by,
        "replaced_by": key.replaced_by.as_ref().map(crate::domain::KeyId::as_str),
    })
}

fn job(job: &JobSeen) -> Value {
    json!({
        "code": job.code,
        "quarantine": job.quarantine,
        "delete_threshold": job.delete_threshold,
        "seen_at": instant(job.at),
    })
}

fn forecast(forecast: &Forecast) -> Value {
    json!({
        "calls_used": forecast.calls,
        "daily_calls": forecast.daily_calls,
        "operations_left": forecast.operations,
        "requests_left": forecast.requests,
        "done_at": forecast.done_at.map(instant),
    })
}

/// The last time that what had no outcome was sent again.
fn resent(resent: &Resent) -> Value {
    json!({
        "at": instant(resent.at),
        "operations": resent.operations,
        "why": resent.why.as_str(),
    })
}

/// All targets and the newest runs: `status --json`.
pub fn overview(overview: &Overview) -> Value {
    let targets = overview.targets.iter().map(|target| {
        json!({
            "target": target.target.as_str(),
            "calls_24h": target.calls,
            "daily_calls": target.daily_calls,
            "queued": target.outbox.queued,
            "sending": target.outbox.sending,
            "accepted": target.accepted,
            "job": target.job.as_ref().map(job),
            "resent": target.resent.as_ref().map(resent),
            "forecast": target.forecast.as_ref().map(forecast),
        })
    });
    json!({
        "targets": targets.collect::<Vec<_>>(),
        "runs": overview.runs.iter().map(run).collect::<Vec<_>>(),
    })
}
