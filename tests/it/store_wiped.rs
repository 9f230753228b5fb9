//! What was removed may still lie in the file and its log: it is noted with the removal, and wiped by
//! whoever comes next, whatever was in the way.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use scimport::domain::{ExternalId, Origin, RunId, SourceName, TargetName, Who};
use scimport::store::{
    Audit, Commit, Forgetting, NewRun, Outbox, RunDraft, Runs, SealKeys, SqliteStore, Upkeep, Wiped,
};
use tempfile::TempDir;

use crate::store_support::{self, rekeyed};

const NOBODY: Forgetting = Forgetting::Nobody;

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_millis(milliseconds)
}

fn target() -> TargetName {
    TargetName::from("entra")
}

/// A store with people of whom nothing is on its way.
struct Place {
    folder: TempDir,
}

impl Place {
    async fn of(people: &[&str]) -> (Self, SqliteStore) {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        let store = place.open();
        let resource = |id: &str| {
            format!(r#"{{"externalId":"{id}","displayName":"Ada {id}-name"}}"#).into_bytes()
        };
        let rows = (2..).zip(people).map(|(row, id)| store_support::joiner(row, id, resource(id)));
        let mut draft: Box<dyn RunDraft> = store.draft(&target()).await.unwrap();
        draft.push(rows.collect()).await.unwrap();
        let run = NewRun {
            job: "tenant/principal/job".to_owned(),
            rows: people.len() as u64,
            ..NewRun::new(RunId::from("R1"), SourceName::from("hr"), target(), at(0))
        };
        assert_eq!(draft.commit(run, at(1)).await.unwrap(), Commit::Done);
        let claim = store.claim(&target(), 50, "guid".into(), at(2)).await.unwrap().unwrap();
        let (code, why) = ("InvalidDomain".to_owned(), "no such domain".to_owned());
        store.refuse(claim.id, code, why, "mend it".into(), at(3)).await.unwrap();
        (place, store)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    fn open(&self) -> SqliteStore {
        SqliteStore::open_sealed(&self.path(), SealKeys::none()).unwrap()
    }

    /// The same as a crash leaves it: nobody has closed it.
    fn crashed(&self) -> Self {
        let other = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["store.db", "store.db-wal"] {
            std::fs::copy(self.folder.path().join(name), other.folder.path().join(name)).unwrap();
        }
        other
    }

    /// Whether any file of the store names somebody.
    fn names(&self, id: &str) -> bool {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        files.map(|file| file.unwrap().path()).any(|file| holds(&file, id.as_bytes()))
    }
}

fn holds(path: &Path, needle: &[u8]) -> bool {
    std::fs::read(path).unwrap().windows(needle.len()).any(|window| window == needle)
}

async fn forget(store: &SqliteStore, id: &str, now: i64) -> Forgetting {
    let who = Who::new("ann", Origin::Cli);
    store.forget(&target(), &ExternalId::from(id), true, who, at(now)).await.unwrap()
}

#[tokio::test]
async fn while_somebody_reads_the_wiping_waits_and_whoever_comes_then_ends_it() {
    let (place, store) = Place::of(&["W-4711-ada", "W-4712-ben", "W-4713-cy"]).await;
    let reader = Connection::open(place.path()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM operations;").unwrap();
    let people = |connection: &Connection| -> i64 {
        connection.query_row("SELECT count(*) FROM operations", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(people(&reader), 3);
    assert!(matches!(forget(&store, "W-4711-ada", 10).await, Forgetting::Done(_)));
    for _ in 0..2 {
        assert_eq!(store.wipe().await.unwrap(), Wiped::InUse);
        assert!(place.names("W-4711-ada"), "the file cannot be clean while it is read");
    }
    assert_eq!(forget(&store, "W-4711-ada", 11).await, Forgetting::Already(at(10)));
    // somebody else, after the file was written anew: their traces are not there yet
    assert!(matches!(forget(&store, "W-4712-ben", 12).await, Forgetting::Done(_)));
    assert_eq!(store.wipe().await.unwrap(), Wiped::InUse);
    assert_eq!(people(&reader), 3, "whoever reads is not disturbed");
    drop(reader);
    drop(store);
    let store = place.open();
    assert_eq!(forget(&store, "W-4711-ada", 13).await, Forgetting::Already(at(10)));
    assert_eq!(forget(&store, "W-4712-ben", 13).await, Forgetting::Already(at(12)));
    assert_eq!(store.wipe().await.unwrap(), Wiped::Clean);
    for id in ["W-4711-ada", "W-4712-ben"] {
        assert!(!place.names(id), "{id}");
        assert_eq!(forget(&store, id, 14).await, NOBODY);
    }
    assert!(place.names("W-4713-cy"));
    assert_eq!(store.wipe().await.unwrap(), Wiped::NothingDue);
}

/// The process ends between the commit and the wiping: the next one finds what is left to do.
#[tokio::test]
async fn what_a_crash_left_to_wipe_is_found() {
    let (place, store) = Place::of(&["W-4711-ada", "W-4712-ben"]).await;
    assert!(matches!(forget(&store, "W-4711-ada", 10).await, Forgetting::Done(_)));
    // what is on the disk at that moment
    let (place, _before) = (place.crashed(), (place, store));
    assert!(place.names("W-4711-ada"));
    let store = place.open();
    assert_eq!(store.wipe().await.unwrap(), Wiped::Clean);
    assert!(!place.names("W-4711-ada"));
    assert!(place.names("W-4712-ben"));
    // nor is it to be found out by trying ids whether it was somebody
    let raw = Connection::open(place.path()).unwrap();
    let notes: i64 = raw.query_row("SELECT count(*) FROM wipes_due", [], |row| row.get(0)).unwrap();
    assert_eq!(notes, 0);
}

/// A rekeying notes the same, in the transaction that ends it.
#[tokio::test]
async fn what_a_rekeying_left_to_wipe_is_found() {
    let (place, store) = Place::of(&["W-4711-ada"]).await;
    store.begin_rekey().await.unwrap();
    assert_eq!(store.end_rekey(rekeyed(), at(10)).await.unwrap(), 0);
    // it is told with it, so that a crash leaves neither without the other
    let told = store.audit_page(0, 10).await.unwrap();
    assert_eq!(told.last().map(|last| last.action.as_str()), Some("store.rekeyed"));
    drop(store);
    let store = place.open();
    assert_eq!(store.wipe().await.unwrap(), Wiped::Clean);
    assert_eq!(store.wipe().await.unwrap(), Wiped::NothingDue);
}
