//! What goes next: gathering operations into requests, and turning a request into a [`Claim`].

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::{BulkRequestId, ExternalId, OperationId, TargetName};
use crate::store::sqlite::connection::Failure;
use crate::store::sqlite::convert::{Cell, limit};
use crate::store::sqlite::resource;
use crate::store::{Claim, ClaimedOperation};

/// The postponed request whose time has come first.
pub(super) fn due(
    db: &Connection,
    target: &TargetName,
    now_us: i64,
) -> Result<Option<i64>, Failure> {
    let request = db
        .prepare_cached(
            "-- outbox.due
            SELECT id
            FROM bulk_requests
            WHERE target = ?1
                AND status = 'waiting'
                AND not_before_us <= ?2
            ORDER BY not_before_us, id
            LIMIT 1",
        )?
        .query_row(params![target.as_str(), now_us], |row| row.get(0))
        .optional()?;
    Ok(request)
}

/// Makes a request of operations that are in none yet; `None` when there are none that may go.
pub(super) fn gather(
    db: &Connection,
    target: &TargetName,
    max: usize,
    now_us: i64,
) -> Result<Option<i64>, Failure> {
    let operations: Vec<i64> = {
        let mut statement = db.prepare_cached(
            "-- outbox.next
            SELECT waiting.id
            FROM operations AS waiting INDEXED BY operations_outbox
            WHERE waiting.target = ?1
                AND waiting.status = 'queued'
                AND waiting.bulk_request IS NULL
                AND NOT EXISTS (
                    SELECT 1
                    FROM operations AS other
                    WHERE other.target = waiting.target
                        AND other.external_id = waiting.external_id
                        AND other.status = 'sending')
            ORDER BY waiting.priority, waiting.id
            LIMIT ?2",
        )?;
        let ids = statement.query_map(params![target.as_str(), limit(max)], |row| row.get(0))?;
        ids.collect::<rusqlite::Result<_>>()?
    };
    if operations.is_empty() {
        return Ok(None);
    }
    new_request(db, target.as_str(), &operations, now_us).map(Some)
}

/// Makes a request that may be posted at once, and puts queued operations into it.
fn new_request(
    db: &Connection,
    target: &str,
    operations: &[i64],
    now_us: i64,
) -> Result<i64, Failure> {
    db.prepare_cached(
        "-- outbox.new_request
        INSERT INTO bulk_requests (target, status, attempts, not_before_us, created_at_us, updated_at_us)
        VALUES (?1, 'waiting', 0, ?2, ?2, ?2)",
    )?
    .execute(params![target, now_us])?;
    let request = db.last_insert_rowid();
    let mut statement = db.prepare_cached(
        "-- outbox.join_request
        UPDATE operations
        SET bulk_request = ?2
        WHERE id = ?1",
    )?;
    for operation in operations {
        statement.execute(params![operation, request])?;
    }
    Ok(request)
}

/// Turns a waiting request into a claim.
pub(super) fn send(
    db: &Connection,
    request: i64,
    client_request_id: String,
    now_us: i64,
) -> Result<Claim, Failure> {
    let attempt = db
        .prepare_cached(
            "-- outbox.send_request
            UPDATE bulk_requests
            SET status = 'sending',
                attempts = attempts + 1,
                client_request_id = ?2,
                not_before_us = NULL,
                updated_at_us = ?3
            WHERE id = ?1
            RETURNING attempts",
        )?
        .query_row(params![request, client_request_id, now_us], |row| row.get(0))?;
    db.prepare_cached(
        "-- outbox.send
        UPDATE operations
        SET status = 'sending',
            attempts = attempts + 1,
            code = NULL,
            updated_at_us = ?2
        WHERE bulk_request = ?1
            AND status = 'queued'",
    )?
    .execute(params![request, now_us])?;
    let mut statement = db.prepare_cached(
        "-- outbox.claimed
        SELECT id, external_id, resource
        FROM operations
        WHERE bulk_request = ?1
            AND status = 'sending'
        ORDER BY priority, id",
    )?;
    let mut rows = statement.query([request])?;
    let mut operations = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let packed = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
        let cell = Cell { table: "operations", column: "resource", id: &id };
        operations.push(ClaimedOperation {
            id: OperationId(id),
            external_id: ExternalId::new(row.get::<_, Box<str>>(1)?),
            resource: resource::unpack(packed).ok_or_else(|| cell.inconsistent())?,
        });
    }
    if operations.is_empty() {
        let cell = Cell { table: "bulk_requests", column: "status", id: &request };
        return Err(cell.inconsistent().into());
    }
    Ok(Claim { id: BulkRequestId(request), attempt, client_request_id, operations })
}

/// Deals a request's queued operations out to new requests of at most `max`, which may go at once.
pub(super) fn divide(
    db: &Connection,
    request: i64,
    max: usize,
    now_us: i64,
) -> Result<(), Failure> {
    let target: Box<str> = db
        .prepare_cached(
            "-- outbox.request_target
            SELECT target
            FROM bulk_requests
            WHERE id = ?1",
        )?
        .query_row([request], |row| row.get(0))?;
    let operations: Vec<i64> = {
        let mut statement = db.prepare_cached(
            "-- outbox.request_queued
            SELECT id
            FROM operations
            WHERE bulk_request = ?1
                AND status = 'queued'
            ORDER BY priority, id",
        )?;
        let ids = statement.query_map([request], |row| row.get(0))?;
        ids.collect::<rusqlite::Result<_>>()?
    };
    for part in operations.chunks(max) {
        new_request(db, &target, part, now_us)?;
    }
    Ok(())
}
