//! The latest version of a worker wins, and never two of them are on the way at once.

use crate::domain::{Change, ExternalId, OperationStatus, RunStatus};
use crate::store::Store;
use crate::store::conformance::sample::{
    at, claim, commit, joiners, operations, row, run, status, statuses, target, workers,
};

pub async fn a_newer_version_takes_the_place_of_a_queued_one<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1", "E2"]), at(0)).await;
    commit(store, "R2", vec![row(2, "E1", Change::Mover, 2)], at(1)).await;
    let older = operations(store, "R1").await;
    assert_eq!(older[0].status, OperationStatus::Superseded);
    let reason = older[0].reason.as_deref();
    assert_eq!(reason, Some("a newer version from run R2 took its place"));
    assert_eq!(older[1].status, OperationStatus::Queued);
    assert_eq!(status(store, "R1").await, RunStatus::Delivering);
    commit(store, "R3", vec![row(2, "E2", Change::Mover, 2)], at(2)).await;
    let ended = run(store, "R1").await;
    assert_eq!((ended.status, ended.ended_at), (RunStatus::Completed, Some(at(2))));
    let claimed = claim(store, at(3)).await.unwrap();
    assert_eq!(workers(&claimed), ["E1", "E2"]);
    let entry = store.ledger(&target(), vec![ExternalId::from("E1")]).await.unwrap().remove(0);
    assert_eq!(entry.unwrap().last_status, OperationStatus::Sending);
}

pub async fn a_newer_version_waits_for_the_one_being_sent<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1"]), at(0)).await;
    let older = claim(store, at(1)).await.unwrap();
    commit(store, "R2", vec![row(2, "E1", Change::Leaver, 2)], at(2)).await;
    assert_eq!(statuses(store, "R1").await, [OperationStatus::Sending]);
    assert!(claim(store, at(3)).await.is_none(), "E1 is being sent");
    store.accepted(older.id, None, at(4), at(4)).await.unwrap();
    assert_eq!(workers(&claim(store, at(5)).await.unwrap()), ["E1"]);
    assert_eq!(statuses(store, "R1").await, [OperationStatus::Accepted]);
}

pub async fn a_newer_version_empties_a_waiting_request<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1", "E2"]), at(0)).await;
    let request = claim(store, at(1)).await.unwrap();
    store.postpone(request.id, at(100), "throttled".into(), false, at(2)).await.unwrap();
    commit(store, "R2", vec![row(2, "E1", Change::Mover, 2)], at(3)).await;
    assert_eq!(workers(&claim(store, at(4)).await.unwrap()), ["E1"]);
    let rest = claim(store, at(100)).await.unwrap();
    assert_eq!((rest.id, workers(&rest)), (request.id, vec!["E2"]));
    store.postpone(request.id, at(200), "throttled".into(), false, at(101)).await.unwrap();
    commit(store, "R3", vec![row(2, "E2", Change::Mover, 2)], at(102)).await;
    assert_eq!(workers(&claim(store, at(103)).await.unwrap()), ["E2"]);
    assert!(claim(store, at(200)).await.is_none(), "nothing is left of the request");
    assert_eq!(store.outbox(&target()).await.unwrap().next_at, None);
    assert_eq!(status(store, "R1").await, RunStatus::Completed);
}

pub async fn an_older_version_in_doubt_is_not_sent_after_a_newer_one<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1", "E2"]), at(0)).await;
    let doubtful = claim(store, at(1)).await.unwrap();
    commit(store, "R2", vec![row(2, "E1", Change::Mover, 2)], at(2)).await;
    assert_eq!(store.recover(&target(), at(3)).await.unwrap(), 1, "E2 alone");
    let older = operations(store, "R1").await;
    assert_eq!(older[0].status, OperationStatus::Superseded);
    let reason = older[0].reason.as_deref();
    assert_eq!(reason, Some("a newer version from run R2 took its place"));
    let again = claim(store, at(4)).await.unwrap();
    assert_eq!((again.id, workers(&again)), (doubtful.id, vec!["E2"]));
    assert_eq!(workers(&claim(store, at(4)).await.unwrap()), ["E1"]);

    // The same when a request is postponed or split, and when nothing of it is left.
    commit(store, "R3", vec![row(2, "E2", Change::Mover, 2)], at(5)).await;
    store.postpone(again.id, at(6), "throttled".into(), false, at(6)).await.unwrap();
    assert_eq!(status(store, "R1").await, RunStatus::Completed);
    let newest = claim(store, at(7)).await.unwrap();
    assert_eq!(workers(&newest), ["E2"]);
    commit(store, "R4", vec![row(2, "E2", Change::Leaver, 3)], at(8)).await;
    store.split(newest.id, 1, at(9)).await.unwrap();
    assert_eq!(statuses(store, "R3").await, [OperationStatus::Superseded]);
    let last = claim(store, at(10)).await.unwrap();
    assert_eq!(workers(&last), ["E2"]);
    assert!(claim(store, at(10)).await.is_none());
}
