//! The second pass: each row becomes a SCIM user, or a rejection, or gives way to another row.

use std::ops::ControlFlow;

use crate::domain::{Place, RecordProblem, Row};
use crate::intake::scan::Columns;
use crate::intake::{Feed, KeptColumns, RowCells, Scan, SourceFile};
use crate::mapping::{Mapped, Scratch};
use crate::source::{CsvReader, RowVerdict, SourceError, SourceRow};

/// What became of one row.
#[derive(Debug)]
pub struct RowResult<'a> {
    /// The record's number, the header being 1.
    pub row: u64,
    /// The physical line.
    pub line: Option<u64>,
    /// Its mapped cells, in the order of the scan's columns; none of a row that could not be read.
    pub cells: RowCells<'a>,
    /// The verdict.
    pub verdict: Verdict<'a>,
}

/// The verdict on one row.
#[derive(Debug)]
pub enum Verdict<'a> {
    /// A valid SCIM user.
    Mapped {
        /// What planning sees of the person.
        user: Mapped<'a>,
        /// The resource: the bytes of `data` in a bulk request.
        resource: &'a [u8],
    },
    /// No valid SCIM user.
    Rejected {
        /// The worker, where the id could be read.
        external_id: Option<&'a str>,
        /// Why.
        problem: RecordProblem,
    },
    /// Another row of the same worker counts.
    Superseded {
        /// The worker.
        external_id: &'a str,
        /// The line of the row that counts.
        line: u64,
    },
}

/// How the second pass ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// At the end of the file.
    Complete,
    /// The sink wanted no more.
    Stopped,
}

/// Maps every row of a scanned file and hands each verdict to `sink`, in file order.
///
/// # Errors
///
/// When the file cannot be read any more, or is not the file that was scanned.
pub fn read_rows(
    file: &mut SourceFile,
    feed: &Feed,
    scan: &Scan,
    mut sink: impl FnMut(RowResult<'_>) -> ControlFlow<()>,
) -> Result<Pass, SourceError> {
    let name = file.name().to_owned();
    file.begin(false)?;
    let mut reader =
        CsvReader::open(&mut *file, &feed.format.csv, &feed.columns(), feed.limits, &name)?;
    let columns = Columns::bind(feed, reader.headers(), &name)?;
    let kept = KeptColumns::new(&feed.columns(), reader.headers());
    let mut buffers = Buffers::default();
    while let Some(row) = reader.next_row()? {
        let result = match row {
            SourceRow::Bad { row, line, problem, .. } => RowResult {
                row,
                line,
                cells: RowCells::none(),
                verdict: Verdict::Rejected { external_id: None, problem: *problem },
            },
            SourceRow::Row(row) => RowResult {
                row: row.row,
                line: row.line,
                cells: kept.of(row),
                verdict: judge(&row, feed, &columns, scan, &mut buffers),
            },
        };
        if sink(result).is_break() {
            return Ok(Pass::Stopped);
        }
    }
    drop(reader);
    if file.proof()? != scan.proof {
        return Err(SourceError::refused(
            "source.changed",
            Place::file(&name),
            "the file changed while it was read",
            "wait until the export is written, then try again",
        ));
    }
    Ok(Pass::Complete)
}

/// Buffers that are used for one row after the other.
#[derive(Default)]
struct Buffers {
    scratch: Scratch,
    for_rejects: Scratch,
    id: String,
    resource: Vec<u8>,
}

fn judge<'a>(
    row: &Row<'_>,
    feed: &Feed,
    columns: &Columns<'_>,
    scan: &Scan,
    buffers: &'a mut Buffers,
) -> Verdict<'a> {
    let Buffers { scratch, for_rejects, id, resource } = buffers;
    resource.clear();
    id.clear();
    // the id alone is needed only where rows compete, or where the row turns out to be bad
    if scan.index.has_repeats() || columns.per.is_some() {
        match columns.bound.external_id(row, scratch) {
            Ok(external_id) => id.push_str(external_id),
            Err(problem) => return Verdict::Rejected { external_id: None, problem },
        }
        let key = columns.key(row, id);
        if key.is_empty() {
            let problem = no_key(feed);
            return Verdict::Rejected { external_id: Some(id), problem };
        }
        match scan.index.verdict(key, id, row.row) {
            RowVerdict::Counts => {}
            RowVerdict::Superseded { line } => {
                return Verdict::Superseded { external_id: id, line };
            }
            RowVerdict::Conflict { lines, more } => {
                let problem = repeated(&lines, more);
                return Verdict::Rejected { external_id: Some(id), problem };
            }
        }
    }
    match columns.bound.apply(row, scratch, resource) {
        Ok(user) => Verdict::Mapped { user, resource },
        Err(problem) => {
            id.clear();
            if let Ok(external_id) = columns.bound.external_id(row, for_rejects) {
                id.push_str(external_id);
            }
            let external_id = Some(id.as_str()).filter(|id| !id.is_empty());
            Verdict::Rejected { external_id, problem }
        }
    }
}

fn no_key(feed: &Feed) -> RecordProblem {
    RecordProblem {
        code: "source.no-worker-key",
        attribute: None,
        column: feed.rows.per.clone(),
        message: format!(
            "column `{}` is empty, but `rows.per` tells workers apart by it",
            feed.rows.per.as_deref().unwrap_or_default()
        ),
        hint: Some("correct the export, or leave out `rows.per`".to_owned()),
    }
}

fn repeated(lines: &[u64], more: usize) -> RecordProblem {
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let plural = if lines.len() == 1 { "line" } else { "lines" };
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    RecordProblem {
        code: "source.repeated-worker",
        attribute: Some("externalId".to_owned()),
        column: None,
        message: format!("the same worker also stands on {plural} {}{more}", lines.join(", ")),
        hint: Some(
            "correct the export, or say which row counts with `rows = { pick = … }`".to_owned(),
        ),
    }
}
