//! Who is missing, what is due, and what earlier files say.

use crate::domain::{ActiveWindow, Change, ExternalId, OperationStatus, RunId, RunKind};
use crate::store::conformance::sample::{
    at, deliver, joiners, new_run, operations, outcome, rejected, resource, row, source, target,
};
use crate::store::{
    ActiveRecord, ChangeCounts, Commit, Due, FileHistory, NewRun, PlannedRow, PlannedVerdict,
    RecordNote, SmallRuns, Store,
};

async fn commit<S: Store>(store: &S, run: NewRun, rows: Vec<PlannedRow>, missing: &[(&str, bool)]) {
    let mut draft = store.draft(&target()).await.unwrap();
    draft.push(rows).await.unwrap();
    let people = missing.iter().map(|(id, leaves)| (ExternalId::from(*id), *leaves)).collect();
    draft.push_missing(people).await.unwrap();
    assert_eq!(draft.commit(run, at(0)).await.unwrap(), Commit::Done);
}

fn full(id: &str, rows: u64) -> NewRun {
    NewRun { is_full: true, is_complete: true, counts_absence: true, ..new_run(id, rows) }
}

/// Whom a file misses that names these workers.
async fn missing<S: Store>(store: &S, named: &'static [&str]) -> Vec<ActiveRecord> {
    let people = store.known_people(&target(), &source(), [8; 16], at(0)).await.unwrap();
    people.missing(|_, id| named.contains(&id)).collect()
}

async fn missing_runs<S: Store>(store: &S) -> Vec<(String, u32)> {
    let records = missing(store, &[]).await;
    records.iter().map(|each| (each.external_id.to_string(), each.missing_runs)).collect()
}

pub async fn absences_are_counted_in_a_row_and_forgotten<S: Store>(store: &S) {
    commit(store, full("R1", 3), joiners(&["E1", "E2", "E3"]), &[]).await;
    deliver(store, at(0)).await;
    commit(store, full("R2", 0), Vec::new(), &[("E1", false), ("E2", false)]).await;
    let expected = [("E1".into(), 1), ("E2".into(), 1), ("E3".into(), 0)];
    assert_eq!(missing_runs(store).await, expected);
    // a file that says nothing about absence forgets those it names
    let unsure = NewRun { counts_absence: false, ..full("R3", 0) };
    commit(store, unsure, Vec::new(), &[("E1", false)]).await;
    let expected = [("E1".into(), 1), ("E2".into(), 0), ("E3".into(), 0)];
    assert_eq!(missing_runs(store).await, expected);
    commit(store, full("R4", 0), Vec::new(), &[("E1", false), ("E3", false)]).await;
    let records = missing(store, &[]).await;
    assert_eq!((records[0].missing_runs, records[0].missing_since), (2, Some(at(0))));
    // whom a file names is not missing, and who left is not active
    assert_eq!(missing(store, &["E1"]).await.len(), 2);
    let leaver = PlannedRow { row: None, line: None, ..row(0, "E1", Change::Leaver, 2) };
    commit(store, full("R5", 0), vec![leaver], &[("E1", true)]).await;
    assert_eq!(missing_runs(store).await.len(), 2);
    let listed = store.missing(&RunId::from("R5"), None, 10).await.unwrap();
    assert_eq!(listed, [(ExternalId::from("E1"), true)]);
    let run = store.run(&RunId::from("R5")).await.unwrap().unwrap();
    assert_eq!((run.without_row, run.is_complete), (1, true));
}

