//! A whole run, once all its rows are planned: who is missing, what takes whose place, and whether
//! a guard holds it.

use jiff::{SignedDuration, Timestamp};

use crate::domain::{ExternalId, HeldBy, OperationId, OperationStatus, Place, RunKind};
use crate::intake::Scan;
use crate::intake::due::leaver;
use crate::intake::ingest::{Asked, IntakeError, PlanOptions};
use crate::intake::planner::{Planner, left_by_absence, status_of};
use crate::plan::{Absent, AsOf, Numbers, WhenMissing, absence, evaluate};
use crate::source::{Completeness, Finding};
use crate::store::{
    ActiveRecord, FileHistory, PlannedOperation, PlannedRow, PlannedVerdict, RecordCounts,
    StoreError, TakesPlaceOf,
};

/// Small runs of a source are judged together over this time.
const SUMMED_OVER: SignedDuration = SignedDuration::from_hours(24);
/// Records looked at a time.
const PAGE: usize = 2_000;
/// Missing people whose ids are kept for the terminal.
const MISSING_SHOWN: usize = 1_000;

/// What is told of a run beside its counts.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// Operations without a row.
    pub(super) without_row: u64,
    /// People missing from the file, the first of them; whether they leave by it.
    pub(super) missing: Vec<(ExternalId, bool)>,
    /// What Entra will do about it.
    pub(super) foreseen: Vec<Finding>,
}

/// Completes a planned run.
pub(super) async fn whole_run(
    planner: &mut Planner<'_>,
    scan: &Scan,
    (records, missing): (RecordCounts, Vec<ActiveRecord>),
    options: &PlanOptions<'_>,
    now: Timestamp,
) -> Result<Judged, IntakeError> {
    let feed = std::sync::Arc::clone(&planner.feed);
    let history = planner.store.file_history(&feed.name, scan.digest).await?;
    let is_pilot = planner.run.kind == RunKind::Pilot;
    let is_webhook = planner.run.kind == RunKind::Webhook;
    let mut held = Vec::new();
    let mut judged = Judged::default();
    if is_webhook {
        // what came just now is never older, and may well be what came before
        if records.all == 0 {
            held.push(first_run(planner.run.rows));
        }
        planner.run.takes_place_of = takes_place_of(planner, false).await?;
    } else if !is_pilot {
        planner.run.as_of = scan.as_of;
        let older =
            older(&history, scan.as_of, feed.rules.as_of != AsOf::Arrival, planner.run.rows);
        let is_older = older.is_some();
        held.extend(older);
        if options.asked == Asked::Automatic && records.all == 0 {
            held.push(first_run(planner.run.rows));
        }
        if feed.rules.is_full {
            held.extend(
                full_file(planner, scan, &history, is_older, (missing, &mut judged), now).await?,
            );
        }
        planner.run.takes_place_of = takes_place_of(planner, feed.rules.is_full).await?;
    }
    judged.foreseen.extend(too_many_deletes(planner).await?);
    planner.run.unchanged = planner.counts.get(OperationStatus::Unchanged);
    planner.run.out_of_scope = planner.counts.get(OperationStatus::OutOfScope);
    let numbers = numbers(planner, records);
    if is_webhook {
        held.extend(guards_with_small_runs(planner, &numbers, now).await?);
    } else {
        held.extend(evaluate(&feed.rules.guards, &numbers));
    }
    if !held.is_empty() {
        planner.hold();
    }
    planner.run.held_by = held;
    Ok(judged)
}

/// Whether the job would keep the leavers back: its accidental-deletion threshold counts the disables
/// of one cycle (Entra docs, `accidental-deletions`).
async fn too_many_deletes(planner: &Planner<'_>) -> Result<Option<Finding>, StoreError> {
    let seen = planner.store.job_seen(&planner.feed.target).await?;
    let Some(threshold) = seen.and_then(|seen| seen.delete_threshold) else { return Ok(None) };
    let leavers = planner.run.changes.leaver;
    Ok((leavers > threshold).then(|| Finding {
        code: "entra.too-many-deletes",
        place: Place::default(),
        message: format!(
            "{leavers} people leave, and the job disables at most {threshold} in one cycle unasked: Entra \
             would put it into quarantine (TooManyDeletes) until somebody allows the deletes; raise the \
             threshold first, or send them in parts with `--limit`"
        ),
        is_odd: true,
    }))
}

