//! The `SQLite` backend: one file, write-ahead log, one writer, readers that never wait for it.
//!
//! Start with [`SqliteStore`] in `connection.rs`. Each other file holds the statements of one
//! entity. SQL is literal text, prepared once a connection and cached, and opens with its name.
//! Batches run through one cached statement inside one transaction, which costs about a
//! microsecond a row; no list of ids is ever pasted into a statement.
//!
//! Two promises are kept by the schema itself, whatever the code does: a worker has at most one
//! operation `queued` and at most one `sending` (unique indexes), and every change of status or
//! code leaves a line in the history (triggers).

mod alerts;
mod audit;
mod calls;
mod claims;
mod connection;
mod convert;
mod decide;
mod deliveries;
mod draft;
mod due;
mod enter;
mod faulty;
mod forget;
mod gather;
mod held_by;
mod jobs;
mod kept;
mod keys;
mod leases;
mod ledger;
mod levels;
mod migrations;
mod operations;
mod outbox;
mod outcomes;
mod pages;
mod read_only;
mod records;
mod rekey;
mod removed;
mod requests;
mod reread;
mod resource;
mod run_lists;
mod runs;
mod schedule;
mod schedules;
mod seals;
mod source_records;
mod told;
mod trouble;
mod upkeep;
mod user_names;
mod wipe;

pub use connection::SqliteStore;

#[cfg(test)]
mod tests {
    mod in_a_file {
        use crate::store::SqliteStore;

        fn open() -> (SqliteStore, tempfile::TempDir) {
            let folder = tempfile::tempdir().unwrap();
            (SqliteStore::open(&folder.path().join("store.db")).unwrap(), folder)
        }

        crate::store::conformance::conformance!(open());
    }

    mod in_a_file_sealed {
        use crate::store::{SealKey, SealKeys, SqliteStore};

        fn open() -> (SqliteStore, tempfile::TempDir) {
            let folder = tempfile::tempdir().unwrap();
            let key = SealKey::parse("k1bUyIO0b0WnL1TQvZ9yE3mG7cR2hXqA5sDfJpNwVxk=").unwrap();
            let keys = SealKeys::new(Some(key), Vec::new());
            (SqliteStore::open_sealed(&folder.path().join("store.db"), keys).unwrap(), folder)
        }

        crate::store::conformance::conformance!(open());
    }

    mod in_memory {
        use crate::store::SqliteStore;

        crate::store::conformance::conformance!((SqliteStore::in_memory().unwrap(), ()));
    }
}
