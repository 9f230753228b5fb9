//! One row of a source, borrowed from the reader's buffer.

/// One data row: its cells in file order, and the place a person would look it up.
///
/// All cells lie in one text, so a row costs no allocation. `ends` holds the exclusive end of each
/// cell in that text; both come from a source that has checked that every end is on a character
/// boundary and that they do not fall.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    text: &'a str,
    ends: &'a [usize],
    /// The record's number, the header being 1.
    pub row: u64,
    /// The physical line at which the record starts, where the source has lines.
    pub line: Option<u64>,
}

impl<'a> Row<'a> {
    /// A row over checked parts (see the type).
    #[must_use]
    pub const fn new(text: &'a str, ends: &'a [usize], row: u64, line: Option<u64>) -> Self {
        Self { text, ends, row, line }
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
        let Some(&end) = self.ends.get(index) else {
            return "";
        };
        let start = match index.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or(0),
            None => 0,
        };
        self.text.get(start..end).unwrap_or("")
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
