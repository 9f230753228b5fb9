//! What applying a run does to the ledger, from the rows of a draft: at once when it is committed,
//! or when it is approved.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};

use crate::domain::OperationId;
use crate::store::sqlite::connection::Failure;

/// A run that is being applied.
#[derive(Clone, Copy)]
pub(super) struct Applied<'a> {
    /// The run's number.
    pub(super) seq: i64,
    /// Its id.
    pub(super) id: &'a str,
    pub(super) target: &'a str,
    pub(super) source: &'a str,
    /// A row's operation is its own number, or this plus its place in the draft.
    pub(super) before: i64,
    pub(super) mapping_digest: i64,
    pub(super) now_us: i64,
}

/// As much of a mapping's fingerprint as stands beside each record.
pub(super) fn mapping_digest(fingerprint: [u8; 16]) -> i64 {
    fingerprint.first_chunk().map_or(0, |start| i64::from_be_bytes(*start))
}

/// Sends leavers of whom nothing was to be sent because nothing had been, where something was posted
/// since that was planned.
pub(super) fn reopen_posted(db: &Connection, target: &str) -> Result<(), Failure> {
    db.prepare_cached(
        "-- ledger.reopen_posted
        UPDATE temp.draft_rows
        SET status = 'queued'
        WHERE status = 'closed'
            AND (EXISTS (
                    SELECT 1
                    FROM records
                    WHERE records.target = ?1
                        AND records.external_id = draft_rows.external_id
                        AND (arrived = 1 OR last_sent_us IS NOT NULL))
                OR EXISTS (
                    SELECT 1
                    FROM operations AS posted
                    WHERE posted.target = ?1
                        AND posted.external_id = draft_rows.external_id
                        AND posted.attempts > 0))",
    )?
    .execute([target])?;
    Ok(())
}

/// Closes what still waits for the people of this draft, in requests that wait too; gives the runs
/// concerned. What is being posted stays; the new operation waits for it.
pub(super) fn supersede(
    db: &Connection,
    target: &str,
    run: &str,
    now_us: i64,
) -> Result<BTreeSet<i64>, Failure> {
    db.prepare_cached(
        "-- ledger.find_superseded
        INSERT INTO temp.draft_superseded (operation, run, bulk_request)
        SELECT operations.id, operations.run, operations.bulk_request
        FROM temp.draft_rows
        CROSS JOIN operations INDEXED BY operations_one_queued
            ON operations.external_id = draft_rows.external_id
        WHERE draft_rows.sends = 1
            AND operations.target = ?1
            AND operations.status = 'queued'",
    )?
    .execute([target])?;
    db.prepare_cached(
        "-- ledger.supersede
        UPDATE operations
        SET status = 'superseded',
            code = NULL,
            reason = 'a newer version from run ' || ?1 || ' took its place',
            advice = NULL,
            resource = NULL,
            updated_at_us = ?2
        WHERE id IN (SELECT operation FROM temp.draft_superseded)",
    )?
    .execute(params![run, now_us])?;
    close_empty_requests(db, now_us)?;
    superseded_runs(db)
}

/// Closes waiting requests that carried nothing but what stands in `draft_superseded`.
pub(super) fn close_empty_requests(db: &Connection, now_us: i64) -> Result<(), Failure> {
    db.prepare_cached(
        "-- ledger.close_requests
        UPDATE bulk_requests
        SET status = 'closed',
            not_before_us = NULL,
            updated_at_us = ?1
        WHERE id IN (SELECT bulk_request FROM temp.draft_superseded)
            AND status = 'waiting'
            AND NOT EXISTS (
                SELECT 1
                FROM operations
                WHERE operations.bulk_request = bulk_requests.id
                    AND operations.status = 'queued')",
    )?
    .execute([now_us])?;
    Ok(())
}

