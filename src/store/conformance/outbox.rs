//! Promises of [`Outbox`](crate::store::Outbox), but for superseding.

use crate::domain::{Change, OperationStatus, RunStatus};
use crate::store::conformance::sample::{
    at, claim, commit, deliver, joiners, operations, outcome, resource, row, run, status, statuses,
    target, workers,
};
use crate::store::{OutboxState, PlannedVerdict, Store};

pub async fn leavers_go_first_then_the_order_of_planning<S: Store>(store: &S) {
    let rows = vec![
        row(2, "E1", Change::Joiner, 1),
        row(3, "E2", Change::Mover, 1),
        row(4, "E3", Change::Leaver, 1),
    ];
    commit(store, "R1", rows, at(0)).await;
    commit(store, "R2", vec![row(2, "E4", Change::Leaver, 1)], at(1)).await;
    assert!(store.claim(&target(), 0, "guid".into(), at(2)).await.unwrap().is_none());
    let first = store.claim(&target(), 3, "guid".into(), at(2)).await.unwrap().unwrap();
    assert_eq!(workers(&first), ["E3", "E4", "E1"]);
    assert_eq!(first.operations[0].resource, resource("E3", 1));
    assert_eq!((first.attempt, first.client_request_id.as_str()), (1, "guid"));
    let second = claim(store, at(2)).await.unwrap();
    assert_eq!(workers(&second), ["E2"]);
    assert!(second.id > first.id);
    assert!(claim(store, at(2)).await.is_none());
    let left = store.outbox(&target()).await.unwrap();
    assert_eq!(left, OutboxState { queued: 0, sending: 4, next_at: None });
    assert_eq!(run(store, "R1").await.bulk_requests, 2);
    assert_eq!(run(store, "R2").await.bulk_requests, 1);
}

pub async fn a_postponed_request_goes_again_as_itself<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1", "E2"]), at(0)).await;
    let first = claim(store, at(1)).await.unwrap();
    store.postpone(first.id, at(100), "throttled".into(), false, at(2)).await.unwrap();
    let waiting = operations(store, "R1").await;
    assert_eq!(waiting[0].status, OperationStatus::Queued);
    assert_eq!(waiting[0].code.as_deref(), Some("throttled"));
    assert!(claim(store, at(99)).await.is_none());
    let left = store.outbox(&target()).await.unwrap();
    assert_eq!(left, OutboxState { queued: 2, sending: 0, next_at: Some(at(100)) });
    let again = claim(store, at(100)).await.unwrap();
    assert_eq!((again.id, again.attempt), (first.id, 2));
    assert_eq!(again.client_request_id, format!("guid-{}", at(100)));
    assert_eq!(again.operations.len(), 2);
    let sending = operations(store, "R1").await;
    assert_eq!((sending[0].attempts, sending[0].code.as_deref()), (2, None));
    assert_eq!(run(store, "R1").await.bulk_requests, 1);
    let steps = store.history(sending[0].id).await.unwrap();
    let steps: Vec<_> =
        steps.iter().map(|step| (step.status, step.code.as_deref(), step.at)).collect();
    let expected = [
        (OperationStatus::Queued, None, at(0)),
        (OperationStatus::Sending, None, at(1)),
        (OperationStatus::Queued, Some("throttled"), at(2)),
        (OperationStatus::Sending, None, at(100)),
    ];
    assert_eq!(steps, expected);
}

pub async fn a_postponed_request_that_is_due_goes_before_new_ones<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1"]), at(0)).await;
    let first = claim(store, at(1)).await.unwrap();
    store.postpone(first.id, at(100), "throttled".into(), false, at(2)).await.unwrap();
    commit(store, "R2", vec![row(2, "E2", Change::Joiner, 1)], at(3)).await;
    assert_eq!(store.outbox(&target()).await.unwrap().next_at, None, "E2 may go at once");
    assert_eq!(workers(&claim(store, at(100)).await.unwrap()), ["E1"]);
    assert_eq!(workers(&claim(store, at(100)).await.unwrap()), ["E2"]);
}

pub async fn leavers_go_before_a_postponed_request_without_any<S: Store>(store: &S) {
    commit(store, "R1", vec![row(2, "E1", Change::Mover, 1)], at(0)).await;
    let first = claim(store, at(1)).await.unwrap();
    store.postpone(first.id, at(100), "throttled".into(), false, at(2)).await.unwrap();
    let rows = vec![row(2, "E2", Change::Leaver, 1), row(3, "E3", Change::Mover, 1)];
    commit(store, "R2", rows, at(3)).await;
    assert_eq!(workers(&claim(store, at(100)).await.unwrap()), ["E2", "E3"]);
    let again = claim(store, at(100)).await.unwrap();
    assert_eq!((again.id, workers(&again)), (first.id, vec!["E1"]));
}

pub async fn what_a_dead_process_left_is_sent_again<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1", "E2"]), at(0)).await;
    let lost = claim(store, at(1)).await.unwrap();
    assert_eq!(store.recover(&target(), at(50)).await.unwrap(), 2);
    assert_eq!(store.recover(&target(), at(50)).await.unwrap(), 0);
    assert_eq!(statuses(store, "R1").await, [OperationStatus::Queued; 2]);
    let again = claim(store, at(50)).await.unwrap();
    assert_eq!((again.id, again.attempt), (lost.id, 2));
    assert_eq!(workers(&again), ["E1", "E2"]);
}

