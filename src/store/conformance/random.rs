//! The outbox under calls in any order.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{BulkRequestId, Change, RunId};
use crate::store::conformance::sample::{at, commit, row, run, target};
use crate::store::{Claim, Store};

/// Calls made in one go.
const CALLS: i64 = 400;

/// The dice's seed: the same calls on every machine.
const SEED: u64 = 20_231_114;

/// What the outside has seen.
#[derive(Default)]
struct Seen {
    /// Claims without an answer.
    in_flight: BTreeMap<BulkRequestId, Claim>,
    /// The newest version committed of each worker.
    planned: BTreeMap<String, Vec<u8>>,
    /// The last version of each worker that was accepted.
    arrived: BTreeMap<String, Vec<u8>>,
    runs: u32,
}

impl Seen {
    fn claimed(&mut self, claim: Claim) {
        self.in_flight.insert(claim.id, claim);
        let mut workers = BTreeSet::new();
        for operation in self.in_flight.values().flat_map(|claim| &claim.operations) {
            assert!(workers.insert(&operation.external_id), "{} twice", operation.external_id);
        }
    }

    fn accepted(&mut self, claim: Claim) {
        for operation in claim.operations {
            self.arrived.insert(operation.external_id.to_string(), operation.resource);
        }
    }
}

/// Whatever is called in whatever order: one worker is never in two requests at once, and when all
/// is sent, the last version sent is the last version planned.
pub async fn no_worker_is_twice_on_the_way_and_the_latest_version_wins<S: Store>(store: &S) {
    let mut dice = fastrand::Rng::with_seed(SEED);
    let mut seen = Seen::default();
    for moment in 0..CALLS {
        one_call(store, &mut dice, &mut seen, moment).await;
    }
    // The process dies and another one sends what is left.
    store.recover(&target(), at(100_000)).await.unwrap();
    seen.in_flight.clear();
    while let Some(claim) = store.claim(&target(), 3, "end".into(), at(100_000)).await.unwrap() {
        store.accepted(claim.id, None, at(100_000), at(100_000)).await.unwrap();
        seen.claimed(claim.clone());
        seen.in_flight.clear();
        seen.accepted(claim);
    }
    assert_eq!(seen.arrived, seen.planned);
    let left = store.outbox(&target()).await.unwrap();
    assert_eq!((left.queued, left.sending, left.next_at), (0, 0, None));
    for number in 1..=seen.runs {
        assert_ne!(run(store, &format!("R{number}")).await.status.as_str(), "delivering");
        let id = RunId::from(format!("R{number}").as_str());
        for operation in store.operations(&id, None, 100).await.unwrap() {
            let last = store.history(operation.id).await.unwrap().pop().unwrap();
            assert_eq!(last.status, operation.status);
        }
    }
}

async fn one_call<S: Store>(store: &S, dice: &mut fastrand::Rng, seen: &mut Seen, moment: i64) {
    let now = at(moment);
    let picked = dice.usize(..seen.in_flight.len().max(1));
    let in_flight = seen.in_flight.keys().nth(picked).copied();
    match (dice.u8(..12), in_flight) {
        (0..=2, _) => {
            seen.runs += 1;
            let mut rows = Vec::new();
            for number in 0..8 {
                if dice.bool() {
                    let change = dice.choice([Change::Mover, Change::Leaver]).unwrap();
                    let planned = row(number + 2, &format!("E{number}"), change, seen.runs);
                    let resource = super::sample::resource(&format!("E{number}"), seen.runs);
                    seen.planned.insert(format!("E{number}"), resource);
                    rows.push(planned);
                }
            }
            commit(store, &format!("R{}", seen.runs), rows, now).await;
        }
        (3..=6, _) => {
            let max = dice.usize(1..5);
            let claim = store.claim(&target(), max, format!("g{moment}"), now).await.unwrap();
            if let Some(claim) = claim {
                seen.claimed(claim);
            }
        }
        (7, Some(id)) => {
            let later = at(moment + dice.i64(0..30));
            store.postpone(id, later, "throttled".into(), false, now).await.unwrap();
            seen.in_flight.remove(&id);
        }
        (8, Some(id)) => {
            store.split(id, dice.usize(1..3), now).await.unwrap();
            seen.in_flight.remove(&id);
        }
        (9, _) if dice.u8(..4) == 0 => {
            store.recover(&target(), now).await.unwrap();
            seen.in_flight.clear();
        }
        (_, Some(id)) => {
            store.accepted(id, None, now, now).await.unwrap();
            let claim = seen.in_flight.remove(&id).unwrap();
            seen.accepted(claim);
        }
        (_, None) => {}
    }
}