/// Nobody has asked for anything of this source yet.
fn first_run(rows: u64) -> HeldBy {
    HeldBy { guard: "first_run".to_owned(), limit: "approval".to_owned(), value: rows, of: 0 }
}

/// The guards over a run and the source's small runs of the last day that nobody was asked about: many
/// small runs are one large one. A guard holds a run only for what is in it.
pub(super) async fn guards_with_small_runs(
    planner: &Planner<'_>,
    own: &Numbers,
    now: Timestamp,
) -> Result<Vec<HeldBy>, StoreError> {
    let since = now - SUMMED_OVER;
    let recent = planner.store.small_runs_since(&planner.feed.name, since).await?;
    let together = Numbers {
        leavers: own.leavers + recent.changes.leaver,
        joiners: own.joiners + recent.changes.joiner,
        rehires: own.rehires + recent.changes.rehire,
        movers: own.movers + recent.changes.mover,
        rows_in_scope: own.rows_in_scope + recent.rows_in_scope,
        rejected: own.rejected + recent.rejected,
        ..own.clone()
    };
    let joined = own.joiners + own.rehires;
    let mut held = evaluate(&planner.feed.rules.guards, &together);
    held.retain(|held| match held.guard.as_str() {
        "max_leavers" => own.leavers > 0,
        "max_joiners" => joined > 0,
        "max_changes" => joined + own.leavers + own.movers > 0,
        "max_rejects" => own.rejected > 0,
        _ => true,
    });
    Ok(held)
}

fn numbers(planner: &Planner<'_>, records: RecordCounts) -> Numbers {
    let changes = &planner.run.changes;
    let out_of_scope = planner.counts.get(OperationStatus::OutOfScope);
    Numbers {
        source_has_records: records.all > 0,
        active_before: records.active,
        leavers: changes.leaver,
        joiners: changes.joiner,
        rehires: changes.rehire,
        movers: changes.mover,
        rows_in_scope: planner.run.rows.saturating_sub(out_of_scope),
        rejected: planner.counts.get(OperationStatus::Rejected),
        rows: planner.run.rows,
        inactive: planner.tally.inactive,
        mapped: planner.tally.mapped,
        attributes: planner.tally.attributes.clone(),
        has_rows: true,
        has_file: planner.run.kind != RunKind::Webhook,
    }
}

/// Whether the file shows an earlier instant than one that was applied, or is an old file again.
fn older(
    history: &FileHistory,
    as_of: Option<Timestamp>,
    tells_its_age: bool,
    rows: u64,
) -> Option<HeldBy> {
    let held = |limit: String, value| {
        let guard = "older_file".to_owned();
        Some(HeldBy { guard, limit, value, of: rows })
    };
    if let Some(run) = &history.same_bytes {
        return held(format!("same bytes as {run}"), rows);
    }
    match (as_of, history.latest_as_of) {
        (Some(as_of), Some(latest)) if tells_its_age && as_of < latest => {
            held(latest.to_string(), rows)
        }
        _ => None,
    }
}

async fn takes_place_of(planner: &Planner<'_>, is_full: bool) -> Result<TakesPlaceOf, StoreError> {
    if is_full {
        return Ok(TakesPlaceOf::Everything);
    }
    let held = planner.store.held_operations(&planner.feed.name).await?;
    let named: Vec<OperationId> = held
        .into_iter()
        .filter(|(_, worker)| (planner.names)(worker.as_str()))
        .map(|(operation, _)| operation)
        .collect();
    Ok(if named.is_empty() { TakesPlaceOf::Nothing } else { TakesPlaceOf::Operations(named) })
}

