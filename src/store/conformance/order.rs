//! Managers before their reports, and requests full all the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{BulkRequestId, Change};
use crate::store::conformance::sample::{
    at, claim, commit, deliver, joiners, reporting_to, row, target, workers,
};
use crate::store::{Claim, PlannedRow, Store};

/// Claims at most so many operations.
async fn claim_most<S: Store>(store: &S, max: usize, moment: i64) -> Option<Claim> {
    store.claim(&target(), max, format!("guid-{moment}"), at(moment)).await.unwrap()
}

async fn accept<S: Store>(store: &S, claim: &Claim, moment: i64) {
    store.accepted(claim.id, None, at(moment), at(moment)).await.unwrap();
}

fn joiner(number: u64, id: &str, manager: &str) -> PlannedRow {
    reporting_to(manager, row(number, id, Change::Joiner, 1))
}

pub async fn a_manager_stands_before_the_reports_of_one_request<S: Store>(store: &S) {
    let top = row(5, "E4", Change::Joiner, 1);
    let rows = vec![joiner(2, "E1", "E3"), joiner(3, "E2", "E1"), joiner(4, "E3", "E4"), top];
    commit(store, "R1", rows, at(0)).await;
    assert_eq!(workers(&claim(store, at(1)).await.unwrap()), ["E4", "E3", "E1", "E2"]);
}

pub async fn a_report_waits_until_the_request_of_its_manager_is_accepted<S: Store>(store: &S) {
    let rows = vec![joiner(2, "E1", "E2"), row(3, "E2", Change::Joiner, 1), joiner(4, "E3", "E1")];
    commit(store, "R1", rows, at(0)).await;
    let manager = claim_most(store, 1, 1).await.unwrap();
    assert_eq!(workers(&manager), ["E2"]);
    assert!(claim_most(store, 1, 2).await.is_none(), "E2 is not accepted yet");
    store.postpone(manager.id, at(10), "throttled".into(), true, at(3)).await.unwrap();
    assert!(claim_most(store, 1, 4).await.is_none(), "E2 is to be sent again first");
    let again = claim_most(store, 1, 10).await.unwrap();
    assert_eq!(again.id, manager.id);
    accept(store, &again, 11).await;
    assert_eq!(workers(&claim_most(store, 2, 12).await.unwrap()), ["E1", "E3"]);
}

pub async fn requests_stay_full_while_an_answer_is_awaited<S: Store>(store: &S) {
    let mut rows = joiners(&["E1", "E2", "E3"]);
    rows.extend([joiner(5, "E4", "E1"), joiner(6, "E5", "E2")]);
    commit(store, "R1", rows, at(0)).await;
    let first = claim_most(store, 2, 1).await.unwrap();
    assert_eq!(workers(&first), ["E1", "E2"]);
    assert!(claim_most(store, 2, 2).await.is_none(), "E3 alone, but E4 may go in a moment");
    accept(store, &first, 3).await;
    assert_eq!(workers(&claim_most(store, 2, 4).await.unwrap()), ["E3", "E4"]);
    assert_eq!(workers(&claim_most(store, 2, 4).await.unwrap()), ["E5"], "nobody else is left");
}

pub async fn a_manager_of_a_later_class_is_waited_for_until_known<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1"]), at(0)).await;
    deliver(store, at(1)).await;
    let rows = vec![
        row(2, "E1", Change::Mover, 2),
        row(3, "E2", Change::Mover, 2),
        joiner(4, "E3", "E1"),
        joiner(5, "E4", "E2"),
    ];
    commit(store, "R2", rows, at(2)).await;
    // nothing of E2 ever reached Entra: brought forward; E1 comes in its turn
    let first = claim_most(store, 3, 3).await.unwrap();
    assert_eq!(workers(&first), ["E3", "E2", "E4"]);
    assert_eq!(workers(&claim_most(store, 3, 3).await.unwrap()), ["E1"]);
}

pub async fn leavers_wait_for_nobody_and_nobody_waits_for_them<S: Store>(store: &S) {
    let rows = vec![
        row(2, "E1", Change::Joiner, 1),
        reporting_to("E1", row(3, "E2", Change::Leaver, 1)),
        joiner(4, "E3", "E2"),
    ];
    commit(store, "R1", rows, at(0)).await;
    assert_eq!(workers(&claim_most(store, 1, 1).await.unwrap()), ["E2"]);
    assert_eq!(workers(&claim_most(store, 2, 1).await.unwrap()), ["E1", "E3"]);
}

