//! Promises of [`Outcomes`](crate::store::Outcomes).

use crate::domain::{Change, ExternalId, OperationStatus, RunStatus};
use crate::store::conformance::sample::{
    at, claim, commit, deliver, joiners, operations, outcome, reporting_to, row, run, status,
    statuses, target,
};
use crate::store::{Operation, Settlement, Store};

pub async fn outcomes_settle_operations_and_complete_the_run<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1", "E2", "E3"]), at(0)).await;
    deliver(store, at(10)).await;
    let sent = operations(store, "R1").await;
    let first = outcome(&sent[0], OperationStatus::Provisioned, "created");
    let second = outcome(&sent[1], OperationStatus::Failed, "InvalidDomain");
    store.settle(vec![first, second], at(20)).await.unwrap();
    assert_eq!(status(store, "R1").await, RunStatus::Tracking);
    let third = outcome(&sent[2], OperationStatus::Skipped, "redundant");
    store.settle(vec![third], at(30)).await.unwrap();
    let ended = run(store, "R1").await;
    assert_eq!((ended.status, ended.ended_at), (RunStatus::Completed, Some(at(30))));
    assert_eq!(ended.counts.get(OperationStatus::Provisioned), 1);
    assert_eq!(ended.counts.get(OperationStatus::Failed), 1);
    assert_eq!(ended.counts.get(OperationStatus::Skipped), 1);
    assert!(store.open_window(&target()).await.unwrap().is_none());
    let settled = operations(store, "R1").await;
    assert_eq!(settled[1].code.as_deref(), Some("InvalidDomain"));
    assert_eq!(settled[1].reason.as_deref(), Some("in words"));
    assert_eq!(settled[1].updated_at, at(20));
    let ids = ["E1", "E2", "E3"].map(ExternalId::from).to_vec();
    let ledger = store.ledger(&target(), ids).await.unwrap();
    let arrived: Vec<_> = ledger.into_iter().flatten().map(|entry| entry.arrived).collect();
    assert_eq!(arrived, [true, false, true]);
}

/// Sources with somebody whose manager has arrived.
async fn is_due<S: Store>(store: &S) -> bool {
    !store.due_sources(&target(), at(200_000_000)).await.unwrap().is_empty()
}

fn open_manager(operation: &Operation) -> Settlement {
    Settlement {
        deed: Some("created".into()),
        awaits_manager: true,
        ..outcome(operation, OperationStatus::Provisioned, "ManagerUnresolved")
    }
}

pub async fn a_manager_who_is_open_is_awaited_until_found<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E9"]), at(0)).await;
    let report = reporting_to("E9", row(2, "E1", Change::Joiner, 1));
    commit(store, "R2", vec![report], at(0)).await;
    deliver(store, at(10)).await;
    let first = operations(store, "R2").await.remove(0);
    store.settle(vec![open_manager(&first)], at(20)).await.unwrap();
    assert!(!is_due(store).await, "the manager has not arrived");
    let manager = operations(store, "R1").await.remove(0);
    let arrived = outcome(&manager, OperationStatus::Provisioned, "created");
    store.settle(vec![arrived], at(30)).await.unwrap();
    assert!(is_due(store).await);

    let again = reporting_to("E9", row(2, "E1", Change::Mover, 1));
    commit(store, "R3", vec![again], at(40)).await;
    deliver(store, at(50)).await;
    let second = operations(store, "R3").await.remove(0);
    let found = outcome(&second, OperationStatus::Provisioned, "updated");
    store.settle(vec![found], at(60)).await.unwrap();
    assert!(!is_due(store).await);
    let first = operations(store, "R2").await.remove(0);
    assert_eq!((first.code.as_deref(), first.reason), (Some("created"), None));
    assert_eq!(first.status, OperationStatus::Provisioned);
}

pub async fn nothing_to_do_says_nothing_of_a_manager_who_has_not_arrived<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E9"]), at(0)).await;
    let report = reporting_to("E9", row(2, "E1", Change::Joiner, 1));
    commit(store, "R2", vec![report], at(0)).await;
    deliver(store, at(10)).await;
    let report = operations(store, "R2").await.remove(0);
    store.settle(vec![open_manager(&report)], at(20)).await.unwrap();
    let skipped = outcome(&report, OperationStatus::Skipped, "NoChange");
    store.settle(vec![skipped.clone()], at(30)).await.unwrap();
    let manager = operations(store, "R1").await.remove(0);
    let arrived = outcome(&manager, OperationStatus::Provisioned, "created");
    store.settle(vec![arrived], at(40)).await.unwrap();
    assert!(is_due(store).await, "still awaited");
    let later = Settlement { event_at: at(50), ..skipped };
    store.settle(vec![later], at(50)).await.unwrap();
    assert!(!is_due(store).await, "the manager is there, and nothing is to be done");
}

