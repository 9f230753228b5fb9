//! Runs that are held, and what people decide about them.

use crate::domain::{
    ActiveWindow, Change, ExternalId, HeldBy, OperationStatus, RunDecision, RunId, RunKind,
    RunStatus, SourceName,
};
use crate::store::conformance::sample::{
    at, by, claim, deliver, joiners, new_run, operations, outcome, resource, row, run, source,
    status, statuses, target, workers,
};
use crate::store::{
    Commit, NewRun, Outcome, PlannedRow, PlannedVerdict, RecordCounts, RecordNote, Store,
    TakesPlaceOf,
};

/// Commits a run that a guard holds.
async fn hold<S: Store>(store: &S, id: &str, rows: Vec<PlannedRow>, more: NewRun) {
    let held_by =
        vec![HeldBy { guard: "max_leavers".into(), limit: "5%".into(), value: 7, of: 100 }];
    let run = NewRun { id: RunId::from(id), rows: rows.len() as u64, held_by, ..more };
    let mut draft = store.draft(&target()).await.unwrap();
    draft.push(rows).await.unwrap();
    assert_eq!(draft.commit(run, at(0)).await.unwrap(), Commit::Done);
}

async fn commit_with<S: Store>(store: &S, id: &str, rows: Vec<PlannedRow>, more: NewRun) {
    let run = NewRun { id: RunId::from(id), rows: rows.len() as u64, ..more };
    let mut draft = store.draft(&target()).await.unwrap();
    draft.push(rows).await.unwrap();
    assert_eq!(draft.commit(run, at(0)).await.unwrap(), Commit::Done);
}

async fn ids<S: Store>(store: &S, ids: &[&str]) -> Vec<Option<[u8; 16]>> {
    let ids = ids.iter().map(|id| ExternalId::from(*id)).collect();
    let entries = store.ledger(&target(), ids).await.unwrap();
    entries.into_iter().map(|entry| entry.map(|entry| entry.digest)).collect()
}

pub async fn a_held_run_touches_nothing_until_it_is_approved<S: Store>(store: &S) {
    commit_with(store, "R1", joiners(&["E1", "E2"]), new_run("R1", 2)).await;
    deliver(store, at(0)).await;
    let before = ids(store, &["E1", "E2", "E3"]).await;
    let rows = vec![row(2, "E1", Change::Leaver, 2), row(3, "E3", Change::Joiner, 1)];
    hold(store, "R2", rows, new_run("R2", 2)).await;
    let held = run(store, "R2").await;
    assert_eq!((held.status, held.held_by.len()), (RunStatus::Held, 1));
    assert_eq!((held.held_by[0].value, held.held_by[0].of), (7, 100));
    assert_eq!(statuses(store, "R2").await, [OperationStatus::Held; 2]);
    assert_eq!(ids(store, &["E1", "E2", "E3"]).await, before, "the ledger does not know of it");
    assert!(claim(store, at(1)).await.is_none(), "nothing of it is sent");
    let waiting = store.held_operations(&source()).await.unwrap();
    let workers_held: Vec<&str> = waiting.iter().map(|(_, worker)| worker.as_str()).collect();
    assert_eq!(workers_held, ["E1", "E3"]);

    let done = store.approve(&RunId::from("R2"), &by("ada"), at(10)).await.unwrap();
    assert_eq!(done, Some(Outcome::Done(2)));
    let approved = run(store, "R2").await;
    assert_eq!(approved.status, RunStatus::Delivering);
    let [decided] = approved.decisions.as_slice() else { panic!("one decision") };
    assert_eq!((decided.decision, decided.by.as_str()), (RunDecision::Approved, "ada"));
    assert_eq!(decided.at, at(10));
    let entries = store
        .ledger(&target(), vec![ExternalId::from("E1"), ExternalId::from("E3")])
        .await
        .unwrap();
    assert!(entries.iter().flatten().all(|entry| entry.last_status == OperationStatus::Queued));
    assert_eq!((entries[0].as_ref().unwrap().active, entries.len()), (false, 2));
    let claimed = claim(store, at(11)).await.unwrap();
    assert_eq!(workers(&claimed), ["E1", "E3"], "leavers first");
    assert_eq!(claimed.operations[0].resource, resource("E1", 2));
    assert_eq!(store.held_operations(&source()).await.unwrap(), []);
}

