//! A store that is encrypted: what was changed in it is noticed, another key is named, and after a
//! rekeying nothing is left of what was there before.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use scimport::domain::{
    DeliveryId, ExternalId, OperationId, Origin, RunId, SourceName, TargetName, Who,
};
use scimport::store::{
    Commit, Deliveries, FaultyRow, NewDelivery, NewRun, Operations, Outbox, PlannedRow,
    PlannedVerdict, Records, RekeyPlace, RunDraft, Runs, SealKey, SealKeyId, SealKeys, SealProblem,
    SqliteStore, StoreError, Upkeep, Wiped,
};
use tempfile::TempDir;

use crate::store_support::{self, rekeyed};

/// A name that stands in every value.
const NAME: &str = "Wolkenstein";

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_millis(milliseconds)
}

fn target() -> TargetName {
    TargetName::from("entra")
}

fn key(number: u8) -> SealKey {
    let digits = (0..32_u8).fold(String::new(), |digits, at| {
        digits + &format!("{:02x}", at.wrapping_mul(37) ^ number)
    });
    SealKey::parse(&digits).unwrap()
}

fn keys(current: Option<u8>, old: &[u8]) -> SealKeys {
    SealKeys::new(current.map(key), old.iter().map(|number| key(*number)).collect())
}

fn resource(id: &str) -> Vec<u8> {
    format!(r#"{{"externalId":"{id}","displayName":"Ada {NAME} {id}"}}"#).into_bytes()
}

fn joiner(id: &str) -> PlannedRow {
    store_support::joiner(2, id, resource(id))
}

fn later(id: &str) -> PlannedRow {
    let mut row = joiner(id);
    if let PlannedVerdict::Operation(operation) = row.verdict {
        row.verdict = PlannedVerdict::Later { effective_at: at(1_000_000), operation };
    }
    row
}

fn rejected() -> PlannedRow {
    PlannedRow {
        row: Some(9),
        line: Some(9),
        external_id: None,
        verdict: PlannedVerdict::Rejected {
            code: "mapping.required-empty".into(),
            reason: "column `WorkerID` is empty".into(),
            advice: None,
            faulty: FaultyRow {
                column: Some("WorkerID".into()),
                cells: vec![String::new(), format!("Zoë {NAME}")],
            },
        },
    }
}

fn delivery(number: u8) -> NewDelivery {
    NewDelivery {
        id: DeliveryId::new(format!("D{number}")),
        source: SourceName::from("hr"),
        identity: [number; 32],
        is_lasting: false,
        received_at: at(0),
        from: None,
        caller: "a key".into(),
        is_form: false,
        workers: 1,
        body: format!(r#"{{"name":"{NAME} {number}"}}"#).into_bytes(),
    }
}

/// Somebody in every part of the store.
async fn fill(store: &SqliteStore, run: &str, people: &[&str]) {
    let mut rows: Vec<_> = people.iter().map(|id| joiner(id)).collect();
    rows.push(rejected());
    rows.push(later(&format!("L{run}")));
    let count = rows.len() as u64 - 1;
    let mut draft: Box<dyn RunDraft> = store.draft(&target()).await.unwrap();
    draft.push(rows).await.unwrap();
    let run = NewRun {
        job: "tenant/principal/job".to_owned(),
        rows: count,
        ..NewRun::new(RunId::from(run), SourceName::from("hr"), target(), at(0))
    };
    assert_eq!(draft.commit(run, at(1)).await.unwrap(), Commit::Done);
}

struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    fn open(&self, keys: SealKeys) -> SqliteStore {
        SqliteStore::open_sealed(&self.path(), keys).unwrap()
    }

    fn refused(&self, keys: SealKeys) -> SealProblem {
        problem(SqliteStore::open_sealed(&self.path(), keys).map(drop))
    }

    /// Whether any file beside the store has these bytes.
    fn holds(&self, needle: &str) -> bool {
        let mut files = 0;
        let found = std::fs::read_dir(self.folder.path()).unwrap().any(|entry| {
            files += 1;
            holds(&entry.unwrap().path(), needle)
        });
        assert!(found || files >= 1);
        found
    }
}

fn holds(path: &Path, needle: &str) -> bool {
    let bytes = std::fs::read(path).unwrap();
    bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
}

#[track_caller]
fn problem<T>(result: Result<T, StoreError>) -> SealProblem {
    match result {
        Err(StoreError::Seal(problem)) => problem,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("nothing was noticed"),
    }
}

/// Rekeys in steps of three; gives how many were rewritten and how many are left.
async fn rekey(store: &SqliteStore) -> (u64, u64) {
    store.begin_rekey().await.unwrap();
    let (mut rewritten, mut next) = (0, Some(RekeyPlace::default()));
    while let Some(place) = next {
        let step = store.rekey_some(place, 3).await.unwrap();
        rewritten += step.rewritten;
        next = step.next;
    }
    (rewritten, store.end_rekey(rekeyed(), at(5)).await.unwrap())
}

/// Everything reads back that [`fill`] has stored.
async fn assert_reads(store: &SqliteStore, people: &[&str]) {
    let ids: Vec<_> = people.iter().map(|id| ExternalId::from(*id)).collect();
    let resources = store.resources(&target(), ids).await.unwrap();
    for (id, found) in people.iter().zip(resources) {
        assert_eq!(found.unwrap(), resource(id));
    }
    let (target, source) = (target(), SourceName::from("hr"));
    let due = store.due_records(&target, &source, None, 10, at(2_000_000)).await.unwrap();
    assert!(due[0].planned.resource.starts_with(b"{\"externalId\":\"L"));
}

/// How each kind of value is read, for values that are not what they should be.
async fn read_all(store: &SqliteStore, part: &str) -> Result<(), StoreError> {
    match part {
        "records" => {
            store.resources(&target(), vec![ExternalId::from("E1")]).await?;
            store.last_planned(&target(), vec![ExternalId::from("E1")]).await?;
        }
        "operations" => {
            // whatever is claimed is put back when it cannot be read
            store.claim(&target(), 50, "guid".into(), at(10)).await?;
        }
        "cells" => drop(store.faulty_rows(vec![OperationId(2)]).await?),
        "scheduled" => {
            let source = SourceName::from("hr");
            store.due_records(&target(), &source, None, 10, at(2_000_000)).await?;
        }
        _ => {
            let source = SourceName::from("hr");
            store.waiting_deliveries(&source, 10, 1 << 20, at(10)).await?;
        }
    }
    Ok(())
}

/// Where one value of each kind lies.
const PARTS: [(&str, &str, &str); 5] = [
    (
        "records",
        "SELECT resource FROM records WHERE external_id = 'E1'",
        "UPDATE records SET resource = ?1 WHERE external_id = 'E1'",
    ),
    (
        "operations",
        "SELECT resource FROM operations WHERE id = 1",
        "UPDATE operations SET resource = ?1 WHERE id = 1",
    ),
    (
        "cells",
        "SELECT cells FROM operations WHERE id = 2",
        "UPDATE operations SET cells = ?1 WHERE id = 2",
    ),
    ("scheduled", "SELECT resource FROM scheduled", "UPDATE scheduled SET resource = ?1"),
    ("deliveries", "SELECT body FROM deliveries", "UPDATE deliveries SET body = ?1"),
];

/// Every bit of every byte, in a store that is sealed whole and in one that is not yet.
#[tokio::test]
async fn every_flipped_byte_is_noticed() {
    for is_whole in [true, false] {
        let place = Place::new();
        if !is_whole {
            // made in the clear, so that values in the clear are taken for good ones
            let store = place.open(SealKeys::none());
            fill(&store, "R0", &[]).await;
            Connection::open(place.path())
                .unwrap()
                .execute_batch(
                    "DELETE FROM scheduled; DELETE FROM operation_history; DELETE FROM operations;",
                )
                .unwrap();
        }
        let store = place.open(keys(Some(1), &[]));
        fill(&store, "R1", &["E1"]).await;
        store.keep_deliveries(vec![delivery(1)]).await.unwrap();
        assert_eq!(store.seals().await.unwrap().is_whole, is_whole);
        let raw = Connection::open(place.path()).unwrap();
        raw.execute_batch("PRAGMA synchronous = OFF").unwrap();
        for (part, select, update) in PARTS {
            let good: Vec<u8> = raw.query_row(select, [], |row| row.get(0)).unwrap();
            assert_eq!(good[0], 2, "{part} is sealed");
            let mut flipped = 0;
            for at in 0..good.len() {
                // each bit, and the value that a first byte has in the clear
                for flip in (0..8).map(|bit| 1 << bit).chain([good[0] ^ 1]) {
                    let mut bad = good.clone();
                    bad[at] ^= flip;
                    raw.execute(update, [&bad]).unwrap();
                    let read = read_all(&store, part).await;
                    let words = match read {
                        Err(StoreError::Seal(_) | StoreError::Inconsistent { .. }) => read,
                        other => panic!("{part}, byte {at}, flipped by {flip}: {other:?}"),
                    };
                    assert!(!format!("{words:?}").contains(NAME));
                    flipped += 1;
                }
            }
            assert!(flipped > 400, "{part}");
            raw.execute(update, [&good]).unwrap();
            read_all(&store, part).await.unwrap_or_else(|error| panic!("{part}: {error:?}"));
        }
    }
}

/// Reads everything, two values at a time; gives how many.
async fn reread(store: &SqliteStore) -> Result<u64, StoreError> {
    let (mut all, mut next) = (0, Some(RekeyPlace::default()));
    while let Some(place) = next {
        let (read, then) = store.read_some(place, 2).await?;
        all += read;
        next = then;
    }
    Ok(all)
}

#[tokio::test]
async fn a_broken_value_of_any_kind_is_found_by_reading_everything() {
    let place = Place::new();
    let store = place.open(keys(Some(1), &[]));
    fill(&store, "R1", &["E1"]).await;
    fill(&store, "R2", &["E2", "E3"]).await;
    store.keep_deliveries(vec![delivery(1), delivery(2), delivery(3)]).await.unwrap();
    // three people in ledger and outbox, two rejected rows and two for later, three deliveries
    assert_eq!(reread(&store).await.unwrap(), 13);
    let raw = Connection::open(place.path()).unwrap();
    for (part, select, update) in PARTS {
        let good: Vec<u8> = raw.query_row(select, [], |row| row.get(0)).unwrap();
        let mut bad = good.clone();
        bad[30] ^= 4;
        // only the first of those for later and of the deliveries
        let update = match part {
            "scheduled" => format!("{update} WHERE external_id = 'LR1'"),
            "deliveries" => format!("{update} WHERE id = 'D1'"),
            _ => update.to_owned(),
        };
        raw.execute(&update, [&bad]).unwrap();
        let found = problem(reread(&store).await);
        let table = if part == "cells" { "operations" } else { part };
        assert!(
            matches!(&found, SealProblem::Altered { table: at, .. } if *at == table),
            "{part}: {found:?}"
        );
        raw.execute(&update, [&good]).unwrap();
    }
    assert_eq!(reread(&store).await.unwrap(), 13);
}

#[tokio::test]
async fn what_was_put_in_another_place_is_noticed() {
    let place = Place::new();
    let store = place.open(keys(Some(1), &[]));
    fill(&store, "R1", &["E1", "E2"]).await;
    let raw = Connection::open(place.path()).unwrap();
    raw.execute_batch(
        "UPDATE records SET resource = (
            SELECT other.resource FROM records AS other WHERE other.external_id <> records.external_id);
        UPDATE operations SET resource = (
            SELECT resource FROM records WHERE records.external_id = operations.external_id)
            WHERE resource IS NOT NULL;",
    )
    .unwrap();
    let read = store.resources(&target(), vec![ExternalId::from("E1")]).await;
    let expected = SealProblem::Altered { table: "records", column: "resource", id: "E1".into() };
    assert_eq!(problem(read), expected);
    let claimed = store.claim(&target(), 50, "guid".into(), at(10)).await;
    assert!(matches!(problem(claimed), SealProblem::Altered { table: "operations", .. }));
    // nothing went out, and nothing is lost: it is still queued
    assert_eq!(store.outbox(&target()).await.unwrap().queued, 2);
}

