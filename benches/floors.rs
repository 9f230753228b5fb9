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
use std::process::ExitCode;
use std::time::Instant;

use measure::{Measured, as_f64, cpu_time, median, peak_kib, run};

#[path = "support/measure.rs"]
mod measure;
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