pub async fn a_decision_is_for_a_run_that_waits_for_it<S: Store>(store: &S) {
    let nobody = store.approve(&RunId::from("R9"), &by("ada"), at(0)).await.unwrap();
    assert_eq!(nobody, None);
    assert_eq!(store.cancel(&RunId::from("R9"), &by("ada"), at(0)).await.unwrap(), None);
    commit_with(store, "R1", joiners(&["E1"]), new_run("R1", 1)).await;
    let refused = store.approve(&RunId::from("R1"), &by("ada"), at(0)).await.unwrap();
    let expected = Outcome::NotPossible { status: RunStatus::Delivering, superseded_by: None };
    assert_eq!(refused, Some(expected));
    assert!(run(store, "R1").await.decisions.is_empty());
}

pub async fn what_was_planned_anew_meanwhile_is_not_approved<S: Store>(store: &S) {
    commit_with(store, "R1", joiners(&["E1", "E2"]), new_run("R1", 2)).await;
    deliver(store, at(0)).await;
    let rows = vec![row(2, "E1", Change::Mover, 2), row(3, "E2", Change::Mover, 2)];
    hold(store, "R2", rows, new_run("R2", 2)).await;
    commit_with(store, "R3", vec![row(2, "E1", Change::Mover, 3)], new_run("R3", 1)).await;
    let done = store.approve(&RunId::from("R2"), &by("ada"), at(10)).await.unwrap();
    assert_eq!(done, Some(Outcome::Done(1)));
    assert_eq!(statuses(store, "R2").await, [OperationStatus::Superseded, OperationStatus::Queued]);
    let claimed = claim(store, at(11)).await.unwrap();
    assert_eq!(workers(&claimed), ["E2", "E1"], "in the order of planning");
    assert_eq!(claimed.operations[1].resource, resource("E1", 3), "the newest version");
}

pub async fn a_newer_file_takes_the_place_of_held_ones<S: Store>(store: &S) {
    let full =
        |id| NewRun { is_full: true, takes_place_of: TakesPlaceOf::Everything, ..new_run(id, 1) };
    hold(store, "R1", joiners(&["E1"]), full("R1")).await;
    // a few changes of an older file, and what was due by its dates
    let pilot = NewRun { kind: RunKind::Pilot, ..new_run("P1", 1) };
    hold(store, "P1", joiners(&["E2"]), pilot).await;
    let due = NewRun { kind: RunKind::Due, file: None, ..new_run("R2", 1) };
    hold(store, "R2", joiners(&["E1", "E2"]), due).await;
    assert_eq!(status(store, "R1").await, RunStatus::Held, "several stand side by side");
    commit_with(store, "R3", joiners(&["E3"]), full("R3")).await;
    for id in ["R1", "P1", "R2"] {
        let superseded = run(store, id).await;
        assert_eq!(superseded.status, RunStatus::Completed);
        assert_eq!(superseded.superseded_by, Some(RunId::from("R3")));
        let refused = store.approve(&RunId::from(id), &by("ada"), at(1)).await.unwrap();
        let expected = Outcome::NotPossible {
            status: RunStatus::Completed,
            superseded_by: Some(RunId::from("R3")),
        };
        assert_eq!(refused, Some(expected));
    }
    assert_eq!(ids(store, &["E1", "E2"]).await, [None, None]);
}

pub async fn named_workers_alone_are_superseded_in_a_held_run<S: Store>(store: &S) {
    hold(store, "R1", joiners(&["E1", "E2"]), new_run("R1", 2)).await;
    let waiting = store.held_operations(&source()).await.unwrap();
    let first = waiting[0].0;
    let run_3 =
        NewRun { takes_place_of: TakesPlaceOf::Operations(vec![first]), ..new_run("R3", 1) };
    commit_with(store, "R3", joiners(&["E1"]), run_3).await;
    assert_eq!(statuses(store, "R1").await, [OperationStatus::Superseded, OperationStatus::Held]);
    assert_eq!(status(store, "R1").await, RunStatus::Held);
    assert_eq!(
        store.approve(&RunId::from("R1"), &by("ada"), at(1)).await.unwrap(),
        Some(Outcome::Done(1))
    );
}

