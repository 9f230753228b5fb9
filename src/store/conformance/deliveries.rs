//! Promises of [`Deliveries`](crate::store::Deliveries).

use crate::domain::{Change, DeliveryId, RunId, RunKind};
use crate::store::conformance::sample::{at, by, commit, joiners, new_run, source, target};
use crate::store::{
    Backlog, Commit, KeptDelivery, NewDelivery, NewRun, RefusedRun, Store, StoredProblem,
    TakenDelivery,
};

use super::sample::row;

fn id(number: u8) -> DeliveryId {
    DeliveryId::new(format!("D{number}"))
}

fn new(number: u8, identity: u8, second: i64) -> NewDelivery {
    NewDelivery {
        id: id(number),
        source: source(),
        identity: [identity; 32],
        is_lasting: true,
        received_at: at(second * 1_000),
        from: None,
        caller: "key abc".to_owned(),
        is_form: number == 2,
        workers: u64::from(number),
        body: format!("{{\"n\":{number}}}").into_bytes(),
    }
}

async fn keep<S: Store>(store: &S, delivery: NewDelivery) -> KeptDelivery {
    store.keep_deliveries(vec![delivery]).await.unwrap().remove(0)
}

/// The ids of those that wait at a second.
async fn waiting<S: Store>(store: &S, second: i64) -> Vec<String> {
    let found = store.waiting_deliveries(&source(), 10, 1_000, at(second * 1_000)).await.unwrap();
    found.iter().map(|delivery| delivery.id.to_string()).collect()
}

fn taking(run: &str, numbers: &[u8]) -> NewRun {
    let deliveries = numbers.iter().map(|number| TakenDelivery {
        id: id(*number),
        first_row: Some(u64::from(*number)),
        problem: None,
    });
    NewRun {
        kind: RunKind::Webhook,
        file: None,
        deliveries: deliveries.collect(),
        ..new_run(run, 1)
    }
}

async fn take<S: Store>(store: &S, run: NewRun) -> Commit {
    let mut draft = store.draft(&target()).await.unwrap();
    draft.push(vec![row(2, "E1", Change::Mover, 1)]).await.unwrap();
    draft.commit(run, at(9_000)).await.unwrap()
}

pub async fn deliveries_wait_in_the_order_of_receipt<S: Store>(store: &S) {
    let other = NewDelivery { source: "payroll".into(), ..new(4, 4, 1) };
    let kept = store.keep_deliveries(vec![new(3, 3, 5), new(1, 1, 1), other]).await.unwrap();
    assert!(kept.iter().all(|kept| kept.is_new));
    assert!(keep(store, new(2, 2, 2)).await.is_new);
    let found = store.waiting_deliveries(&source(), 10, 1_000, at(0)).await.unwrap();
    let seen: Vec<_> = found
        .iter()
        .map(|each| (each.id.to_string(), each.workers, each.is_form, each.attempts))
        .collect();
    let expected = [("D3", 3, false, 0), ("D1", 1, false, 0), ("D2", 2, true, 0)]
        .map(|(id, w, f, a)| (id.to_owned(), w, f, a));
    assert_eq!(seen, expected);
    assert_eq!((found[0].body.as_slice(), found[0].received_at), (&b"{\"n\":3}"[..], at(5_000)));
    // bounded by number, and by bytes but for the first
    assert_eq!(store.waiting_deliveries(&source(), 2, 1_000, at(0)).await.unwrap().len(), 2);
    assert_eq!(store.waiting_deliveries(&source(), 9, 1, at(0)).await.unwrap().len(), 1);
    let backlog = store.backlog(&source()).await.unwrap();
    let expected = Backlog { waiting: 3, oldest_at: Some(at(1_000)), newest_at: Some(at(2_000)) };
    assert_eq!(backlog, expected);
    assert_eq!(store.backlog(&"nobody".into()).await.unwrap(), Backlog::default());
}

pub async fn the_same_delivery_again_is_the_first<S: Store>(store: &S) {
    assert!(keep(store, new(1, 7, 1)).await.is_new);
    let again = KeptDelivery { id: id(1), is_new: false };
    assert_eq!(keep(store, new(2, 7, 2)).await, again);
    let both = store.keep_deliveries(vec![new(3, 8, 3), new(4, 8, 3)]).await.unwrap();
    assert_eq!(both[1], KeptDelivery { id: id(3), is_new: false });
    assert_eq!(take(store, taking("R1", &[1, 3])).await, Commit::Done);
    assert_eq!(keep(store, new(5, 7, 99)).await, again, "processed, and known all the same");
    assert_eq!(waiting(store, 99).await, [""; 0]);
}

pub async fn equal_content_is_the_same_only_while_it_waits<S: Store>(store: &S) {
    let content = |number| NewDelivery { is_lasting: false, ..new(number, 7, 1) };
    assert!(keep(store, content(1)).await.is_new);
    assert!(!keep(store, content(2)).await.is_new);
    // what comes in between may say something else, which the same as before takes back
    assert!(keep(store, new(8, 8, 1)).await.is_new);
    assert!(keep(store, content(9)).await.is_new);
    assert!(!keep(store, content(10)).await.is_new);
    store.begin_deliveries(vec![id(9), id(8)]).await.unwrap();
    assert!(keep(store, content(11)).await.is_new);
    assert!(!keep(store, new(12, 8, 1)).await.is_new, "an id is one for ever");
    assert_eq!(store.waiting_sources().await.unwrap(), [(source(), 4)]);
    store
        .close_deliveries([8, 9, 11].map(|n| (id(n), "x".to_owned())).to_vec(), at(1))
        .await
        .unwrap();
    assert_eq!(take(store, taking("R1", &[1])).await, Commit::Done);
    assert!(keep(store, content(3)).await.is_new);
    store.close_deliveries(vec![(id(3), "nothing".to_owned())], at(5)).await.unwrap();
    assert!(keep(store, content(4)).await.is_new);
}

