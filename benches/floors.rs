//! The acceptance table: what our passes cost against a bare pass of the `csv` crate.
//!
//! `cargo bench --bench floors -- [--rows 1000000] [--rounds 7] [--check]`
//!
//! Each measurement is a fresh process, and the modes run in turn (A B C … A B C …), because a
//! machine that others use is up to twice as slow from one minute to the next: only ratios within a
//! round mean anything. A ratio in the table is the median of the rounds' ratios. CPU time is the
//! kernel's count for all threads of the process, measured around the pass alone; peak memory is
//! the process's own high-water mark, its whole life long. Where the system tells neither, wall
//! time is shown and memory is left out. `--check` ends with an error when a ceiling is broken.

#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up ends there")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its table")]

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

#[path = "support/passes.rs"]
mod passes;
#[path = "support/mod.rs"]
mod support;

/// Most CPU of the mapping pass, in passes of the `csv` crate.
const MAP_CEILING: f64 = 4.0;
/// Most memory of either pass, beside what the index of rows takes.
const BASE_KIB: u64 = 32 * 1024;
/// Most memory of the index of rows.
const BYTES_A_ROW: u64 = 24;
/// Rows, unless told otherwise.
const ROWS: u64 = 100_000;
/// Rounds, unless told otherwise; fewer say little.
const ROUNDS: usize = 5;

/// What is measured: the word for the child, and what the table calls it.
const MODES: [(&str, &str); 6] = [
    ("byterecord", "csv ByteRecord (the floor)"),
    ("scan", "first pass"),
    ("map", "mapping pass"),
    ("map-dates", "mapping pass, two dates formatted"),
    ("convert", "convert, both passes"),
    ("convert-dates", "convert, two dates formatted"),
];

/// What a child tells its parent.
struct Measured {
    spent: Duration,
    peak_kib: Option<u64>,
    rows: u64,
    bytes: u64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, mode, path] = arguments.as_slice()
        && flag == "--child"
    {
        let Measured { spent, peak_kib, rows, bytes } = child(mode, Path::new(path));
        println!("{} {} {rows} {bytes}", spent.as_nanos(), peak_kib.unwrap_or(0));
        return ExitCode::SUCCESS;
    }
    let number = |flag: &str, variable: &str| {
        let at = arguments.iter().position(|argument| argument == flag);
        let given = at.and_then(|at| arguments.get(at + 1).cloned());
        given.or_else(|| std::env::var(variable).ok())?.parse::<u64>().ok()
    };
    let rows = number("--rows", "SCIMPORT_BENCH_ROWS").unwrap_or(ROWS);
    let rounds = number("--rounds", "SCIMPORT_BENCH_ROUNDS").unwrap_or(0);
    let rounds = usize::try_from(rounds).ok().filter(|rounds| *rounds > 0).unwrap_or(ROUNDS);
    let is_checked = arguments.iter().any(|argument| argument == "--check");
    match table(rows, rounds) {
        Ok(holds) if holds || !is_checked => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Measures and prints; says whether the ceilings hold.
fn table(rows: u64, rounds: usize) -> Result<bool, String> {
    let path = support::workers(rows)?;
    let mut rounds_of = MODES.map(|_| Vec::new());
    for _ in 0..rounds {
        for ((mode, _), results) in MODES.iter().zip(&mut rounds_of) {
            let result = run(mode, &path)?;
            if result.rows != rows {
                return Err(format!("`{mode}` saw {} of {rows} rows", result.rows));
            }
            results.push(result);
        }
    }
    let what = if cpu_time().is_some() { "CPU" } else { "wall (no CPU time here)" };
    println!("{rows} rows, {rounds} rounds, medians; {what} time\n");
    println!("| pass | ms | ns a row | ratio to the floor | peak MiB | bytes a user |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let floors: Vec<f64> = rounds_of
        .first()
        .map(|floor| floor.iter().map(|round| round.spent.as_secs_f64()).collect())
        .unwrap_or_default();
    let mut holds = true;
    for ((mode, name), results) in MODES.iter().zip(&rounds_of) {
        let spent = median(results.iter().map(|round| round.spent.as_secs_f64()));
        let ratios = results.iter().zip(&floors);
        let ratio = median(ratios.map(|(round, floor)| round.spent.as_secs_f64() / floor));
        let peak = results.iter().filter_map(|round| round.peak_kib).max();
        let bytes = results.first().map_or(0, |round| round.bytes / rows.max(1));
        println!(
            "| {name} | {:.0} | {:.0} | {ratio:.2} | {} | {} |",
            spent * 1e3,
            spent * 1e9 / as_f64(rows),
            peak.map_or_else(|| "-".to_owned(), |kib| format!("{:.1}", as_f64(kib) / 1024.0)),
            if bytes > 0 { bytes.to_string() } else { "-".to_owned() },
        );
        holds &= !mode.starts_with("map") || ratio <= MAP_CEILING;
        holds &= peak.is_none_or(|kib| kib <= BASE_KIB + rows * BYTES_A_ROW / 1024);
    }
    println!(
        "\nceilings: mapping pass {MAP_CEILING} times the floor, memory {} MiB and {BYTES_A_ROW} \
         bytes a row: {}",
        BASE_KIB / 1024,
        if holds { "kept" } else { "BROKEN" }
    );
    Ok(holds)
}

/// One measurement in a process of its own.
fn run(mode: &str, path: &Path) -> Result<Measured, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(this)
        .args(["--child", mode])
        .arg(path)
        .output()
        .map_err(|error| format!("`{mode}` cannot be started: {error}"))?;
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers: Vec<u64> = words.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match numbers.as_slice() {
        &[nanoseconds, peak_kib, rows, bytes] => Ok(Measured {
            spent: Duration::from_nanos(nanoseconds),
            peak_kib: Some(peak_kib).filter(|kib| *kib > 0),
            rows,
            bytes,
        }),
        _ => Err(format!("`{mode}` failed: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

fn child(mode: &str, path: &Path) -> Measured {
    let feed = support::feed(mode.ends_with("dates"));
    // what comes before is set-up: compiling the mapping and, for the mapping pass, the first pass
    let mut scanned = mode.starts_with("map").then(|| passes::first(path, &feed));
    let (clock, before) = (Instant::now(), cpu_time());
    let (rows, bytes) = match (&mut scanned, mode) {
        (Some((file, scan)), _) => passes::second(file, &feed, scan),
        (None, "byterecord") => (passes::byte_record(path), 0),
        (None, "scan") => {
            let (_, scan) = passes::first(path, &feed);
            (scan.rows, 0)
        }
        (None, _) => {
            let (done, bytes) = passes::whole(path, &feed);
            (done.users, bytes)
        }
    };
    let spent = match (before, cpu_time()) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => clock.elapsed(),
    };
    Measured { spent, peak_kib: peak_kib(), rows, bytes }
}

/// CPU time of all threads so far (Linux: `schedstat` in proc(5), nanoseconds run).
fn cpu_time() -> Option<Duration> {
    // the running thread's own count is brought up to date when it gives way
    std::thread::yield_now();
    let mut nanoseconds = 0;
    for task in std::fs::read_dir("/proc/self/task").ok()? {
        let words = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        nanoseconds += words.split_whitespace().next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(nanoseconds))
}

/// The most memory the process ever held (Linux: `VmHWM` in proc(5)).
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    if values.len() % 2 == 1 {
        at(middle)
    } else {
        f64::midpoint(at(middle.wrapping_sub(1)), at(middle))
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52, shown with few digits")]
fn as_f64(count: u64) -> f64 {
    count as f64
}