pub async fn a_cancelled_run_is_not_taken_for_sent<S: Store>(store: &S) {
    commit_with(store, "R1", joiners(&["E1", "E2"]), new_run("R1", 2)).await;
    deliver(store, at(0)).await;
    let rows = vec![
        row(2, "E1", Change::Leaver, 2),
        row(3, "E2", Change::Mover, 2),
        row(4, "E3", Change::Joiner, 1),
    ];
    commit_with(store, "R2", rows, new_run("R2", 3)).await;
    let done = store.cancel(&RunId::from("R2"), &by("ada"), at(5)).await.unwrap();
    assert_eq!(done, Some(Outcome::Done(3)));
    assert_eq!(statuses(store, "R2").await, [OperationStatus::Cancelled; 3]);
    let cancelled = run(store, "R2").await;
    assert_eq!((cancelled.status, cancelled.decisions.len()), (RunStatus::Cancelled, 1));
    assert!(claim(store, at(6)).await.is_none());
    // who was to leave is active still, nothing equals what was not sent, and nobody joined
    let workers = ["E1", "E2", "E3"].map(ExternalId::from).to_vec();
    let entries = store.ledger(&target(), workers).await.unwrap();
    assert!(entries[0].as_ref().unwrap().active);
    assert!(entries.iter().flatten().all(|entry| entry.digest == [0; 16]));
    assert!(entries[2].is_none());
    let again = store.cancel(&RunId::from("R2"), &by("ada"), at(7)).await.unwrap();
    assert!(matches!(again, Some(Outcome::NotPossible { status: RunStatus::Cancelled, .. })));
}

pub async fn what_a_cancelled_run_has_on_its_way_is_followed_to_its_end<S: Store>(store: &S) {
    commit_with(store, "R1", joiners(&["E1", "E2"]), new_run("R1", 2)).await;
    let claimed = store.claim(&target(), 1, "guid".to_owned(), at(0)).await.unwrap().unwrap();
    store.cancel(&RunId::from("R1"), &by("ada"), at(1)).await.unwrap();
    let unfinished = async || store.unfinished_runs(&target()).await.unwrap();
    assert_eq!(unfinished().await, [RunId::from("R1")], "it is being posted");
    store.accepted(claimed.id, None, at(2), at(2)).await.unwrap();
    assert_eq!(unfinished().await, [RunId::from("R1")], "it waits for an outcome");
    let sent = operations(store, "R1").await;
    let settled = vec![outcome(&sent[0], OperationStatus::Provisioned, "created")];
    store.settle(settled, at(3)).await.unwrap();
    assert_eq!(unfinished().await, []);
    assert_eq!(status(store, "R1").await, RunStatus::Cancelled);
}

pub async fn what_was_being_posted_when_its_run_was_cancelled_is_not_posted_again<S: Store>(
    store: &S,
) {
    commit_with(store, "R1", joiners(&["E1", "E2"]), new_run("R1", 2)).await;
    deliver(store, at(0)).await;
    let rows = vec![row(2, "E1", Change::Leaver, 2), row(3, "E2", Change::Mover, 2)];
    commit_with(store, "R2", rows, new_run("R2", 2)).await;
    let claimed = claim(store, at(1)).await.unwrap();
    store.cancel(&RunId::from("R2"), &by("ada"), at(2)).await.unwrap();
    assert_eq!(statuses(store, "R2").await, [OperationStatus::Sending; 2]);
    // no answer came: the process has died, or the line has
    assert_eq!(store.recover(&target(), at(3)).await.unwrap(), 0, "nothing is sent again");
    assert_eq!(statuses(store, "R2").await, [OperationStatus::Cancelled; 2]);
    assert!(claim(store, at(10_000)).await.is_none());
    store.accepted(claimed.id, None, at(4), at(4)).await.unwrap();
    assert_eq!(statuses(store, "R2").await, [OperationStatus::Cancelled; 2]);
    // nothing equals what may have been made of them, and who may be active counts as active
    let workers = ["E1", "E2"].map(ExternalId::from).to_vec();
    let entries = store.ledger(&target(), workers).await.unwrap();
    assert!(entries.iter().flatten().all(|entry| entry.active && entry.digest == [0; 16]));
    assert!(store.unfinished_runs(&target()).await.unwrap().contains(&RunId::from("R1")));
    assert_eq!(status(store, "R2").await, RunStatus::Cancelled);
}

