//! Invariant 8, constant memory: what grows with rows is an index of at most 24 bytes a row.

#![cfg(target_os = "linux")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Ids of rows: 16 bytes of hash, row and line.
const INDEX_BYTES_A_ROW: u64 = 24;
/// What allocators and threads may add between two runs: runs over one file differ by as much as
/// 8 MB. Rows that were kept would take five times as much.
const SLACK_BYTES: u64 = 10 * 1024 * 1024;

fn write_workers(path: &Path, rows: u32) {
    let config = include_str!("../../samples/scimport.toml");
    std::fs::write(path.with_file_name("scimport.toml"), config).unwrap();
    let header = include_str!("../../samples/workers.csv").lines().next().unwrap();
    let mut text = format!("{header}\n");
    for row in 0..rows {
        writeln!(
            text,
            "{row:08},worker{row}@contoso.example,First{row},Last{row},Active,Employee,2020-01-31,\
             Analyst,Finance,Corporate,CC1,Group,00000000,{row} Mill Road,Berlin,10115,DE,+49 30 \
             {row},worker{row}@contoso.example"
        )
        .unwrap();
    }
    std::fs::write(path, text).unwrap();
}

/// The most memory the program held while it ran.
fn peak_bytes(folder: &Path, args: &[&str]) -> u64 {
    let mut child = Command::new(env!("CARGO_BIN_EXE_scimport"))
        .args(args)
        .current_dir(folder)
        .env("SCIMPORT_CLIENT_SECRET", "not used")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = peak.max(kilobytes.unwrap_or(0) * 1024);
        if let Some(status) = child.try_wait().unwrap() {
            assert_eq!(status.code(), Some(0), "{args:?}");
            return peak;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

fn grows_by_the_index_alone(args: &[&str]) {
    // few enough to be quick, and enough to fill every buffer and the database's page cache
    let (few, many) = (15_000, 60_000);
    let mut peaks = Vec::new();
    for rows in [few, many] {
        let folder = tempfile::tempdir().unwrap();
        write_workers(&folder.path().join("workers.csv"), rows);
        peaks.push(peak_bytes(folder.path(), args));
    }
    let allowed = peaks[0] + u64::from(many - few) * INDEX_BYTES_A_ROW + SLACK_BYTES;
    assert!(peaks[1] <= allowed, "{} bytes for {many} rows, {} for {few}", peaks[1], peaks[0]);
}

#[test]
fn converting_four_times_the_rows_takes_no_more_memory_but_for_the_index() {
    grows_by_the_index_alone(&["convert", "workers.csv", "--source", "hr", "-o", "-"]);
}

#[test]
fn applying_four_times_the_rows_takes_no_more_memory_but_for_the_index() {
    grows_by_the_index_alone(&["-q", "apply", "workers.csv", "--source", "hr", "--wait", "none"]);
}
