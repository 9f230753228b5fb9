//! One row of a source, borrowed from the reader's buffer.

use std::ops::Range;

/// One data row: its cells in file order, and the place a person would look it up.
///
/// All cells lie in one text, so a row costs no allocation. `ends` holds the exclusive end of each
/// cell in that text; both come from a source that has checked that every end is on a character
/// boundary and that they do not fall.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    text: &'a str,
    ends: &'a [usize],
    marks: &'a [Mark],
    /// The record's number, the header being 1.
    pub row: u64,
    /// The physical line at which the record starts, where the source has lines.
    pub line: Option<u64>,
}

impl<'a> Row<'a> {
    /// A row over checked parts (see the type).
    #[must_use]
    pub const fn new(text: &'a str, ends: &'a [usize], row: u64, line: Option<u64>) -> Self {
        Self { text, ends, marks: &[], row, line }
    }

    /// The same row with what its source knows of some cells, in the order of the cells.
    #[must_use]
    pub const fn with_marks(mut self, marks: &'a [Mark]) -> Self {
        self.marks = marks;
        self
    }

    /// What the source knows of a cell beside its text, counted from 0.
    #[must_use]
    #[inline]
    pub fn mark(&self, index: usize) -> Option<CellMark> {
        if self.marks.is_empty() {
            return None;
        }
        let at = self.marks.binary_search_by_key(&index, |mark| mark.cell).ok()?;
        self.marks.get(at).map(|mark| mark.kind)
    }

    /// All marks, in the order of the cells.
    #[must_use]
    pub const fn marks(&self) -> &'a [Mark] {
        self.marks
    }

    /// Where each cell ends in the text.
    #[must_use]
    pub const fn ends(&self) -> &'a [usize] {
        self.ends
    }

    /// The number of cells.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether the row has no cells at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text of all cells, one after the other.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// The text of a cell, counted from 0; empty where the row has no such cell.
    #[must_use]
    #[inline]
    pub fn cell(&self, index: usize) -> &'a str {
        self.text.get(self.place(index)).unwrap_or("")
    }

    /// Where a cell stands in [`text`](Self::text), counted from 0; an empty range where the row has
    /// no such cell.
    #[must_use]
    #[inline]
    pub fn place(&self, index: usize) -> Range<usize> {
        let Some(&end) = self.ends.get(index) else {
            return 0..0;
        };
        let start = match index.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or(0),
            None => 0,
        };
        start..end
    }

    /// All cells in file order.
    pub fn cells(&self) -> impl Iterator<Item = &'a str> + '_ {
        (0..self.len()).map(|index| self.cell(index))
    }
}

/// Where the row is and how long; never what is in it.
impl std::fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Row")
            .field("row", &self.row)
            .field("line", &self.line)
            .field("cells", &self.len())
            .finish_non_exhaustive()
    }
}

/// What a source knows of one cell beside its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The cell, counted from 0.
    pub cell: usize,
    /// What is known.
    pub kind: CellMark,
}

/// What can be known of a cell beside its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellMark {
    /// The cell is a date, not a text that looks like one: its text is `YYYY-MM-DD`, with
    /// `THH:MM:SS` behind it where it has a time of day. No date format applies.
    Date,
    /// The cell has a value that nobody can know; its text is empty. A row whose mapping reads the
    /// cell is rejected.
    Unknown(CellFault),
}

/// Why the value of a cell is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellFault {
    /// An error value such as `#N/A`.
    Error,
    /// A formula without a stored result.
    NoResult,
    /// A number with more than 15 digits: what is stored is no longer what was typed.
    Precision,
    /// An id or telephone number in exponent notation, such as `1.23457E+18`.
    Exponent,
    /// The serial number 60 of the 1900 date system, 29 February 1900, a day that never was.
    NoSuchDay,
    /// A date serial beyond the calendar.
    DateRange,
    /// A cell of a merged range other than its first, where the config does not spread merged cells.
    Merged,
    /// A value of another kind than text, number or boolean, such as a list or an object.
    Structure,
    /// A record has no member of this name, and is one that has to have all.
    Missing,
}

impl CellFault {
    /// Stable and dotted; a metric label.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Error => "source.cell-error",
            Self::NoResult => "source.cell-no-result",
            Self::Precision => "source.cell-precision",
            Self::Exponent => "source.cell-exponent",
            Self::NoSuchDay | Self::DateRange => "source.cell-no-date",
            Self::Merged => "source.cell-merged",
            Self::Structure => "source.cell-structure",
            Self::Missing => "source.missing-member",
        }
    }

    /// What is wrong with the cell, as the end of a sentence that begins with it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Error => "holds an error value",
            Self::NoResult => "holds a formula without a stored result",
            Self::Precision => "holds a number of more than 15 digits, whose last digits are lost",
            Self::Exponent => "holds a number in exponent notation, whose digits are lost",
            Self::NoSuchDay => "holds 29 February 1900, a day that never was",
            Self::DateRange => "holds a number that is no day of the calendar",
            Self::Merged => "is part of a merged range, which has one value for several rows",
            Self::Structure => "holds a list or an object",
            Self::Missing => "is not in the record",
        }
    }

    /// The way out.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Error => "correct the formula or the look-up in the workbook",
            Self::NoResult => "open the workbook, let it calculate, and save it",
            Self::Precision | Self::Exponent => {
                "format the column as text before the values are entered, and export again"
            }
            Self::NoSuchDay | Self::DateRange => "correct the date in the workbook",
            Self::Merged => "undo the merging, or set `merged = \"spread\"` of the source's `xlsx`",
            Self::Structure => "map one of its parts by its JSON Pointer",
            Self::Missing => {
                "send every mapped member each time, null where it is empty; or set `optional = true` for it"
            }
        }
    }
}