#[tokio::test]
async fn what_lies_in_the_clear_is_refused_once_nothing_may() {
    let place = Place::new();
    let plain = Place::new();
    let store = place.open(keys(Some(1), &[]));
    fill(&store, "R1", &["E1"]).await;
    fill(&plain.open(SealKeys::none()), "R1", &["E1"]).await;
    let in_the_clear: Vec<u8> = Connection::open(plain.path())
        .unwrap()
        .query_row("SELECT resource FROM records", [], |row| row.get(0))
        .unwrap();
    let raw = Connection::open(place.path()).unwrap();
    raw.execute("UPDATE records SET resource = ?1", [&in_the_clear]).unwrap();
    let read = store.resources(&target(), vec![ExternalId::from("E1")]).await;
    assert!(matches!(problem(read), SealProblem::Plain { table: "records", .. }));
}

#[tokio::test]
async fn the_mark_of_a_store_is_proven_itself() {
    let place = Place::new();
    drop(place.open(keys(Some(1), &[])));
    let raw = Connection::open(place.path()).unwrap();
    let proof: Vec<u8> = raw.query_row("SELECT proof FROM seals", [], |row| row.get(0)).unwrap();
    for at in 0..proof.len() {
        let mut bad = proof.clone();
        bad[at] ^= 0x10;
        raw.execute("UPDATE seals SET proof = ?1", [&bad]).unwrap();
        let found = place.refused(keys(Some(1), &[]));
        assert!(matches!(found, SealProblem::Altered { table: "seals", .. }), "{at}: {found:?}");
    }
    raw.execute("UPDATE seals SET proof = ?1, refuses_plain = 0", [&proof]).unwrap();
    assert!(matches!(place.refused(keys(Some(1), &[])), SealProblem::Altered { .. }));
    raw.execute("UPDATE seals SET refuses_plain = 1", []).unwrap();
    drop(place.open(keys(Some(1), &[])));
}

