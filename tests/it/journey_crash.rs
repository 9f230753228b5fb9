//! Machines die, disks fill up, files are damaged and clocks jump: nothing is half done, the words
//! say what is the matter, and once it is mended the same command carries on.

use std::path::Path;
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{Ran, Stage, UNGUARDED, count, counts, ended, killed_after, workers};

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

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The command fails with words: what, why, and what to do; it does not panic.
#[track_caller]
fn assert_said_in_words(ran: &Ran) {
    ran.assert_code(1).assert_says("error: the store").assert_says("hint: ");
    assert!(!ran.log.contains("panicked"), "{}", ran.log);
}

/// Invariant 1: a run is planned whole or not at all, and what a dead process wrote aside is gone
/// with it.
#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_plans_a_large_file_there_is_no_run_or_a_whole_one() {
    // a file that takes long to read, and one of which the commit is met as well
    const SIZES: [usize; 8] = [100_000, 100_000, 100_000, 12_000, 12_000, 12_000, 12_000, 12_000];
    let stage = Stage::with_rules(UNGUARDED).await;
    std::fs::create_dir(stage.path("temp")).unwrap();
    let temp = stage.path("temp").into_os_string().into_string().unwrap();
    let env = [("TMPDIR", temp.as_str()), ("SQLITE_TMPDIR", temp.as_str())];
    let apply = words("apply workers.csv --source hr --wait none --json");
    let mut rng = Rng::with_seed(4);
    let mut kills = 0;
    for (version, size) in (1..).zip(SIZES) {
        stage.write("workers.csv", &workers(size, version));
        let child = stage.command(&apply, &env).spawn().unwrap();
        let ran = killed_after(child, Duration::from_millis(rng.u64(..4_000))).await;
        kills += u32::from(ran.code == -1);
        assert_eq!(names(&stage.path("temp")), Vec::<String>::new());
        for run in stage.runs().await {
            let rows = run["rows"].as_u64().unwrap();
            assert!(SIZES.contains(&usize::try_from(rows).unwrap()), "{run}");
            assert_eq!(count(&run, "queued") + count(&run, "superseded"), rows, "{run}");
        }
    }
    assert!(kills > 3, "only {kills} kills hit");
    let before = stage.runs().await.len();
    let run = stage.run_with(&apply, &env).await.assert_code(0).json();
    assert_eq!(counts(&run), [("queued".into(), 12_000)].into());
    assert!(stage.runs().await.len() <= before + 1);
    stage.apply("workers.csv", &["--wait", "none"]).await.assert_says("already applied as");
    let beside = names(&stage.path(""));
    let known = |name: &String| {
        name.starts_with("scimport.") || ["temp", "workers.csv"].contains(&name.as_str())
    };
    assert!(beside.iter().all(known), "{beside:?}");
}

