//! Measuring passes in processes of their own, and what the tables share.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

/// What a child tells its parent.
pub struct Measured {
    /// CPU time, or wall time where the system tells none.
    pub spent: Duration,
    /// The most memory the process ever held.
    pub peak_kib: Option<u64>,
    /// Rows that were read.
    pub rows: u64,
    /// Bytes that were made.
    pub bytes: u64,
}

/// Says to the parent what was measured.
pub fn tell(measured: &Measured) -> ExitCode {
    let Measured { spent, peak_kib, rows, bytes } = measured;
    println!("{} {} {rows} {bytes}", spent.as_nanos(), peak_kib.unwrap_or(0));
    ExitCode::SUCCESS
}

/// What the command line and the environment ask for.
pub struct Asked {
    /// Rows of the generated file.
    pub rows: u64,
    /// Rounds.
    pub rounds: usize,
    /// Whether a broken ceiling is an error.
    is_checked: bool,
}

impl Asked {
    /// Reads `[--rows N] [--rounds N] [--check]`.
    #[must_use]
    pub fn read(arguments: &[String], rows: u64, rounds: usize) -> Self {
        let number = |flag: &str, variable: &str| {
            let at = arguments.iter().position(|argument| argument == flag);
            let given = at.and_then(|at| arguments.get(at + 1).cloned());
            given.or_else(|| std::env::var(variable).ok())?.parse::<u64>().ok()
        };
        let asked = number("--rounds", "SCIMPORT_BENCH_ROUNDS").unwrap_or(0);
        Self {
            rows: number("--rows", "SCIMPORT_BENCH_ROWS").unwrap_or(rows),
            rounds: usize::try_from(asked).ok().filter(|asked| *asked > 0).unwrap_or(rounds),
            is_checked: arguments.iter().any(|argument| argument == "--check"),
        }
    }

    /// The exit code for a table: whether its ceilings hold, or why there is none.
    pub fn end(&self, table: Result<bool, String>) -> ExitCode {
        match table {
            Ok(holds) if holds || !self.is_checked => ExitCode::SUCCESS,
            Ok(_) => ExitCode::FAILURE,
            Err(message) => {
                eprintln!("error: {message}");
                ExitCode::FAILURE
            }
        }
    }
}

/// One measurement in a process of its own.
///
/// # Errors
///
/// When it cannot be started, or fails.
pub fn run(mode: &str, path: &Path) -> Result<Measured, String> {
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

/// CPU time of all threads so far (Linux: `schedstat` in proc(5), nanoseconds run).
pub fn cpu_time() -> Option<Duration> {
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
pub fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The middle of some values.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
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

/// A count, for arithmetic.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52, shown with few digits")]
pub fn as_f64(count: u64) -> f64 {
    count as f64
}
