//! Alerts: what was told is kept, and runs in trouble are found.

use crate::domain::{AlertKind, HeldBy, OperationStatus, RunId};
use crate::store::conformance::sample::{
    at, by, commit, deliver, joiners, new_run, operations, outcome, rejected, source, target,
};
use crate::store::{Commit, HeldRun, NewRun, RefusedRun, Store, StoredProblem};
use crate::telemetry::alerts::{Alert, Facts, Kept, RunFacts, State, Told, Word};

fn alert(run: &str, level: i64) -> Alert {
    let run = RunFacts::new(&RunId::from(run), &source(), &target());
    let facts = Facts::FileRefused { run, code: Word::new("source.empty") };
    Alert { facts, since: at(1), level, seen_at: at(2), ended_at: (level > 0).then(|| at(3)) }
}

pub async fn what_was_told_is_kept_until_something_else_is<S: Store>(store: &S) {
    assert_eq!(store.alerts().await.unwrap(), None);
    let empty = Kept { since: at(5), looked_until: at(6), ..Kept::default() };
    store.keep_alerts(empty.clone()).await.unwrap();
    assert_eq!(store.alerts().await.unwrap(), Some(empty));
    let told = |channel: &str, run: &str, state| {
        let told = Told { state, level: 4, at: at(7) };
        (channel.to_owned(), (AlertKind::RunFailed, run.to_owned()), told)
    };
    let kept = Kept {
        since: at(5),
        looked_until: at(8),
        alerts: vec![alert("R1", 0), alert("R2", 4)],
        told: vec![told("a", "R1", State::Raised), told("b", "R2", State::Over)],
    };
    store.keep_alerts(kept.clone()).await.unwrap();
    assert_eq!(store.alerts().await.unwrap(), Some(kept.clone()));
    let fewer = Kept { alerts: vec![alert("R2", 5)], told: Vec::new(), ..kept.clone() };
    store.keep_alerts(fewer.clone()).await.unwrap();
    assert_eq!(store.alerts().await.unwrap(), Some(fewer.clone()));
    // whole or not at all: what was told is told of an alert
    store.keep_alerts(Kept { alerts: Vec::new(), ..kept }).await.unwrap_err();
    assert_eq!(store.alerts().await.unwrap(), Some(fewer));
}

pub async fn runs_that_are_held_are_found_until_they_are_not<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1"]), at(0)).await;
    assert_eq!(store.held_runs(9).await.unwrap(), []);
    let held_by =
        vec![HeldBy { guard: "max_leavers".into(), limit: "5%".into(), value: 7, of: 100 }];
    for (id, worker) in [("R2", "E2"), ("R3", "E3")] {
        let run = NewRun { held_by: held_by.clone(), ..new_run(id, 1) };
        let mut draft = store.draft(&target()).await.unwrap();
        draft.push(joiners(&[worker])).await.unwrap();
        assert_eq!(draft.commit(run, at(0)).await.unwrap(), Commit::Done);
    }
    let held = |id: &str| HeldRun {
        id: RunId::from(id),
        source: source(),
        target: target(),
        held_by: held_by.clone(),
        started_at: at(-1_000),
    };
    assert_eq!(store.held_runs(9).await.unwrap(), [held("R2"), held("R3")]);
    assert_eq!(store.held_runs(1).await.unwrap(), [held("R2")]);
    store.approve(&RunId::from("R2"), &by("ada"), at(1)).await.unwrap();
    assert_eq!(store.held_runs(9).await.unwrap(), [held("R3")]);
    store.cancel(&RunId::from("R3"), &by("ada"), at(2)).await.unwrap();
    assert_eq!(store.held_runs(9).await.unwrap(), []);
}

pub async fn runs_in_trouble_are_found_by_their_beginning_or_end<S: Store>(store: &S) {
    // R1 goes well, R2 has a rejected row, an operation of R3 fails
    commit(store, "R1", joiners(&["E1"]), at(0)).await;
    let rows = joiners(&["E2"]).into_iter().chain([rejected(3)]).collect();
    commit(store, "R2", rows, at(0)).await;
    commit(store, "R3", joiners(&["E3", "E4"]), at(0)).await;
    deliver(store, at(10)).await;
    let sent = operations(store, "R3").await;
    let outcomes = vec![
        outcome(&sent[0], OperationStatus::Failed, "DuplicateUser"),
        outcome(&sent[1], OperationStatus::Provisioned, "created"),
    ];
    store.settle(outcomes, at(9_000)).await.unwrap();
    let refused = RefusedRun {
        kind: crate::domain::RunKind::File,
        who: by("ada"),
        deliveries: Vec::new(),
        id: RunId::from("R4"),
        source: source(),
        target: target(),
        file: None,
        file_digest: [0; 32],
        mapping_fingerprint: [1; 16],
        started_at: at(100),
        ended_at: at(101),
        problem: StoredProblem {
            code: "source.empty".into(),
            place: String::new(),
            message: String::new(),
            hint: None,
        },
    };
    store.store_refused(refused).await.unwrap();

    let found = store.troubled_runs(at(-1_000), 9).await.unwrap();
    let ids: Vec<&str> = found.iter().map(|run| run.id.as_str()).collect();
    assert_eq!(ids, ["R4", "R3", "R2"]);
    let [refused, failed, rejected] = found.as_slice() else { panic!("three runs") };
    assert_eq!((refused.refused.as_deref(), refused.failed), (Some("source.empty"), 0));
    assert_eq!((failed.failed, failed.rejected, failed.rows), (1, 0, 2));
    assert_eq!((failed.ended_at, failed.started_at), (Some(at(9_000)), at(-1_000)));
    assert_eq!((rejected.rejected, rejected.ended_at, rejected.rows), (1, None, 2));
    assert_eq!((rejected.refused.as_deref(), rejected.out_of_scope), (None, 0));
    // R2 began before that and has not ended
    let later: Vec<_> = store.troubled_runs(at(101), 9).await.unwrap();
    let ids: Vec<&str> = later.iter().map(|run| run.id.as_str()).collect();
    assert_eq!(ids, ["R4", "R3"]);
    assert_eq!(store.troubled_runs(at(101), 1).await.unwrap().len(), 1);
    assert_eq!(store.troubled_runs(at(9_001), 9).await.unwrap(), []);
}
