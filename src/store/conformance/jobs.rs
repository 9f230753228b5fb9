//! Jobs as they were last seen, and what is sent again after a restart.

use jiff::SignedDuration;

use crate::domain::{OperationStatus, RunStatus};
use crate::store::conformance::sample::{
    at, claim, commit, deliver, joiners, operations, outcome, status, target, workers,
};
use crate::store::{JobSeen, Store};

fn seen(code: &str, second: i64) -> JobSeen {
    JobSeen {
        code: code.to_owned(),
        quarantine: (code == "Quarantine").then(|| "TooManyDeletes".to_owned()),
        delete_threshold: Some(500),
        at: at(second * 1_000),
    }
}

pub async fn a_job_is_known_as_it_was_last_seen<S: Store>(store: &S) {
    assert_eq!(store.job_seen(&target()).await.unwrap(), None);
    // nothing is noted of a target without runs
    assert_eq!(store.note_job(&target(), seen("Active", 1)).await.unwrap(), None);
    assert_eq!(store.job_seen(&target()).await.unwrap(), None);
    commit(store, "R1", joiners(&["E1"]), at(0)).await;
    assert_eq!(store.note_job(&target(), seen("Active", 1)).await.unwrap(), None);
    let before = store.note_job(&target(), seen("Quarantine", 2)).await.unwrap();
    assert_eq!(before, Some(seen("Active", 1)));
    assert_eq!(store.job_seen(&target()).await.unwrap(), Some(seen("Quarantine", 2)));
}

pub async fn everything_open_is_queued_again_and_nothing_else<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1", "E2", "E3", "E4"]), at(0)).await;
    deliver(store, at(0)).await;
    let sent = operations(store, "R1").await;
    let settled = vec![outcome(&sent[0], OperationStatus::Provisioned, "created")];
    store.settle(settled, at(1)).await.unwrap();
    let words = || "why".to_owned();
    store.unconfirm(&target(), at(10), words(), words(), at(10)).await.unwrap();
    commit(store, "R2", joiners(&["E5"]), at(20)).await;
    deliver(store, at(20)).await;
    // E4 has a newer version, which is what counts
    commit(store, "R3", joiners(&["E4"]), at(30)).await;

    let later = at(0) + SignedDuration::from_hours(30);
    assert_eq!(store.queue_open_again(&target(), at(0), None, later).await.unwrap(), 0);
    let count = store.queue_open_again(&target(), at(1_000), None, later).await.unwrap();
    assert_eq!(count, 3);
    assert_eq!(status(store, "R1").await, RunStatus::Delivering);
    let claimed = claim(store, later).await.unwrap();
    assert_eq!(workers(&claimed), ["E2", "E3", "E5", "E4"]);
    store.accepted(claimed.id, None, later, later).await.unwrap();
    // not again within the time given
    let soon = later + SignedDuration::from_hours(1);
    let resent_before = Some(soon - SignedDuration::from_hours(24));
    let again = store.queue_open_again(&target(), soon, resent_before, soon).await.unwrap();
    assert_eq!(again, 1, "E4 alone was not sent again");
}