pub async fn a_held_run_that_is_cancelled_leaves_the_ledger_alone<S: Store>(store: &S) {
    commit_with(store, "R1", joiners(&["E1"]), new_run("R1", 1)).await;
    deliver(store, at(0)).await;
    let before = ids(store, &["E1"]).await;
    hold(store, "R2", vec![row(2, "E1", Change::Leaver, 2)], new_run("R2", 1)).await;
    store.cancel(&RunId::from("R2"), &by("ada"), at(1)).await.unwrap();
    assert_eq!(statuses(store, "R2").await, [OperationStatus::Cancelled]);
    assert_eq!(ids(store, &["E1"]).await, before);
}

pub async fn what_failed_is_tried_again_unless_something_newer_was_sent<S: Store>(store: &S) {
    commit_with(store, "R1", joiners(&["E1", "E2", "E3"]), new_run("R1", 3)).await;
    deliver(store, at(0)).await;
    let sent = operations(store, "R1").await;
    let settled = vec![
        outcome(&sent[0], OperationStatus::Failed, "InvalidDomain"),
        outcome(&sent[1], OperationStatus::Failed, "InvalidDomain"),
        outcome(&sent[2], OperationStatus::Provisioned, "created"),
    ];
    store.settle(settled, at(1)).await.unwrap();
    assert_eq!(status(store, "R1").await, RunStatus::Completed);
    commit_with(store, "R2", vec![row(2, "E2", Change::Mover, 2)], new_run("R2", 1)).await;
    deliver(store, at(2)).await;

    let statuses_wanted = [OperationStatus::Failed, OperationStatus::Unconfirmed];
    let id = RunId::from("R1");
    let done = store.retry(&id, &statuses_wanted, &by("ada"), at(10)).await.unwrap();
    assert_eq!(done, Some(Outcome::Done(1)));
    assert_eq!(status(store, "R1").await, RunStatus::Delivering);
    let claimed = claim(store, at(11)).await.unwrap();
    assert_eq!(workers(&claimed), ["E1"]);
    assert_eq!(claimed.operations[0].resource, resource("E1", 1));
    assert_eq!(operations(store, "R1").await[0].attempts, 2, "the same operation once more");
    let none = store.retry(&id, &statuses_wanted, &by("ada"), at(12)).await.unwrap();
    assert_eq!(none, Some(Outcome::Done(0)));
    assert_eq!(run(store, "R1").await.decisions.len(), 1);
}

/// A leaver as it is planned where nothing of the worker was posted.
fn closing(number: u64, id: &str) -> PlannedRow {
    let mut row = row(number, id, Change::Leaver, 2);
    if let PlannedVerdict::Operation(operation) = &mut row.verdict {
        operation.closes = true;
    }
    row
}

pub async fn a_worker_of_whom_nothing_was_posted_is_closed<S: Store>(store: &S) {
    commit_with(store, "R1", joiners(&["E1"]), new_run("R1", 1)).await;
    commit_with(store, "R2", vec![closing(2, "E1")], new_run("R2", 1)).await;
    assert_eq!(statuses(store, "R1").await, [OperationStatus::Superseded]);
    assert_eq!(statuses(store, "R2").await, [OperationStatus::Superseded]);
    assert_eq!(status(store, "R2").await, RunStatus::Completed);
    assert!(claim(store, at(1)).await.is_none());
    let counts = store.count_records(&target(), &source()).await.unwrap();
    assert_eq!(counts, RecordCounts { all: 1, active: 0 });
}

