//! What is due: dates that have come, rows that apply from now on, managers that have arrived. A run
//! without a file.

use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::{Change, Clock, ExternalId, HeldBy, LedgerEntry, RunKind};
use crate::intake::ingest::{IntakeError, new_run_id};
use crate::intake::judge;
use crate::intake::planner::{Planner, note, status_of};
use crate::intake::{Feed, PlannedRun};
use crate::plan::{Decision, Numbers, decide};
use crate::scim::{digest, is_active, with_active};
use crate::store::{
    Due, DueRecord, LastPlanned, NewRun, PlannedOperation, PlannedRow, PlannedVerdict,
    RecordCounts, Store,
};

/// Records looked at a time.
const PAGE: usize = 500;

/// Plans what is due of a source; `None` when nothing is. Nothing is stored before the commit.
///
/// # Errors
///
/// When the store fails.
pub async fn plan_due(
    store: &dyn Store,
    feed: Arc<Feed>,
    clock: &dyn Clock,
) -> Result<Option<Box<PlannedRun>>, IntakeError> {
    let now = clock.now();
    let records = store.count_records(&feed.target, &feed.name).await?;
    let run = NewRun {
        job: feed.job.clone(),
        kind: RunKind::Due,
        mapping_fingerprint: feed.fingerprint(),
        ..NewRun::new(new_run_id(now), feed.name.clone(), feed.target.clone(), now)
    };
    let mut planner = Planner::new(store, Arc::clone(&feed), run, Box::new(|_| false));
    let mut draft = store.draft(&feed.target).await?;
    let mut after: Option<ExternalId> = None;
    let mut noted = 0_u64;
    loop {
        let page = store.due_records(&feed.target, &feed.name, after.as_ref(), PAGE, now).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.external_id.clone());
        let ids = page.iter().map(|record| record.external_id.clone()).collect();
        let entries = store.ledger(&feed.target, ids).await?;
        let mut rows = Vec::with_capacity(page.len());
        for (record, entry) in page.into_iter().zip(entries) {
            let Some(row) = plan_record(&feed, record, entry.as_ref(), now) else { continue };
            noted += 1;
            if !matches!(row.verdict, PlannedVerdict::Unchanged(_)) {
                planner.count(&row, status_of(&row.verdict));
            }
            rows.push(row);
        }
        draft.push(rows).await?;
    }
    if noted == 0 {
        return Ok(None);
    }
    let without_row = planner.counts.total();
    planner.run.held_by = guards(&planner, records, now).await?;
    if !planner.run.held_by.is_empty() {
        planner.hold();
    }
    Ok(Some(planner.finish(Some(draft), records, without_row, Vec::new(), Vec::new())))
}

/// The guards over this run and the source's small runs of the last day.
async fn guards(
    planner: &Planner<'_>,
    records: RecordCounts,
    now: Timestamp,
) -> Result<Vec<HeldBy>, IntakeError> {
    let own = &planner.run.changes;
    let numbers = Numbers {
        source_has_records: records.all > 0,
        active_before: records.active,
        leavers: own.leaver,
        joiners: own.joiner,
        rehires: own.rehire,
        // sent again for their managers' sake, and so not changed
        movers: own.mover.saturating_sub(planner.tally.resent),
        ..Numbers::default()
    };
    Ok(judge::guards_with_small_runs(planner, &numbers, now).await?)
}

fn plan_record(
    feed: &Feed,
    record: DueRecord,
    entry: Option<&LedgerEntry>,
    now: Timestamp,
) -> Option<PlannedRow> {
    let DueRecord { external_id, due, planned } = record;
    let active = match planned.window {
        Some(window) => window.is_active_at(now),
        None => is_active(&planned.resource)?,
    };
    let resource = with_active(&planned.resource, active)?;
    let decision = match due {
        Due::Manager => Decision::Send { change: Change::Mover, resend: true },
        Due::Window | Due::Row => decide(entry, feed.owner(), active, digest(&resource), now),
    };
    let verdict = match decision {
        Decision::Send { change, resend } => {
            PlannedVerdict::Operation(again(planned, resource, active, change, now, resend))
        }
        Decision::Close => {
            let operation = again(planned, resource, active, Change::Leaver, now, false);
            PlannedVerdict::Operation(PlannedOperation { closes: true, ..operation })
        }
        Decision::Unchanged => {
            PlannedVerdict::Unchanged(note(planned.row_digest, planned.window, now))
        }
        // it was taken over since the row was scheduled
        Decision::OwnedByOtherSource(_) => return None,
    };
    Some(PlannedRow { row: None, line: None, external_id: Some(external_id), verdict })
}

/// What was planned before, to be sent once more with another state.
fn again(
    planned: LastPlanned,
    resource: Vec<u8>,
    active: bool,
    change: Change,
    now: Timestamp,
    resend: bool,
) -> PlannedOperation {
    PlannedOperation {
        change,
        active,
        digest: digest(&resource),
        resource,
        user_name_key: planned.user_name_key,
        note: note(planned.row_digest, planned.window, now),
        manager: planned.manager,
        resend,
        closes: false,
        warning: None,
    }
}

/// What becomes of somebody whom no file names any more: the full last resource, inactive. Whether a
/// row like the last one counts again is to be seen by mapping it.
pub(super) fn leaver(planned: LastPlanned, was_posted: bool) -> Option<PlannedOperation> {
    let resource = with_active(&planned.resource, false)?;
    let planned = LastPlanned { window: None, row_digest: None, ..planned };
    let operation = again(planned, resource, false, Change::Leaver, Timestamp::UNIX_EPOCH, false);
    Some(PlannedOperation { closes: !was_posted, ..operation })
}