pub async fn earlier_files_tell_how_large_and_how_old_they_are<S: Store>(store: &S) {
    let history = async || store.file_history(&source(), [7; 32]).await;
    assert_eq!(history().await.unwrap(), FileHistory::default());
    commit(store, NewRun { as_of: Some(at(5)), ..full("R1", 1) }, joiners(&["E1"]), &[]).await;
    let newer =
        NewRun { is_complete: false, as_of: Some(at(9)), file_digest: [6; 32], ..full("R2", 1) };
    commit(store, newer, vec![row(2, "E1", Change::Mover, 2)], &[]).await;
    let found = history().await.unwrap();
    assert_eq!((found.last_complete_rows, found.latest_as_of), (Some(1), Some(at(9))));
    // the same bytes as an older run, and not as the latest one
    assert_eq!(found.same_bytes, Some(RunId::from("R1")));
    assert_eq!(store.file_history(&source(), [6; 32]).await.unwrap().same_bytes, None);
    // a pilot is no file that anything is held against
    let pilot = NewRun {
        kind: RunKind::Pilot,
        as_of: Some(at(99)),
        file_digest: [5; 32],
        ..new_run("R3", 1)
    };
    commit(store, pilot, joiners(&["E2"]), &[]).await;
    assert_eq!(history().await.unwrap().latest_as_of, Some(at(9)));
    let latest = store.latest_run_of(&source(), [6; 32], [8; 16]).await.unwrap();
    assert_eq!(latest.unwrap().id, RunId::from("R2"));
}

pub async fn small_runs_of_a_source_are_summed_up<S: Store>(store: &S) {
    let changes = |leaver| ChangeCounts { leaver, ..ChangeCounts::default() };
    let due = |id, leaver, second: i64| NewRun {
        kind: RunKind::Due,
        file: None,
        changes: changes(leaver),
        started_at: at(second * 1_000),
        ..new_run(id, 0)
    };
    commit(store, due("R1", 1, 0), Vec::new(), &[]).await;
    commit(store, due("R2", 2, 100), Vec::new(), &[]).await;
    commit(store, NewRun { changes: changes(50), ..new_run("R3", 0) }, Vec::new(), &[]).await;
    let hook = NewRun { kind: RunKind::Webhook, rows: 3, out_of_scope: 1, ..due("R4", 4, 120) };
    commit(store, hook, vec![rejected(2), rejected(3)], &[]).await;
    let since =
        async |second: i64| store.small_runs_since(&source(), at(second * 1_000)).await.unwrap();
    assert_eq!(since(-1).await.changes.leaver, 7);
    assert_eq!(since(50).await.changes.leaver, 6);
    let last = since(100).await;
    assert_eq!((last.changes.leaver, last.rows_in_scope, last.rejected), (4, 2, 2));
    assert_eq!(since(120).await, SmallRuns::default());
}

fn noted(row: PlannedRow, window: ActiveWindow) -> PlannedRow {
    let PlannedVerdict::Operation(mut operation) = row.verdict else { return row };
    operation.note = RecordNote {
        row_digest: None,
        window: Some(window),
        next_effective_at: window.next_change(at(0)),
    };
    PlannedRow { verdict: PlannedVerdict::Operation(operation), ..row }
}

pub async fn a_record_is_due_from_its_date_on<S: Store>(store: &S) {
    let window = ActiveWindow { from: at(1_000), until: Some(at(9_000)) };
    let rows =
        vec![noted(row(2, "E1", Change::Joiner, 1), window), row(3, "E2", Change::Joiner, 1)];
    commit(store, new_run("R1", 2), rows, &[]).await;
    deliver(store, at(0)).await;
    let sources = async |now: i64| store.due_sources(&target(), at(now)).await;
    assert!(sources(999).await.unwrap().is_empty());
    assert_eq!(sources(1_000).await.unwrap(), [source()]);
    let due = async |now: i64| store.due_records(&target(), &source(), None, 10, at(now)).await;
    assert!(due(999).await.unwrap().is_empty());
    let found = due(1_000).await.unwrap();
    let [record] = found.as_slice() else { panic!("one of {}", found.len()) };
    assert_eq!((record.external_id.as_str(), record.due), ("E1", Due::Window));
    assert_eq!(
        (record.planned.window, &record.planned.resource),
        (Some(window), &resource("E1", 1))
    );
    let shown = store.record(&ExternalId::from("E1")).await.unwrap();
    assert_eq!(shown[0].next_effective_at, Some(at(1_000)));
    let after = ExternalId::from("E1");
    let rest = store.due_records(&target(), &source(), Some(&after), 10, at(1_000)).await.unwrap();
    assert!(rest.is_empty());
}