pub async fn who_is_in_a_ring_over_two_runs_goes_all_the_same<S: Store>(store: &S) {
    commit(store, "R1", vec![joiner(2, "E1", "E2"), joiner(3, "E3", "E1")], at(0)).await;
    commit(store, "R2", vec![joiner(2, "E2", "E3")], at(1)).await;
    let mut sent = BTreeSet::new();
    while let Some(one) = claim_most(store, 1, 2).await {
        accept(store, &one, 3).await;
        sent.extend(workers(&one).into_iter().map(str::to_owned));
    }
    assert_eq!(sent.into_iter().collect::<Vec<_>>(), ["E1", "E2", "E3"]);
}

pub async fn a_manager_planned_by_a_later_run_is_brought_forward<S: Store>(store: &S) {
    let rows = vec![joiner(2, "E1", "E9"), row(3, "E2", Change::Joiner, 1)];
    commit(store, "R1", rows, at(0)).await;
    commit(store, "R2", vec![joiner(2, "E9", "E8"), row(3, "E8", Change::Mover, 1)], at(1)).await;
    assert_eq!(workers(&claim_most(store, 3, 2).await.unwrap()), ["E8", "E9", "E1"]);
}

pub async fn the_parts_of_a_split_request_keep_the_order<S: Store>(store: &S) {
    let rows = vec![row(2, "E1", Change::Joiner, 1), joiner(3, "E2", "E1"), joiner(4, "E3", "E2")];
    commit(store, "R1", rows, at(0)).await;
    let large = claim(store, at(1)).await.unwrap();
    store.split(large.id, 1, at(2)).await.unwrap();
    for (moment, worker) in [(3, "E1"), (5, "E2"), (7, "E3")] {
        let part = claim(store, at(moment)).await.unwrap();
        assert_eq!(workers(&part), [worker]);
        assert!(claim(store, at(moment)).await.is_none(), "whoever reports to {worker} waits");
        accept(store, &part, moment + 1).await;
    }
}

/// A tree of people: who reports to whom, deep or flat, and in what order the file names them.
struct Tree {
    managers: Vec<Option<usize>>,
    order: Vec<usize>,
}

impl Tree {
    fn grown(dice: &mut fastrand::Rng, people: usize) -> Self {
        // from everybody under the first to everybody under the last before them
        let reach = dice.usize(1..=people);
        let manager = |number: usize, dice: &mut fastrand::Rng| {
            (number > 0).then(|| number.saturating_sub(dice.usize(1..=reach)))
        };
        let managers = (0..people).map(|number| manager(number, dice)).collect();
        let mut order: Vec<usize> = (0..people).collect();
        dice.shuffle(&mut order);
        Self { managers, order }
    }

    fn levels(&self) -> usize {
        let mut levels = Vec::new();
        for manager in &self.managers {
            let level = manager.map_or(0, |above: usize| levels[above] + 1);
            levels.push(level);
        }
        levels.into_iter().max().unwrap_or(0) + 1
    }

    fn rows(&self, change: impl Fn(usize) -> Change, version: u32) -> Vec<PlannedRow> {
        let row_of = |(at, number): (usize, &usize)| {
            let planned = row(at as u64 + 2, &person(*number), change(*number), version);
            match self.managers[*number] {
                Some(manager) => reporting_to(&person(manager), planned),
                None => planned,
            }
        };
        self.order.iter().enumerate().map(row_of).collect()
    }
}

fn person(number: usize) -> String {
    format!("E{number:04}")
}

/// What the outside knows of a tree that is being sent.
struct Sending {
    tree: Tree,
    /// What is planned of whom and not accepted yet.
    pending: BTreeMap<String, Change>,
    /// Whom Entra has.
    known: BTreeSet<String>,
    in_flight: BTreeMap<BulkRequestId, Claim>,
}

impl Sending {
    fn claimed(&mut self, claim: Claim) {
        let mut before = BTreeSet::new();
        for operation in &claim.operations {
            let worker = operation.external_id.as_str();
            let number: usize = worker[1..].parse().unwrap();
            let own = self.pending[worker];
            if let Some(manager) = self.tree.managers[number].map(person)
                && own != Change::Leaver
                && let Some(above) = self.pending.get(&manager)
            {
                let comes_later = *above == Change::Mover && own != Change::Mover;
                let is_fine = before.contains(&manager)
                    || *above == Change::Leaver
                    || (comes_later && self.known.contains(&manager));
                assert!(is_fine, "{worker} starts before {manager} is accepted");
            }
            before.insert(worker.to_owned());
        }
        self.in_flight.insert(claim.id, claim);
    }

