//! Decisions of people about runs: approve, cancel, retry.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::domain::{AuditAction, OperationStatus, RunDecision, RunId, RunStatus, Who};
use crate::store::sqlite::connection::Failure;
use crate::store::sqlite::convert::{Cell, micros};
use crate::store::sqlite::draft::TABLES;
use crate::store::sqlite::told::Told;
use crate::store::sqlite::{ledger, levels, requests, schedule};
use crate::store::{Decided, Outcome};

/// A run as far as deciding about it needs to know.
struct Subject {
    seq: i64,
    target: String,
    source: String,
    status: RunStatus,
    is_full: bool,
    has_file: bool,
    counts_absence: bool,
    superseded_by: Option<RunId>,
}

impl Subject {
    fn find(db: &Connection, run: &RunId) -> Result<Option<Self>, Failure> {
        let mut statement = db.prepare_cached(
            "-- decide.find
            SELECT seq, target, source, status, is_full, kind <> 'due', counts_absence, superseded_by
            FROM runs
            WHERE id = ?1",
        )?;
        let mut rows = statement.query([run.as_str()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let cell = Cell { table: "runs", column: "status", id: run };
        Ok(Some(Self {
            seq: row.get(0)?,
            target: row.get(1)?,
            source: row.get(2)?,
            status: cell.run_status(row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?)?,
            is_full: row.get(4)?,
            has_file: row.get(5)?,
            counts_absence: row.get(6)?,
            superseded_by: row.get::<_, Option<Box<str>>>(7)?.map(RunId::new),
        }))
    }

    fn not_possible(self) -> Outcome {
        Outcome::NotPossible { status: self.status, superseded_by: self.superseded_by }
    }

    fn note(
        &self,
        db: &Connection,
        what: RunDecision,
        by: &Who,
        now_us: i64,
    ) -> Result<(), Failure> {
        db.prepare_cached(
            "-- decide.note
            INSERT INTO decisions (run, decision, by, at_us)
            VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![self.seq, what.as_str(), by.name(), now_us])?;
        Ok(())
    }
}

/// See [`Runs::approve`](crate::store::Runs::approve).
pub(super) fn approve(
    db: &Connection,
    run: &RunId,
    by: &Who,
    now: Timestamp,
) -> Result<Option<Outcome>, Failure> {
    let Some(subject) = Subject::find(db, run)? else { return Ok(None) };
    if subject.status != RunStatus::Held {
        return Ok(Some(subject.not_possible()));
    }
    let now_us = micros(now);
    let applied = ledger::Applied {
        seq: subject.seq,
        id: run.as_str(),
        target: &subject.target,
        source: &subject.source,
        before: 0,
        mapping_digest: 0,
        now_us,
    };
    db.execute_batch(TABLES)?;
    load_held(db, subject.seq)?;
    pass_over_outdated(db, subject.seq, now_us)?;
    ledger::reopen_posted(db, &subject.target)?;
    levels::note_unknown_managers(db, &subject.target)?;
    db.prepare_cached(
        "-- decide.applied
        UPDATE runs
        SET status = 'delivering',
            applied = 1
        WHERE seq = ?1",
    )?
    .execute([subject.seq])?;
    let mut touched = ledger::supersede(db, &subject.target, run.as_str(), now_us)?;
    let queued = queue_held(db, now_us)?;
    if subject.is_full {
        ledger::supersede_held(db, &applied)?;
    } else {
        let operations = ledger::kept_takes_place_of(db, subject.seq)?;
        ledger::supersede_held_operations(db, &applied, &operations)?;
    }
    ledger::enter_records(db, &applied)?;
    schedule::clear(db, &applied, subject.is_full, subject.has_file)?;
    if subject.is_full {
        ledger::count_missing(db, &applied, subject.counts_absence)?;
    }
    forget_held(db, subject.seq)?;
    db.prepare_cached(
        "-- decide.move_ledger
        UPDATE targets
        SET ledger_version = ledger_version + 1
        WHERE target = ?1",
    )?
    .execute([&subject.target])?;
    subject.note(db, RunDecision::Approved, by, now_us)?;
    let told = Told { who: by, now_us };
    told.decided(db, AuditAction::RunApproved, run, queued, &[])?;
    touched.insert(subject.seq);
    requests::follow(db, &touched, now_us)?;
    Ok(Some(Outcome::Done(queued)))
}

/// Brings what is held into the tables of a draft, but for people who were planned anew meanwhile.
fn load_held(db: &Connection, seq: i64) -> Result<(), Failure> {
    db.prepare_cached(
        "-- decide.load_held
        INSERT INTO temp.draft_rows (
            operation, source_row, line, external_id, status, sends, change, active, digest, resource, resend,
            user_name_key, manager, row_digest, mapping_digest,
            active_from_us, active_until_us, next_effective_at_us)
        SELECT
            operations.id, operations.source_row, operations.line, operations.external_id,
            iif(held_records.closes, 'closed', 'queued'), 1, operations.change, held_records.active,
            held_records.digest, operations.resource, held_records.resend,
            held_records.user_name_key, operations.manager, held_records.row_digest,
            held_records.mapping_digest, held_records.active_from_us, held_records.active_until_us,
            held_records.next_effective_at_us
        FROM operations
        JOIN held_records ON held_records.operation = operations.id
        LEFT JOIN records
            ON records.target = operations.target
            AND records.external_id = operations.external_id
        WHERE operations.run = ?1
            AND operations.status = 'held'
            AND coalesce(records.last_operation, 0) < operations.id
        ORDER BY operations.id",
    )?
    .execute([seq])?;
    db.prepare_cached(
        "-- decide.load_missing
        INSERT INTO temp.draft_missing (external_id, leaves)
        SELECT external_id, leaves
        FROM missing
        WHERE run = ?1",
    )?
    .execute([seq])?;
    Ok(())
}

fn pass_over_outdated(db: &Connection, seq: i64, now_us: i64) -> Result<(), Failure> {
    db.prepare_cached(
        "-- decide.outdated
        UPDATE operations
        SET status = 'superseded',
            code = NULL,
            reason = 'a newer version of this worker was planned while the run was held',
            advice = NULL,
            resource = NULL,
            updated_at_us = ?2
        WHERE run = ?1
            AND status = 'held'
            AND id NOT IN (SELECT operation FROM temp.draft_rows)",
    )?
    .execute(params![seq, now_us])?;
    Ok(())
}

/// Puts what stands in the tables of the draft into the outbox; returns how many.
fn queue_held(db: &Connection, now_us: i64) -> Result<u64, Failure> {
    let queued = db
        .prepare_cached(
            "-- decide.queue
            UPDATE operations
            SET status = 'queued',
                code = NULL,
                reason = NULL,
                updated_at_us = ?1
            WHERE id IN (SELECT operation FROM temp.draft_rows WHERE status = 'queued')",
        )?
        .execute([now_us])?;
    db.prepare_cached(
        "-- decide.close
        UPDATE operations
        SET status = 'superseded',
            resource = NULL,
            updated_at_us = ?1
        WHERE id IN (SELECT operation FROM temp.draft_rows WHERE status = 'closed')",
    )?
    .execute([now_us])?;
    Ok(queued as u64)
}

fn forget_held(db: &Connection, seq: i64) -> Result<(), Failure> {
    db.prepare_cached(
        "-- decide.forget_held
        DELETE FROM held_records
        WHERE operation IN (SELECT id FROM operations WHERE run = ?1)",
    )?
    .execute([seq])?;
    db.prepare_cached(
        "-- decide.forget_takes_place_of
        DELETE FROM takes_place_of
        WHERE run = ?1",
    )?
    .execute([seq])?;
    Ok(())
}

/// See [`Runs::cancel`](crate::store::Runs::cancel).
pub(super) fn cancel(
    db: &Connection,
    run: &RunId,
    by: &Who,
    now: Timestamp,
) -> Result<Option<Outcome>, Failure> {
    let Some(subject) = Subject::find(db, run)? else { return Ok(None) };
    if !subject.status.is_unfinished() {
        return Ok(Some(subject.not_possible()));
    }
    let now_us = micros(now);
    db.execute_batch(TABLES)?;
    db.prepare_cached(
        "-- decide.find_cancelled
        INSERT INTO temp.draft_superseded (operation, run, bulk_request)
        SELECT id, run, bulk_request
        FROM operations
        WHERE run = ?1
            AND status IN ('held', 'queued')",
    )?
    .execute([subject.seq])?;
    let cancelled = stop(db, "the run was cancelled", now_us)?;
    forget_held(db, subject.seq)?;
    db.prepare_cached(
        "-- decide.forget_schedule
        DELETE FROM scheduled
        WHERE run = ?1",
    )?
    .execute([subject.seq])?;
    db.prepare_cached(
        "-- decide.end_cancelled
        UPDATE runs
        SET status = 'cancelled',
            ended_at_us = ?2
        WHERE seq = ?1",
    )?
    .execute(params![subject.seq, now_us])?;
    db.prepare_cached(
        "-- decide.ledger_moved
        UPDATE targets
        SET ledger_version = ledger_version + 1
        WHERE target = ?1",
    )?
    .execute([&subject.target])?;
    subject.note(db, RunDecision::Cancelled, by, now_us)?;
    let told = Told { who: by, now_us };
    told.decided(db, AuditAction::RunCancelled, run, cancelled, &[])?;
    Ok(Some(Outcome::Done(cancelled)))
}

/// Ends what stands in `draft_superseded`, as far as nobody knows of it outside; returns how many.
fn stop(db: &Connection, reason: &str, now_us: i64) -> Result<u64, Failure> {
    forget_unsent_joiners(db)?;
    forget_digests(db)?;
    let cancelled = db
        .prepare_cached(
            "-- decide.cancel
            UPDATE operations
            SET status = 'cancelled',
                code = NULL,
                reason = ?2,
                advice = NULL,
                resource = NULL,
                updated_at_us = ?1
            WHERE id IN (SELECT operation FROM temp.draft_superseded)",
        )?
        .execute(params![now_us, reason])?;
    ledger::close_empty_requests(db, now_us)?;
    Ok(cancelled as u64)
}

/// What was being posted when its run was cancelled, and would have to be posted once more, is not;
/// returns how many operations.
pub(super) fn stop_cancelled(db: &Connection, request: i64, now_us: i64) -> Result<u64, Failure> {
    let is_cancelled: bool = db
        .prepare_cached(
            "-- decide.is_cancelled
            SELECT EXISTS (
                SELECT 1
                FROM operations
                JOIN runs ON runs.seq = operations.run
                WHERE operations.bulk_request = ?1
                    AND operations.status = 'queued'
                    AND runs.status = 'cancelled')",
        )?
        .query_row([request], |row| row.get(0))?;
    if !is_cancelled {
        return Ok(0);
    }
    db.execute_batch(TABLES)?;
    db.prepare_cached(
        "-- decide.find_stopped
        INSERT INTO temp.draft_superseded (operation, run, bulk_request)
        SELECT operations.id, operations.run, operations.bulk_request
        FROM operations
        JOIN runs ON runs.seq = operations.run
        WHERE operations.bulk_request = ?1
            AND operations.status = 'queued'
            AND runs.status = 'cancelled'",
    )?
    .execute([request])?;
    let reason = "the run was cancelled while this was being sent; whether Entra took it is not known, \
                  and the next file sends what it says";
    stop(db, reason, now_us)
}

/// Whoever was to join by a cancelled operation and was never posted is not in the ledger any more.
fn forget_unsent_joiners(db: &Connection) -> Result<(), Failure> {
    db.prepare_cached(
        "-- decide.forget_joiners
        DELETE FROM records
        WHERE (target, external_id) IN (
                SELECT operations.target, operations.external_id
                FROM temp.draft_superseded
                JOIN operations ON operations.id = draft_superseded.operation
                WHERE operations.status = 'queued'
                    AND operations.change = 'joiner')
            AND last_operation IN (SELECT operation FROM temp.draft_superseded)
            AND last_sent_us IS NULL
            AND arrived = 0
            AND NOT EXISTS (
                SELECT 1
                FROM operations AS posted
                WHERE posted.target = records.target
                    AND posted.external_id = records.external_id
                    AND posted.attempts > 0)",
    )?
    .execute([])?;
    Ok(())
}

/// What a cancelled operation would have made of a worker was not made: whatever comes next is held
/// against nothing. Active is who was not made inactive by what Entra took before: what was planned
/// in between and not sent says nothing, and whoever is taken for active wrongly is disabled once
/// more, while the other way round they would stay enabled for ever.
fn forget_digests(db: &Connection) -> Result<(), Failure> {
    db.prepare_cached(
        "-- decide.forget_digests
        UPDATE records
        SET digest = zeroblob(16),
            row_digest = NULL,
            next_effective_at_us = NULL,
            active = coalesce((
                SELECT taken.change <> 'leaver'
                FROM operations AS taken
                WHERE taken.target = records.target
                    AND taken.external_id = records.external_id
                    AND taken.id < operations.id
                    AND taken.change IN ('joiner', 'leaver', 'rehire')
                    AND taken.status IN ('accepted', 'provisioned', 'skipped')
                ORDER BY taken.id DESC
                LIMIT 1), 1)
        FROM temp.draft_superseded
        JOIN operations ON operations.id = draft_superseded.operation
        WHERE operations.status = 'queued'
            AND records.target = operations.target
            AND records.external_id = operations.external_id
            AND records.last_operation = operations.id",
    )?
    .execute([])?;
    Ok(())
}

/// See [`Runs::retry`](crate::store::Runs::retry).
pub(super) fn retry(
    db: &Connection,
    run: &RunId,
    statuses: &[OperationStatus],
    by: &Who,
    now: Timestamp,
) -> Result<Option<Outcome>, Failure> {
    let Some(subject) = Subject::find(db, run)? else { return Ok(None) };
    if matches!(subject.status, RunStatus::Held | RunStatus::Failed | RunStatus::Cancelled) {
        return Ok(Some(subject.not_possible()));
    }
    let now_us = micros(now);
    let mut again: Vec<i64> = Vec::new();
    for status in statuses {
        let mut statement = db.prepare_cached(
            "-- decide.find_retried
            SELECT operations.id
            FROM operations INDEXED BY operations_by_run_status
            JOIN records
                ON records.target = operations.target
                AND records.external_id = operations.external_id
                AND records.last_operation = operations.id
            WHERE operations.run = ?1
                AND operations.status = ?2
                AND operations.change IS NOT NULL
            ORDER BY operations.id",
        )?;
        let ids = statement.query_map(params![subject.seq, status.as_str()], |row| row.get(0))?;
        again.extend(ids.collect::<rusqlite::Result<Vec<i64>>>()?);
    }
    requests::queue_again(db, &again, now_us)?;
    let count = again.len() as u64;
    if count > 0 {
        subject.note(db, RunDecision::Retried, by, now_us)?;
        let told = Told { who: by, now_us };
        told.decided(db, AuditAction::RunRetried, run, count, statuses)?;
    }
    Ok(Some(Outcome::Done(count)))
}

/// All decisions about a run, oldest first.
pub(super) fn decisions(db: &Connection, seq: i64) -> Result<Vec<Decided>, Failure> {
    let mut statement = db.prepare_cached(
        "-- decide.list
        SELECT decision, by, at_us
        FROM decisions
        WHERE run = ?1
        ORDER BY id",
    )?;
    let mut rows = statement.query([seq])?;
    let mut decisions = Vec::new();
    while let Some(row) = rows.next()? {
        let cell = |column| Cell { table: "decisions", column, id: &seq };
        let word: Box<str> = row.get(0)?;
        decisions.push(Decided {
            decision: RunDecision::parse(&word).ok_or_else(|| cell("decision").inconsistent())?,
            by: row.get(1)?,
            at: cell("at_us").instant(row.get(2)?)?,
        });
    }
    Ok(decisions)
}
