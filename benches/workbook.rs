//! What reading a workbook costs against calamine's cell reader.
//!
//! `cargo bench --bench workbook -- [--rows 100000] [--rounds 5] [--check]`
//!
//! Each measurement is a fresh process, and the modes run in turn, as in `floors`: only ratios within
//! a round mean anything. The files are made by `gen_workers.py`, once with shared strings (as Excel
//! writes them) and once with inline strings; that takes Python with the `XlsxWriter` package
//! (`SCIMPORT_BENCH_PYTHON` names another interpreter). Both readers see all cells; ours also keeps
//! the mapped ones, 26 of 28 columns, in a file. `--check` ends with an error when a ceiling is
//! broken.

#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up ends there")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its table")]

use std::fs::File;
use std::io::{BufReader, BufWriter, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use calamine::{DataRef, Reader as _, Xlsx};
use scimport::domain::{ColumnKind, ColumnUse};
use scimport::source::{
    FileKind, SourceRow, SpoolReader, SpoolRequest, WorkbookConfig, WorkbookLimits, spool,
};

/// Most CPU of our spool, in passes of calamine's cell reader.
const CEILING: f64 = 0.6;
/// Most memory beside the shared strings.
const BASE_KIB: u64 = 32 * 1024;
/// Most memory with inline strings.
const INLINE_KIB: u64 = 16 * 1024;
const ROWS: u64 = 100_000;
const ROUNDS: usize = 5;

/// The columns of the file that stay unmapped.
const UNMAPPED: [&str; 2] = ["UserID", "OnLeave"];

const MODES: [(&str, &str); 3] = [
    ("calamine", "calamine cell reader (the floor)"),
    ("spool", "our spool, to a file"),
    ("rows", "our spool, and its rows read back"),
];

struct Measured {
    spent: Duration,
    peak_kib: u64,
    cells: u64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, mode, path] = arguments.as_slice()
        && flag == "--child"
    {
        let measured = child(mode, Path::new(path));
        println!("{} {} {}", measured.spent.as_nanos(), measured.peak_kib, measured.cells);
        return ExitCode::SUCCESS;
    }
    let number = |flag: &str| {
        let at = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(at + 1)?.parse::<u64>().ok()
    };
    let rows = number("--rows").unwrap_or(ROWS);
    let rounds = number("--rounds").and_then(|rounds| usize::try_from(rounds).ok());
    let is_checked = arguments.iter().any(|argument| argument == "--check");
    let mut holds = true;
    for is_inline in [false, true] {
        match table(rows, rounds.unwrap_or(ROUNDS), is_inline) {
            Ok(held) => holds &= held,
            Err(message) => {
                eprintln!("error: {message}");
                return ExitCode::FAILURE;
            }
        }
    }
    if holds || !is_checked { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn table(rows: u64, rounds: usize, is_inline: bool) -> Result<bool, String> {
    let path = workbook(rows, is_inline)?;
    let mut results = MODES.map(|_| Vec::new());
    for _ in 0..rounds {
        for ((mode, _), results) in MODES.iter().zip(&mut results) {
            results.push(run(mode, &path)?);
        }
    }
    let strings = if is_inline { "inline" } else { "shared" };
    println!("{rows} rows, {strings} strings, {rounds} rounds, medians; CPU time\n");
    println!("| reader | ms | ratio | peak MiB | cells |\n| --- | --- | --- | --- | --- |");
    let floors: Vec<f64> =
        results.iter().take(1).flatten().map(|round| round.spent.as_secs_f64()).collect();
    let floor_kib = results.iter().take(1).flatten().map(|round| round.peak_kib).max().unwrap_or(0);
    let mut holds = true;
    for ((mode, name), results) in MODES.iter().zip(&results) {
        let spent = median(results.iter().map(|round| round.spent.as_secs_f64()));
        let pairs = results.iter().zip(&floors);
        let ratio = median(pairs.map(|(round, floor)| round.spent.as_secs_f64() / floor));
        let peak = results.iter().map(|round| round.peak_kib).max().unwrap_or(0);
        let cells = results.first().map_or(0, |round| round.cells);
        println!(
            "| {name} | {:.0} | {ratio:.2} | {:.1} | {cells} |",
            spent * 1e3,
            as_f64(peak) / 1024.0
        );
        let most = if is_inline { INLINE_KIB } else { floor_kib + BASE_KIB };
        holds &= *mode == "calamine" || ratio <= CEILING && peak <= most;
    }
    println!("\n{}\n", if holds { "ceilings kept" } else { "ceilings BROKEN" });
    Ok(holds)
}

fn run(mode: &str, path: &Path) -> Result<Measured, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(this).args(["--child", mode]).arg(path).output();
    let output = output.map_err(|error| format!("`{mode}` cannot be started: {error}"))?;
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers: Vec<u64> = words.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match numbers.as_slice() {
        &[nanoseconds, peak_kib, cells] => {
            Ok(Measured { spent: Duration::from_nanos(nanoseconds), peak_kib, cells })
        }
        _ => Err(format!("`{mode}` failed: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

fn child(mode: &str, path: &Path) -> Measured {
    let (clock, before) = (Instant::now(), cpu_time());
    let cells = match mode {
        "calamine" => calamine_cells(path),
        _ => our_cells(path, mode == "rows"),
    };
    let spent = match (before, cpu_time()) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => clock.elapsed(),
    };
    Measured { spent, peak_kib: peak_kib().unwrap_or(0), cells }
}

fn calamine_cells(path: &Path) -> u64 {
    let file = BufReader::new(File::open(path).expect("the file can be opened"));
    let mut book = Xlsx::new(file).expect("a workbook");
    let sheet = book.sheet_names().first().cloned().expect("a sheet");
    let mut reader = book.worksheet_cells_reader(&sheet).expect("cells");
    let mut cells = 0;
    while let Some(cell) = reader.next_cell().expect("a cell") {
        cells += u64::from(!matches!(cell.get_value(), DataRef::Empty));
    }
    cells
}

fn our_cells(path: &Path, is_read: bool) -> u64 {
    let columns: Vec<ColumnUse> = COLUMNS
        .iter()
        .filter(|name| !UNMAPPED.contains(name))
        .map(|name| ColumnUse {
            name: (*name).to_owned(),
            optional: false,
            kind: match *name {
                "WorkerID" | "ManagerID" => ColumnKind::Id,
                "HireDate" | "TerminationDate" => ColumnKind::Date,
                "OfficePhone" | "MobilePhone" => ColumnKind::Phone,
                _ => ColumnKind::Text,
            },
        })
        .collect();
    let request = SpoolRequest {
        kind: FileKind::Xlsx,
        config: &WorkbookConfig::default(),
        columns: &columns,
        trailer: None,
        limits: &WorkbookLimits::default(),
        password: None,
        file: "workers.xlsx",
    };
    let mut out = BufWriter::new(tempfile::tempfile().expect("a spool"));
    let file = File::open(path).expect("the file can be opened");
    let shape = spool(file, &request, &mut out).expect("a workbook");
    out.flush().expect("the spool is written");
    if !is_read {
        return shape.rows;
    }
    let mut spooled = out.into_inner().expect("the spool is written");
    spooled.seek(SeekFrom::Start(0)).expect("the spool can be read");
    let mut reader = SpoolReader::open(spooled, &shape);
    let mut cells = 0;
    while let Some(SourceRow::Row(row)) = reader.next_row().expect("a row") {
        cells += u64::try_from(row.cells().filter(|cell| !cell.is_empty()).count()).unwrap_or(0);
    }
    cells
}

/// The columns of the generated files.
const COLUMNS: [&str; 28] = [
    "WorkerID",
    "UserID",
    "FirstName",
    "LastName",
    "FullName",
    "PreferredName",
    "WorkerStatus",
    "WorkerType",
    "HireDate",
    "TerminationDate",
    "OnLeave",
    "JobTitle",
    "Department",
    "Division",
    "CostCenter",
    "Company",
    "ManagerID",
    "Location",
    "StreetAddress",
    "City",
    "Region",
    "ZipCode",
    "CountryCode",
    "OfficePhone",
    "MobilePhone",
    "WorkEmail",
    "HomeEmail",
    "PreferredLanguage",
];

/// The generated file, made once and kept under `target/bench-data/`.
fn workbook(rows: u64, is_inline: bool) -> Result<PathBuf, String> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap_or(Path::new("target"));
    let folder = target.join("bench-data");
    let strings = if is_inline { "inline" } else { "shared" };
    let file = folder.join(format!("workers-{rows}-{strings}.xlsx"));
    if file.exists() {
        return Ok(file);
    }
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let unfinished = folder.join(format!("workers-{rows}-{strings}.{}.part", std::process::id()));
    let python = std::env::var("SCIMPORT_BENCH_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/gen_workers.py");
    let mut command = Command::new(&python);
    command.arg(script).arg(rows.to_string()).args(["--seed", "1", "--xlsx", "-o"]);
    command.arg(&unfinished).args(is_inline.then_some("--inline"));
    match command.status() {
        Ok(status) if status.success() => {}
        Ok(status) => return Err(format!("the generator of the test file ended with {status}")),
        Err(error) => return Err(format!("`{python}` cannot be started: {error}")),
    }
    std::fs::rename(&unfinished, &file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(file)
}

/// CPU time of all threads so far (Linux: `schedstat` in proc(5), nanoseconds run).
fn cpu_time() -> Option<Duration> {
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
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52, shown with few digits")]
fn as_f64(count: u64) -> f64 {
    count as f64
}