pub async fn who_was_posted_since_the_plan_leaves_and_is_not_closed<S: Store>(store: &S) {
    commit_with(store, "R1", joiners(&["E1", "E2", "E3"]), new_run("R1", 3)).await;
    hold(store, "R2", vec![closing(2, "E1"), closing(3, "E3")], new_run("R2", 2)).await;
    let mut draft = store.draft(&target()).await.unwrap();
    draft.push(vec![closing(2, "E2")]).await.unwrap();
    let claimed = store.claim(&target(), 2, "guid".to_owned(), at(0)).await.unwrap().unwrap();
    assert_eq!(workers(&claimed), ["E1", "E2"]);
    store.accepted(claimed.id, None, at(0), at(0)).await.unwrap();

    let done = store.approve(&RunId::from("R2"), &by("ada"), at(1)).await.unwrap();
    assert_eq!(done, Some(Outcome::Done(1)));
    let held = operations(store, "R2").await;
    assert_eq!((held[0].status, &held[0].code), (OperationStatus::Queued, &None));
    assert_eq!(held[1].status, OperationStatus::Superseded, "E3 was never posted");
    // the other one was planned before, and committed after
    let moved = draft.commit(new_run("R3", 1), at(2)).await.unwrap();
    assert_eq!(moved, Commit::LedgerMoved);
    commit_with(store, "R3", vec![closing(2, "E2")], new_run("R3", 1)).await;
    let claimed = claim(store, at(3)).await.unwrap();
    assert_eq!(workers(&claimed), ["E1", "E2"]);
    assert_eq!(claimed.operations[1].resource, resource("E2", 2));
}

pub async fn who_is_enabled_in_entra_stays_active_whatever_is_cancelled<S: Store>(store: &S) {
    commit_with(store, "R1", joiners(&["E1", "E2"]), new_run("R1", 2)).await;
    deliver(store, at(0)).await;
    let rows = vec![row(2, "E1", Change::Leaver, 2), row(3, "E2", Change::Leaver, 2)];
    commit_with(store, "R2", rows, new_run("R2", 2)).await;
    let claimed = store.claim(&target(), 1, "guid".to_owned(), at(1)).await.unwrap().unwrap();
    assert_eq!(workers(&claimed), ["E1"]);
    store.accepted(claimed.id, None, at(1), at(1)).await.unwrap();
    // E2's leaving never went out: the way back is no way from inactive
    let rows = vec![row(2, "E1", Change::Rehire, 3), row(3, "E2", Change::Rehire, 3)];
    commit_with(store, "R3", rows, new_run("R3", 2)).await;
    store.cancel(&RunId::from("R3"), &by("ada"), at(2)).await.unwrap();
    let workers = ["E1", "E2"].map(ExternalId::from).to_vec();
    let entries = store.ledger(&target(), workers).await.unwrap();
    let active: Vec<_> = entries.iter().flatten().map(|entry| entry.active).collect();
    assert_eq!(active, [false, true]);
}

pub async fn notes_of_unchanged_rows_are_kept<S: Store>(store: &S) {
    commit_with(store, "R1", joiners(&["E1"]), new_run("R1", 1)).await;
    deliver(store, at(0)).await;
    let known_to = async |source: SourceName, mapping, now| {
        let people = store.known_people(&target(), &source, mapping, at(now)).await;
        let mut people = people.unwrap();
        let RecordCounts { all, active } = people.counts();
        (all, active, people.take_rows())
    };
    let known = async || known_to(source(), [8; 16], 50).await;
    assert_eq!(known().await, (1, 1, vec![0]));
    let window = ActiveWindow { from: at(100), until: None };
    let note = RecordNote {
        row_digest: Some([3; 16]),
        window: Some(window),
        next_effective_at: Some(at(100)),
    };
    let unchanged = PlannedRow {
        row: Some(2),
        line: Some(2),
        external_id: Some("E1".into()),
        verdict: PlannedVerdict::Unchanged(note),
    };
    commit_with(store, "R2", vec![unchanged], NewRun { unchanged: 1, ..new_run("R2", 1) }).await;
    assert_eq!(known().await, (1, 1, vec![u128::from_be_bytes([3; 16])]));
    // another mapping, another source, and from its date on, it has to be looked at again
    assert_eq!(known_to(source(), [9; 16], 50).await, (1, 1, vec![0]));
    assert_eq!(known_to("x".into(), [8; 16], 50).await, (0, 0, vec![]));
    assert_eq!(known_to(source(), [8; 16], 100).await, (1, 1, vec![0]));
    // and so has one whose operation failed
    let sent = operations(store, "R1").await;
    store.settle(vec![outcome(&sent[0], OperationStatus::Failed, "Oops")], at(1)).await.unwrap();
    assert_eq!(known().await, (1, 1, vec![0]));
}
