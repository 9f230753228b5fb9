//! The store as a file: what outlives a process, who may read it, and what it refuses to be.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use scimport::domain::{ExternalId, OperationStatus, RunId, RunStatus, SourceName, TargetName};
use scimport::store::{
    CallLimits, Commit, Leases, NewRun, Operations, Outbox, PlannedRow, Records, RunDraft, Runs,
    SqliteStore, StoreError,
};

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_millis(milliseconds)
}

use crate::store_support;

fn target() -> TargetName {
    TargetName::from("entra")
}

fn joiner(id: &str) -> PlannedRow {
    store_support::joiner(2, id, format!(r#"{{"externalId":"{id}"}}"#).into_bytes())
}

async fn draft(store: &SqliteStore, rows: Vec<PlannedRow>) -> Box<dyn RunDraft> {
    let mut draft = store.draft(&target()).await.unwrap();
    draft.push(rows).await.unwrap();
    draft
}

async fn commit(draft: Box<dyn RunDraft>, id: &str) -> Commit {
    let run = NewRun {
        job: "tenant/principal/job".to_owned(),
        rows: 1,
        ..NewRun::new(RunId::from(id), SourceName::from("hr"), target(), at(0))
    };
    draft.commit(run, at(1)).await.unwrap()
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn what_was_accepted_is_there_after_a_restart_and_the_rest_is_recovered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    commit(draft(&store, vec![joiner("E1")]).await, "R1").await;
    commit(draft(&store, vec![joiner("E2")]).await, "R2").await;
    let first = store.claim(&target(), 1, "a".into(), at(2)).await.unwrap().unwrap();
    let second = store.claim(&target(), 1, "b".into(), at(2)).await.unwrap().unwrap();
    store.accepted(first.id, None, at(3), at(3)).await.unwrap();
    drop(store);

    let store = SqliteStore::open(&path).unwrap();
    let run = store.run(&RunId::from("R1")).await.unwrap().unwrap();
    assert_eq!(run.status, RunStatus::Tracking);
    assert_eq!(run.counts.get(OperationStatus::Accepted), 1);
    assert_eq!(store.recover(&target(), at(4)).await.unwrap(), 1);
    let again = store.claim(&target(), 1, "c".into(), at(4)).await.unwrap().unwrap();
    assert_eq!((again.id, again.attempt), (second.id, 2));

    // The body that was accepted is gone; the ledger keeps the resource.
    let raw = Connection::open(&path).unwrap();
    let bodies = "SELECT count(*) FROM operations WHERE resource IS NOT NULL";
    assert_eq!(raw.query_row(bodies, [], |row| row.get::<_, i64>(0)).unwrap(), 1);
    let kept = store.resources(&target(), vec![ExternalId::from("E1")]).await.unwrap();
    assert_eq!(kept, [Some(br#"{"externalId":"E1"}"#.to_vec())]);
}

#[tokio::test]
async fn a_store_opened_for_reading_reads_and_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("50% of #1?.db");
    let missing = SqliteStore::open_read_only(&path);
    assert!(matches!(missing, Err(StoreError::Open { .. })), "{missing:?}");
    assert_eq!(names(folder.path()), BTreeSet::new());

    let writer = SqliteStore::open(&path).unwrap();
    commit(draft(&writer, vec![joiner("E1")]).await, "R1").await;
    drop(writer);
    let before = (names(folder.path()), std::fs::read(&path).unwrap());
    assert_eq!(before.0.len(), 1);
    let reader = SqliteStore::open_read_only(&path).unwrap();
    assert_eq!(reader.runs(10).await.unwrap().len(), 1);
    assert!(reader.draft(&target()).await.is_err());
    assert!(reader.claim(&target(), 50, "a".into(), at(2)).await.is_err());
    assert!(reader.lease(&target(), at(0)).await.is_err());
    assert_eq!((names(folder.path()), std::fs::read(&path).unwrap()), before);

    // It follows a writer that comes later.
    let writer = SqliteStore::open(&path).unwrap();
    commit(draft(&writer, vec![joiner("E2")]).await, "R2").await;
    assert_eq!(reader.runs(10).await.unwrap().len(), 2);
    assert_eq!(SqliteStore::open_read_only(&path).unwrap().runs(10).await.unwrap().len(), 2);
}

/// Killed between making the file and filling it: there is a store, and nothing in it.
#[tokio::test]
async fn a_file_that_was_never_filled_reads_as_an_empty_store() {
    let folder = tempfile::tempdir().unwrap();
    let (empty, started) = (folder.path().join("empty.db"), folder.path().join("started.db"));
    std::fs::write(&empty, "").unwrap();
    let raw = Connection::open(&started).unwrap();
    raw.pragma_update(None, "journal_mode", "wal").unwrap();
    drop(raw);
    for path in [empty, started] {
        let bytes = std::fs::read(&path).unwrap();
        let reader = SqliteStore::open_read_only(&path).unwrap();
        assert_eq!(reader.runs(10).await.unwrap().len(), 0);
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        drop(SqliteStore::open(&path).unwrap());
        assert!(SqliteStore::open_read_only(&path).is_ok());
    }
}

#[tokio::test]
async fn reading_does_not_wait_for_a_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    commit(draft(&store, vec![joiner("E1")]).await, "R1").await;
    let mut other = Connection::open(&path).unwrap();
    let writing =
        other.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
    writing.execute("UPDATE runs SET file = 'half written'", []).unwrap();
    let run = store.run(&RunId::from("R1")).await.unwrap().unwrap();
    assert_eq!(run.file, None);
    drop(draft(&store, vec![joiner("E2")]).await);
}

#[tokio::test]
async fn processes_share_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    // Opened for the first time by many at once.
    let openers: Vec<_> = (0..8)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || SqliteStore::open(&path).unwrap())
        })
        .collect();
    let stores: Vec<_> = openers.into_iter().map(|opener| opener.join().unwrap()).collect();
    let [one, two, ..] = stores.as_slice() else { panic!("eight stores") };

    let late = draft(two, vec![joiner("E1")]).await;
    assert_eq!(commit(draft(one, vec![joiner("E1")]).await, "R1").await, Commit::Done);
    assert_eq!(commit(late, "R2").await, Commit::LedgerMoved);
    assert_eq!(two.operations(&RunId::from("R1"), None, 10).await.unwrap().len(), 1);

    let lease = one.lease(&target(), at(0)).await.unwrap();
    assert!(lease.is_some());
    assert!(two.lease(&target(), at(0)).await.unwrap().is_none());
    drop(lease);
    assert!(two.lease(&target(), at(0)).await.unwrap().is_some());
    assert!(path.with_file_name("store.db.entra.lock").exists());
}

