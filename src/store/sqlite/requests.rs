//! What several entities do alike: putting requests back, and letting runs follow their operations.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};

use crate::store::sqlite::connection::Failure;
use crate::store::sqlite::decide;

/// Puts a request's `sending` operations back to `queued`, still part of it; returns how many.
///
/// An operation whose worker has a newer one waiting is superseded instead: the newer version is
/// sent after it, whatever became of the older. One whose run was cancelled meanwhile is not sent
/// again. A request left without operations is closed.
pub(super) fn put_back(
    db: &Connection,
    request: i64,
    not_before_us: i64,
    code: Option<&str>,
    now_us: i64,
) -> Result<u64, Failure> {
    db.prepare_cached(
        "-- requests.supersede
        UPDATE operations AS older
        SET status = 'superseded',
            code = NULL,
            reason = 'a newer version from run ' || (
                SELECT runs.id
                FROM operations AS newer
                JOIN runs ON runs.seq = newer.run
                WHERE newer.target = older.target
                    AND newer.external_id = older.external_id
                    AND newer.status = 'queued') || ' took its place',
            advice = NULL,
            resource = NULL,
            updated_at_us = ?2
        WHERE older.bulk_request = ?1
            AND older.status = 'sending'
            AND EXISTS (
                SELECT 1
                FROM operations AS newer
                WHERE newer.target = older.target
                    AND newer.external_id = older.external_id
                    AND newer.status = 'queued')",
    )?
    .execute(params![request, now_us])?;
    let queued = db
        .prepare_cached(
            "-- requests.queue
            UPDATE operations
            SET status = 'queued',
                code = ?2,
                updated_at_us = ?3
            WHERE bulk_request = ?1
                AND status = 'sending'",
        )?
        .execute(params![request, code, now_us])?;
    let mut queued = queued as u64;
    if queued == 0 {
        close(db, request, now_us)?;
    } else {
        db.prepare_cached(
            "-- requests.wait
            UPDATE bulk_requests
            SET status = 'waiting',
                not_before_us = ?2,
                updated_at_us = ?3
            WHERE id = ?1",
        )?
        .execute(params![request, not_before_us, now_us])?;
        queued = queued.saturating_sub(decide::stop_cancelled(db, request, now_us)?);
    }
    let runs = runs_of_request(db, request)?;
    follow(db, &runs, now_us)?;
    Ok(queued)
}

/// Ends a request that carries nothing any more.
pub(super) fn close(db: &Connection, request: i64, now_us: i64) -> Result<(), Failure> {
    db.prepare_cached(
        "-- requests.close
        UPDATE bulk_requests
        SET status = 'closed',
            not_before_us = NULL,
            updated_at_us = ?2
        WHERE id = ?1",
    )?
    .execute(params![request, now_us])?;
    Ok(())
}

/// Whether a request is being posted, as far as the store knows.
pub(super) fn is_sending(db: &Connection, request: i64) -> Result<bool, Failure> {
    let status: Option<Box<str>> = db
        .prepare_cached(
            "-- requests.status
            SELECT status
            FROM bulk_requests
            WHERE id = ?1",
        )?
        .query_row([request], |row| row.get(0))
        .optional()?;
    Ok(status.as_deref() == Some("sending"))
}

/// The runs whose operations a request carried.
pub(super) fn runs_of_request(db: &Connection, request: i64) -> Result<BTreeSet<i64>, Failure> {
    let mut statement = db.prepare_cached(
        "-- requests.runs
        SELECT DISTINCT run
        FROM operations
        WHERE bulk_request = ?1",
    )?;
    let runs = statement.query_map([request], |row| row.get(0))?;
    Ok(runs.collect::<rusqlite::Result<_>>()?)
}

/// Lets runs follow their operations: `delivering` while any is queued or being sent, `tracking`
/// while any waits for its outcome, else `completed`. Runs that were held, cancelled or refused
/// stay so, and a completed run stays completed.
pub(super) fn follow(db: &Connection, runs: &BTreeSet<i64>, now_us: i64) -> Result<(), Failure> {
    let mut statement = db.prepare_cached(
        "-- runs.follow
        UPDATE runs
        SET status = found.status,
            ended_at_us = CASE found.status WHEN 'completed' THEN ?2 END
        FROM (
            SELECT CASE
                WHEN EXISTS (
                    SELECT 1 FROM operations WHERE run = ?1 AND status IN ('queued', 'sending'))
                    THEN 'delivering'
                WHEN EXISTS (
                    SELECT 1 FROM operations WHERE run = ?1 AND status IN ('accepted', 'held'))
                    THEN 'tracking'
                ELSE 'completed'
            END AS status) AS found
        WHERE runs.seq = ?1
            AND runs.status IN ('delivering', 'tracking')
            AND runs.status <> found.status",
    )?;
    for run in runs {
        statement.execute(params![run, now_us])?;
    }
    Ok(())
}

/// Makes operations that were sent before wait in the outbox once more, with the resource that the
/// ledger has of their workers; each must be its worker's latest. Their runs go on.
pub(super) fn queue_again(
    db: &Connection,
    operations: &[i64],
    now_us: i64,
) -> Result<BTreeSet<i64>, Failure> {
    let mut runs = BTreeSet::new();
    for operation in operations {
        let run: Option<i64> = db
            .prepare_cached(
                "-- requests.queue_again
                UPDATE operations
                SET status = 'queued',
                    resource = records.resource,
                    bulk_request = NULL,
                    code = NULL,
                    reason = NULL,
                    advice = NULL,
                    sent_at_us = NULL,
                    deed = NULL,
                    change_id = NULL,
                    event_at_us = NULL,
                    updated_at_us = ?2
                FROM records
                WHERE operations.id = ?1
                    AND records.target = operations.target
                    AND records.external_id = operations.external_id
                    AND records.last_operation = operations.id
                RETURNING operations.run",
            )?
            .query_row(params![operation, now_us], |row| row.get(0))
            .optional()?;
        runs.extend(run);
        db.prepare_cached(
            "-- requests.note_again
            UPDATE records
            SET resent_at_us = ?2
            WHERE last_operation = ?1
                AND (target, external_id) = (
                    SELECT target, external_id
                    FROM operations
                    WHERE id = ?1)",
        )?
        .execute(params![operation, now_us])?;
    }
    for run in &runs {
        db.prepare_cached(
            "-- requests.reopen
            UPDATE runs
            SET status = 'delivering',
                ended_at_us = NULL
            WHERE seq = ?1
                AND status IN ('tracking', 'completed')",
        )?
        .execute([run])?;
    }
    Ok(runs)
}
