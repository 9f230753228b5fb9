//! Promises of [`Upkeep`](crate::store::Upkeep) about people and runs; those about keys are of files.

use crate::domain::{Change, ExternalId, OperationStatus, Origin, RunId, RunStatus, Who};
use crate::store::conformance::sample::{
    at, commit, deliver, joiners, operations, outcome, rejected, reporting_to, row, run, target,
};
use crate::store::{Forgetting, Forgotten, Store, Wiped};

/// Sends everything and has it provisioned.
async fn provision<S: Store>(store: &S, id: &str, now: i64) {
    deliver(store, at(now)).await;
    let sent = operations(store, id).await;
    let sent = sent.iter().filter(|operation| operation.status == OperationStatus::Accepted);
    let outcomes = sent.map(|one| outcome(one, OperationStatus::Provisioned, "created")).collect();
    store.settle(outcomes, at(now)).await.unwrap();
}

/// Everything that a run says of itself.
async fn books<S: Store>(store: &S, id: &str) -> String {
    format!("{:?}", run(store, id).await)
}

async fn forget<S: Store>(store: &S, id: &str, even_active: bool) -> Forgetting {
    let who = Who::new("ann", Origin::Cli);
    store.forget(&target(), &ExternalId::from(id), even_active, who, at(99)).await.unwrap()
}

pub async fn a_forgotten_person_is_nobody_and_the_books_stay_right<S: Store>(store: &S) {
    let mut refused = rejected(4);
    refused.external_id = Some(ExternalId::from("E1"));
    let mut rows = joiners(&["E1", "E2"]);
    rows.push(refused);
    commit(store, "R1", rows, at(0)).await;
    provision(store, "R1", 10).await;
    commit(store, "R2", vec![row(2, "E1", Change::Leaver, 2)], at(20)).await;
    provision(store, "R2", 30).await;
    let before = [books(store, "R1").await, books(store, "R2").await];
    let tally = store.tally().await.unwrap();

    let done = forget(store, "E1", false).await;
    let expected = Forgotten { record: true, operations: 3, scheduled: 0, runs: 2 };
    assert_eq!(done, Forgetting::Done(expected));
    // as long as traces of them may be there, and no longer
    assert_eq!(forget(store, "E1", false).await, Forgetting::Already(at(99)));
    assert_eq!(forget(store, "E9", false).await, Forgetting::Nobody);
    assert_eq!(store.wipe().await.unwrap(), Wiped::Clean);
    assert_eq!(store.wipe().await.unwrap(), Wiped::NothingDue);
    assert_eq!(forget(store, "E1", false).await, Forgetting::Nobody);
    assert_eq!([books(store, "R1").await, books(store, "R2").await], before);
    assert_eq!(store.tally().await.unwrap(), tally);
    assert!(store.record(&ExternalId::from("E1")).await.unwrap().is_empty());
    let left = operations(store, "R1").await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].external_id, Some(ExternalId::from("E2")));
    let told = store.audit_page(0, 100).await.unwrap();
    let told: Vec<_> = told.iter().filter(|record| record.action == "record.forgotten").collect();
    assert_eq!((told.len(), told[0].subject.as_str()), (1, "target entra"));
    assert_eq!(told[0].details, r#"{"operations":3,"record":true,"runs":2}"#);
    // whoever comes with that id is somebody new, and the numbers of the removed are free again
    commit(store, "R3", joiners(&["E1"]), at(40)).await;
    provision(store, "R3", 50).await;
    assert_eq!(run(store, "R3").await.status, RunStatus::Completed);
    assert_eq!(store.record(&ExternalId::from("E1")).await.unwrap()[0].history.len(), 1);
}

pub async fn whoever_is_active_or_on_the_way_is_not_forgotten<S: Store>(store: &S) {
    assert_eq!(forget(store, "E1", true).await, Forgetting::Nobody);
    commit(store, "R1", joiners(&["E1"]), at(0)).await;
    let waiting = Forgetting::OnTheWay(OperationStatus::Queued);
    assert_eq!(forget(store, "E1", true).await, waiting);
    deliver(store, at(10)).await;
    let waiting = Forgetting::OnTheWay(OperationStatus::Accepted);
    assert_eq!(forget(store, "E1", true).await, waiting);
    provision(store, "R1", 20).await;
    assert_eq!(forget(store, "E1", false).await, Forgetting::Active);
    assert_eq!(run(store, "R1").await.status, RunStatus::Completed);
    assert!(matches!(forget(store, "E1", true).await, Forgetting::Done(_)));
    assert_eq!(run(store, "R1").await.bulk_requests, 1);
}

