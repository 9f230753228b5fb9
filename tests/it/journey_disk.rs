//! Disks fill up, files may not be written to or are damaged: nothing is half done, the words say
//! what is the matter, and once it is mended the same command carries on. On Unix, where a shell can
//! limit what a program writes.

use std::os::unix::fs::PermissionsExt;

use fastrand::Rng;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{Ran, Stage, UNGUARDED, ended, workers};

/// The commands that use the store, as people type them.
const COMMANDS: [&str; 9] = [
    "apply workers.csv --source hr --wait none",
    "plan workers.csv --source hr",
    "work",
    "runs",
    "status",
    "record E0001",
    "report latest",
    "cancel latest",
    "retry latest",
];

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// The command fails with words: what, why, and what to do; it does not panic.
#[track_caller]
fn assert_said_in_words(ran: &Ran) {
    ran.assert_code(1).assert_says("error: the store").assert_says("hint: ");
    assert!(!ran.log.contains("panicked"), "{}", ran.log);
}

/// A command that may write so many blocks of 512 bytes to a file at most.
pub fn limited(stage: &Stage, blocks: u64, line: &str) -> Command {
    let inner = stage.command(&words(line), &[]);
    let inner = inner.as_std();
    let mut command = Command::new("sh");
    // the signal that the limit sends would kill it; a full disk sends none
    command
        .args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\""), "sh"])
        .arg(inner.get_program())
        .args(inner.get_args())
        .current_dir(inner.get_current_dir().unwrap())
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// The limit on the size of a file stands for the disk that is full.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_is_said_and_nothing_is_half_done() {
    let stage = Stage::with_rules(UNGUARDED).await;
    stage.write("workers.csv", &workers(2_000, 1));
    let apply = "apply workers.csv --source hr --wait none";
    let run = async |blocks, line| {
        let child = limited(&stage, blocks, line).spawn().unwrap();
        ended(child, line).await
    };
    // no room for the store, then for the run, then for what is planned aside
    for blocks in [8, 60, 500, 1_000, 1_500] {
        let ran = run(blocks, apply).await;
        assert_said_in_words(&ran);
        ran.assert_says("disk");
        assert_eq!(stage.runs().await, Vec::<Value>::new(), "with {blocks} blocks");
    }
    stage.run(&words(apply)).await.assert_code(0);

    // every later step: where there is no room for it, nothing of it has happened
    stage.write("workers.csv", &workers(2_000, 2));
    let before = stage.runs().await;
    for line in [apply, "cancel latest", "work --until settled"] {
        assert_said_in_words(&run(30, line).await);
        assert_eq!(stage.runs().await, before, "{line}");
    }
    assert_eq!(stage.mock.ask("stats").await["calls"], 0, "a call that is not noted is not made");
    stage.run(&words("work --until settled")).await.assert_code(0);
    stage.assert_directory_is(2_000, 1).await;
    stage.run(&words("apply workers.csv --source hr --wait outcome")).await.assert_code(0);
    stage.assert_directory_is(2_000, 2).await;
}

/// In the middle of delivery: a 202 that cannot be stored is in doubt, and sent again.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_while_it_delivers_loses_nothing() {
    let stage = Stage::with_rules(UNGUARDED).await;
    stage.mock.tell("settings", &json!({"latency_ms": 30})).await;
    stage.write("workers.csv", &workers(600, 1));
    stage.apply("workers.csv", &["--wait", "none"]).await.assert_code(0);
    let mut failures = 0;
    for blocks in [60, 120, 200, 300, 400, 600, 800] {
        let line = "work --until settled";
        let ran = ended(limited(&stage, blocks, line).spawn().unwrap(), line).await;
        if ran.code == 1 {
            assert_said_in_words(&ran);
            failures += 1;
        }
    }
    assert!(failures > 1, "the disk was never full");
    stage.run(&words("work --until settled")).await.assert_code(0);
    stage.assert_directory_is(600, 1).await;
    stage.assert_limits_are_kept().await;
}