pub async fn only_the_latest_operation_says_whether_a_manager_is_awaited<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E9"]), at(0)).await;
    commit(store, "R2", vec![reporting_to("E9", row(2, "E1", Change::Joiner, 1))], at(0)).await;
    deliver(store, at(10)).await;
    let manager = operations(store, "R1").await.remove(0);
    let arrived = outcome(&manager, OperationStatus::Provisioned, "created");
    store.settle(vec![arrived], at(20)).await.unwrap();
    // without a manager from now on
    commit(store, "R3", vec![row(2, "E1", Change::Mover, 2)], at(30)).await;
    let older = operations(store, "R2").await.remove(0);
    store.settle(vec![open_manager(&older)], at(40)).await.unwrap();
    assert!(!is_due(store).await);
}

pub async fn the_same_outcome_again_changes_nothing<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1"]), at(0)).await;
    deliver(store, at(10)).await;
    let sent = operations(store, "R1").await;
    let settled = outcome(&sent[0], OperationStatus::Provisioned, "created");
    store.settle(vec![settled.clone(), settled.clone()], at(20)).await.unwrap();
    store.settle(vec![settled], at(30)).await.unwrap();
    assert_eq!(operations(store, "R1").await[0].updated_at, at(20));
    assert_eq!(store.history(sent[0].id).await.unwrap().len(), 4);
    assert_eq!(run(store, "R1").await.ended_at, Some(at(20)));
}

pub async fn a_later_event_mends_a_failure<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1"]), at(0)).await;
    deliver(store, at(10)).await;
    let sent = operations(store, "R1").await;
    let failure = outcome(&sent[0], OperationStatus::Failed, "DuplicateTarget");
    store.settle(vec![failure], at(20)).await.unwrap();
    let mut success = outcome(&sent[0], OperationStatus::Provisioned, "created");
    (success.change_id, success.event_at) = (Some("change-2".into()), at(25_000));
    success.reason = None;
    store.settle(vec![success], at(30_000)).await.unwrap();
    let mended = run(store, "R1").await;
    assert_eq!(mended.counts.get(OperationStatus::Provisioned), 1);
    assert_eq!((mended.status, mended.ended_at), (RunStatus::Completed, Some(at(20))));
    assert_eq!(operations(store, "R1").await[0].reason, None);
    let ids = vec![ExternalId::from("E1")];
    let found = store.sent_operations(&target(), ids).await.unwrap();
    assert_eq!(found[0].change_id.as_deref(), Some("change-2"));
    assert_eq!(found[0].event_at, Some(at(25_000)));
}

pub async fn what_nobody_heard_of_is_unconfirmed<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1"]), at(0)).await;
    deliver(store, at(10)).await;
    commit(store, "R2", joiners(&["E2"]), at(20)).await;
    deliver(store, at(30)).await;
    let unconfirm = async |sent_before, now| {
        let (reason, advice) = ("no event".to_owned(), "look at the job".to_owned());
        store.unconfirm(&target(), sent_before, reason, advice, now).await.unwrap()
    };
    assert_eq!(unconfirm(at(10), at(40)).await, 0, "sent before, not at");
    assert_eq!(unconfirm(at(11), at(50)).await, 1);
    let given_up = operations(store, "R1").await;
    assert_eq!(given_up[0].status, OperationStatus::Unconfirmed);
    assert_eq!(given_up[0].reason.as_deref(), Some("no event"));
    assert_eq!(given_up[0].advice.as_deref(), Some("look at the job"));
    let ended = run(store, "R1").await;
    assert_eq!((ended.status, ended.ended_at), (RunStatus::Completed, Some(at(50))));
    assert_eq!(status(store, "R2").await, RunStatus::Tracking);

    let late = outcome(&given_up[0], OperationStatus::Provisioned, "created");
    store.settle(vec![late], at(60)).await.unwrap();
    let mended = run(store, "R1").await;
    assert_eq!(mended.counts.get(OperationStatus::Provisioned), 1);
    assert_eq!(mended.status, RunStatus::Completed);
    assert_eq!(operations(store, "R1").await[0].advice, None);
}

