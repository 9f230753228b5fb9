//! Promises of [`Runs`](crate::store::Runs).

use crate::domain::{Change, ExternalId, OperationStatus, RunId, RunKind, RunStatus, TargetName};
use crate::store::conformance::sample::{
    at, by, commit, deliver, joiners, new_run, operations, rejected, row, run, source, statuses,
    target,
};
use crate::store::{
    Commit, FaultyRow, PlannedRow, PlannedVerdict, RefusedRun, Store, StoredProblem,
};

pub async fn a_committed_run_reads_back<S: Store>(store: &S) {
    let rows = vec![row(2, "E1", Change::Joiner, 1), row(3, "E2", Change::Leaver, 1), rejected(4)];
    commit(store, "R1", rows, at(0)).await;
    let stored = run(store, "R1").await;
    assert_eq!(stored.status, RunStatus::Delivering);
    assert_eq!((stored.source, stored.target), (source(), target()));
    assert_eq!(stored.file.as_deref(), Some("workers.csv"));
    assert_eq!((stored.file_digest, stored.mapping_fingerprint), ([7; 32], [8; 16]));
    assert_eq!(stored.changes.joiner, 3);
    assert_eq!((stored.started_at, stored.ended_at), (at(-1_000), None));
    assert_eq!((stored.bulk_requests, stored.problem), (0, None));

    let found = operations(store, "R1").await;
    assert_eq!(found[1].external_id, Some(ExternalId::from("E2")));
    assert_eq!(found[1].change, Some(Change::Leaver));
    assert_eq!((found[1].row, found[1].line, found[1].attempts), (Some(3), Some(3), 0));
    assert_eq!((found[2].row, found[2].line), (Some(4), Some(5)));
    assert_eq!((found[2].change, found[2].external_id.as_ref()), (None, None));
    assert_eq!(found[2].status, OperationStatus::Rejected);
    assert_eq!(found[2].code.as_deref(), Some("mapping.required-empty"));
    assert_eq!(found[2].reason.as_deref(), Some("column `WorkerID` is empty"));
    assert_eq!(found[2].advice.as_deref(), Some("fill it"));
    assert_eq!(found[2].updated_at, at(0));
    assert_eq!(store.unfinished_runs(&target()).await.unwrap(), [RunId::from("R1")]);
}

pub async fn counts_sum_to_rows_and_rows_without_number<S: Store>(store: &S) {
    let absent = PlannedRow { row: None, line: None, ..row(0, "E9", Change::Leaver, 1) };
    let passed_over = PlannedRow {
        verdict: PlannedVerdict::Superseded { reason: "row 2 counts".into() },
        ..row(3, "E1", Change::Joiner, 1)
    };
    let mut draft = store.draft(&target()).await.unwrap();
    draft.push(vec![row(2, "E1", Change::Joiner, 1), passed_over]).await.unwrap();
    draft.push(vec![rejected(4), absent]).await.unwrap();
    let mut planned = new_run("R1", 3 + 40 + 2);
    (planned.unchanged, planned.out_of_scope) = (40, 2);
    draft.commit(planned, at(0)).await.unwrap();
    let stored = run(store, "R1").await;
    assert_eq!((stored.rows, stored.without_row), (45, 1));
    let counted: Vec<_> = stored.counts.iter().filter(|(_, count)| *count > 0).collect();
    let expected = [
        (OperationStatus::Rejected, 1),
        (OperationStatus::OutOfScope, 2),
        (OperationStatus::Unchanged, 40),
        (OperationStatus::Queued, 2),
        (OperationStatus::Superseded, 1),
    ];
    assert_eq!(counted, expected);
}

pub async fn a_run_without_changes_is_completed_at_once<S: Store>(store: &S) {
    commit(store, "R1", vec![rejected(2)], at(0)).await;
    let stored = run(store, "R1").await;
    assert_eq!((stored.status, stored.ended_at), (RunStatus::Completed, Some(at(0))));
    assert!(store.unfinished_runs(&target()).await.unwrap().is_empty());
}

pub async fn a_target_is_bound_to_its_job_once_something_was_accepted<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1"]), at(0)).await;
    assert_eq!(store.bound_job(&target()).await.unwrap(), None);
    store.bind_job(&target(), "tenant/principal/right", at(0)).await.unwrap();
    deliver(store, at(1)).await;
    let right = Some("tenant/principal/right".to_owned());
    assert_eq!(store.bound_job(&target()).await.unwrap(), right);
    store.bind_job(&target(), "tenant/principal/other", at(0)).await.unwrap();
    assert_eq!(store.bound_job(&target()).await.unwrap(), right);
}

pub async fn a_dropped_draft_leaves_no_trace<S: Store>(store: &S) {
    let mut draft = store.draft(&target()).await.unwrap();
    draft.push(joiners(&["E1", "E2"])).await.unwrap();
    drop(draft);
    assert!(store.runs(10).await.unwrap().is_empty());
    let ids = vec![ExternalId::from("E1")];
    assert_eq!(store.ledger(&target(), ids).await.unwrap(), [None]);
    assert_eq!(store.outbox(&target()).await.unwrap().queued, 0);
}