#[tokio::test]
async fn calls_of_two_processes_are_counted_together() {
    use scimport::store::{CallPermit, Calls};
    use std::time::Duration;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let stores = [SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap()];
    let limits = CallLimits {
        burst: 40,
        window: Duration::from_secs(5),
        margin: Duration::ZERO,
        daily: 2_000,
        lost_after: Duration::from_mins(1),
    };
    let mut granted = 0;
    for number in 0..100 {
        let store = &stores[number % 2];
        let permit = store.begin_call("tenant", &"entra".into(), limits, at(7)).await.unwrap();
        granted += usize::from(matches!(permit, CallPermit::Granted(_)));
    }
    assert_eq!(granted, 40);
}

#[cfg(unix)]
#[tokio::test]
async fn a_store_has_one_lease_by_whatever_name_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("store.db"), folder.path().join("link.db"));
    let store = SqliteStore::open(&path).unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let _lease = store.lease(&target(), at(0)).await.unwrap().unwrap();
    assert!(SqliteStore::open(&link).unwrap().lease(&target(), at(0)).await.unwrap().is_none());
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("store.db")).unwrap();
    commit(draft(&store, vec![joiner("E1")]).await, "R1").await;
    let _lease = store.lease(&target(), at(0)).await.unwrap().unwrap();
    let expected = ["store.db", "store.db-shm", "store.db-wal", "store.db.entra.lock"];
    assert_eq!(names(folder.path()), expected.map(String::from).into());
    for name in expected {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_store_of_a_newer_program_is_refused_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(SqliteStore::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for opened in [SqliteStore::open(&path), SqliteStore::open_read_only(&path)] {
        let error = opened.unwrap_err();
        assert!(matches!(error, StoreError::TooNew { found: 99, known: 1..99, .. }), "{error:?}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn another_programs_file_is_refused_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("other.db");
    Connection::open(&database).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "not a database, but long enough to be taken for one\n".repeat(40))
        .unwrap();
    for path in [database, text] {
        let bytes = std::fs::read(&path).unwrap();
        for opened in [SqliteStore::open(&path), SqliteStore::open_read_only(&path)] {
            let error = opened.unwrap_err();
            assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
    let nowhere = SqliteStore::open(&folder.path().join("no folder/store.db"));
    assert!(matches!(nowhere, Err(StoreError::Open { .. })), "{nowhere:?}");
}