pub async fn an_operation_that_was_not_sent_is_not_settled<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1", "E2"]), at(0)).await;
    let queued = operations(store, "R1").await;
    let early = outcome(&queued[0], OperationStatus::Provisioned, "created");
    store.settle(vec![early], at(1)).await.unwrap();
    assert_eq!(statuses(store, "R1").await, [OperationStatus::Queued; 2]);
    let claimed = claim(store, at(2)).await.unwrap();
    store.refuse(claimed.id, "c".into(), "r".into(), "a".into(), at(3)).await.unwrap();
    let late = outcome(&queued[0], OperationStatus::Provisioned, "created");
    store.settle(vec![late], at(4)).await.unwrap();
    assert_eq!(statuses(store, "R1").await, [OperationStatus::Failed; 2]);
    let ids = vec![ExternalId::from("E1")];
    assert!(store.sent_operations(&target(), ids).await.unwrap().is_empty());
    let no_outcome = outcome(&queued[0], OperationStatus::Queued, "x");
    assert!(store.settle(vec![no_outcome], at(5)).await.is_err());
}

pub async fn sent_operations_are_the_newest_three_of_each_worker_and_what_is_open<S: Store>(
    store: &S,
) {
    for version in 1..=5 {
        let rows = vec![row(2, "E1", Change::Mover, version), row(3, "E2", Change::Mover, version)];
        let run = format!("R{version}");
        commit(store, &run, rows, at(i64::from(version) * 10)).await;
        deliver(store, at(i64::from(version) * 10 + 1)).await;
    }
    // all but the first of the second worker have ended
    let mut ended = Vec::new();
    for run in 1..=5 {
        let of_run = operations(store, &format!("R{run}")).await;
        let skip = usize::from(run == 1);
        ended.extend(
            of_run
                .iter()
                .take(2 - skip)
                .map(|each| outcome(each, OperationStatus::Provisioned, "updated")),
        );
    }
    store.settle(ended, at(100)).await.unwrap();
    commit(store, "R6", joiners(&["E1"]), at(60)).await;
    let ids = ["E2", "nobody", "E1"].map(ExternalId::from).to_vec();
    let sent = store.sent_operations(&target(), ids).await.unwrap();
    let found: Vec<_> =
        sent.iter().map(|each| format!("{} {}", each.external_id, each.run)).collect();
    assert_eq!(found, ["E2 R5", "E2 R4", "E2 R3", "E2 R1", "E1 R5", "E1 R4", "E1 R3"]);
    assert_eq!((sent[3].status, sent[3].sent_at), (OperationStatus::Accepted, at(11)));
    assert_eq!((&sent[3].change_id, sent[3].event_at), (&None, None));
}

pub async fn what_waits_too_long_is_found_oldest_first<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1", "E2", "E3"]), at(0)).await;
    for moment in [30, 20, 10] {
        // the order of answers is not that of sending
        let claimed = store.claim(&target(), 1, "guid".into(), at(1)).await.unwrap().unwrap();
        store.accepted(claimed.id, None, at(moment), at(moment)).await.unwrap();
    }
    let found = store.overdue(&target(), at(30), 5).await.unwrap();
    let found: Vec<_> =
        found.iter().map(|each| (each.external_id.as_str(), each.sent_at)).collect();
    assert_eq!(found, [("E3", at(10)), ("E2", at(20))]);
    assert_eq!(store.overdue(&target(), at(30), 1).await.unwrap().len(), 1);
    assert_eq!(store.unconfirmed_window(&target(), at(0)).await.unwrap(), None);
    store.unconfirm(&target(), at(30), "no event".into(), "wait".into(), at(40)).await.unwrap();
    let open = store.unconfirmed_window(&target(), at(0)).await.unwrap().unwrap();
    assert_eq!((open.oldest_sent_at, open.newest_sent_at, open.accepted), (at(10), at(20), 2));
    let open = store.unconfirmed_window(&target(), at(15)).await.unwrap().unwrap();
    assert_eq!((open.oldest_sent_at, open.accepted), (at(20), 1));
}

pub async fn what_is_known_of_the_log_is_kept<S: Store>(store: &S) {
    assert_eq!(store.settled_until(&target()).await.unwrap(), None);
    commit(store, "R1", joiners(&["E1", "E2"]), at(0)).await;
    assert_eq!(store.searched_until(&target()).await.unwrap(), None);
    store.note_searched(&target(), at(5)).await.unwrap();
    assert_eq!(store.searched_until(&target()).await.unwrap(), Some(at(5)));
    for moment in [10, 20] {
        let claimed = store.claim(&target(), 1, "guid".into(), at(1)).await.unwrap().unwrap();
        store.accepted(claimed.id, None, at(moment), at(moment)).await.unwrap();
    }
    let sent = operations(store, "R1").await;
    for (operation, until) in [(1, 20), (0, 20)] {
        let settled = outcome(&sent[operation], OperationStatus::Provisioned, "created");
        store.settle(vec![settled], at(30)).await.unwrap();
        assert_eq!(store.settled_until(&target()).await.unwrap(), Some(at(until)));
    }
}