pub async fn an_accepted_request_moves_its_run_on<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1", "E2"]), at(0)).await;
    let first = store.claim(&target(), 1, "guid".into(), at(1)).await.unwrap().unwrap();
    store.accepted(first.id, Some("request".into()), at(10), at(11)).await.unwrap();
    assert_eq!(status(store, "R1").await, RunStatus::Delivering);
    assert_eq!(statuses(store, "R1").await, [OperationStatus::Accepted, OperationStatus::Queued]);
    let window = store.open_window(&target()).await.unwrap().unwrap();
    assert_eq!((window.oldest_sent_at, window.accepted), (at(10), 1));
    deliver(store, at(20)).await;
    assert_eq!(status(store, "R1").await, RunStatus::Tracking);
    assert!(claim(store, at(21)).await.is_none());
    let window = store.open_window(&target()).await.unwrap().unwrap();
    assert_eq!((window.oldest_sent_at, window.newest_sent_at), (at(10), at(20)));
    assert_eq!(window.accepted, 2);
}

pub async fn a_refused_request_fails_its_operations<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1", "E2"]), at(0)).await;
    let claimed = claim(store, at(1)).await.unwrap();
    let (code, reason, advice) = ("BadRequest", "Invalid Data Format", "tell us");
    store.refuse(claimed.id, code.into(), reason.into(), advice.into(), at(2)).await.unwrap();
    let failed = operations(store, "R1").await;
    assert_eq!(failed[1].status, OperationStatus::Failed);
    assert_eq!(failed[1].code.as_deref(), Some(code));
    assert_eq!(failed[1].reason.as_deref(), Some(reason));
    assert_eq!(failed[1].advice.as_deref(), Some(advice));
    assert_eq!(failed[1].bulk_request, Some(claimed.id));
    let ended = run(store, "R1").await;
    assert_eq!((ended.status, ended.ended_at), (RunStatus::Completed, Some(at(2))));
    assert_eq!(ended.bulk_requests, 1);
}

pub async fn a_split_request_goes_in_smaller_ones<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1", "E2", "E3", "E4", "E5"]), at(0)).await;
    let large = claim(store, at(1)).await.unwrap();
    store.split(large.id, 2, at(2)).await.unwrap();
    assert_eq!(statuses(store, "R1").await, [OperationStatus::Queued; 5]);
    assert_eq!(run(store, "R1").await.bulk_requests, 0, "broken up, the parts not yet posted");
    let mut parts = Vec::new();
    while let Some(part) = claim(store, at(3)).await {
        assert!(part.id > large.id);
        assert_eq!(part.attempt, 1);
        parts.push(workers(&part).join(" "));
    }
    assert_eq!(parts, ["E1 E2", "E3 E4", "E5"]);
    assert_eq!(run(store, "R1").await.bulk_requests, 3);
    assert_eq!(operations(store, "R1").await[0].attempts, 2);
}

pub async fn a_late_word_about_a_request_changes_nothing<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1"]), at(0)).await;
    let claimed = claim(store, at(1)).await.unwrap();
    store.accepted(claimed.id, None, at(2), at(2)).await.unwrap();
    store.accepted(claimed.id, None, at(3), at(3)).await.unwrap();
    store.postpone(claimed.id, at(4), "late".into(), false, at(4)).await.unwrap();
    store.split(claimed.id, 1, at(4)).await.unwrap();
    store.refuse(claimed.id, "late".into(), String::new(), String::new(), at(4)).await.unwrap();
    let found = operations(store, "R1").await;
    assert_eq!((found[0].status, found[0].updated_at), (OperationStatus::Accepted, at(2)));
    assert!(claim(store, at(5)).await.is_none());
}

pub async fn a_warning_stays_until_there_is_an_outcome<S: Store>(store: &S) {
    let mut warned = row(2, "E1", Change::Joiner, 1);
    if let PlannedVerdict::Operation(operation) = &mut warned.verdict {
        operation.warning = Some(("plan.manager-loop".into(), "E1 reports to E1".into()));
    }
    let shown = async || {
        let operation = operations(store, "R1").await.remove(0);
        (operation.code.unwrap_or_default(), operation.reason.unwrap_or_default())
    };
    let warning = ("plan.manager-loop".to_owned(), "E1 reports to E1".to_owned());
    commit(store, "R1", vec![warned], at(0)).await;
    assert_eq!(shown().await, warning);
    let claimed = claim(store, at(1)).await.unwrap();
    store.postpone(claimed.id, at(2), "throttled".into(), false, at(2)).await.unwrap();
    assert_eq!(shown().await, ("throttled".to_owned(), String::new()));
    deliver(store, at(3)).await;
    assert_eq!(shown().await, warning);
    let sent = operations(store, "R1").await;
    let settled = outcome(&sent[0], OperationStatus::Provisioned, "created");
    store.settle(vec![settled], at(4)).await.unwrap();
    assert_eq!(shown().await, ("created".to_owned(), "in words".to_owned()));
}

pub async fn a_clock_that_goes_back_does_not_hold_up_a_postponed_request<S: Store>(store: &S) {
    const HOUR: i64 = 3_600_000;
    commit(store, "R1", joiners(&["E1"]), at(0)).await;
    let first = claim(store, at(HOUR)).await.unwrap();
    let later = at(HOUR + 5_000);
    store.postpone(first.id, later, "throttled".into(), false, at(HOUR)).await.unwrap();
    assert!(claim(store, at(10)).await.is_none());
    assert_eq!(store.outbox(&target()).await.unwrap().next_at, Some(at(5_010)));
    assert!(claim(store, at(5_009)).await.is_none());
    assert_eq!(claim(store, at(5_010)).await.unwrap().id, first.id);
}