#[tokio::test]
async fn without_the_right_key_a_store_is_not_opened_and_the_key_is_named() {
    let place = Place::new();
    let store = place.open(keys(Some(1), &[]));
    fill(&store, "R1", &["E1"]).await;
    let needed = |ids: &[u8]| {
        let mut ids: Vec<SealKeyId> = ids.iter().map(|number| key(*number).id()).collect();
        ids.sort();
        SealProblem::NoKey(ids)
    };
    assert_eq!(place.refused(keys(None, &[])), needed(&[1]));
    assert_eq!(place.refused(keys(Some(2), &[])), needed(&[1]));
    let read_only = SqliteStore::open_sealed_read_only(&place.path(), keys(Some(2), &[]));
    assert_eq!(problem(read_only.map(drop)), needed(&[1]));
    assert_eq!(problem(SqliteStore::open_read_only(&place.path()).map(drop)), needed(&[1]));
    // a key to read with is not one to write with
    assert_eq!(place.refused(keys(None, &[1])), SealProblem::WouldLieOpen(key(1).id()));
    let reader = SqliteStore::open_sealed_read_only(&place.path(), keys(None, &[1])).unwrap();
    assert_reads(&reader, &["E1"]).await;
    // whoever comes with another key enters it before anything is sealed with it
    drop(place.open(keys(Some(2), &[1])));
    assert_eq!(place.refused(keys(Some(1), &[])), needed(&[2]));
    assert_eq!(place.refused(keys(Some(3), &[])), needed(&[1, 2]));
    let words = place.refused(keys(Some(1), &[])).to_string();
    assert!(words.contains(&format!("`{}`", key(2).id())), "{words}");
}