pub async fn the_ledger_moved_when_another_run_was_committed<S: Store>(store: &S) {
    let mut late = store.draft(&target()).await.unwrap();
    late.push(joiners(&["E1"])).await.unwrap();
    commit(store, "R1", joiners(&["E2"]), at(0)).await;
    let moved = late.commit(new_run("R2", 1), at(1)).await.unwrap();
    assert_eq!(moved, Commit::LedgerMoved);
    assert_eq!(store.run(&RunId::from("R2")).await.unwrap().map(|run| run.id), None);
    assert_eq!(store.count_records(&target(), &source()).await.unwrap().all, 1);
    commit(store, "R2", joiners(&["E1"]), at(2)).await;
    assert_eq!(statuses(store, "R2").await, [OperationStatus::Queued]);
}

pub async fn drafts_of_two_targets_do_not_meet<S: Store>(store: &S) {
    let other = TargetName::from("other");
    let mut first = store.draft(&target()).await.unwrap();
    let mut second = store.draft(&other).await.unwrap();
    first.push(joiners(&["E1"])).await.unwrap();
    second.push(joiners(&["E1", "E2"])).await.unwrap();
    assert_eq!(first.commit(new_run("R1", 1), at(0)).await.unwrap(), Commit::Done);
    let mut run_of_other = new_run("R2", 2);
    run_of_other.target = other.clone();
    assert_eq!(second.commit(run_of_other, at(0)).await.unwrap(), Commit::Done);
    assert_eq!(store.outbox(&target()).await.unwrap().queued, 1);
    assert_eq!(store.outbox(&other).await.unwrap().queued, 2);
}

pub async fn one_worker_twice_in_a_draft_is_an_error<S: Store>(store: &S) {
    let mut draft = store.draft(&target()).await.unwrap();
    draft.push(joiners(&["E1"])).await.unwrap();
    assert!(draft.push(joiners(&["E2", "E1"])).await.is_err());
}

pub async fn a_refused_file_is_a_failed_run<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1"]), at(0)).await;
    let problem = StoredProblem {
        code: "source.empty".into(),
        place: "workers.csv".into(),
        message: "the file is empty".into(),
        hint: None,
    };
    let refused = RefusedRun {
        kind: RunKind::File,
        who: by("ada"),
        deliveries: Vec::new(),
        id: RunId::from("R2"),
        source: source(),
        target: target(),
        file: Some("workers.csv".into()),
        file_digest: [0; 32],
        mapping_fingerprint: [1; 16],
        started_at: at(1),
        ended_at: at(2),
        problem: problem.clone(),
    };
    store.store_refused(refused).await.unwrap();
    let stored = run(store, "R2").await;
    assert_eq!((stored.status, stored.problem), (RunStatus::Failed, Some(problem)));
    assert_eq!((stored.started_at, stored.ended_at), (at(1), Some(at(2))));
    // It does not count as the source's latest, and the ledger has not moved.
    let latest = async |source, file, mapping| {
        let found = store.latest_run_of(&source, [file; 32], [mapping; 16]).await.unwrap();
        found.map(|run| run.id)
    };
    assert_eq!(latest(source(), 7, 8).await, Some(RunId::from("R1")));
    assert_eq!(latest(source(), 6, 8).await, None);
    assert_eq!(latest(source(), 7, 9).await, None);
    assert_eq!(latest("none".into(), 7, 8).await, None);
}

pub async fn runs_are_listed_newest_first_and_pages_follow_on<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1", "E2", "E3"]), at(0)).await;
    commit(store, "R2", joiners(&["E4"]), at(1)).await;
    commit(store, "R3", joiners(&["E5"]), at(2)).await;
    let ids: Vec<_> = store.runs(2).await.unwrap().into_iter().map(|run| run.id).collect();
    assert_eq!(ids, [RunId::from("R3"), RunId::from("R2")]);
    let latest = store.latest_run_of(&source(), [7; 32], [8; 16]).await.unwrap();
    assert_eq!(latest.unwrap().id, RunId::from("R3"));
    let unfinished = store.unfinished_runs(&target()).await.unwrap();
    assert_eq!(unfinished, ["R1", "R2", "R3"].map(RunId::from));

    let first = store.operations(&RunId::from("R1"), None, 2).await.unwrap();
    let rows: Vec<_> = first.iter().map(|operation| operation.row).collect();
    assert_eq!(rows, [Some(2), Some(3)]);
    let rest = store.operations(&RunId::from("R1"), Some(first[1].id), 2).await.unwrap();
    let rows: Vec<_> = rest.iter().map(|operation| operation.row).collect();
    assert_eq!(rows, [Some(4)]);
}

pub async fn what_goes_back_of_a_rejected_row_is_kept_apart<S: Store>(store: &S) {
    let mut unreadable = rejected(5);
    if let PlannedVerdict::Rejected { faulty, .. } = &mut unreadable.verdict {
        *faulty = FaultyRow::default();
    }
    let rows = vec![row(2, "E1", Change::Joiner, 1), rejected(4), unreadable];
    commit(store, "R1", rows, at(0)).await;
    assert_eq!(run(store, "R1").await.columns, ["WorkerID", "Last Name"]);
    let ids: Vec<_> = operations(store, "R1").await.iter().map(|each| each.id).rev().collect();
    let found = store.faulty_rows(ids).await.unwrap();
    let kept = FaultyRow {
        column: Some("WorkerID".to_owned()),
        cells: vec![String::new(), "Zoë".to_owned()],
    };
    assert!(!format!("{kept:?}").contains("Zoë"), "{kept:?}");
    assert_eq!(found, [None, Some(kept), None]);
    assert!(store.faulty_rows(Vec::new()).await.unwrap().is_empty());
}
