//! What a commit does: the run and its operations, and, unless a guard holds it, the ledger.

use rusqlite::{Connection, named_params, params};

use crate::domain::{Change, RunKind};
use crate::store::sqlite::connection::Failure;
use crate::store::sqlite::convert::{micros, whole};
use crate::store::sqlite::seals::Sealer;
use crate::store::sqlite::{deliveries, faulty, held_by, ledger, levels, requests, schedule};
use crate::store::{NewRun, TakesPlaceOf};

/// Everything a commit does, inside its transaction.
pub(super) fn enter(
    db: &Connection,
    sealer: &Sealer<'_>,
    run: &NewRun,
    now_us: i64,
) -> Result<(), Failure> {
    let target = run.target.as_str();
    let is_held = !run.held_by.is_empty();
    db.prepare_cached(
        "-- enter.move_ledger
        INSERT INTO targets (target, job, ledger_version)
        VALUES (?1, ?2, ?3)
        ON CONFLICT (target) DO UPDATE SET ledger_version = ledger_version + ?3",
    )?
    // what is held moves no ledger: plans made meanwhile still hold
    .execute(params![target, &run.job, i64::from(!is_held)])?;
    ledger::reopen_posted(db, target)?;
    levels::note_unknown_managers(db, target)?;
    levels::assign(db)?;
    let seq = enter_run(db, run, is_held, now_us)?;
    deliveries::take(db, &run.deliveries, &run.id, now_us)?;
    let before: i64 = db
        .prepare_cached(
            "-- enter.last_operation
            SELECT coalesce(max(id), 0)
            FROM operations",
        )?
        .query_row([], |row| row.get(0))?;
    faulty::place(db, sealer, before)?;
    let source = run.source.as_str();
    let applied = ledger::Applied {
        seq,
        id: run.id.as_str(),
        target,
        source,
        before,
        mapping_digest: ledger::mapping_digest(run.mapping_fingerprint),
        now_us,
    };
    if is_held {
        enter_operations(db, &applied, "held")?;
        hold_records(db, &applied)?;
        schedule::enter(db, &applied)?;
        if let TakesPlaceOf::Operations(operations) = &run.takes_place_of {
            ledger::keep_takes_place_of(db, seq, operations)?;
        }
        return enter_missing(db, seq);
    }
    let touched = ledger::supersede(db, target, run.id.as_str(), now_us)?;
    enter_operations(db, &applied, "queued")?;
    match &run.takes_place_of {
        TakesPlaceOf::Nothing => {}
        TakesPlaceOf::Everything => ledger::supersede_held(db, &applied)?,
        TakesPlaceOf::Operations(operations) => {
            ledger::supersede_held_operations(db, &applied, operations)?;
        }
    }
    ledger::enter_records(db, &applied)?;
    ledger::note_unchanged(db, &applied)?;
    schedule::clear(db, &applied, run.is_full, run.kind != RunKind::Due)?;
    schedule::enter(db, &applied)?;
    enter_missing(db, seq)?;
    if run.is_full {
        ledger::count_missing(db, &applied, run.counts_absence)?;
    }
    requests::follow(db, &touched, now_us)
}