pub async fn a_later_row_is_kept_until_its_day_or_until_a_newer_file<S: Store>(store: &S) {
    let later = |id: &str, effective: i64, version: u32| {
        let PlannedRow { verdict, .. } = row(9, id, Change::Mover, version);
        let PlannedVerdict::Operation(operation) = verdict else { panic!("an operation") };
        PlannedRow {
            row: None,
            line: None,
            external_id: Some(id.into()),
            verdict: PlannedVerdict::Later { effective_at: at(effective), operation },
        }
    };
    let mut rows = joiners(&["E1"]);
    rows.extend([later("E1", 1_000, 5), later("E7", 2_000, 6)]);
    commit(store, full("R1", 1), rows, &[]).await;
    deliver(store, at(0)).await;
    let due = async |now: i64| store.due_records(&target(), &source(), None, 10, at(now)).await;
    assert!(due(999).await.unwrap().is_empty());
    let found = due(2_000).await.unwrap();
    let seen: Vec<_> = found
        .iter()
        .map(|record| (record.external_id.as_str(), record.due, record.planned.resource.clone()))
        .collect();
    let expected = [("E1", Due::Row, resource("E1", 5)), ("E7", Due::Row, resource("E7", 6))];
    assert_eq!(seen, expected);
    // the run of the day takes it off the list
    let due_run = NewRun { kind: RunKind::Due, file: None, is_full: false, ..new_run("R2", 0) };
    let mut draft = store.draft(&target()).await.unwrap();
    let moved = PlannedRow { row: None, line: None, ..row(0, "E1", Change::Mover, 5) };
    draft.push(vec![moved]).await.unwrap();
    assert_eq!(draft.commit(due_run, at(1_500)).await.unwrap(), Commit::Done);
    assert_eq!(due(2_000).await.unwrap().len(), 1);
    // a newer whole file that knows nothing of it takes the other one back
    commit(store, full("R3", 0), Vec::new(), &[]).await;
    assert!(due(2_000).await.unwrap().is_empty());
}

pub async fn a_report_is_due_once_the_manager_has_arrived<S: Store>(store: &S) {
    let PlannedRow { verdict, .. } = row(2, "E1", Change::Joiner, 1);
    let PlannedVerdict::Operation(mut operation) = verdict else { panic!("an operation") };
    operation.manager = Some("BOSS".into());
    let report = PlannedRow {
        row: Some(2),
        line: Some(2),
        external_id: Some("E1".into()),
        verdict: PlannedVerdict::Operation(operation),
    };
    commit(store, new_run("R1", 1), vec![report], &[]).await;
    deliver(store, at(0)).await;
    commit(store, new_run("R2", 1), joiners(&["BOSS"]), &[]).await;
    deliver(store, at(0)).await;
    let due = async || store.due_records(&target(), &source(), None, 10, at(1_000)).await;
    assert!(due().await.unwrap().is_empty(), "accepted is not provisioned");
    let boss = operations(store, "R2").await;
    let created = outcome(&boss[0], OperationStatus::Provisioned, "created");
    store.settle(vec![created], at(10)).await.unwrap();
    let found = due().await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].external_id.as_str(), found[0].due), ("E1", Due::Manager));
    let known = ["BOSS", "E9"].map(ExternalId::from).to_vec();
    assert_eq!(store.are_known(&target(), known).await.unwrap(), [true, false]);
}

pub async fn the_ledgers_digest_follows_ids_digests_and_states<S: Store>(store: &S) {
    let digest = async || store.ledger_digest(&target()).await;
    let empty = digest().await.unwrap();
    commit(store, new_run("R1", 1), joiners(&["E1"]), &[]).await;
    let one = digest().await.unwrap();
    deliver(store, at(0)).await;
    assert_eq!(digest().await.unwrap(), one, "sending changes nobody's state");
    commit(store, new_run("R2", 1), vec![row(2, "E1", Change::Mover, 2)], &[]).await;
    let moved = digest().await.unwrap();
    assert!(one != empty && moved != one);
}
