//! What a source gives: rows, rows that cannot be used, and what it noticed about the file.

use crate::domain::{Place, RecordProblem, Row};

/// A row, or what is wrong with it.
#[derive(Debug)]
pub enum SourceRow<'a> {
    /// A row that can be mapped.
    Row(Row<'a>),
    /// A row that cannot be read safely; the others can.
    Bad {
        /// The record's number, the header being 1 (the sheet row in workbooks).
        row: u64,
        /// The physical line, where the source has lines.
        line: Option<u64>,
        /// Whether it counts as ragged: too many of those refuse the file.
        is_ragged: bool,
        /// Why.
        problem: Box<RecordProblem>,
    },
}

/// Something about a file that somebody should know and that does not refuse it: what was decided
/// about it, or what is odd.
///
/// `message` never holds the value of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable and dotted, such as `source.encoding`.
    pub code: &'static str,
    /// Where.
    pub place: Place,
    /// What was found.
    pub message: String,
    /// Whether it is a decision about the file (told when asked) or odd (told always).
    pub is_odd: bool,
}

/// Whether a file is known to be whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Completeness {
    /// Nothing in the file says how many rows there should be.
    #[default]
    Unproven,
    /// A trailer says how many, and so many there are.
    Proven,
}
