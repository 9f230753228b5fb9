//! Operations, read: see [`Operations`] for the promises.

use async_trait::async_trait;
use rusqlite::{Connection, params};

use crate::domain::{BulkRequestId, OperationId, RunId};
use crate::store::seal::Place;
use crate::store::sqlite::connection::{Failure, SqliteStore};
use crate::store::sqlite::convert::{self, Cell, limit as most};
use crate::store::sqlite::faulty;
use crate::store::sqlite::seals::Sealer;
use crate::store::{FaultyRow, HistoryEntry, Operation, Operations, StoreError};

#[async_trait]
impl Operations for SqliteStore {
    async fn operations(
        &self,
        run: &RunId,
        after: Option<OperationId>,
        limit: usize,
    ) -> Result<Vec<Operation>, StoreError> {
        let run = run.clone();
        self.read("list operations", move |db| list(db, &run, None, after, limit)).await
    }

    async fn faulty_rows(
        &self,
        operations: Vec<OperationId>,
    ) -> Result<Vec<Option<FaultyRow>>, StoreError> {
        let keys = self.keys();
        self.read("look up rejected rows", move |db| {
            let sealer = Sealer::reading(db, &keys)?;
            let mut statement = db.prepare_cached(
                "-- operations.cells
                SELECT cells
                FROM operations
                WHERE id = ?1
                    AND cells IS NOT NULL",
            )?;
            let mut found = Vec::with_capacity(operations.len());
            for operation in &operations {
                let mut rows = statement.query([operation.0])?;
                let place = Place::Cells { operation: operation.0 };
                found.push(match rows.next()? {
                    None => None,
                    Some(row) => {
                        let packed = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
                        let read = faulty::unpack(&sealer, place, packed);
                        Some(read.map_err(|why| why.at("operations", "cells", operation))?)
                    }
                });
            }
            Ok(found)
        })
        .await
    }

    async fn history(&self, operation: OperationId) -> Result<Vec<HistoryEntry>, StoreError> {
        self.read("read an operation's history", move |db| {
            let mut statement = db.prepare_cached(
                "-- operations.history
                SELECT at_us, status, code, bulk_request
                FROM operation_history
                WHERE operation = ?1
                ORDER BY step",
            )?;
            let mut rows = statement.query([operation.0])?;
            let mut steps = Vec::new();
            let cell = |column| Cell { table: "operation_history", column, id: &operation };
            while let Some(row) = rows.next()? {
                let status = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
                steps.push(HistoryEntry {
                    at: cell("at_us").instant(row.get(0)?)?,
                    status: cell("status").status(status)?,
                    code: row.get(2)?,
                    bulk_request: row.get::<_, Option<i64>>(3)?.map(BulkRequestId),
                });
            }
            Ok(steps)
        })
        .await
    }
}

/// Operations of a run in the order of their numbers; `statuses` is a JSON array of those wanted.
pub(super) fn list(
    db: &Connection,
    run: &RunId,
    statuses: Option<&str>,
    after: Option<OperationId>,
    limit: usize,
) -> Result<Vec<Operation>, Failure> {
    let mut statement = db.prepare_cached(
        "-- operations.list
        SELECT
            operations.id, runs.id, operations.source_row, operations.line, operations.external_id,
            operations.change, operations.status,
            CASE WHEN code IS NULL AND reason IS NULL THEN warning_code ELSE code END,
            CASE WHEN code IS NULL AND reason IS NULL THEN warning_reason ELSE reason END,
            operations.advice, operations.attempts, operations.bulk_request, operations.updated_at_us
        FROM runs
        JOIN operations INDEXED BY operations_by_run ON operations.run = runs.seq
        WHERE runs.id = ?1
            AND operations.id > ?2
            AND (?3 IS NULL OR operations.status IN (SELECT value FROM json_each(?3)))
        ORDER BY operations.id
        LIMIT ?4",
    )?;
    let after = after.map_or(0, |after| after.0);
    let mut rows = statement.query(params![run.as_str(), after, statuses, most(limit)])?;
    let mut operations = Vec::new();
    while let Some(row) = rows.next()? {
        operations.push(convert::operation(row)?);
    }
    Ok(operations)
}