#[tokio::test]
async fn from_the_clear_to_a_key_to_another_one_and_back_nothing_is_left_behind() {
    let place = Place::new();
    let people: Vec<String> = (0..40).map(|number| format!("E{number}")).collect();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    let store = place.open(SealKeys::none());
    fill(&store, "R1", &people).await;
    store.keep_deliveries(vec![delivery(1)]).await.unwrap();
    drop(store);
    assert!(place.holds(NAME));

    let store = place.open(keys(Some(1), &[]));
    assert!(!store.seals().await.unwrap().is_whole);
    fill(&store, "R2", &["F1"]).await;
    // 40 people in ledger and outbox, one rejected row, one row for later, one delivery
    assert_eq!(rekey(&store).await, (83, 0));
    assert!(store.seals().await.unwrap().is_whole);
    assert!(place.holds(NAME), "what was written over is still there");
    assert_eq!(store.wipe().await.unwrap(), Wiped::Clean);
    assert!(!place.holds(NAME));
    assert_eq!(rekey(&store).await, (0, 0), "once is enough");
    assert_reads(&store, &people).await;
    drop(store);
    assert_eq!(place.refused(SealKeys::none()), SealProblem::NoKey(vec![key(1).id()]));

    let store = place.open(keys(Some(2), &[1]));
    assert_reads(&store, &people).await;
    fill(&store, "R3", &["G1"]).await;
    assert_eq!(rekey(&store).await, (83 + 4, 0));
    assert_eq!(store.seals().await.unwrap().named, [key(2).id()]);
    drop(store);
    let store = place.open(keys(Some(2), &[]));
    assert_reads(&store, &people).await;
    drop(store);

    let store = SqliteStore::open_to_unseal(&place.path(), keys(None, &[2])).unwrap();
    assert_eq!(rekey(&store).await, (83 + 8, 0));
    drop(store);
    let store = place.open(SealKeys::none());
    assert_reads(&store, &people).await;
    assert!(!store.seals().await.unwrap().is_whole);
    assert!(place.holds(NAME));
}

