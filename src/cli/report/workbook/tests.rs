//! The workbook, read back.

use std::io::Cursor;
use std::sync::{Arc, Mutex};

use calamine::{Data, Reader as _, Xlsx as Opened};
use jiff::Timestamp;

use super::*;
use crate::domain::{OperationId, RunId, RunKind, RunStatus};
use crate::store::{ChangeCounts, StatusCounts};

/// An output that can be looked at afterwards.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

fn run(columns: &[&str]) -> Run {
    let mut counts = StatusCounts::default();
    counts.add(OperationStatus::Rejected, 3);
    Run {
        id: RunId::new("01RUN"),
        source: "hr".into(),
        target: "entra".into(),
        kind: RunKind::File,
        is_full: false,
        is_complete: false,
        as_of: None,
        held_by: Vec::new(),
        decisions: Vec::new(),
        superseded_by: None,
        note: None,
        file: Some("=workers.csv".to_owned()),
        file_digest: [0; 32],
        mapping_fingerprint: [0; 16],
        columns: columns.iter().map(ToString::to_string).collect(),
        status: RunStatus::Completed,
        rows: 3,
        without_row: 0,
        counts,
        changes: ChangeCounts::default(),
        bulk_requests: 0,
        problem: None,
        started_at: Timestamp::UNIX_EPOCH,
        ended_at: None,
    }
}

fn operation(row: u64, status: OperationStatus) -> Operation {
    Operation {
        id: OperationId(1),
        run: RunId::new("01RUN"),
        row: Some(row),
        line: Some(row + 1),
        external_id: Some("00123".into()),
        change: None,
        status,
        code: Some("code".to_owned()),
        reason: Some("reason".to_owned()),
        advice: None,
        attempts: 0,
        bulk_request: None,
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

fn faulty(column: &str, cells: &[&str]) -> FaultyRow {
    FaultyRow {
        column: Some(column.to_owned()),
        cells: cells.iter().map(ToString::to_string).collect(),
    }
}

fn written(report: &Kept, report_writer: Xlsx<Kept>) -> Opened<Cursor<Vec<u8>>> {
    Box::new(report_writer).finish().unwrap();
    let bytes = report.0.lock().unwrap().clone();
    Opened::new(Cursor::new(bytes)).unwrap()
}

fn texts(book: &mut Opened<Cursor<Vec<u8>>>, sheet: &str) -> Vec<Vec<String>> {
    let range = book.worksheet_range(sheet).unwrap();
    let text = |cell: &Data| match cell {
        Data::String(text) => text.clone(),
        Data::Empty => String::new(),
        other => panic!("no text: {other:?}"),
    };
    range.rows().map(|row| row.iter().map(text).collect()).collect()
}

#[test]
fn cells_are_texts_whatever_is_in_them_and_the_headers_of_the_file_keep_their_names() {
    let kept = Kept::default();
    let mut report = Xlsx::new(kept.clone(), &run(&["ID", "Status", "Web"]), 10).unwrap();
    let long = "x".repeat(MOST_IN_CELL + 1);
    for cells in [
        ["00123", "=cmd|'/C calc'!A0", "https://contoso.example"],
        ["1e5", "@SUM(1)", "+49 30"],
        ["\t=1", "-1", &long],
    ] {
        let row = faulty("status", &cells);
        report.row(&operation(2, OperationStatus::Rejected), Some(&row)).unwrap();
    }
    report.row(&operation(3, OperationStatus::Queued), None).unwrap();
    report.row(&operation(4, OperationStatus::Failed), None).unwrap();
    let mut book = written(&kept, report);
    let rows = texts(&mut book, TO_CORRECT);
    let header = [
        "Row",
        "Line",
        "Id (report)",
        "Status (report)",
        "Column",
        "What is wrong",
        "What to do",
        "ID",
        "Status",
        "Web",
    ];
    assert_eq!(rows[0], header);
    let first = [
        "2",
        "3",
        "00123",
        "rejected",
        "status",
        "reason",
        "",
        "00123",
        "=cmd|'/C calc'!A0",
        "https://contoso.example",
    ];
    assert_eq!(rows[1], first);
    assert_eq!(rows[2][7..], ["1e5", "@SUM(1)", "+49 30"]);
    assert_eq!((rows[3][7].as_str(), rows[3][8].as_str()), ("\t=1", "-1"));
    assert_eq!(rows[3][9], format!("{}…", "x".repeat(MOST_IN_CELL - 1)));
    assert_eq!((rows.len(), rows[4][3].as_str(), rows[4][7].as_str()), (5, "failed", ""));
    for sheet in [TO_CORRECT, "Summary"] {
        let formulas = book.worksheet_formula(sheet).unwrap();
        assert!(formulas.used_cells().next().is_none());
    }
    let summary = texts(&mut book, "Summary");
    assert_eq!(summary[0], ["File", "=workers.csv"]);
    assert!(summary.contains(&vec!["- rejected".to_owned(), "3".to_owned()]), "{summary:?}");
    assert!(summary.contains(&vec!["Rows in `To correct`".to_owned(), "4".to_owned()]));
}

#[test]
fn rows_beyond_the_sheet_are_counted_and_told() {
    let kept = Kept::default();
    let mut report = Xlsx::new(kept.clone(), &run(&["ID"]), 2).unwrap();
    for row in 2..7 {
        report.row(&operation(row, OperationStatus::Rejected), Some(&faulty("ID", &[""]))).unwrap();
    }
    let mut book = written(&kept, report);
    assert_eq!(texts(&mut book, TO_CORRECT).len(), 3);
    let summary = texts(&mut book, "Summary");
    let told = summary.iter().find(|line| line[0] == "Not in `To correct`").unwrap();
    assert!(told[1].starts_with("3 more: a sheet holds 2 rows"), "{told:?}");
}

#[test]
fn a_run_without_rows_or_columns_is_a_workbook_too_and_always_the_same() {
    let bytes = || {
        let kept = Kept::default();
        let report = Xlsx::new(kept.clone(), &run(&[]), 2).unwrap();
        assert_eq!(texts(&mut written(&kept, report), TO_CORRECT).len(), 1);
        let bytes = kept.0.lock().unwrap();
        bytes.clone()
    };
    assert_eq!(bytes(), bytes());
}

#[test]
fn a_cell_is_cut_by_what_it_holds_and_never_inside_a_letter() {
    let astral = "\u{1f600}".repeat(MOST_IN_CELL);
    let cut = fitting(&astral);
    assert!(cut.encode_utf16().count() <= MOST_IN_CELL && cut.ends_with("\u{1f600}…"));
    let exact = "é".repeat(MOST_IN_CELL - 1);
    assert_eq!(fitting(&exact), exact);
}