fn enter_run(db: &Connection, run: &NewRun, is_held: bool, now_us: i64) -> Result<i64, Failure> {
    db.prepare_cached(
        "-- enter.run
        INSERT INTO runs (
            id, source, target, kind, file, file_digest, mapping_fingerprint, columns, status,
            is_full, is_complete, counts_absence, as_of_us, held_by, note, applied,
            row_count, without_row, unchanged, out_of_scope,
            joiner, joiner_inactive, mover, leaver, rehire, missing, started_at_us, ended_at_us)
        SELECT
            :id, :source, :target, :kind, :file, :file_digest, :mapping_fingerprint, :columns,
            CASE WHEN :is_held THEN 'held' WHEN queued.some THEN 'delivering' ELSE 'completed' END,
            :is_full, :is_complete, :counts_absence, :as_of_us, :held_by, :note, NOT :is_held,
            :rows,
            (SELECT count(*) FROM temp.draft_rows
                WHERE source_row IS NULL AND sends = 1),
            :unchanged, :out_of_scope,
            :joiner, :joiner_inactive, :mover, :leaver, :rehire, :missing, :started_at_us,
            CASE WHEN NOT (queued.some OR :is_held) THEN :now_us END
        FROM (SELECT EXISTS (SELECT 1 FROM temp.draft_rows WHERE status = 'queued') AS some) AS queued",
    )?
    .execute(named_params! {
        ":id": run.id.as_str(),
        ":source": run.source.as_str(),
        ":target": run.target.as_str(),
        ":kind": run.kind.as_str(),
        ":file": run.file,
        ":file_digest": run.file_digest,
        ":mapping_fingerprint": run.mapping_fingerprint,
        ":columns": faulty::write_columns(&run.columns)?,
        ":is_held": is_held,
        ":is_full": run.is_full,
        ":is_complete": run.is_complete,
        ":counts_absence": run.counts_absence,
        ":as_of_us": run.as_of.map(micros),
        ":held_by": held_by::write(&run.held_by)?,
        ":note": run.note,
        ":rows": whole(run.rows),
        ":unchanged": whole(run.unchanged),
        ":out_of_scope": whole(run.out_of_scope),
        ":joiner": whole(run.changes.joiner),
        ":joiner_inactive": whole(run.changes.joiner_inactive),
        ":mover": whole(run.changes.mover),
        ":leaver": whole(run.changes.leaver),
        ":rehire": whole(run.changes.rehire),
        ":missing": whole(run.changes.missing),
        ":started_at_us": micros(run.started_at),
        ":now_us": now_us,
    })?;
    Ok(db.last_insert_rowid())
}

/// An operation for each row that is more than counted. Leavers go first, then who joins or comes
/// back, then the others.
fn enter_operations(
    db: &Connection,
    applied: &ledger::Applied<'_>,
    status: &str,
) -> Result<(), Failure> {
    db.prepare_cached(
        "-- enter.operations
        INSERT INTO operations (
            id, run, target, source_row, line, external_id, change, status, priority, level, resource,
            code, reason, advice, warning_code, warning_reason, cells, manager, updated_at_us)
        SELECT
            ?1 + seq, ?2, ?3, source_row, line, external_id, change,
            CASE status WHEN 'queued' THEN ?6 WHEN 'closed' THEN iif(?6 = 'held', 'held', 'superseded') ELSE status END,
            CASE change WHEN ?4 THEN 0 WHEN ?7 THEN 2 ELSE 1 END,
            coalesce(level, 0),
            CASE WHEN status = 'queued' OR ?6 = 'held' THEN resource END,
            CASE status WHEN 'closed' THEN 'never-sent' ELSE code END,
            CASE status WHEN 'closed' THEN 'nothing of this worker ever reached Entra: the record is closed, and nothing is sent' ELSE reason END,
            advice, warning_code, warning_reason, cells, manager, ?5
        FROM temp.draft_rows
        WHERE status NOT IN ('unchanged', 'later')
        ORDER BY seq",
    )?
    .execute(params![
        applied.before,
        applied.seq,
        applied.target,
        Change::Leaver.as_str(),
        applied.now_us,
        status,
        Change::Mover.as_str(),
    ])?;
    Ok(())
}

/// Keeps what enters the ledger once the held run is approved.
fn hold_records(db: &Connection, applied: &ledger::Applied<'_>) -> Result<(), Failure> {
    db.prepare_cached(
        "-- enter.held_records
        INSERT INTO held_records (
            operation, active, digest, resend, closes, user_name_key, row_digest, mapping_digest,
            manager_unknown, active_from_us, active_until_us, next_effective_at_us)
        SELECT
            ?1 + seq, active, digest, resend, status = 'closed', user_name_key, row_digest, ?2,
            manager_unknown, active_from_us, active_until_us, next_effective_at_us
        FROM temp.draft_rows
        WHERE sends = 1
        ORDER BY seq",
    )?
    .execute(params![applied.before, applied.mapping_digest])?;
    Ok(())
}

fn enter_missing(db: &Connection, seq: i64) -> Result<(), Failure> {
    db.prepare_cached(
        "-- enter.missing
        INSERT INTO missing (run, external_id, leaves)
        SELECT ?1, external_id, leaves
        FROM temp.draft_missing
        ORDER BY external_id",
    )?
    .execute([seq])?;
    Ok(())
}