pub async fn nobody_waits_for_a_manager_who_is_forgotten<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E9"]), at(0)).await;
    let mut report = reporting_to("E9", row(2, "E1", Change::Joiner, 1));
    if let crate::store::PlannedVerdict::Operation(operation) = &mut report.verdict {
        operation.warning = Some(("manager-unknown".into(), "manager `E9` is not known".into()));
    }
    commit(store, "R2", vec![report], at(0)).await;
    assert_eq!(
        operations(store, "R2").await[0].reason.as_deref(),
        Some("manager `E9` is not known")
    );
    provision(store, "R1", 10).await;
    assert!(matches!(forget(store, "E9", true).await, Forgetting::Done(_)));
    let report = operations(store, "R2").await.remove(0);
    assert!(!report.reason.unwrap_or_default().contains("E9"));
    assert!(store.due_sources(&target(), at(200_000_000)).await.unwrap().is_empty());
}

pub async fn old_operations_go_and_their_runs_still_count_them<S: Store>(store: &S) {
    let mut rows = joiners(&["E1", "E2"]);
    rows.push(rejected(4));
    commit(store, "R1", rows, at(0)).await;
    provision(store, "R1", 10).await;
    commit(store, "R2", vec![row(2, "E1", Change::Mover, 2)], at(1_000)).await;
    let before = books(store, "R1").await;
    // R2 has not ended, and what R1 said last of E2 is still what the next file is compared with
    assert_eq!(store.remove_operations(at(10), 100).await.unwrap(), 0, "not before it ended");
    assert_eq!(store.remove_operations(at(100_000), 100).await.unwrap(), 2);
    assert_eq!(store.remove_operations(at(100_000), 100).await.unwrap(), 0);
    assert_eq!(books(store, "R1").await, before);
    let left = operations(store, "R1").await;
    assert_eq!(
        left.iter().map(|one| one.external_id.clone()).collect::<Vec<_>>(),
        [Some(ExternalId::from("E2"))]
    );
    let ids = ["E1", "E2"].map(ExternalId::from).to_vec();
    assert!(store.ledger(&target(), ids).await.unwrap().iter().all(Option::is_some));
    provision(store, "R2", 2_000).await;
    // the last operation of R1 goes once there is a newer one
    commit(store, "R3", vec![row(2, "E2", Change::Mover, 3)], at(3_000)).await;
    provision(store, "R3", 4_000).await;
    assert_eq!(store.remove_operations(at(2_500), 100).await.unwrap(), 1);
    assert_eq!(operations(store, "R1").await, []);
    assert_eq!(books(store, "R1").await, before);
    // told once, by whoever comes to the end
    for moment in [9_000, 9_001] {
        store.tell_let_go(Who::new("ann", Origin::Cli), at(moment)).await.unwrap();
    }
    let told = store.audit_page(0, 100).await.unwrap();
    let told: Vec<_> = told.iter().filter(|told| told.action == "retention.applied").collect();
    assert_eq!((told.len(), told[0].at), (1, at(9_000)));
    assert_eq!(told[0].details, r#"{"operations":3,"people":0}"#);
    assert!(store.operations(&RunId::from("R2"), None, 10).await.unwrap().len() == 1);
}

pub async fn of_whoever_left_no_more_is_kept_than_who_it_was<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1", "E2"]), at(0)).await;
    provision(store, "R1", 10).await;
    commit(store, "R2", vec![row(2, "E1", Change::Leaver, 2)], at(20)).await;
    assert_eq!(store.reduce_leavers(at(100_000), 100).await.unwrap(), 0, "it has not ended");
    provision(store, "R2", 30).await;
    assert_eq!(store.reduce_leavers(at(30), 100).await.unwrap(), 0, "not long ago enough");
    let known = store.ledger(&target(), vec![ExternalId::from("E1")]).await.unwrap();
    assert_eq!(store.reduce_leavers(at(100_000), 100).await.unwrap(), 1);
    assert_eq!(store.reduce_leavers(at(100_000), 100).await.unwrap(), 0);
    let ids = ["E1", "E2"].map(ExternalId::from).to_vec();
    let resources = store.resources(&target(), ids).await.unwrap();
    assert_eq!(resources[0].as_deref(), Some(br#"{"externalId":"E1"}"# as &[u8]));
    assert!(resources[1].as_ref().unwrap().len() > 19);
    // the same row is still the same, and another one takes its place whole
    assert_eq!(store.ledger(&target(), vec![ExternalId::from("E1")]).await.unwrap(), known);
    commit(store, "R3", vec![row(2, "E1", Change::Rehire, 3)], at(40)).await;
    provision(store, "R3", 50).await;
    commit(store, "R4", vec![row(2, "E1", Change::Leaver, 4)], at(60)).await;
    provision(store, "R4", 70).await;
    assert_eq!(store.reduce_leavers(at(100_000), 100).await.unwrap(), 1, "once more");
}
