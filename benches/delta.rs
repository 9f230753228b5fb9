//! The second day: a file of known people in which one in a hundred has changed, planned against a
//! real ledger, beside a bare pass of the `csv` crate over the same file.
//!
//! `cargo bench --bench delta -- [--rows 1000000] [--rounds 5] [--check]`
//!
//! The first day is committed once, into a store in the temporary folder, and is not measured. A
//! round then plans the second day as `plan` does (both passes, the ledger's digests, guards and
//! absences; nothing is stored), in a fresh process. Memory above the base is what a pass over a
//! file of a few rows needs.

#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up ends there")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its table")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use measure::{Measured, as_f64, cpu_time, median, peak_kib, run};
use scimport::domain::SystemClock;
use scimport::intake::{Asked, Feed, PlanOptions, Planned, plan_file};
use scimport::plan::{LeaversConfig, SourceRules, WhenMissing};
use scimport::store::{Commit, SqliteStore};

#[path = "support/measure.rs"]
mod measure;
#[path = "support/passes.rs"]
#[expect(dead_code, reason = "the passes of the other tables")]
mod passes;
#[path = "support/mod.rs"]
#[expect(dead_code, reason = "the feeds of the other tables")]
mod support;

/// Most CPU of planning the second day, in passes of the `csv` crate.
const CEILING: f64 = 5.0;
/// Most memory a known record, above the base.
const BYTES_A_RECORD: f64 = 150.0;
/// Rows, unless told otherwise.
const ROWS: u64 = 100_000;
/// Rounds, unless told otherwise; fewer say little.
const ROUNDS: usize = 5;
/// Of so many people one changes.
const CHANGES: &str = "1";

/// People of a file that needs next to no memory, of whom some change all the same.
const FEW: u64 = 1_000;

/// What is measured: the word for the child, and what the table calls it.
const MODES: [(&str, &str); 4] = [
    ("byterecord", "csv ByteRecord (the floor)"),
    ("scan", "first pass"),
    ("delta", "the second day planned"),
    ("base", "the same with 1,000 people"),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, mode, path] = arguments.as_slice()
        && flag == "--child"
    {
        return measure::tell(&child(mode, Path::new(path)));
    }
    let asked = measure::Asked::read(&arguments, ROWS, ROUNDS);
    asked.end(table(asked.rows, asked.rounds))
}

/// Where everything about a number of rows lies.
fn folder(rows: u64) -> PathBuf {
    std::env::temp_dir().join(format!("scimport-bench-delta-{rows}"))
}

/// Two days and the ledger after the first of them.
fn prepare(rows: u64) -> Result<PathBuf, String> {
    let folder = folder(rows);
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let store = folder.join("store.db");
    let day_2 = folder.join("day2.csv");
    if folder.join("ready").exists() {
        return Ok(day_2);
    }
    for name in ["store.db", "store.db-wal", "store.db-shm"] {
        drop(std::fs::remove_file(folder.join(name)));
    }
    let day_1 = folder.join("day1.csv");
    support::generate(rows, &[], &day_1)?;
    support::generate(rows, &["--changes", CHANGES], &day_2)?;
    let began = Instant::now();
    runtime().block_on(async {
        let store = SqliteStore::open(&store).expect("a store");
        let options = PlanOptions::default();
        let planned = plan_file(&store, feed(), &day_1, &SystemClock, options).await;
        let Planned::New(mut planned) = planned.expect("a plan") else {
            panic!("the store is new");
        };
        let draft = planned.draft.take().expect("a draft");
        let commit = draft.commit(planned.run, scimport::domain::Clock::now(&SystemClock)).await;
        assert_eq!(commit.expect("a commit"), Commit::Done);
    });
    println!(
        "the first day, {rows} people, was committed in {:.1} s",
        began.elapsed().as_secs_f64()
    );
    std::fs::write(folder.join("ready"), "").map_err(|error| error.to_string())?;
    Ok(day_2)
}

fn feed() -> Arc<Feed> {
    let leavers =
        LeaversConfig { when_missing: WhenMissing::Deactivate, ..LeaversConfig::default() };
    let rules = SourceRules { is_full: true, leavers, ..SourceRules::default() };
    Arc::new(Feed { rules, ..support::feed(false) })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads")
}

/// Measures and prints; says whether the ceilings hold.
fn table(rows: u64, rounds: usize) -> Result<bool, String> {
    let (path, base) = (prepare(rows)?, prepare(FEW)?);
    let mut rounds_of = MODES.map(|_| Vec::new());
    for _ in 0..rounds {
        for ((mode, _), results) in MODES.iter().zip(&mut rounds_of) {
            results.push(if *mode == "base" { run("delta", &base)? } else { run(mode, &path)? });
        }
    }
    let what = if cpu_time().is_some() { "CPU" } else { "wall (no CPU time here)" };
    println!("{rows} people, {CHANGES} % changed, {rounds} rounds, medians; {what} time\n");
    println!("| pass | ms | ratio to the floor | peak MiB | operations |");
    println!("| --- | --- | --- | --- | --- |");
    let spent_of = |at: usize| -> Vec<f64> {
        let results = rounds_of.get(at);
        results
            .map_or_else(Vec::new, |each| each.iter().map(|one| one.spent.as_secs_f64()).collect())
    };
    let floors = spent_of(0);
    let mut ratio_of_delta = f64::NAN;
    let mut peaks = [0.0; 4];
    for (at, ((mode, name), results)) in MODES.iter().zip(&rounds_of).enumerate() {
        let spent = median(spent_of(at).into_iter());
        let ratio = median(spent_of(at).iter().zip(&floors).map(|(own, floor)| own / floor));
        let peak = results.iter().filter_map(|round| round.peak_kib).max().unwrap_or(0);
        if let Some(slot) = peaks.get_mut(at) {
            *slot = as_f64(peak) * 1024.0;
        }
        if *mode == "delta" {
            ratio_of_delta = ratio;
        }
        let operations = results.first().map_or(0, |round| round.bytes);
        println!(
            "| {name} | {:.0} | {ratio:.2} | {:.1} | {operations} |",
            spent * 1e3,
            as_f64(peak) / 1024.0
        );
    }
    let [_, _, delta, base] = peaks;
    let bytes = (delta - base).max(0.0) / as_f64(rows);
    let holds = ratio_of_delta <= CEILING && bytes <= BYTES_A_RECORD;
    println!(
        "\n{bytes:.0} bytes a known record above the base; ceilings: {CEILING} times the floor, \
         {BYTES_A_RECORD} bytes: {}",
        if holds { "kept" } else { "BROKEN" }
    );
    Ok(holds)
}

fn child(mode: &str, path: &Path) -> Measured {
    let feed = feed();
    let store = path.parent().expect("a folder").join("store.db");
    let runtime = runtime();
    let store = (mode == "delta").then(|| SqliteStore::open_read_only(&store).expect("a store"));
    let (clock, before) = (Instant::now(), cpu_time());
    let (rows, bytes) = match store {
        None if mode == "byterecord" => (passes::byte_record(path), 0),
        None => (passes::first(path, &feed).1.rows, 0),
        Some(store) => {
            let options =
                PlanOptions { is_dry: true, asked: Asked::Typed, ..PlanOptions::default() };
            let planned = runtime.block_on(plan_file(&store, feed, path, &SystemClock, options));
            let Planned::New(planned) = planned.expect("a plan") else {
                panic!("the second day is another file");
            };
            (planned.run.rows, planned.to_send())
        }
    };
    let spent = match (before, cpu_time()) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => clock.elapsed(),
    };
    Measured { spent, peak_kib: peak_kib(), rows, bytes }
}
