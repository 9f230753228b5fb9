//! Removing operations so that the books stay right: their runs go on counting them.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::store::sqlite::connection::Failure;
use crate::store::sqlite::convert::whole;
use crate::store::sqlite::runs::count_requests;

/// Removes operations and their history; gives of how many runs they were. Nothing may refer to
/// them.
pub(super) fn remove(db: &Connection, operations: &[i64]) -> Result<u64, Failure> {
    let mut requests: BTreeMap<i64, u64> = BTreeMap::new();
    for operation in operations {
        if let Some(run) = run_of(db, *operation)?
            && !requests.contains_key(&run)
        {
            requests.insert(run, count_requests(db, run)?);
        }
    }
    for operation in operations {
        remove_one(db, *operation)?;
    }
    for (run, before) in &requests {
        let fewer = before.saturating_sub(count_requests(db, *run)?);
        db.prepare_cached(
            "-- removed.requests
            UPDATE runs
            SET removed_requests = removed_requests + ?2
            WHERE seq = ?1",
        )?
        .execute(params![run, whole(fewer)])?;
    }
    Ok(requests.len() as u64)
}

fn run_of(db: &Connection, operation: i64) -> Result<Option<i64>, Failure> {
    Ok(db
        .prepare_cached(
            "-- removed.run
            SELECT run
            FROM operations
            WHERE id = ?1",
        )?
        .query_row([operation], |row| row.get(0))
        .optional()?)
}

fn remove_one(db: &Connection, operation: i64) -> Result<(), Failure> {
    db.prepare_cached(
        "-- removed.count
        INSERT INTO removed (run, status, operations)
        SELECT run, status, 1
        FROM operations
        WHERE id = ?1
        ON CONFLICT (run, status) DO UPDATE SET operations = operations + 1",
    )?
    .execute([operation])?;
    db.prepare_cached(
        "-- removed.history
        DELETE FROM operation_history
        WHERE operation = ?1",
    )?
    .execute([operation])?;
    db.prepare_cached(
        "-- removed.operation
        DELETE FROM operations
        WHERE id = ?1",
    )?
    .execute([operation])?;
    Ok(())
}