/// A decision is taken or not, never half.
#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_decides_a_run_is_decided_or_not() {
    const PEOPLE: usize = 1_000;
    let stage = Stage::with_rules("").await;
    stage.write("workers.csv", &workers(PEOPLE, 1));
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    let calls = stage.mock.ask("stats").await["calls"].clone();
    let mut rng = Rng::with_seed(7);
    let mut tally = [0; 2];
    for version in 2..10 {
        stage.write("workers.csv", &workers(PEOPLE, version));
        let run = stage.apply("workers.csv", &["--wait", "none"]).await.assert_code(4).json();
        let id = run["run"].as_str().unwrap();
        for (word, before, after) in
            [("approve", "held", "queued"), ("cancel", "queued", "cancelled")]
        {
            for life in [rng.u64(..60), rng.u64(20..150), 600_000] {
                let child = stage.start(&[word, id]);
                let ran = killed_after(child, Duration::from_millis(life)).await;
                let run = stage.status(id).await;
                let decisions = run["decisions"].as_array().unwrap();
                let is_decided = decisions.iter().any(|one| {
                    one["decision"].as_str().unwrap().starts_with(word.trim_end_matches('e'))
                });
                let status = if is_decided { after } else { before };
                assert_eq!(counts(&run), [(status.into(), PEOPLE as u64)].into(), "{run}");
                tally[usize::from(is_decided)] += u32::from(ran.code == -1);
                if is_decided {
                    break;
                }
            }
        }
    }
    println!("killed before the decision and after it: {tally:?}");
    assert!(tally[0] > 0, "none was killed before it had decided: {tally:?}");
    // nobody was sent, and nothing is left that would be
    stage.run(&words("work --until settled")).await.assert_code(0);
    assert_eq!(stage.mock.ask("stats").await["calls"], calls);
    stage.assert_directory_is(PEOPLE, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_retries_operations_wait_once_more_or_not_at_all() {
    const PEOPLE: usize = 500;
    let stage = Stage::with_rules(UNGUARDED).await;
    // every sign-in name has a domain that is not verified
    let text = workers(PEOPLE, 1).replace("@contoso.example", "@elsewhere.example");
    stage.mock.tell("settings", &json!({"domains": ["contoso.example"]})).await;
    stage.write("workers.csv", &text);
    let run = stage.apply("workers.csv", &["--wait", "outcome"]).await.json();
    let id = run["run"].as_str().unwrap();
    let failed = count(&run, "failed");
    assert!(failed > 0, "{run}");
    let mut rng = Rng::with_seed(9);
    for _ in 0..8 {
        let child = stage.start(&["retry", id]);
        killed_after(child, Duration::from_millis(rng.u64(..80))).await;
        let run = stage.status(id).await;
        let waiting = count(&run, "queued");
        assert!(waiting == 0 || waiting == failed, "{run}");
    }
    stage.run(&["retry", id]).await.assert_code(0);
    let run = stage.status(id).await;
    assert_eq!(count(&run, "queued"), failed, "{run}");
}

/// A command that may write so many blocks of 512 bytes to a file at most.
#[cfg(unix)]
fn limited(stage: &Stage, blocks: u64, line: &str) -> Command {
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
#[cfg(unix)]
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
#[cfg(unix)]
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
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_file_or_folder_is_said_and_nothing_changes() {
    use std::os::unix::fs::PermissionsExt;
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

/// One delivers, the other waits and says so; when the first dies, the second goes on.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_one_delivers_and_the_other_takes_over_when_it_dies() {
    let stage = Stage::with_rules(UNGUARDED).await;
    stage.mock.tell("settings", &json!({"latency_ms": 900})).await;
    stage.write("workers.csv", &workers(300, 1));
    stage.apply("workers.csv", &["--wait", "none"]).await.assert_code(0);
    let first = stage.start(&words("work --until settled"));
    stage.mock.until(|stats| stats["calls"].as_u64() > Some(0)).await;
    let second = stage.start(&words("work --until settled"));
    // others plan and decide meanwhile
    stage.write("workers.csv", &workers(300, 2));
    let run = stage.apply("workers.csv", &["--wait", "none"]).await.assert_code(0).json();
    assert_eq!(counts(&run)["queued"], 300);
    let (first, second) =
        tokio::join!(killed_after(first, Duration::from_millis(300)), ended(second, "the second"));
    assert_eq!(first.code, -1);
    second.assert_code(0).assert_says("another process");
    stage.run(&words("work --until settled")).await.assert_code(0);
    stage.assert_directory_is(300, 2).await;
    stage.assert_limits_are_kept().await;
}

/// The clock of the machine is put back and forward by an hour between two commands, while Entra's
/// goes on as it should.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_an_hour_loses_nothing_and_stops_nothing() {
    let clocks = ["0s", "1h", "0s", "-1h", "1h", "-1h", "0s"];
    let stage = Stage::with_rules(UNGUARDED).await;
    let began = std::time::Instant::now();
    let mut version = 0;
    for (at, clock) in clocks.iter().enumerate() {
        let env = [("SCIMPORT_REHEARSAL_CLOCK", *clock)];
        version += 1;
        stage.write("workers.csv", &workers(120, version));
        // faults and a death leave waiting times and calls without an answer behind
        let faults = if at % 2 == 0 { json!(["error-503:2", "throttle:3"]) } else { json!([]) };
        stage.mock.tell("faults", &faults).await;
        stage.mock.tell("settings", &json!({"latency_ms": 200})).await;
        let apply = words("apply workers.csv --source hr --wait outcome");
        let child = stage.command(&apply, &env).spawn().unwrap();
        killed_after(child, Duration::from_millis(1_500)).await;
        // the next command has another clock
        stage.mock.tell("faults", &json!([])).await;
        stage.mock.tell("settings", &json!({"latency_ms": 0})).await;
        let next = [("SCIMPORT_REHEARSAL_CLOCK", clocks[(at + 1) % clocks.len()])];
        for line in [
            "apply workers.csv --source hr --wait none --json",
            "work --until settled",
            "work --until settled",
        ] {
            let ran = stage.run_with(&words(line), &next).await;
            assert!(matches!(ran.code, 0 | 5), "{line} at {clock}: {} {}", ran.code, ran.log);
        }
        stage.assert_directory_is(120, version).await;
        stage.assert_limits_are_kept().await;
    }
    assert!(began.elapsed() < Duration::from_mins(4), "it waited for the clock");
    for run in stage.runs().await {
        let counts = counts(&run);
        let ended = ["provisioned", "skipped", "superseded"];
        assert!(counts.keys().all(|status| ended.contains(&status.as_str())), "{run}");
    }
    // nothing is sent once more
    let calls = stage.mock.ask("stats").await["calls"].clone();
    stage.run(&words("work --until settled")).await.assert_code(0);
    assert_eq!(stage.mock.ask("stats").await["calls"], calls);
}