/// Whatever step was the last before a crash, everything can be read, and another start ends it.
#[tokio::test]
async fn a_rekeying_that_was_cut_short_goes_on() {
    const PEOPLE: [&str; 7] = ["E1", "E2", "E3", "E4", "E5", "E6", "E7"];
    for steps in 0..8 {
        let place = Place::new();
        fill(&place.open(keys(Some(1), &[])), "R1", &PEOPLE).await;
        let store = place.open(keys(Some(2), &[1]));
        store.begin_rekey().await.unwrap();
        let mut next = Some(RekeyPlace::default());
        for _ in 0..steps {
            let Some(here) = next else { break };
            next = store.rekey_some(here, 3).await.unwrap().next;
        }
        drop(store);
        // the old key is still needed, and asked for
        assert_eq!(place.refused(keys(Some(2), &[])), SealProblem::NoKey(vec![key(1).id()]));
        let store = place.open(keys(Some(2), &[1]));
        assert_reads(&store, &PEOPLE).await;
        assert_eq!(rekey(&store).await.1, 0);
        drop(store);
        assert_reads(&place.open(keys(Some(2), &[])), &PEOPLE).await;
    }
}

/// A process that has not heard of the new key yet: what it writes is not lost, and the rekeying
/// says that it is not at its end, or the store asks for the old key again.
#[tokio::test]
async fn whoever_still_writes_with_another_key_is_noticed() {
    let place = Place::new();
    let old = place.open(keys(Some(1), &[]));
    fill(&old, "R1", &["E1"]).await;
    let mut draft = old.draft(&target()).await.unwrap();
    draft.push(vec![joiner("E2")]).await.unwrap();
    let new = place.open(keys(Some(2), &[1]));
    assert_eq!(rekey(&new).await.1, 0);
    let run = NewRun {
        job: "tenant/principal/job".to_owned(),
        rows: 1,
        ..NewRun::new(RunId::from("R2"), SourceName::from("hr"), target(), at(0))
    };
    assert_eq!(draft.commit(run, at(2)).await.unwrap(), Commit::Done);
    assert_eq!(place.refused(keys(Some(2), &[])), SealProblem::NoKey(vec![key(1).id()]));
    assert_eq!(rekey(&new).await, (2, 0));
    // one without any key is not let in
    let plain = Place::new();
    let unaware = plain.open(SealKeys::none());
    fill(&unaware, "R1", &["E1"]).await;
    let mut draft = unaware.draft(&target()).await.unwrap();
    draft.push(vec![joiner("E2")]).await.unwrap();
    let sealed = plain.open(keys(Some(1), &[]));
    assert_eq!(rekey(&sealed).await.1, 0);
    let run = NewRun {
        job: "tenant/principal/job".to_owned(),
        rows: 1,
        ..NewRun::new(RunId::from("R2"), SourceName::from("hr"), target(), at(0))
    };
    let refused = problem(draft.commit(run, at(2)).await);
    assert_eq!(refused, SealProblem::WouldLieOpen(key(1).id()));
    let refused = problem(unaware.resources(&target(), vec![ExternalId::from("E1")]).await);
    assert_eq!(refused, SealProblem::NoKey(vec![key(1).id()]));
}

