//! A run being planned: rows gather in a temporary database and enter the store in one transaction.
//!
//! Each draft has a connection of its own, so drafts do not meet; the temporary database is a file
//! without a name that goes with the connection. Whether the ledger moved since the draft began is
//! told by a counter that every commit raises.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::domain::{ExternalId, TargetName};
use crate::store::seal::{Place, SealKeys};
use crate::store::sqlite::connection::{Failure, Inner, Location, SqliteStore, blocking, held};
use crate::store::sqlite::convert::{micros, whole};
use crate::store::sqlite::seals::Sealer;
use crate::store::sqlite::{deliveries, enter, faulty, told};
use crate::store::{
    Commit, NewRun, PlannedOperation, PlannedRow, PlannedVerdict, RecordNote, RunDraft, StoreError,
};

/// The draft's tables, emptied.
pub(super) const TABLES: &str = include_str!("draft.sql");

/// A draft of the `SQLite` store.
pub(super) struct SqliteDraft {
    inner: Arc<Inner>,
    target: TargetName,
    /// What its rows are sealed with.
    keys: Arc<SealKeys>,
    /// Shared with the thread that works on it; nobody else has it.
    connection: Arc<Mutex<Connection>>,
    /// The ledger's version when the draft began.
    version: i64,
}

impl SqliteDraft {
    pub(super) async fn begin(store: &SqliteStore, target: TargetName) -> Result<Self, StoreError> {
        let inner = Arc::clone(&store.inner);
        let keys = store.keys();
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
            Ok(Self { inner, target, keys, connection, version })
        })
        .await
    }

    /// Does the work in the temporary database alone: no lock on the store.
    async fn gather<F>(&self, attempt: &'static str, work: F) -> Result<(), StoreError>
    where
        F: FnOnce(&Connection) -> Result<(), Failure> + Send + 'static,
    {
        let connection = Arc::clone(&self.connection);
        blocking(attempt, move || {
            let mut connection = held(&connection);
            let transaction = connection.transaction()?;
            work(&transaction)?;
            transaction.commit()?;
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl RunDraft for SqliteDraft {
    async fn push(&mut self, rows: Vec<PlannedRow>) -> Result<(), StoreError> {
        let (keys, target) = (Arc::clone(&self.keys), self.target.clone());
        self.gather("take planned rows", move |db| {
            let taking = Taking { db, sealer: &Sealer::apart(&keys), target: target.as_str() };
            rows.iter().try_for_each(|row| taking.take(row))
        })
        .await
    }

    async fn push_missing(&mut self, people: Vec<(ExternalId, bool)>) -> Result<(), StoreError> {
        self.gather("take missing people", move |db| {
            let mut statement = db.prepare_cached(
                "-- draft.take_missing
                INSERT INTO temp.draft_missing (external_id, leaves)
                VALUES (?1, ?2)",
            )?;
            for (external_id, leaves) in &people {
                statement.execute(params![external_id.as_str(), leaves])?;
            }
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
            if ledger_version(&transaction, &self.target)? != self.version
                || !deliveries::all_wait(&transaction, &run.deliveries)?
            {
                return Ok(Commit::LedgerMoved);
            }
            let sealer = Sealer::writing(&transaction, &self.keys)?;
            enter::enter(&transaction, &sealer, &run, micros(now))?;
            told::committed(&transaction, &run, micros(now))?;
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

/// Putting planned rows into a draft.
struct Taking<'a> {
    db: &'a Connection,
    sealer: &'a Sealer<'a>,
    target: &'a str,
}

impl Taking<'_> {
    /// Puts one planned row into the draft.
    fn take(&self, row: &PlannedRow) -> Result<(), Failure> {
        let db = self.db;
        let external_id = row.external_id.as_ref().map(ExternalId::as_str);
        let (source_row, line) = (row.row.map(whole), row.line.map(whole));
        match &row.verdict {
            PlannedVerdict::Operation(operation) => self.take_operation(row, operation, None)?,
            PlannedVerdict::Later { effective_at, operation } => {
                self.take_operation(row, operation, Some(*effective_at))?;
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
                    faulty::pack(self.sealer, Place::DraftCells, faulty)?,
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
            PlannedVerdict::Unchanged(note) => {
                let [from_us, until_us, next_us] = instants(note);
                db.prepare_cached(
                    "-- draft.take_unchanged
                INSERT INTO temp.draft_rows (
                    external_id, status, row_digest, active_from_us, active_until_us,
                    next_effective_at_us)
                VALUES (?1, 'unchanged', ?2, ?3, ?4, ?5)",
                )?
                .execute(params![
                    external_id,
                    note.row_digest,
                    from_us,
                    until_us,
                    next_us
                ])?;
            }
        }
        Ok(())
    }

    fn take_operation(
        &self,
        row: &PlannedRow,
        operation: &PlannedOperation,
        effective_at: Option<Timestamp>,
    ) -> Result<(), Failure> {
        let status = match effective_at {
            Some(_) => "later",
            None if operation.closes => "closed",
            None => "queued",
        };
        let warning = operation.warning.as_ref();
        let external_id = row.external_id.as_ref().map_or("", ExternalId::as_str);
        let place = Place::Resource { target: self.target, external_id };
        let packed = self.sealer.pack(place, &operation.resource)?;
        let db = self.db;
        let [from_us, until_us, next_us] = instants(&operation.note);
        db.prepare_cached(
            "-- draft.take_operation
        INSERT INTO temp.draft_rows (
            source_row, line, external_id, status, sends, change, active, digest, resource, resend,
            warning_code, warning_reason, user_name_key, manager, row_digest, active_from_us,
            active_until_us, next_effective_at_us, effective_at_us)
        VALUES (
            ?1, ?2, ?3, ?4, iif(?4 = 'later', NULL, 1), ?5, ?6, ?7, ?8, ?9,
            ?10, ?11, ?12, ?13, ?14, ?15,
            ?16, ?17, ?18)",
        )?
        .execute(params![
            row.row.map(whole),
            row.line.map(whole),
            row.external_id.as_ref().map(ExternalId::as_str),
            status,
            operation.change.as_str(),
            operation.active,
            operation.digest,
            packed,
            operation.resend,
            warning.map(|(code, _)| code),
            warning.map(|(_, reason)| reason),
            operation.user_name_key,
            operation.manager.as_ref().map(ExternalId::as_str),
            operation.note.row_digest,
            from_us,
            until_us,
            next_us,
            effective_at.map(micros),
        ])?;
        Ok(())
    }
}

/// Begin and end of the window, and the next date.
fn instants(note: &RecordNote) -> [Option<i64>; 3] {
    [
        note.window.map(|window| micros(window.from)),
        note.window.and_then(|window| window.until).map(micros),
        note.next_effective_at.map(micros),
    ]
}
