//! A run, and a plan that is none yet, as JSON.

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::bridge::documents::instant;
use crate::domain::{HeldBy, OperationStatus, RunStatus};
use crate::intake::PlannedRun;
use crate::store::{ChangeCounts, Decided, Run, StatusCounts, StoredProblem};

/// A run: one file of one source, from intake to the last outcome.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Run)]
pub struct RunDocument {
    /// Its id; ids sort by the time they were made.
    pub run: String,
    /// The source.
    pub source: String,
    /// The target.
    pub target: String,
    /// The file's name without folders; null for runs without a file.
    #[schema(required = true)]
    pub file: Option<String>,
    /// planning, held, delivering, tracking, completed, cancelled or failed.
    pub status: &'static str,
    /// Data rows read.
    pub rows: u64,
    /// Operations without a row: absent leavers, due dates.
    pub without_row: u64,
    /// Rows by status, zeros too; sums to `rows` and `without_row`.
    pub counts: Counts,
    /// Operations by kind of change.
    pub changes: Changes,
    /// Bulk requests that carried (or carry) operations of this run.
    pub bulk_requests: u64,
    /// The guards that keep it back, or did before somebody decided.
    pub held_by: Vec<Held>,
    /// Why the file was refused.
    #[schema(required = true)]
    pub problem: Option<RefusalDocument>,
    /// When intake began.
    #[schema(format = DateTime)]
    pub started_at: String,
    /// When the last operation ended; null while the run is unfinished.
    #[schema(required = true, format = DateTime)]
    pub ended_at: Option<String>,
    /// What it came from.
    pub kind: &'static str,
    /// The instant that the file shows.
    #[schema(required = true, format = DateTime)]
    pub as_of: Option<String>,
    /// Whether a file that names everybody was complete; null for one that does not.
    #[schema(required = true)]
    pub complete: Option<bool>,
    /// Why absences were not acted on.
    #[schema(required = true)]
    pub note: Option<String>,
    /// What people decided about it, oldest first.
    pub decisions: Vec<Decision>,
    /// The newer run that took the place of this held one.
    #[schema(required = true)]
    pub superseded_by: Option<String>,
}

/// Rows by status; every status is there.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(value_type = std::collections::BTreeMap<String, u64>)]
pub struct Counts(Map<String, Value>);

impl Counts {
    fn of(counts: &StatusCounts) -> Self {
        let members =
            counts.iter().map(|(status, count)| (status.as_str().to_owned(), json!(count)));
        Self(members.collect())
    }
}

/// Operations by kind of change.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Changes {
    /// Joiners, inactive ones too.
    pub joiner: u64,
    /// Joiners that are inactive (part of `joiner`).
    pub joiner_inactive: u64,
    /// Movers.
    pub mover: u64,
    /// Leavers.
    pub leaver: u64,
    /// Rehires.
    pub rehire: u64,
    /// People missing from a complete file.
    pub missing: u64,
}

impl Changes {
    const fn of(changes: &ChangeCounts) -> Self {
        Self {
            joiner: changes.joiner,
            joiner_inactive: changes.joiner_inactive,
            mover: changes.mover,
            leaver: changes.leaver,
            rehire: changes.rehire,
            missing: changes.missing,
        }
    }
}

/// A guard that keeps a run back.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Held {
    /// The guard, such as `max_leavers`.
    pub guard: String,
    /// Its limit as the config writes it.
    pub limit: String,
    /// What was found.
    pub value: u64,
    /// Of how many.
    pub of: u64,
}

/// Why a file was refused.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Refusal)]
pub struct RefusalDocument {
    /// Stable and dotted.
    pub code: String,
    /// Where.
    pub place: String,
    /// What.
    pub message: String,
    /// The way out.
    #[schema(required = true)]
    pub hint: Option<String>,
}

/// What somebody decided about a run.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Decision {
    /// approved, cancelled or retried.
    pub decision: &'static str,
    /// Who.
    pub by: String,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
}

impl RunDocument {
    /// What is shown of a run.
    #[must_use]
    pub fn of(run: &Run) -> Self {
        Self {
            run: run.id.as_str().to_owned(),
            source: run.source.as_str().to_owned(),
            target: run.target.as_str().to_owned(),
            file: run.file.clone(),
            status: run.status.as_str(),
            rows: run.rows,
            without_row: run.without_row,
            counts: Counts::of(&run.counts),
            changes: Changes::of(&run.changes),
            bulk_requests: run.bulk_requests,
            held_by: held_by(&run.held_by),
            problem: run.problem.as_ref().map(problem),
            started_at: instant(run.started_at),
            ended_at: run.ended_at.map(instant),
            kind: run.kind.as_str(),
            as_of: run.as_of.map(instant),
            complete: run.is_full.then_some(run.is_complete),
            note: run.note.clone(),
            decisions: run.decisions.iter().map(decided).collect(),
            superseded_by: run.superseded_by.as_ref().map(|by| by.as_str().to_owned()),
        }
    }
}

fn problem(problem: &StoredProblem) -> RefusalDocument {
    RefusalDocument {
        code: problem.code.clone(),
        place: problem.place.clone(),
        message: problem.message.clone(),
        hint: problem.hint.clone(),
    }
}

/// Why a run is (or would be) held. Kept after somebody has decided.
fn held_by(held_by: &[HeldBy]) -> Vec<Held> {
    let each = held_by.iter().map(|held| Held {
        guard: held.guard.clone(),
        limit: held.limit.clone(),
        value: held.value,
        of: held.of,
    });
    each.collect()
}

fn decided(decided: &Decided) -> Decision {
    Decision {
        decision: decided.decision.as_str(),
        by: decided.by.clone(),
        at: instant(decided.at),
    }
}

/// A run: `apply --json`, `status RUN --json`.
#[must_use]
pub fn run(run: &Run) -> Value {
    json!(RunDocument::of(run))
}

/// A plan: `plan --json`. The run document without `run`, plus `would_hold`.
#[must_use]
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
        "counts": Counts::of(&planned.counts),
        "changes": Changes::of(&run.changes),
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
#[must_use]
pub fn already_planned(run: &Run) -> Value {
    let mut unchanged = StatusCounts::default();
    unchanged.add(OperationStatus::Unchanged, run.rows);
    json!({
        "source": run.source.as_str(),
        "target": run.target.as_str(),
        "file": run.file,
        "status": "planned",
        "rows": run.rows,
        "without_row": 0,
        "counts": Counts::of(&unchanged),
        "changes": Changes::of(&ChangeCounts::default()),
        "bulk_requests": 0,
        "held_by": [],
        "problem": null,
        "started_at": instant(run.started_at),
        "ended_at": null,
        "would_hold": if run.status == RunStatus::Held { held_by(&run.held_by) } else { Vec::new() },
        "already_applied": run.id.as_str(),
    })
}
