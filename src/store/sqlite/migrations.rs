//! The schema's versions, and how a database gets to the newest.
//!
//! A database says what it is by `application_id` and where it stands by `user_version`. A step
//! that has landed is never edited.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::store::StoreError;
use crate::store::sqlite::connection::{Failure, cannot_open};
use crate::store::sqlite::user_names;

/// What SQL cannot compute.
type Then = fn(&Connection) -> Result<(), Failure>;

/// One step from a version to the next.
struct Step {
    sql: &'static str,
    /// Done in the same transaction.
    then: Option<Then>,
}

/// The steps; the first makes version 1.
const STEPS: [Step; 10] = [
    Step { sql: include_str!("../migrations/0001_ledger_and_outbox.sql"), then: None },
    Step {
        sql: include_str!("../migrations/0002_cells_and_user_names.sql"),
        then: Some(user_names::fill_in),
    },
    Step { sql: include_str!("../migrations/0003_decisions_and_dates.sql"), then: None },
    Step { sql: include_str!("../migrations/0004_keys.sql"), then: None },
    Step { sql: include_str!("../migrations/0005_deliveries.sql"), then: None },
    Step { sql: include_str!("../migrations/0006_schedule.sql"), then: None },
    Step { sql: include_str!("../migrations/0007_alerts.sql"), then: None },
    Step { sql: include_str!("../migrations/0008_data_at_rest.sql"), then: None },
    Step { sql: include_str!("../migrations/0009_audit.sql"), then: None },
    Step { sql: include_str!("../migrations/0010_left_to_do.sql"), then: None },
];

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

/// Makes sure that the database is a store of ours that this program can read as it is, or an empty
/// file: one that is being made right now, or whose making was cut short. Tells whether it is made.
pub(super) fn verify(connection: &Connection, path: &Path) -> Result<bool, StoreError> {
    // One snapshot for all that is looked at: another process may be making the store right now, and
    // half of what it writes would look like somebody else's database.
    let snapshot = connection.unchecked_transaction().map_err(|error| cannot_open(path, error))?;
    let found = look(&snapshot).map_err(|error| cannot_open(path, error))?;
    drop(snapshot);
    found.check(path)?;
    let is_made = !(found.is_empty && found.version == 0);
    let read_only = connection.is_readonly("main").map_err(|error| cannot_open(path, error))?;
    if read_only && is_made && found.version < KNOWN {
        return Err(cannot_open(
            path,
            "it was made by an older version and has to be brought up to date by a command that writes",
        ));
    }
    Ok(is_made)
}

