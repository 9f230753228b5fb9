//! Promises of [`Leases`](crate::store::Leases), within one process.

use crate::domain::TargetName;
use crate::store::Store;
use crate::store::conformance::sample::{at, target};

pub async fn a_lease_has_one_holder<S: Store>(store: &S) {
    let lease = store.lease(&target(), at(0)).await.unwrap();
    assert!(lease.is_some());
    assert!(store.lease(&target(), at(0)).await.unwrap().is_none());
    assert!(store.lease(&target(), at(0)).await.unwrap().is_none(), "asking does not take it");
    drop(lease);
    assert!(store.lease(&target(), at(0)).await.unwrap().is_some());
}

pub async fn leases_of_two_targets_do_not_meet<S: Store>(store: &S) {
    let _one = store.lease(&target(), at(0)).await.unwrap().unwrap();
    assert!(store.lease(&TargetName::from("other"), at(0)).await.unwrap().is_some());
}

pub async fn whoever_waits_is_told_who_holds_the_lease<S: Store>(store: &S) {
    let _lease = store.lease(&target(), at(5)).await.unwrap().unwrap();
    assert!(store.lease(&target(), at(9)).await.unwrap().is_none());
    let holder = store.lease_holder(&target()).await.unwrap().unwrap();
    assert_eq!((holder.pid, holder.since), (std::process::id(), at(5)));
}
