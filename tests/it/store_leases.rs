//! Leases between processes: the death of the holder gives the lease back at once.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use jiff::Timestamp;
use scimport::domain::TargetName;
use scimport::store::{Leases, SqliteStore};

/// Tells the second process where the store is.
const STORE: &str = "SCIMPORT_TEST_STORE";

/// What the second process prints once it has the lease.
const HELD: &str = "the lease is held";

/// Starts this very test program as the holder and waits until it has the lease.
fn start_holder(store: &Path) -> Child {
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store_leases::hold_the_lease_until_killed", "--ignored", "--nocapture"])
        .env(STORE, store)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.as_mut().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains(HELD)), "the holder ended too early");
    holder
}

#[tokio::test]
async fn a_killed_holder_gives_the_lease_back_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    let target = TargetName::from("entra");
    let mut holder = start_holder(&path);
    assert!(store.lease(&target, Timestamp::MAX).await.unwrap().is_none());
    let known = store.lease_holder(&target).await.unwrap().unwrap();
    assert_eq!((known.pid, known.since), (holder.id(), Timestamp::UNIX_EPOCH));
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(store.lease(&target, Timestamp::MAX).await.unwrap().is_some());
}

/// The second process: holds the lease until it is killed, or its parent is gone.
#[tokio::test]
#[ignore = "run by `a_killed_holder_gives_the_lease_back_at_once` as a process of its own"]
async fn hold_the_lease_until_killed() {
    let Some(path) = std::env::var_os(STORE) else { return };
    let store = SqliteStore::open(Path::new(&path)).unwrap();
    let _lease =
        store.lease(&TargetName::from("entra"), Timestamp::UNIX_EPOCH).await.unwrap().unwrap();
    println!("{HELD}");
    std::io::stdin().read_line(&mut String::new()).unwrap();
}
