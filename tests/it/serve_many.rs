//! Many files at once, and a week of days: nothing is lost, doubled, or kept in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::serve_support::{QUICK, Serving, answered, drop_file, stage};
use crate::support::{HEADER, Stage, count, worker};

/// How many files without optimisation, on a machine that does other things too; `SCIMPORT_TEST_FILES` says
/// another number, such as 1000.
const FILES: usize = 250;
const STUCK: Duration = Duration::from_mins(5);

fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// The answers of a folder: the file that each is for, and the run that it names.
fn answers(stage: &Stage, shelf: &str) -> BTreeMap<String, String> {
    let Ok(entries) = std::fs::read_dir(stage.path("inbox").join(shelf)) else {
        return BTreeMap::new();
    };
    let texts = entries.map(|entry| entry.unwrap().path()).filter(|path| {
        path.to_str().unwrap().ends_with(".answer.txt")
            && !path.file_name().unwrap().to_str().unwrap().starts_with('.')
    });
    let read = |path: std::path::PathBuf| {
        // it may be written anew at this very moment
        let text = std::fs::read_to_string(path).ok()?;
        let run = text.lines().find_map(|line| line.strip_prefix("Run: "))?.to_owned();
        Some((text.split(": ").next()?.to_owned(), run))
    };
    texts.filter_map(read).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_files_at_once_are_answered_once_each() {
    let files = number("SCIMPORT_TEST_FILES", FILES);
    // a request of 50 people each, and no limit in the way
    let rules = format!("{QUICK}\nexport = \"changes\"");
    let stage = stage(&rules, 10).await;
    let waits = stage.path("outside");
    std::fs::create_dir(&waits).unwrap();
    for number in 0..files {
        // a person each, all different
        let text = format!("{HEADER}\n{}\n", worker(10 + number, 1));
        std::fs::write(waits.join(format!("{number:04}.csv")), text).unwrap();
    }
    for entry in std::fs::read_dir(&waits).unwrap() {
        let entry = entry.unwrap();
        std::fs::rename(entry.path(), stage.path("inbox").join(entry.file_name())).unwrap();
    }
    let serving = Serving::start(&stage);
    let began = Instant::now();
    let done = loop {
        let done = answers(&stage, "done");
        if done.len() == files {
            break done;
        }
        assert!(began.elapsed() < STUCK, "{} of {files}\n{}", done.len(), serving.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    eprintln!("{files} files were answered in {:?}", began.elapsed());
    let names: BTreeSet<String> = (0..files).map(|number| format!("{number:04}.csv")).collect();
    assert_eq!(done.keys().cloned().collect::<BTreeSet<_>>(), names);
    // a run each, of its own
    let runs: BTreeSet<&String> = done.values().collect();
    assert_eq!(runs.len(), files);
    // and everybody has arrived
    let began = Instant::now();
    while stage.mock.ask("directory").await.as_array().unwrap().len() < files + 10 {
        assert!(began.elapsed() < STUCK, "{}", serving.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let log = serving.stop().await;
    assert_eq!(log.matches("the file is answered in").count(), files);
    assert!(!log.contains("ERROR"), "{log}");
    for empty in ["held", "failed"] {
        assert_eq!(answers(&stage, empty), BTreeMap::new());
    }
    assert_eq!(
        std::fs::read_dir(stage.path("inbox"))
            .unwrap()
            .filter(|entry| { entry.as_ref().unwrap().path().is_file() })
            .count(),
        0
    );
    stage.assert_directory_is(10 + files, 1).await;
    // the limits have tests of their own, on a machine that is less busy
    assert_eq!(stage.mock.ask("stats").await["overlapping_records"], json!([]));
}

/// What the process holds in memory, in KiB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"));
    let status = status.unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}

/// A full file a day, a tenth of its people changed; the API is looked at meanwhile, as a monitor does.
/// `SCIMPORT_TEST_DAYS` says how many days.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_week_of_days_does_not_grow_memory() {
    const PEOPLE: usize = 1_500;
    const DAY_SECONDS: u64 = 24 * 3_600;
    /// Caches of the store that fill. To hold on to each day's rows would take more.
    const SLACK_KIB: u64 = 4 * 1_024;
    let days = number("SCIMPORT_TEST_DAYS", 7);
    let stage = stage(QUICK, PEOPLE).await;
    let clock = stage.write("ahead", "0s");
    let clock = format!("@{}", clock.display());
    // what glibc keeps for each thread that ever worked is no growth of ours, and hides it
    let env = [("SCIMPORT_REHEARSAL_CLOCK", clock.as_str()), ("MALLOC_ARENA_MAX", "1")];
    let mut serving = Serving::start_with(&stage, &env);
    let api = serving.url().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut held = Vec::new();
    for day in 1..=days {
        stage.pass(DAY_SECONDS).await;
        let ahead = u64::try_from(day).unwrap() * DAY_SECONDS;
        stage.write("ahead", &format!("{ahead}s"));
        let version = u32::try_from(day).unwrap() + 1;
        let lines = (0..PEOPLE).map(|person| {
            let tenth = u32::try_from(person % 10).unwrap() + 1;
            // who is of another tenth stays as the last change has them
            worker(person, if version >= tenth { version - (version - tenth) % 10 } else { 1 })
        });
        let lines: Vec<String> = std::iter::once(HEADER.to_owned()).chain(lines).collect();
        drop_file(&stage, "workers.csv", &lines.join("\n"));
        let done = serving.has(&stage, "done", day).await;
        answered(done.last().unwrap(), "Status: completed").await;
        for path in ["/metrics", "/readyz", "/openapi.json"] {
            let answer = http.get(format!("{api}{path}")).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
        }
        held.push(resident(serving.pid()));
    }
    eprintln!("KiB after each day: {held:?}");
    serving.stop().await;
    // the program lived through the days, and not only the stand-in
    let runs = stage.runs().await;
    let began =
        |run: &Value| -> jiff::Timestamp { run["started_at"].as_str().unwrap().parse().unwrap() };
    let lived = began(&runs[days]).duration_since(began(&runs[0])).as_secs();
    assert!(lived >= i64::try_from(days).unwrap() * 24 * 3_600, "{lived}");
    for run in &runs[1..] {
        assert_eq!(count(run, "provisioned"), PEOPLE as u64 / 10, "{run}");
    }
    let (early, late) = (held[1], *held.last().unwrap());
    assert!(late <= early + SLACK_KIB, "KiB after each day: {held:?}");
}
