//! Promises of [`Records`](crate::store::Records).

use crate::domain::{Change, ExternalId, OperationStatus, SourceName, TargetName};
use crate::store::conformance::sample::{
    at, commit, deliver, joiners, new_run, operations, outcome, resource, row, source, target,
};
use crate::store::{PlannedVerdict, RecordCounts, Store};

pub async fn the_ledger_answers_in_the_order_asked_for<S: Store>(store: &S) {
    let rows = vec![row(2, "E1", Change::Joiner, 1), row(3, "E2", Change::Leaver, 2)];
    commit(store, "R1", rows, at(0)).await;
    let ids =
        vec!["E2", "nobody", "E1", "e1"].into_iter().map(ExternalId::from).collect::<Vec<_>>();
    let found = store.ledger(&target(), ids.clone()).await.unwrap();
    let [Some(leaver), None, Some(joiner), None] = found.as_slice() else {
        panic!("unexpected {found:?}");
    };
    assert_eq!((leaver.active, joiner.active), (false, true));
    assert_eq!((leaver.digest[3], joiner.digest[3]), (2, 1));
    assert_eq!((&joiner.source, joiner.last_status), (&source(), OperationStatus::Queued));
    assert_eq!((joiner.arrived, joiner.resent_at), (false, None));
    let resources = store.resources(&target(), ids.clone()).await.unwrap();
    assert_eq!(resources, [Some(resource("E2", 2)), None, Some(resource("E1", 1)), None]);
    let elsewhere = store.ledger(&TargetName::from("other"), ids).await.unwrap();
    assert!(elsewhere.iter().all(Option::is_none));
    assert_eq!(
        store.count_records(&target(), &source()).await.unwrap(),
        RecordCounts { all: 2, active: 1 }
    );
    let nobody = store.count_records(&target(), &SourceName::from("x")).await.unwrap();
    assert_eq!(nobody, RecordCounts::default());
}

pub async fn a_resend_is_noted_until_the_resource_changes<S: Store>(store: &S) {
    let resent = |number| {
        let mut row = row(number, "E1", Change::Mover, 1);
        if let PlannedVerdict::Operation(operation) = &mut row.verdict {
            operation.resend = true;
        }
        row
    };
    let resent_at = async || {
        let ids = vec![ExternalId::from("E1")];
        store.ledger(&target(), ids).await.unwrap().pop().flatten().unwrap().resent_at
    };
    commit(store, "R1", joiners(&["E1"]), at(0)).await;
    assert_eq!(resent_at().await, None);
    commit(store, "R2", vec![resent(2)], at(1)).await;
    assert_eq!(resent_at().await, Some(at(1)));
    commit(store, "R3", vec![row(2, "E1", Change::Mover, 2)], at(2)).await;
    assert_eq!(resent_at().await, None);
}

pub async fn a_record_shows_its_history_in_every_target<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1"]), at(0)).await;
    deliver(store, at(1)).await;
    let sent = operations(store, "R1").await;
    let settled = outcome(&sent[0], OperationStatus::Provisioned, "created");
    store.settle(vec![settled], at(2)).await.unwrap();
    commit(store, "R2", vec![row(9, "E1", Change::Leaver, 2)], at(3)).await;

    let mut draft = store.draft(&TargetName::from("other")).await.unwrap();
    draft.push(joiners(&["E1"])).await.unwrap();
    let mut run = new_run("R3", 1);
    (run.target, run.source) = (TargetName::from("other"), SourceName::from("hr2"));
    draft.commit(run, at(4)).await.unwrap();

    let records = store.record(&ExternalId::from("E1")).await.unwrap();
    let [first, second] = records.as_slice() else { panic!("{} records", records.len()) };
    assert_eq!((first.target.as_str(), first.source.as_str()), ("entra", "hr"));
    assert_eq!((first.active, first.last_sent), (false, Some(at(1))));
    let history: Vec<_> =
        first.history.iter().map(|operation| (operation.run.as_str(), operation.status)).collect();
    assert_eq!(history, [("R2", OperationStatus::Queued), ("R1", OperationStatus::Provisioned)]);
    assert_eq!(first.history[1].code.as_deref(), Some("created"));
    assert_eq!((second.target.as_str(), second.source.as_str()), ("other", "hr2"));
    assert_eq!((second.active, second.last_sent), (true, None));
    let ids = vec![ExternalId::from("E1")];
    let entry = store.ledger(&target(), ids).await.unwrap().pop().flatten().unwrap();
    assert!(entry.arrived, "arrival outlives the next operation");
    assert!(store.record(&ExternalId::from("E2")).await.unwrap().is_empty());
}

pub async fn holders_of_a_user_name_are_those_whose_account_may_exist<S: Store>(store: &S) {
    let named = |number, id: &str, version, key| {
        let mut row = row(number, id, Change::Joiner, version);
        if let PlannedVerdict::Operation(operation) = &mut row.verdict {
            operation.user_name_key = key;
        }
        row
    };
    let holders = async |keys: &[i64]| {
        let found = store.user_name_holders(&target(), keys.to_vec()).await.unwrap();
        let words =
            |ids: Vec<ExternalId>| ids.iter().map(ExternalId::as_str).collect::<Vec<_>>().join(" ");
        found.into_iter().map(words).collect::<Vec<_>>()
    };
    let rows = vec![
        named(2, "E2", 1, Some(7)),
        named(3, "E1", 1, Some(7)),
        named(4, "E3", 1, Some(-8)),
        named(5, "E4", 1, None),
    ];
    commit(store, "R1", rows, at(0)).await;
    assert_eq!(holders(&[-8, 9, 7]).await, ["E3", "", "E1 E2"]);
    assert_eq!(holders(&[]).await, [""; 0]);
    let elsewhere = store.user_name_holders(&TargetName::from("other"), vec![7]).await.unwrap();
    assert_eq!(elsewhere, [Vec::new()]);

    // what failed at once holds nothing; what arrived once does, whatever comes of later operations
    deliver(store, at(1)).await;
    let sent = operations(store, "R1").await;
    let outcomes = vec![
        outcome(&sent[0], OperationStatus::Failed, "no"),
        outcome(&sent[1], OperationStatus::Provisioned, "created"),
    ];
    store.settle(outcomes, at(2)).await.unwrap();
    assert_eq!(holders(&[7]).await, ["E1"]);

    // a new name takes the place of the old one
    commit(store, "R2", vec![named(2, "E1", 2, Some(9)), named(3, "E3", 2, None)], at(3)).await;
    assert_eq!(holders(&[7, 9, -8]).await, ["", "E1", ""]);
}