fn superseded_runs(db: &Connection) -> Result<BTreeSet<i64>, Failure> {
    let mut statement = db.prepare_cached(
        "-- ledger.superseded_runs
        SELECT DISTINCT run
        FROM temp.draft_superseded",
    )?;
    let runs = statement.query_map([], |row| row.get(0))?;
    Ok(runs.collect::<rusqlite::Result<_>>()?)
}

/// Takes the place of everything older that the source holds and that shows no later instant. What
/// was due by an older file's dates is among it: it comes up again if it still is.
pub(super) fn supersede_held(db: &Connection, applied: &Applied<'_>) -> Result<(), Failure> {
    db.prepare_cached(
        "-- ledger.supersede_held
        UPDATE operations
        SET status = 'superseded',
            code = NULL,
            reason = 'a newer file, run ' || ?2 || ', took its place',
            advice = NULL,
            resource = NULL,
            updated_at_us = ?3
        WHERE status = 'held'
            AND run IN (
                SELECT older.seq
                FROM runs AS older
                JOIN runs AS own ON own.seq = ?1
                WHERE older.target = own.target
                    AND older.status = 'held'
                    AND older.source = own.source
                    AND older.seq <> own.seq
                    AND coalesce(older.as_of_us, 0) <= coalesce(own.as_of_us, 0))",
    )?
    .execute(params![applied.seq, applied.id, applied.now_us])?;
    end_empty_held_runs(db, applied)
}

/// Keeps whose place a held run takes once it is approved.
pub(super) fn keep_takes_place_of(
    db: &Connection,
    seq: i64,
    operations: &[OperationId],
) -> Result<(), Failure> {
    let mut statement = db.prepare_cached(
        "-- ledger.keep_takes_place_of
        INSERT INTO takes_place_of (run, operation)
        VALUES (?1, ?2)",
    )?;
    for operation in operations {
        statement.execute(params![seq, operation.0])?;
    }
    Ok(())
}

/// Whose place a held run takes.
pub(super) fn kept_takes_place_of(db: &Connection, seq: i64) -> Result<Vec<OperationId>, Failure> {
    let mut statement = db.prepare_cached(
        "-- ledger.kept_takes_place_of
        SELECT operation
        FROM takes_place_of
        WHERE run = ?1
        ORDER BY operation",
    )?;
    let operations = statement.query_map([seq], |row| Ok(OperationId(row.get(0)?)))?;
    Ok(operations.collect::<rusqlite::Result<_>>()?)
}

/// Takes the place of these held operations.
pub(super) fn supersede_held_operations(
    db: &Connection,
    applied: &Applied<'_>,
    operations: &[OperationId],
) -> Result<(), Failure> {
    let mut statement = db.prepare_cached(
        "-- ledger.supersede_held_operation
        UPDATE operations
        SET status = 'superseded',
            code = NULL,
            reason = 'a newer file, run ' || ?2 || ', took its place',
            advice = NULL,
            resource = NULL,
            updated_at_us = ?3
        WHERE id = ?1
            AND status = 'held'",
    )?;
    for operation in operations {
        statement.execute(params![operation.0, applied.id, applied.now_us])?;
    }
    end_empty_held_runs(db, applied)
}

/// A held run of which nothing is held any more has ended.
fn end_empty_held_runs(db: &Connection, applied: &Applied<'_>) -> Result<(), Failure> {
    db.prepare_cached(
        "-- ledger.end_held
        UPDATE runs
        SET status = 'completed',
            ended_at_us = ?4,
            superseded_by = ?3
        WHERE target = ?1
            AND status = 'held'
            AND source = ?2
            AND seq <> ?5
            AND NOT EXISTS (
                SELECT 1
                FROM operations
                WHERE operations.run = runs.seq
                    AND operations.status = 'held')",
    )?
    .execute(params![
        applied.target,
        applied.source,
        applied.id,
        applied.now_us,
        applied.seq
    ])?;
    db.prepare_cached(
        "-- ledger.forget_held
        DELETE FROM held_records
        WHERE operation IN (
            SELECT held_records.operation
            FROM held_records
            JOIN operations ON operations.id = held_records.operation
            WHERE operations.status <> 'held')",
    )?
    .execute([])?;
    Ok(())
}