/// A store that may not be written to. Modes do not bind everybody who runs tests, so something
/// stands in the place of each file that a writer needs.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_may_not_be_written_to_is_said_and_nothing_changes() {
    let stage = Stage::with_rules(UNGUARDED).await;
    stage.write("workers.csv", &workers(30, 1));
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    let before = stage.runs().await;
    stage.write("workers.csv", &workers(30, 2));
    for in_the_way in ["scimport.db-wal", "scimport.db-shm"] {
        std::fs::create_dir(stage.path(in_the_way)).unwrap();
        for line in ["apply workers.csv --source hr", "cancel latest"] {
            let ran = stage.run(&words(line)).await;
            assert_said_in_words(&ran);
            ran.assert_says("the right to write the store");
        }
        std::fs::remove_dir(stage.path(in_the_way)).unwrap();
        assert_eq!(stage.runs().await, before, "{in_the_way}");
    }
    std::fs::remove_file(stage.path("scimport.db.entra.lock")).unwrap();
    std::fs::create_dir(stage.path("scimport.db.entra.lock")).unwrap();
    let ran = stage.run(&words("apply workers.csv --source hr")).await;
    ran.assert_code(1).assert_says("take the target's lease").assert_says("hint: ");
    std::fs::remove_dir(stage.path("scimport.db.entra.lock")).unwrap();
    stage.assert_directory_is(30, 1).await;
    // the run was committed, as far as it could be done: it goes on
    stage.run(&words("work --until settled")).await.assert_code(0);
    stage.assert_directory_is(30, 2).await;
}

/// The same by modes, where they hold.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_file_or_folder_is_said_and_nothing_changes() {
    let stage = Stage::with_rules(UNGUARDED).await;
    stage.write("workers.csv", &workers(30, 1));
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    let before = stage.runs().await;
    stage.write("workers.csv", &workers(30, 2));
    let set = |name: &str, mode| {
        std::fs::set_permissions(stage.path(name), PermissionsExt::from_mode(mode)).unwrap();
    };
    set("scimport.db", 0o400);
    if std::fs::OpenOptions::new().append(true).open(stage.path("scimport.db")).is_ok() {
        println!("skipped: modes do not bind who runs this");
        return;
    }
    for (name, closed, open) in [("scimport.db", 0o400, 0o600), ("", 0o500, 0o700)] {
        set(name, closed);
        for line in ["apply workers.csv --source hr", "work", "cancel latest"] {
            let ran = stage.run(&words(line)).await;
            assert_said_in_words(&ran);
            ran.assert_says("the right to write the store");
        }
        // looking needs no right to write
        assert_eq!(stage.runs().await, before);
        set(name, open);
    }
    stage.run(&words("apply workers.csv --source hr --wait outcome")).await.assert_code(0);
    stage.assert_directory_is(30, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_is_said_and_never_a_panic() {
    let stage = Stage::with_rules(UNGUARDED).await;
    stage.write("workers.csv", &workers(300, 1));
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    let database = stage.path("scimport.db");
    let good = std::fs::read(&database).unwrap();
    stage.write("workers.csv", &workers(300, 2));
    let mut rng = Rng::with_seed(11);
    let mut garbage = |from: usize, count: usize| {
        let mut bytes = good.clone();
        bytes[from..from + count].fill_with(|| rng.u8(..));
        bytes
    };
    let damaged = [
        ("no database", garbage(0, 4_096)),
        ("garbage after its first page", garbage(4_096, good.len() - 4_096)),
        ("half of it", good[..good.len() / 2].to_vec()),
        ("without its end", good[..good.len() - 8_192].to_vec()),
        ("the first page alone", good[..4_096].to_vec()),
    ];
    for (what, bytes) in damaged {
        for line in COMMANDS {
            std::fs::write(&database, &bytes).unwrap();
            let ran = stage.run(&words(line)).await;
            println!("{what}: {line}");
            assert_said_in_words(&ran);
            ran.assert_says("damaged");
        }
        assert_eq!(std::fs::read(&database).unwrap(), bytes, "{what}: it is not made worse");
    }
    // a few bytes here and there may not be seen; what is seen is said
    let mut seen = 0;
    for _ in 0..6 {
        let mut bytes = good.clone();
        for _ in 0..12 {
            let from = rng.usize(4_096..good.len() - 64);
            bytes[from..from + 64].fill_with(|| rng.u8(..));
        }
        for line in COMMANDS {
            std::fs::write(&database, &bytes).unwrap();
            drop(std::fs::remove_file(stage.path("scimport.db-wal")));
            drop(std::fs::remove_file(stage.path("scimport.db-shm")));
            let ran = stage.run(&words(line)).await;
            assert!(!ran.log.contains("panicked"), "{line}: {}", ran.log);
            assert!(matches!(ran.code, 0 | 1 | 3 | 5), "{line} exits {}: {}", ran.code, ran.log);
            seen += u32::from(ran.log.contains("damaged"));
        }
    }
    println!("{seen} of 54 commands met the damage");
    std::fs::write(&database, &good).unwrap();
    drop(std::fs::remove_file(stage.path("scimport.db-wal")));
    stage.run(&words("apply workers.csv --source hr --wait outcome")).await.assert_code(0);
    stage.assert_directory_is(300, 2).await;
}
