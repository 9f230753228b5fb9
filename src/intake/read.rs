//! The second pass: each row becomes a SCIM user, or a rejection, or gives way to another row.

use std::ops::ControlFlow;

use crate::domain::{RecordProblem, Row};
use crate::intake::columns::Columns;
use crate::intake::id_shape::lost_zeros;
use crate::intake::{Feed, RowCells, Scan, SourceFile, reasons};
use crate::mapping::{Mapped, Scratch};
use crate::source::{Others, RowVerdict, SourceError, SourceRow};

/// What became of one row.
#[derive(Debug)]
pub struct RowResult<'a> {
    /// The record's number, the header being 1 (the sheet row in workbooks).
    pub row: u64,
    /// The physical line, where the file has lines.
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
        /// What is odd about the person among the others of the file.
        warning: Option<RecordProblem>,
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
        /// Why, in words.
        reason: String,
    },
    /// The scoping filter leaves it out, or it applies from a later day on.
    OutOfScope,
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
    let place = scan.opened.place(file.name());
    let pass = scan.opened.read(file, feed, |table| {
        let mut columns = Columns::bind(feed, table.headers(), &place)?;
        columns.bound.apply_orders(&scan.orders);
        let judge = Judge { feed, scan, columns: &columns, at: scan.opened.locator() };
        let mut buffers = Buffers::default();
        while let Some(row) = table.next_row()? {
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
                    cells: columns.kept.of(row),
                    verdict: judge.verdict(&row, &mut buffers),
                },
            };
            if sink(result).is_break() {
                return Ok(Pass::Stopped);
            }
        }
        Ok(Pass::Complete)
    })?;
    if pass == Pass::Complete {
        scan.opened.prove(file)?;
    }
    Ok(pass)
}

/// Buffers that are used for one row after the other.
#[derive(Default)]
struct Buffers {
    scratch: Scratch,
    for_rejects: Scratch,
    id: String,
    resource: Vec<u8>,
}

/// What judging a row needs to know.
struct Judge<'a> {
    feed: &'a Feed,
    scan: &'a Scan,
    columns: &'a Columns<'a>,
    at: reasons::Locator,
}

impl Judge<'_> {
    fn verdict<'b>(&self, row: &Row<'_>, buffers: &'b mut Buffers) -> Verdict<'b> {
        let Buffers { scratch, for_rejects, id, resource } = buffers;
        let bound = &self.columns.bound;
        resource.clear();
        id.clear();
        match bound.in_scope(row, scratch) {
            Ok(true) => {}
            Ok(false) => return Verdict::OutOfScope,
            Err(problem) => {
                if let Ok(external_id) = bound.external_id(row, for_rejects) {
                    id.push_str(external_id);
                }
                return self.rejected(row, id, problem);
            }
        }
        let mut shared = None;
        // the id alone is needed only where rows compete, or where the row turns out to be bad
        if self.scan.index.has_repeats()
            || self.columns.per.is_some()
            || self.feed.mapping.has_standing()
        {
            match bound.external_id(row, scratch) {
                Ok(external_id) => id.push_str(external_id),
                Err(problem) => return self.rejected(row, id, problem),
            }
            match self.competition(row, id, scratch) {
                Competition::Counts => {}
                Competition::SharesUserName(others) => shared = Some(others),
                Competition::NotYet => return Verdict::OutOfScope,
                Competition::Superseded(line) => {
                    let reason =
                        format!("the row on {} {line} counts for this worker", self.at.noun());
                    return Verdict::Superseded { external_id: id, reason };
                }
                Competition::Rejected(problem) => return self.rejected(row, id, problem),
            }
        }
        let ring = self.scan.index.ring(row.row);
        scratch.leave_manager_out(ring.is_some());
        let user = match bound.apply(row, scratch, resource) {
            Ok(user) => user,
            Err(problem) => {
                id.clear();
                if let Ok(external_id) = bound.external_id(row, for_rejects) {
                    id.push_str(external_id);
                }
                return self.rejected(row, id, problem);
            }
        };
        if let Some(width) = self.scan.id_width
            && lost_zeros(user.external_id, width)
        {
            let problem = reasons::lost_zeros(width);
            return self.rejected(row, user.external_id, problem);
        }
        let mut warning = None;
        if let Some(others) = shared {
            let problem = reasons::same_user_name(&others, &self.at);
            // a leaver goes out whatever the name: what must not wait is that access ends
            if user.active {
                return self.rejected(row, user.external_id, problem);
            }
            warning = Some(problem);
        }
        if let Some(others) = ring {
            warning.get_or_insert_with(|| reasons::manager_ring(&others, &self.at));
        }
        if let (Some(width), Some(manager)) = (self.scan.id_width, user.manager)
            && lost_zeros(manager, width)
        {
            warning.get_or_insert_with(|| reasons::manager_lost_zeros(width));
        }
        Verdict::Mapped { user, resource, warning }
    }

    fn competition(&self, row: &Row<'_>, id: &str, scratch: &mut Scratch) -> Competition {
        let key = self.columns.key(row, id);
        if key.is_empty() {
            return Competition::Rejected(reasons::no_key(self.feed));
        }
        if self.feed.mapping.has_standing()
            && let Err(problem) = self.columns.bound.standing(row, scratch, self.scan.today)
        {
            return Competition::Rejected(problem);
        }
        match self.scan.index.verdict(key, id, row.row) {
            RowVerdict::Counts => Competition::Counts,
            RowVerdict::NotYet => Competition::NotYet,
            RowVerdict::Superseded { line } => Competition::Superseded(line),
            RowVerdict::SameUserName { others } => Competition::SharesUserName(others),
            RowVerdict::Conflict { others } => {
                Competition::Rejected(reasons::repeated(&others, &self.at))
            }
            RowVerdict::LookAlike { others } => {
                Competition::Rejected(reasons::look_alike(&others, &self.at))
            }
        }
    }

    fn rejected<'b>(&self, row: &Row<'_>, id: &'b str, problem: RecordProblem) -> Verdict<'b> {
        let external_id = Some(id).filter(|id| !id.is_empty());
        let problem = self.at.in_cell(problem, row.row, self.columns);
        Verdict::Rejected { external_id, problem }
    }
}

/// How a row fares against the others of the file.
enum Competition {
    Counts,
    NotYet,
    Superseded(u64),
    SharesUserName(Others),
    Rejected(RecordProblem),
}
