//! A run being planned: rows gather in a temporary database and enter the store in one transaction.
//!
//! Each draft has a connection of its own, so drafts do not meet; the temporary database is a file
//! without a name that goes with the connection. Whether the ledger moved since the draft began is
//! told by a counter that every commit raises.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, named_params, params};

use crate::domain::{Change, TargetName};
use crate::store::sqlite::connection::{Failure, Inner, Location, SqliteStore, blocking, held};
use crate::store::sqlite::convert::{micros, whole};
use crate::store::sqlite::{faulty, requests, resource};
use crate::store::{Commit, NewRun, PlannedRow, PlannedVerdict, RunDraft, StoreError};

/// The draft's tables.
const TABLES: &str = include_str!("draft.sql");

/// A draft of the `SQLite` store.
pub(super) struct SqliteDraft {
    inner: Arc<Inner>,
    target: TargetName,
    /// Shared with the thread that works on it; nobody else has it.
    connection: Arc<Mutex<Connection>>,
    /// The ledger's version when the draft began.
    version: i64,
}

impl SqliteDraft {
    pub(super) async fn begin(store: &SqliteStore, target: TargetName) -> Result<Self, StoreError> {
        let inner = Arc::clone(&store.inner);
        blocking("begin a run", move || {
            drop(inner.writer()?);
            let connection = inner.location.connect()?;
            connection.execute_batch(match inner.location {
                Location::Memory(_) => "PRAGMA temp_store = MEMORY",
                Location::File(_) | Location::ReadOnly(_) => "PRAGMA temp_store = FILE",
            })?;
            connection.execute_batch(TABLES)?;
            let version = ledger_version(&connection, &target)?;
            let connection = Arc::new(Mutex::new(connection));
            Ok(Self { inner, target, connection, version })
        })
        .await
    }
}

#[async_trait]
impl RunDraft for SqliteDraft {
    async fn push(&mut self, rows: Vec<PlannedRow>) -> Result<(), StoreError> {
        let connection = Arc::clone(&self.connection);
        blocking("take planned rows", move || {
            let mut connection = held(&connection);
            // Touches the temporary database alone: no lock on the store.
            let transaction = connection.transaction()?;
            for row in &rows {
                take(&transaction, row)?;
            }
            transaction.commit()?;
            Ok(())
        })
        .await
    }

    async fn commit(self: Box<Self>, run: NewRun, now: Timestamp) -> Result<Commit, StoreError> {
        blocking("commit the run", move || {
            if run.target != self.target {
                return Err(Failure::other("the run is of another target than its draft"));
            }
            let _queue = self.inner.writer()?;
            let mut connection = held(&self.connection);
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            if ledger_version(&transaction, &self.target)? != self.version {
                return Ok(Commit::LedgerMoved);
            }
            enter(&transaction, &run, micros(now))?;
            transaction.commit()?;
            Ok(Commit::Done)
        })
        .await
    }
}

fn ledger_version(db: &Connection, target: &TargetName) -> Result<i64, Failure> {
    let version = db
        .prepare_cached(
            "-- draft.ledger_version
            SELECT ledger_version
            FROM targets
            WHERE target = ?1",
        )?
        .query_row([target.as_str()], |row| row.get(0))
        .optional()?;
    Ok(version.unwrap_or(0))
}

/// Puts one planned row into the draft.
fn take(db: &Connection, row: &PlannedRow) -> Result<(), Failure> {
    let external_id = row.external_id.as_ref().map(crate::domain::ExternalId::as_str);
    let (source_row, line) = (row.row.map(whole), row.line.map(whole));
    match &row.verdict {
        PlannedVerdict::Operation(operation) => {
            let warning = operation.warning.as_ref();
            db.prepare_cached(
                "-- draft.take_operation
                INSERT INTO temp.draft_rows (
                    source_row, line, external_id, status, change, active, digest, resource, resend,
                    warning_code, warning_reason, user_name_key)
                VALUES (?1, ?2, ?3, 'queued', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                source_row,
                line,
                external_id,
                operation.change.as_str(),
                operation.active,
                operation.digest,
                resource::pack(&operation.resource)?,
                operation.resend,
                warning.map(|(code, _)| code),
                warning.map(|(_, reason)| reason),
                operation.user_name_key,
            ])?;
        }
        PlannedVerdict::Rejected { code, reason, advice, faulty } => {
            db.prepare_cached(
                "-- draft.take_rejected
                INSERT INTO temp.draft_rows (
                    source_row, line, external_id, status, code, reason, advice, cells)
                VALUES (?1, ?2, ?3, 'rejected', ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                source_row,
                line,
                external_id,
                code,
                reason,
                advice,
                faulty::pack(faulty)?,
            ])?;
        }
        PlannedVerdict::Superseded { reason } => {
            db.prepare_cached(
                "-- draft.take_superseded
                INSERT INTO temp.draft_rows (source_row, line, external_id, status, reason)
                VALUES (?1, ?2, ?3, 'superseded', ?4)",
            )?
            .execute(params![source_row, line, external_id, reason])?;
        }
    }
    Ok(())
}