pub async fn a_run_takes_its_deliveries_with_its_commit_and_once<S: Store>(store: &S) {
    keep(store, new(1, 1, 1)).await;
    keep(store, new(2, 2, 1)).await;
    let mut draft = store.draft(&target()).await.unwrap();
    draft.push(vec![row(2, "E1", Change::Mover, 1)]).await.unwrap();
    drop(draft);
    assert_eq!(waiting(store, 1).await, ["D1", "D2"]);
    let held = NewRun {
        held_by: vec![crate::domain::HeldBy {
            guard: "max_changes".into(),
            limit: "1".into(),
            value: 1,
            of: 1,
        }],
        ..taking("R1", &[1])
    };
    assert_eq!(take(store, held).await, Commit::Done);
    assert_eq!(waiting(store, 1).await, ["D2"]);
    let found = store.delivery(&id(1)).await.unwrap().unwrap();
    assert_eq!((found.run, found.first_row), (Some(RunId::from("R1")), Some(1)));
    assert_eq!((found.received_at, found.processed_at), (at(1_000), Some(at(9_000))));
    assert_eq!((found.caller.as_str(), found.workers, found.problem), ("key abc", 1, None));
    // a held run moves no ledger, and still nobody takes its delivery again
    assert_eq!(take(store, taking("R2", &[2, 1])).await, Commit::LedgerMoved);
    assert_eq!(store.run(&RunId::from("R2")).await.unwrap().map(|run| run.id), None);
    assert_eq!(waiting(store, 1).await, ["D2"]);
    assert_eq!(store.run(&RunId::from("R1")).await.unwrap().unwrap().kind, RunKind::Webhook);
}

pub async fn a_refused_delivery_is_a_failed_run<S: Store>(store: &S) {
    keep(store, new(1, 1, 1)).await;
    let refused = RefusedRun {
        id: RunId::from("R1"),
        source: source(),
        target: target(),
        kind: RunKind::Webhook,
        file: None,
        file_digest: [0; 32],
        mapping_fingerprint: [0; 16],
        started_at: at(1),
        ended_at: at(2),
        problem: StoredProblem {
            code: "source.json".into(),
            place: "deliveries".into(),
            message: "why".into(),
            hint: None,
        },
        who: by("ada"),
        deliveries: vec![TakenDelivery { id: id(1), first_row: None, problem: None }],
    };
    store.store_refused(refused).await.unwrap();
    assert_eq!(waiting(store, 1).await, [""; 0]);
    let found = store.delivery(&id(1)).await.unwrap().unwrap();
    assert_eq!((found.run, found.processed_at), (Some(RunId::from("R1")), Some(at(2))));
    assert_eq!(store.run(&RunId::from("R1")).await.unwrap().unwrap().kind, RunKind::Webhook);
}

pub async fn what_is_put_off_waits_and_what_is_closed_does_not<S: Store>(store: &S) {
    for number in 1..=3 {
        keep(store, new(number, number, 1)).await;
    }
    store.put_off_deliveries(vec![id(1)], "later", at(60_000)).await.unwrap();
    assert_eq!(waiting(store, 59).await, ["D2", "D3"]);
    assert_eq!(waiting(store, 60).await, ["D2", "D3", "D1"]);
    let found = store.waiting_deliveries(&source(), 9, 1_000, at(60_000)).await.unwrap();
    assert_eq!(found[2].attempts, 1);
    let found = store.delivery(&id(1)).await.unwrap().unwrap();
    assert_eq!((found.problem.as_deref(), found.processed_at), (Some("later"), None));
    store.close_deliveries(vec![(id(2), "nobody".to_owned())], at(7)).await.unwrap();
    store.close_deliveries(vec![(id(2), "again".to_owned())], at(8)).await.unwrap();
    let found = store.delivery(&id(2)).await.unwrap().unwrap();
    assert_eq!((found.problem.as_deref(), found.processed_at), (Some("nobody"), Some(at(7))));
    assert_eq!((waiting(store, 60).await, found.run), (vec!["D3".into(), "D1".into()], None));
}

pub async fn processed_deliveries_are_forgotten_in_time<S: Store>(store: &S) {
    commit(store, "R0", joiners(&["E9"]), at(0)).await;
    for number in 1..=4 {
        keep(store, new(number, number, 1)).await;
    }
    let close = |number: u8| vec![(id(number), "nothing".to_owned())];
    for number in 1..=3 {
        store.close_deliveries(close(number), at(i64::from(number))).await.unwrap();
    }
    assert_eq!(store.forget_deliveries(at(3), 1).await.unwrap(), 1);
    assert_eq!(store.forget_deliveries(at(3), 9).await.unwrap(), 1);
    assert_eq!(store.forget_deliveries(at(3), 9).await.unwrap(), 0);
    assert_eq!(store.delivery(&id(2)).await.unwrap(), None);
    assert!(store.delivery(&id(3)).await.unwrap().is_some());
    assert_eq!(waiting(store, 1).await, ["D4"]);
    assert!(keep(store, new(9, 1, 1)).await.is_new);
}