/// A file that names everybody: is it complete, and who is missing?
async fn full_file(
    planner: &mut Planner<'_>,
    scan: &Scan,
    history: &FileHistory,
    is_older: bool,
    (missing, judged): (Vec<ActiveRecord>, &mut Judged),
    now: Timestamp,
) -> Result<Option<HeldBy>, IntakeError> {
    let rules = planner.feed.rules.clone();
    let rows = planner.run.rows;
    let is_proven = scan.completeness == Completeness::Proven;
    let last = history.last_complete_rows;
    let is_complete = rules.complete.is_complete(is_proven, rows, last);
    let nameless = planner.tally.nameless;
    planner.run.is_full = true;
    planner.run.is_complete = is_complete;
    planner.run.counts_absence = is_complete && !is_older && nameless == 0;
    planner.run.note = if !is_complete {
        Some(format!(
            "the file is not complete ({rows} rows, the last complete one had {}): nobody is taken for \
             missing",
            last.unwrap_or(0)
        ))
    } else if is_older {
        Some("the file is older than one that was applied: nobody is taken for missing".to_owned())
    } else if nameless > 0 {
        Some(format!(
            "{nameless} rejected row{} without a readable externalId may be anybody's: nobody is taken \
             for missing",
            if nameless == 1 { "" } else { "s" }
        ))
    } else {
        None
    };
    miss(planner, missing, judged, now).await?;
    let deactivates = rules.leavers.when_missing == WhenMissing::Deactivate;
    Ok((!is_complete && deactivates).then(|| HeldBy {
        guard: "incomplete_file".to_owned(),
        limit: rules.complete.min_share.to_string(),
        value: rows,
        of: last.unwrap_or(0),
    }))
}

/// What becomes of active people of the source whom no row names.
async fn miss(
    planner: &mut Planner<'_>,
    missing: Vec<ActiveRecord>,
    judged: &mut Judged,
    now: Timestamp,
) -> Result<(), IntakeError> {
    let rules = planner.feed.rules.leavers;
    let counts = planner.run.counts_absence;
    let mut missing = missing.into_iter().peekable();
    while missing.peek().is_some() {
        let mut people = Vec::new();
        let mut leaving = Vec::new();
        for record in missing.by_ref().take(PAGE) {
            if !counts {
                // who was missing before is not seen again by this file
                if record.missing_runs > 0 {
                    people.push((record.external_id, false));
                }
                continue;
            }
            planner.run.changes.missing += 1;
            let absent = absence(&rules, record.missing_runs, record.missing_since, now);
            let leaves = absent == Absent::Leaves;
            if judged.missing.len() < MISSING_SHOWN {
                judged.missing.push((record.external_id.clone(), leaves));
            }
            people.push((record.external_id.clone(), leaves));
            if leaves {
                leaving.push(record);
            }
        }
        leave(planner, leaving, judged).await?;
        if let Some(draft) = &mut planner.draft {
            draft.push_missing(people).await?;
        }
    }
    Ok(())
}

/// Plans leavers without a row.
async fn leave(
    planner: &mut Planner<'_>,
    records: Vec<ActiveRecord>,
    judged: &mut Judged,
) -> Result<(), IntakeError> {
    if records.is_empty() {
        return Ok(());
    }
    let target = planner.feed.target.clone();
    let ids: Vec<ExternalId> = records.iter().map(|record| record.external_id.clone()).collect();
    let entries = planner.store.ledger(&target, ids.clone()).await?;
    let resources = planner.store.last_planned(&target, ids).await?;
    let mut rows = Vec::with_capacity(records.len());
    for ((record, entry), last) in records.into_iter().zip(entries).zip(resources) {
        let (Some(entry), Some(last)) = (entry, last) else { continue };
        let warning = left_by_absence(record.missing_runs.saturating_add(1));
        let Some(operation) = leaver(last, entry.was_posted) else { continue };
        let external_id = Some(record.external_id);
        let verdict =
            PlannedVerdict::Operation(PlannedOperation { warning: Some(warning), ..operation });
        let row = PlannedRow { row: None, line: None, external_id, verdict };
        let status = status_of(&row.verdict);
        planner.count(&row, status);
        judged.without_row += 1;
        rows.push(row);
    }
    if let Some(draft) = &mut planner.draft {
        draft.push(rows).await?;
    }
    Ok(())
}