/// Takes the steps that are missing, in one transaction: a store is never half made, nor half
/// brought up to date.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| cannot_open(path, error);
    // Looked at before any lock is asked for: opening an up-to-date store never waits for a writer.
    if look(connection).map_err(failed)?.version >= KNOWN {
        return Ok(());
    }
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Another process may have been here in between.
    let found = look(&transaction).map_err(failed)?;
    found.check(path)?;
    let done = usize::try_from(found.version).unwrap_or(usize::MAX);
    for step in STEPS.iter().skip(done) {
        transaction.execute_batch(step.sql).map_err(failed)?;
        if let Some(then) = step.then {
            then(&transaction).map_err(|failure| cannot_open(path, failure.named("migrate")))?;
        }
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    transaction.pragma_update(None, "user_version", KNOWN).map_err(failed)?;
    transaction.commit().map_err(failed)
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use rusqlite::params;

    use super::*;
    use crate::domain::{Change, ExternalId, OperationStatus, RunKind};
    use crate::scim::user_name_key;
    use crate::store::conformance::sample;
    use crate::store::sqlite::resource;
    use crate::store::{Operations, Records, Runs, SqliteStore};

    /// A store as the first version of the program left it, with as many people.
    fn version_1(path: &Path, people: u32) {
        let [first, ..] = &STEPS;
        let mut raw = Connection::open(path).unwrap();
        raw.pragma_update(None, "journal_mode", "wal").unwrap();
        raw.execute_batch(first.sql).unwrap();
        raw.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        raw.pragma_update(None, "user_version", 1).unwrap();
        let transaction = raw.transaction().unwrap();
        transaction
            .execute_batch(
                "INSERT INTO targets VALUES ('entra', 'tenant/principal/job', 1);
                INSERT INTO runs VALUES (
                    1, 'R1', 'hr', 'entra', 'workers.csv', zeroblob(32), zeroblob(16), 'completed',
                    1, 0, 0, 0, 1, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, 0, 1);
                INSERT INTO operations (
                    run, target, source_row, line, status, priority, code, reason, updated_at_us)
                VALUES (1, 'entra', 9, 9, 'rejected', 1, 'mapping.required-empty', 'why', 1);",
            )
            .unwrap();
        transaction.execute("UPDATE runs SET row_count = ?1", [people + 1]).unwrap();
        for number in 0..people {
            let resource =
                format!(r#"{{"externalId":"E{number}","userName":"P{number}@contoso.example"}}"#);
            transaction
                .execute(
                    "INSERT INTO operations (
                        run, target, external_id, change, status, priority, updated_at_us)
                    VALUES (1, 'entra', ?1, 'joiner', 'provisioned', 1, 1)",
                    params![format!("E{number}")],
                )
                .unwrap();
            transaction
                .execute(
                    "INSERT INTO records (
                        target, external_id, source, active, digest, last_operation, resource)
                    VALUES ('entra', ?1, 'hr', 1, zeroblob(16), last_insert_rowid(), ?2)",
                    params![format!("E{number}"), resource::pack(resource.as_bytes()).unwrap()],
                )
                .unwrap();
        }
        transaction.commit().unwrap();
    }

    #[tokio::test]
    async fn a_store_of_version_1_is_brought_up_to_date_and_works() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        // more than are looked at a time
        version_1(&path, 1_201);
        let refused = SqliteStore::open_read_only(&path).unwrap_err();
        let words = std::error::Error::source(&refused).unwrap().to_string();
        assert!(words.contains("brought up to date by a command that writes"), "{words}");

        let store = SqliteStore::open(&path).unwrap();
        let run = sample::run(&store, "R1").await;
        assert_eq!((run.columns.len(), run.file.as_deref()), (0, Some("workers.csv")));
        let found = store.operations(&run.id, None, 2).await.unwrap();
        assert_eq!(found[0].status, OperationStatus::Rejected);
        assert_eq!(store.faulty_rows(vec![found[0].id]).await.unwrap(), [None]);
        let keys = ["p0@contoso.example", "P1200@CONTOSO.EXAMPLE", "nobody"].map(user_name_key);
        let holders = store.user_name_holders(&sample::target(), keys.to_vec()).await.unwrap();
        let [zero, last] = ["E0", "E1200"].map(ExternalId::from);
        assert_eq!(holders, [vec![zero], vec![last], Vec::new()]);

        let rows = vec![sample::row(2, "E0", Change::Mover, 2), sample::rejected(3)];
        sample::commit(&store, "R2", rows, Timestamp::UNIX_EPOCH).await;
        assert_eq!(sample::run(&store, "R2").await.columns, ["WorkerID", "Last Name"]);
        drop(store);
        // once: opening it again changes nothing
        let reader = SqliteStore::open_read_only(&path).unwrap();
        assert_eq!(reader.runs(10).await.unwrap().len(), 2);
    }

    /// The column of a run's kind makes way for one that knows more kinds.
    #[tokio::test]
    async fn what_a_run_came_from_outlives_the_step_to_webhooks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        version_1(&path, 1);
        let raw = Connection::open(&path).unwrap();
        for step in &STEPS[1..4] {
            raw.execute_batch(step.sql).unwrap();
        }
        raw.execute_batch(
            "UPDATE runs SET kind = 'due';
            INSERT INTO runs (
                id, source, target, file_digest, mapping_fingerprint, status, row_count, without_row,
                unchanged, out_of_scope, joiner, joiner_inactive, mover, leaver, rehire, missing,
                started_at_us, ended_at_us)
            VALUES (
                'R2', 'hr', 'entra', zeroblob(32), zeroblob(16), 'completed', 0, 0,
                0, 0, 0, 0, 0, 0, 0, 0, 1, 1);",
        )
        .unwrap();
        raw.pragma_update(None, "user_version", 4).unwrap();
        drop(raw);
        let store = SqliteStore::open(&path).unwrap();
        assert_eq!(sample::run(&store, "R1").await.kind, RunKind::Due);
        assert_eq!(sample::run(&store, "R2").await.kind, RunKind::File);
    }
}
