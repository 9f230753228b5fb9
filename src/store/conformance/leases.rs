//! Promises of [`Leases`](crate::store::Leases), within one process.

use crate::domain::TargetName;
use crate::store::Store;
use crate::store::conformance::sample::target;

pub async fn a_lease_has_one_holder<S: Store>(store: &S) {
    let lease = store.lease(&target()).await.unwrap();
    assert!(lease.is_some());
    assert!(store.lease(&target()).await.unwrap().is_none());
    assert!(store.lease(&target()).await.unwrap().is_none(), "asking does not take it");
    drop(lease);
    assert!(store.lease(&target()).await.unwrap().is_some());
}

pub async fn leases_of_two_targets_do_not_meet<S: Store>(store: &S) {
    let _one = store.lease(&target()).await.unwrap().unwrap();
    assert!(store.lease(&TargetName::from("other")).await.unwrap().is_some());
}