#[tokio::test]
async fn a_running_store_takes_other_keys_or_keeps_its_own() {
    let place = Place::new();
    let store = place.open(keys(Some(1), &[]));
    fill(&store, "R1", &["E1"]).await;
    let refused = problem(store.use_keys(keys(Some(2), &[])).await);
    assert_eq!(refused, SealProblem::NoKey(vec![key(1).id()]));
    let refused = problem(store.use_keys(keys(None, &[1])).await);
    assert_eq!(refused, SealProblem::WouldLieOpen(key(1).id()));
    fill(&store, "R2", &["E2"]).await;
    assert_eq!(store.seals().await.unwrap().named, [key(1).id()]);
    store.use_keys(keys(Some(2), &[1])).await.unwrap();
    assert_eq!(store.seals().await.unwrap().current, Some(key(2).id()));
    fill(&store, "R3", &["E3"]).await;
    assert_reads(&store, &["E1", "E2", "E3"]).await;
    assert_eq!(rekey(&store).await, (8, 0));
}

#[tokio::test]
async fn whoever_is_forgotten_is_in_no_file_of_the_store() {
    const ID: &str = "W-4711-forget";
    let place = Place::new();
    let store = place.open(SealKeys::none());
    let mut rows = rejected();
    rows.external_id = Some(ExternalId::from(ID));
    let mut person = joiner(ID);
    if let PlannedVerdict::Operation(operation) = &mut person.verdict {
        operation.resource =
            format!(r#"{{"externalId":"{ID}","displayName":"Grace {NAME}"}}"#).into_bytes();
    }
    let mut draft = store.draft(&target()).await.unwrap();
    draft.push(vec![person, rows]).await.unwrap();
    let run = NewRun {
        job: "tenant/principal/job".to_owned(),
        rows: 2,
        ..NewRun::new(RunId::from("R1"), SourceName::from("hr"), target(), at(0))
    };
    assert_eq!(draft.commit(run, at(1)).await.unwrap(), Commit::Done);
    let claim = store.claim(&target(), 50, "guid".into(), at(2)).await.unwrap().unwrap();
    let told = format!("`Grace {NAME}` is refused");
    store.refuse(claim.id, "InvalidDomain".into(), told, "mend it".into(), at(3)).await.unwrap();
    for needle in [ID, NAME] {
        assert!(place.holds(needle));
    }
    let done = store
        .forget(&target(), &ExternalId::from(ID), true, Who::new("ann", Origin::Cli), at(4))
        .await
        .unwrap();
    assert!(matches!(done, scimport::store::Forgetting::Done(_)));
    assert_eq!(store.wipe().await.unwrap(), Wiped::Clean);
    for needle in [ID, NAME] {
        assert!(!place.holds(needle), "{needle}");
    }
    let run = store.run(&RunId::from("R1")).await.unwrap().unwrap();
    assert_eq!((run.counts.total(), run.rows, run.bulk_requests), (2, 2, 1));
}