/// Everything a commit does, inside its transaction.
fn enter(db: &Connection, run: &NewRun, now_us: i64) -> Result<(), Failure> {
    let target = run.target.as_str();
    db.prepare_cached(
        "-- draft.move_ledger
        INSERT INTO targets (target, job, ledger_version)
        VALUES (?1, ?2, 1)
        ON CONFLICT (target) DO UPDATE SET ledger_version = ledger_version + 1",
    )?
    .execute([target, &run.job])?;
    let seq = enter_run(db, run, now_us)?;
    let touched = supersede(db, target, run.id.as_str(), now_us)?;
    let before: i64 = db
        .prepare_cached(
            "-- draft.last_operation
            SELECT coalesce(max(id), 0)
            FROM operations",
        )?
        .query_row([], |row| row.get(0))?;
    db.prepare_cached(
        "-- draft.enter_operations
        INSERT INTO operations (
            id, run, target, source_row, line, external_id, change, status, priority, resource,
            code, reason, advice, warning_code, warning_reason, cells, updated_at_us)
        SELECT
            ?1 + seq, ?2, ?3, source_row, line, external_id, change, status, change IS NOT ?4, resource,
            code, reason, advice, warning_code, warning_reason, cells, ?5
        FROM temp.draft_rows
        ORDER BY seq",
    )?
    .execute(params![before, seq, target, Change::Leaver.as_str(), now_us])?;
    enter_records(db, run, before, now_us)?;
    requests::follow(db, &touched, now_us)
}

fn enter_run(db: &Connection, run: &NewRun, now_us: i64) -> Result<i64, Failure> {
    db.prepare_cached(
        "-- draft.enter_run
        INSERT INTO runs (
            id, source, target, file, file_digest, mapping_fingerprint, columns, status,
            row_count, without_row, unchanged, out_of_scope,
            joiner, joiner_inactive, mover, leaver, rehire, missing, started_at_us, ended_at_us)
        SELECT
            :id, :source, :target, :file, :file_digest, :mapping_fingerprint, :columns,
            CASE WHEN queued.some THEN 'delivering' ELSE 'completed' END,
            :rows, (SELECT count(*) FROM temp.draft_rows WHERE source_row IS NULL),
            :unchanged, :out_of_scope,
            :joiner, :joiner_inactive, :mover, :leaver, :rehire, :missing, :started_at_us,
            CASE WHEN NOT queued.some THEN :now_us END
        FROM (SELECT EXISTS (SELECT 1 FROM temp.draft_rows WHERE status = 'queued') AS some) AS queued",
    )?
    .execute(named_params! {
        ":id": run.id.as_str(),
        ":source": run.source.as_str(),
        ":target": run.target.as_str(),
        ":file": run.file,
        ":file_digest": run.file_digest,
        ":mapping_fingerprint": run.mapping_fingerprint,
        ":columns": faulty::write_columns(&run.columns)?,
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

/// Closes what still waits for the people of this draft, in requests that wait too; gives the runs
/// concerned. What is being posted stays; the new operation waits for it.
fn supersede(
    db: &Connection,
    target: &str,
    run: &str,
    now_us: i64,
) -> Result<BTreeSet<i64>, Failure> {
    db.prepare_cached(
        "-- draft.find_superseded
        INSERT INTO temp.draft_superseded (operation, run, bulk_request)
        SELECT operations.id, operations.run, operations.bulk_request
        FROM temp.draft_rows
        CROSS JOIN operations INDEXED BY operations_one_queued
            ON operations.external_id = draft_rows.external_id
        WHERE draft_rows.status = 'queued'
            AND operations.target = ?1
            AND operations.status = 'queued'",
    )?
    .execute([target])?;
    db.prepare_cached(
        "-- draft.supersede
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
    db.prepare_cached(
        "-- draft.close_requests
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
    let mut statement = db.prepare_cached(
        "-- draft.superseded_runs
        SELECT DISTINCT run
        FROM temp.draft_superseded",
    )?;
    let runs = statement.query_map([], |row| row.get(0))?;
    Ok(runs.collect::<rusqlite::Result<_>>()?)
}

/// Brings the ledger up to the draft, in the order of its key.
fn enter_records(db: &Connection, run: &NewRun, before: i64, now_us: i64) -> Result<(), Failure> {
    db.prepare_cached(
        "-- draft.enter_records
        INSERT INTO records (
            target, external_id, source, active, digest, last_operation, resent_at_us, resource,
            user_name_key)
        SELECT
            ?1, external_id, ?2, active, digest, ?3 + seq, CASE WHEN resend THEN ?4 END, resource,
            user_name_key
        FROM temp.draft_rows
        WHERE status = 'queued'
        ORDER BY external_id
        ON CONFLICT (target, external_id) DO UPDATE SET
            source = excluded.source,
            active = excluded.active,
            digest = excluded.digest,
            last_operation = excluded.last_operation,
            resent_at_us = excluded.resent_at_us,
            resource = excluded.resource,
            user_name_key = excluded.user_name_key",
    )?
    .execute(params![run.target.as_str(), run.source.as_str(), before, now_us])?;
    Ok(())
}