    fn accepted(&mut self, id: BulkRequestId) {
        for operation in self.in_flight.remove(&id).unwrap().operations {
            self.pending.remove(operation.external_id.as_str());
            self.known.insert(operation.external_id.to_string());
        }
    }
}

/// Random trees, answers in any order, faults, splits and dead processes: nobody starts before
/// their manager is accepted, and everybody is sent.
pub async fn managers_are_accepted_before_their_reports_start_whatever_happens<S: Store>(
    store: &S,
) {
    let mut dice = fastrand::Rng::with_seed(20_261_122);
    for round in 0..12_i64 {
        let people = dice.usize(2..150);
        let tree = Tree::grown(&mut dice, people);
        let changes: Vec<Change> = (0..people)
            .map(|_| dice.choice([Change::Joiner, Change::Joiner, Change::Mover, Change::Leaver]))
            .map(Option::unwrap)
            .collect();
        let start = round * 100_000;
        commit(
            store,
            &format!("R{round}"),
            tree.rows(|number| changes[number], u32::try_from(round).unwrap()),
            at(start),
        )
        .await;
        let pending = (0..people).map(|number| (person(number), changes[number])).collect();
        let known = BTreeSet::new();
        let mut sending = Sending { tree, pending, known, in_flight: BTreeMap::new() };
        for number in 0..people {
            // of an earlier round
            let ids = vec![crate::domain::ExternalId::from(person(number).as_str())];
            let entry = store.ledger(&target(), ids).await.unwrap().remove(0);
            if round > 0 && entry.is_some() {
                sending.known.insert(person(number));
            }
        }
        send(store, &mut dice, &mut sending, start).await;
        assert!(sending.pending.is_empty(), "left: {:?}", sending.pending);
        assert!(store.outbox(&target()).await.unwrap().is_empty());
    }
}

async fn send<S: Store>(store: &S, dice: &mut fastrand::Rng, sending: &mut Sending, start: i64) {
    let mut idle = 0;
    for moment in start.. {
        if sending.pending.is_empty() || idle > 1_000 {
            return;
        }
        idle += 1;
        if sending.in_flight.len() < 4
            && let Some(claim) = claim_most(store, 1 + dice.usize(1..8), moment).await
        {
            sending.claimed(claim);
            idle = 0;
        }
        let picked = dice.usize(..sending.in_flight.len().max(1));
        let Some(id) = sending.in_flight.keys().nth(picked).copied() else { continue };
        match dice.u8(..10) {
            0 => {
                let later = at(moment + dice.i64(0..20));
                store.postpone(id, later, "throttled".into(), false, at(moment)).await.unwrap();
                sending.in_flight.remove(&id);
            }
            1 => {
                store.split(id, dice.usize(1..4), at(moment)).await.unwrap();
                sending.in_flight.remove(&id);
            }
            2 if dice.u8(..4) == 0 => {
                store.recover(&target(), at(moment)).await.unwrap();
                sending.in_flight.clear();
            }
            3..=6 => {
                store.accepted(id, None, at(moment), at(moment)).await.unwrap();
                sending.accepted(id);
            }
            _ => {}
        }
    }
}

/// A request is short only at the end, or where a level ends while nothing else is under way.
pub async fn requests_of_a_tree_are_full<S: Store>(store: &S) {
    const MAX: usize = 10;
    let mut dice = fastrand::Rng::with_seed(20_261_123);
    for round in 0..6_i64 {
        let people = dice.usize(100..400);
        let tree = Tree::grown(&mut dice, people);
        let levels = tree.levels();
        let rows = tree.rows(|_| Change::Joiner, u32::try_from(round).unwrap());
        let start = round * 100_000;
        commit(store, &format!("R{round}"), rows, at(start)).await;
        let mut in_flight: Vec<Claim> = Vec::new();
        let (mut left, mut short) = (people, 0);
        for moment in start.. {
            while in_flight.len() < 5
                && let Some(claim) = claim_most(store, MAX, moment).await
            {
                left -= claim.operations.len();
                let is_short = claim.operations.len() < MAX;
                assert!(!is_short || left == 0 || in_flight.is_empty(), "an answer was awaited");
                short += usize::from(is_short);
                in_flight.push(claim);
            }
            if in_flight.is_empty() {
                break;
            }
            let answered = in_flight.swap_remove(dice.usize(..in_flight.len()));
            accept(store, &answered, moment).await;
        }
        assert_eq!(left, 0);
        assert!(short <= levels, "{short} short requests in {levels} levels");
    }
}
