//! The second pass: each row becomes a SCIM user, or a rejection, or gives way to another row.

use std::ops::ControlFlow;

use jiff::Timestamp;

use crate::domain::{RecordProblem, Row};
use crate::intake::columns::Columns;
use crate::intake::id_shape::lost_zeros;
use crate::intake::kept::{KeptRow, KeptRows};
use crate::intake::known::{RowDigests, reading};
use crate::intake::{Feed, KnownRows, RowCells, Scan, SourceFile, reasons};
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
        /// Digest of the row, where the caller compares rows and the row alone made the resource.
        row_digest: Option<[u8; 16]>,
        /// When the row begins to apply, where that is still to come.
        applies_from: Option<Timestamp>,
        /// Which row of the same worker counts until then, in words.
        instead: Option<String>,
    },
    /// The row behind the ledger's resource, unchanged.
    Known,
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

/// Maps every row of a scanned file and hands each verdict to `sink`, in file order. Rows that are
/// `known` are not mapped; without `known` all are, and none is digested.
///
/// # Errors
///
/// When the file cannot be read any more, or is not the file that was scanned.
pub fn read_rows(
    file: &mut SourceFile,
    feed: &Feed,
    scan: &Scan,
    known: Option<&mut KnownRows>,
    mut sink: impl FnMut(RowResult<'_>) -> ControlFlow<()>,
) -> Result<Pass, SourceError> {
    let place = scan.opened.place(file.name());
    let mut known = known;
    let pass = scan.opened.read(file, feed, |table| {
        let mut columns = Columns::bind(feed, table.headers(), &place)?;
        let known = known.take().map(|known| (known, table.headers()));
        let mut judge = Judge::new(feed, scan, &mut columns, known);
        while let Some(row) = table.next_row()? {
            if sink(judge.result(row)).is_break() {
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

/// The same for the rows that the scan has kept.
pub(super) fn read_kept(
    kept: KeptRows,
    file: &str,
    feed: &Feed,
    scan: &Scan,
    known: &mut KnownRows,
    mut sink: impl FnMut(RowResult<'_>) -> ControlFlow<()>,
) -> Result<Pass, SourceError> {
    let mut columns = Columns::bind(feed, &kept.headers, &scan.opened.place(file))?;
    let mut judge = Judge::new(feed, scan, &mut columns, Some((known, &kept.headers)));
    for row in kept.rows {
        let row = match &row {
            KeptRow::Row { text, ends, row, line } => {
                SourceRow::Row(Row::new(text, ends, *row, *line))
            }
            KeptRow::Bad { row, line, problem } => SourceRow::Bad {
                row: *row,
                line: *line,
                is_ragged: false,
                problem: problem.clone(),
            },
        };
        if sink(judge.result(row)).is_break() {
            return Ok(Pass::Stopped);
        }
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

/// Judges one row after the other.
struct Judge<'a> {
    rules: Rules<'a>,
    known: Option<&'a mut KnownRows>,
    buffers: Buffers,
}

impl<'a> Judge<'a> {
    /// For rows under these columns, read as the scan has learnt to.
    fn new(
        feed: &'a Feed,
        scan: &'a Scan,
        columns: &'a mut Columns<'_>,
        known: Option<(&'a mut KnownRows, &[String])>,
    ) -> Self {
        columns.bound.apply_orders(&scan.orders);
        columns.bound.at(scan.now);
        let reading = reading(&scan.orders, scan.id_width);
        let digests = known.as_ref().map(|(_, headers)| RowDigests::new(headers, reading));
        let known = known.map(|(known, _)| known);
        let rules = Rules { feed, scan, digests, columns, at: scan.opened.locator() };
        Self { rules, known, buffers: Buffers::default() }
    }

    fn result<'r>(&'r mut self, row: SourceRow<'r>) -> RowResult<'r> {
        match row {
            SourceRow::Bad { row, line, problem, .. } => RowResult {
                row,
                line,
                cells: RowCells::none(),
                verdict: Verdict::Rejected { external_id: None, problem: *problem },
            },
            SourceRow::Row(row) => RowResult {
                row: row.row,
                line: row.line,
                cells: self.rules.columns.kept.of(row),
                verdict: self.rules.verdict(&row, self.known.as_deref_mut(), &mut self.buffers),
            },
        }
    }
}

/// What judging a row needs to know.
struct Rules<'a> {
    feed: &'a Feed,
    scan: &'a Scan,
    digests: Option<RowDigests>,
    columns: &'a Columns<'a>,
    at: reasons::Locator,
}

impl Rules<'_> {
    fn verdict<'b>(
        &self,
        row: &Row<'_>,
        known: Option<&mut KnownRows>,
        buffers: &'b mut Buffers,
    ) -> Verdict<'b> {
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
        let mut applies_from = None;
        let mut instead = None;
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
                Competition::NotYet(from, counts) => {
                    applies_from = Some(from);
                    instead = counts.map(|line| self.passed_over(line));
                }
                Competition::Superseded(line) => {
                    let reason = self.passed_over(line);
                    return Verdict::Superseded { external_id: id, reason };
                }
                Competition::Rejected(problem) => return self.rejected(row, id, problem),
            }
        }
        let ring = self.scan.index.ring(row.row);
        let digests = self.digests.filter(|_| ring.is_none() && shared.is_none());
        let row_digest = digests.map(|digests| digests.of(row));
        if let (Some(known), Some(digest), None) = (known, row_digest, applies_from)
            && known.see(digest)
        {
            return Verdict::Known;
        }
        let row_digest = row_digest.map(u128::to_be_bytes);
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
        Verdict::Mapped { user, resource, warning, row_digest, applies_from, instead }
    }

    fn competition(&self, row: &Row<'_>, id: &str, scratch: &mut Scratch) -> Competition {
        let key = self.columns.key(row, id);
        if key.is_empty() {
            return Competition::Rejected(reasons::no_key(self.feed));
        }
        let mut standing = None;
        if self.feed.mapping.has_standing() {
            match self.columns.bound.standing(row, scratch, self.scan.today) {
                Ok(found) => standing = Some(found),
                Err(problem) => return Competition::Rejected(problem),
            }
        }
        match self.scan.index.verdict(key, id, row.row) {
            RowVerdict::Counts => Competition::Counts,
            RowVerdict::NotYet { counts } => match standing {
                Some(standing) => {
                    Competition::NotYet(self.feed.first_instant(standing.day), counts)
                }
                None => Competition::Counts,
            },
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

    fn passed_over(&self, line: u64) -> String {
        format!("the row on {} {line} counts for this worker", self.at.noun())
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
    NotYet(Timestamp, Option<u64>),
    Superseded(u64),
    SharesUserName(Others),
    Rejected(RecordProblem),
}
