//! Somebody is forgotten while something is in the way of wiping the store: whoever typed it is told
//! that it is done and what is not, and the same command ends it.

use std::time::Duration;

use rusqlite::Connection;
use scimport::domain::{ExternalId, Origin, TargetName, Who};
use scimport::store::{Forgetting, SqliteStore, Upkeep};
use serde_json::Value;
use tokio::process::Child;

use crate::journey_disk::limited;
use crate::sealed_support::holds;
use crate::serve_support::Serving;
use crate::support::{Ran, Stage, UNGUARDED, ended, workers};

const PEOPLE: usize = 300;
const FORGET: &str = "forget E0007 --yes --even-active";

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// A stage on which everybody has arrived, with a file that lies where files lie.
async fn stage() -> Stage {
    let folder = "folder = { path = \"inbox\", pattern = \"*.csv\" }";
    let stage = Stage::with_rules(&format!("{folder}\n{UNGUARDED}")).await;
    std::fs::create_dir_all(stage.path("inbox/done")).unwrap();
    stage.write("inbox/done/yesterday.csv", &workers(PEOPLE, 1));
    stage.write("workers.csv", &workers(PEOPLE, 1));
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    assert!(holds(&stage, b"E0007"));
    stage
}

fn is_known(raw: &Connection) -> bool {
    let select = "SELECT count(*) FROM records WHERE external_id = 'E0007'";
    let known: i64 = raw.query_row(select, [], |row| row.get(0)).unwrap();
    known > 0
}

/// Somebody who reads all the time, and a command that has forgotten and waits for them.
async fn in_the_way(stage: &Stage) -> (Connection, Child) {
    let open = || Connection::open(stage.path("scimport.db")).unwrap();
    let (reader, looking) = (open(), open());
    reader.execute_batch("BEGIN").unwrap();
    assert!(is_known(&reader));
    let child = stage.start(&words(FORGET));
    let mut tries = 0;
    while is_known(&looking) {
        tries += 1;
        assert!(tries < 1_000, "nobody was forgotten");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (reader, child)
}

/// What is left is done, and was told of whom.
async fn assert_ends(stage: &Stage, ran: &Ran) {
    ran.assert_code(0);
    assert!(ran.out.contains("they were forgotten in target `entra` already, at "), "{ran:?}");
    assert!(ran.out.contains("nothing of them is left there"), "{ran:?}");
    assert!(ran.out.contains("inbox/done/yesterday.csv"), "{ran:?}");
    assert!(!holds(stage, b"E0007"));
    let trail = stage.run(&["audit", "export"]).await;
    assert_eq!(trail.out.matches("record.forgotten").count(), 1, "once");
    // and then it is not known any more who it was; files are searched all the same
    let ran = stage.run(&words(FORGET)).await;
    ran.assert_code(1).assert_says("knows nobody of this id");
    assert!(ran.out.contains("inbox/done/yesterday.csv"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_somebody_reads_it_is_said_what_is_done_and_what_is_not() {
    let stage = stage().await;
    let (reader, child) = in_the_way(&stage).await;
    // whoever does not want to wait presses Ctrl-C
    let id = child.id().unwrap().to_string();
    tokio::process::Command::new("kill").args(["-INT", &id]).status().await.unwrap();
    let ran = ended(child, "forget").await;
    ran.assert_code(5)
        .assert_says("warning: they are forgotten, but the store's file and its log may still hold")
        .assert_says("something else reads from the store all the time")
        .assert_says("then run this command again, or `scimport work`");
    assert!(ran.out.contains("forgotten in target `entra`: the line in the ledger"), "{ran:?}");
    assert!(ran.out.contains("inbox/done/yesterday.csv"), "{ran:?}");
    assert!(!ran.out.contains("is left there"), "{ran:?}");
    drop(reader);
    assert_ends(&stage, &stage.run(&words(FORGET)).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_it_has_forgotten_the_same_command_ends_it() {
    let stage = stage().await;
    let (reader, mut child) = in_the_way(&stage).await;
    child.kill().await.unwrap();
    drop(reader);
    assert_ends(&stage, &stage.run(&words(FORGET)).await).await;
}

/// The limit on the size of a file stands for the disk that is full.
#[tokio::test(flavor = "multi_thread")]
async fn without_room_to_wipe_it_is_forgotten_and_said_what_is_left() {
    let stage = stage().await;
    let line = format!("{FORGET} --json");
    let ran = ended(limited(&stage, 150, &line).spawn().unwrap(), &line).await;
    ran.assert_code(5)
        .assert_says("warning: they are forgotten, but the store's file and its log may still hold")
        .assert_says("the disk")
        .assert_says("then run this command again, or `scimport work`");
    assert!(!ran.log.contains("nothing of this"), "{ran:?}");
    let done = ran.json();
    assert_eq!((&done["record"], &done["nothing_left_behind"]), (&true.into(), &false.into()));
    assert_eq!(done["files"].as_array().map(Vec::len), Some(1), "{done}");
    assert_ne!(done["forgotten_at"], Value::Null);
    // whatever else works with the store ends it too
    stage.run(&["work"]).await.assert_code(0).assert_says("nothing of what was removed before");
    assert!(!holds(&stage, b"E0007"));
    let ran = stage.run(&words(&line)).await;
    ran.assert_code(1).assert_says("knows nobody of this id");
    assert_eq!(ran.json()["forgotten_at"], Value::Null);
}

/// A daemon that starts, or whose day is over, does so too.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_to_wipe_is_wiped_by_the_daemon() {
    let stage = stage().await;
    let store = SqliteStore::open(&stage.path("scimport.db")).unwrap();
    let (target, id) = (TargetName::from("entra"), ExternalId::from("E0007"));
    let who = Who::new("ann", Origin::Cli);
    let done = store.forget(&target, &id, true, who, stage.now()).await.unwrap();
    assert!(matches!(done, Forgetting::Done(_)));
    drop(store);
    let serving = Serving::start(&stage);
    serving.says("nothing is left there of who was forgotten", 1).await;
    assert!(!holds(&stage, b"E0007"));
    serving.stop().await;
}