/// Brings the ledger up to the draft, in the order of its key.
pub(super) fn enter_records(db: &Connection, applied: &Applied<'_>) -> Result<(), Failure> {
    db.prepare_cached(
        "-- ledger.enter_records
        INSERT INTO records (
            target, external_id, source, active, digest, last_operation, resent_at_us, resource,
            user_name_key, manager, awaits_manager, row_digest, mapping_digest,
            active_from_us, active_until_us, next_effective_at_us)
        SELECT
            ?1, external_id, ?2, active, digest, coalesce(operation, ?3 + seq),
            CASE WHEN resend THEN ?4 END, resource,
            user_name_key, manager, manager_unknown, row_digest, coalesce(mapping_digest, ?5),
            active_from_us, active_until_us, next_effective_at_us
        FROM temp.draft_rows
        WHERE sends = 1
        ORDER BY external_id
        ON CONFLICT (target, external_id) DO UPDATE SET
            source = excluded.source,
            active = excluded.active,
            digest = excluded.digest,
            last_operation = excluded.last_operation,
            resent_at_us = excluded.resent_at_us,
            resource = excluded.resource,
            user_name_key = excluded.user_name_key,
            manager = excluded.manager,
            awaits_manager = excluded.awaits_manager,
            row_digest = excluded.row_digest,
            mapping_digest = excluded.mapping_digest,
            active_from_us = excluded.active_from_us,
            active_until_us = excluded.active_until_us,
            next_effective_at_us = excluded.next_effective_at_us,
            missing_runs = 0,
            missing_since_us = NULL,
            is_reduced = 0",
    )?
    .execute(params![
        applied.target,
        applied.source,
        applied.before,
        applied.now_us,
        applied.mapping_digest
    ])?;
    Ok(())
}

/// Notes what is new about rows that change nobody.
pub(super) fn note_unchanged(db: &Connection, applied: &Applied<'_>) -> Result<(), Failure> {
    db.prepare_cached(
        "-- ledger.note_unchanged
        UPDATE records
        SET row_digest = draft_rows.row_digest,
            mapping_digest = ?2,
            active_from_us = draft_rows.active_from_us,
            active_until_us = draft_rows.active_until_us,
            next_effective_at_us = draft_rows.next_effective_at_us,
            missing_runs = 0,
            missing_since_us = NULL
        FROM temp.draft_rows
        WHERE draft_rows.status = 'unchanged'
            AND records.target = ?1
            AND records.external_id = draft_rows.external_id",
    )?
    .execute(params![applied.target, applied.mapping_digest])?;
    Ok(())
}

/// Counts who is missing once more, and forgets it of whoever is not.
pub(super) fn count_missing(
    db: &Connection,
    applied: &Applied<'_>,
    counts: bool,
) -> Result<(), Failure> {
    db.prepare_cached(
        "-- ledger.no_longer_missing
        UPDATE records
        SET missing_runs = 0,
            missing_since_us = NULL
        WHERE target = ?1
            AND source = ?2
            AND missing_runs > 0
            AND external_id NOT IN (SELECT external_id FROM temp.draft_missing)",
    )?
    .execute(params![applied.target, applied.source])?;
    if counts {
        db.prepare_cached(
            "-- ledger.missing_again
            UPDATE records
            SET missing_runs = missing_runs + 1,
                missing_since_us = coalesce(missing_since_us, ?3)
            FROM temp.draft_missing
            WHERE draft_missing.leaves = 0
                AND records.target = ?1
                AND records.external_id = draft_missing.external_id
                AND records.source = ?2
                AND records.active = 1",
        )?
        .execute(params![applied.target, applied.source, applied.now_us])?;
    }
    Ok(())
}
