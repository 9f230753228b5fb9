//! The schema's versions, and how a database gets to the newest.
//!
//! A database says what it is by `application_id` and where it stands by `user_version`. A step
//! that has landed is never edited.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::store::StoreError;
use crate::store::sqlite::connection::cannot_open;

/// The steps; the first makes version 1.
const STEPS: [&str; 1] = [include_str!("../migrations/0001_ledger_and_outbox.sql")];

/// The newest version known here.
const KNOWN: u32 = {
    #[expect(clippy::cast_possible_truncation, reason = "a handful of steps")]
    let known = STEPS.len() as u32;
    known
};

/// Marks a `SQLite` file as ours: `scim` in ASCII.
const APPLICATION_ID: i64 = 0x7363_696d;

/// What a database file turned out to be.
struct Found {
    version: u32,
    is_empty: bool,
    is_ours: bool,
}

/// Makes sure that the database is a store of ours that this program can read as it is (or an
/// empty file, when it is about to be migrated).
pub(super) fn verify(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    // One snapshot for all that is looked at: another process may be making the store right now, and
    // half of what it writes would look like somebody else's database.
    let snapshot = connection.unchecked_transaction().map_err(|error| cannot_open(path, error))?;
    let found = look(&snapshot).map_err(|error| cannot_open(path, error))?;
    drop(snapshot);
    found.check(path)?;
    let read_only = connection.is_readonly("main").map_err(|error| cannot_open(path, error))?;
    if read_only && found.version < KNOWN {
        return Err(cannot_open(
            path,
            "it was made by an older version and has to be brought up to date by a command that writes",
        ));
    }
    Ok(())
}

/// Takes the steps that are missing, each in its own transaction.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    // Looked at before any lock is asked for: opening an up-to-date store never waits for a writer.
    let mut version = look(connection).map_err(|error| cannot_open(path, error))?.version;
    while version < KNOWN {
        version = step(connection, path)?;
    }
    Ok(())
}

fn step(connection: &mut Connection, path: &Path) -> Result<u32, StoreError> {
    let failed = |error: rusqlite::Error| cannot_open(path, error);
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Another process may have been here in between.
    let found = look(&transaction).map_err(failed)?;
    found.check(path)?;
    let next = usize::try_from(found.version).ok().and_then(|done| STEPS.get(done));
    let Some(sql) = next else { return Ok(found.version) };
    transaction.execute_batch(sql).map_err(failed)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    transaction.pragma_update(None, "user_version", found.version + 1).map_err(failed)?;
    transaction.commit().map_err(failed)?;
    Ok(found.version + 1)
}

fn look(connection: &Connection) -> rusqlite::Result<Found> {
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: i64 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let objects: i64 = connection.query_row(
        "-- migrations.look
        SELECT count(*)
        FROM sqlite_schema",
        [],
        |row| row.get(0),
    )?;
    Ok(Found { version, is_empty: objects == 0, is_ours: application == APPLICATION_ID })
}

impl Found {
    fn check(&self, path: &Path) -> Result<(), StoreError> {
        if !self.is_empty && !self.is_ours {
            return Err(cannot_open(path, "it is the database of another program"));
        }
        if self.version > KNOWN {
            let path = path.display().to_string();
            return Err(StoreError::TooNew { path, found: self.version, known: KNOWN });
        }
        Ok(())
    }
}
