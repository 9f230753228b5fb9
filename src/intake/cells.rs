//! The mapped cells of a row, for handing a faulty row back to whoever exported it.
//!
//! Of a file only the columns that somebody reads are kept, and of those only the cells of rows that
//! are rejected. They are values of people: stored, reported, and never logged.

use std::fmt;

use crate::domain::{ColumnUse, Row, fold_header};

/// Most bytes of one row's mapped cells that are kept; a larger row goes back without its cells.
const KEPT_BYTES: usize = 64 * 1024;

/// The columns of a file that are kept: those that somebody reads, in file order.
#[derive(Debug, Clone, Default)]
pub struct KeptColumns {
    indexes: Vec<usize>,
    headers: Vec<String>,
}

impl KeptColumns {
    /// Finds the columns in use among a file's headers.
    #[must_use]
    pub fn new<H: AsRef<str>>(used: &[ColumnUse], headers: &[H]) -> Self {
        let wanted: std::collections::BTreeSet<_> =
            used.iter().map(|column| fold_header(&column.name)).collect();
        let mut kept = Self::default();
        for (index, header) in headers.iter().enumerate() {
            let header = header.as_ref();
            if wanted.contains(&fold_header(header)) {
                kept.indexes.push(index);
                kept.headers.push(header.to_owned());
            }
        }
        kept
    }

    /// Where they are, counted from 0.
    pub fn indexes(&self) -> impl Iterator<Item = usize> {
        self.indexes.iter().copied()
    }

    /// Their headers, spelled as in the file.
    #[must_use]
    pub fn headers(&self) -> &[String] {
        &self.headers
    }

    /// The kept cells of a row.
    #[must_use]
    pub const fn of<'a>(&'a self, row: Row<'a>) -> RowCells<'a> {
        RowCells { row: Some((row, self.indexes.as_slice())) }
    }
}

/// The kept cells of one row, where they still stand in the reader's buffer.
#[derive(Clone, Copy, Default)]
pub struct RowCells<'a> {
    row: Option<(Row<'a>, &'a [usize])>,
}

impl<'a> RowCells<'a> {
    /// No cells: the row could not be read.
    #[must_use]
    pub const fn none() -> Self {
        Self { row: None }
    }

    /// The cells in file order; none where they are larger than 64 KiB together.
    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        let fits = |row: &Row<'_>, indexes: &[usize]| {
            // the whole text is mostly short enough already
            row.text().len() <= KEPT_BYTES
                || indexes.iter().map(|&index| row.cell(index).len()).sum::<usize>() <= KEPT_BYTES
        };
        let kept = self.row.filter(|(row, indexes)| fits(row, indexes));
        kept.into_iter().flat_map(|(row, indexes)| indexes.iter().map(move |&at| row.cell(at)))
    }

    /// The cells, out of the buffer.
    #[must_use]
    pub fn to_vec(self) -> Vec<String> {
        self.iter().map(str::to_owned).collect()
    }

    /// The cells, out of the buffer, for a row that will probably never need them.
    #[must_use]
    pub(super) fn pack(self) -> PackedCells {
        let mut packed = PackedCells::default();
        packed.text.reserve(self.row.map_or(0, |(row, _)| row.text().len().min(KEPT_BYTES)));
        packed.ends.reserve(self.row.map_or(0, |(_, indexes)| indexes.len()));
        for cell in self.iter() {
            packed.text.push_str(cell);
            packed.ends.push(packed.text.len());
        }
        packed
    }
}

/// Where the row is and how many cells; never what is in them.
impl fmt::Debug for RowCells<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = self.row.map_or(0, |(_, indexes)| indexes.len());
        f.debug_struct("RowCells").field("cells", &cells).finish_non_exhaustive()
    }
}

/// The kept cells of one row in two allocations.
#[derive(Default)]
pub(super) struct PackedCells {
    text: String,
    ends: Vec<usize>,
}

impl PackedCells {
    /// The cells one by one.
    pub(super) fn to_vec(&self) -> Vec<String> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let cells = starts.zip(&self.ends);
        cells.map(|(start, &end)| self.text.get(start..end).unwrap_or("").to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(names: &[&str]) -> Vec<ColumnUse> {
        let one = |name: &&str| ColumnUse {
            name: (*name).to_owned(),
            optional: false,
            kind: crate::domain::ColumnKind::Text,
        };
        names.iter().map(one).collect()
    }

    fn cells_of(kept: &KeptColumns, cells: &[&str]) -> Vec<String> {
        let text = cells.concat();
        let ends: Vec<usize> = cells
            .iter()
            .scan(0, |end, cell| {
                *end += cell.len();
                Some(*end)
            })
            .collect();
        let cells = kept.of(Row::new(&text, &ends, 2, Some(2)));
        assert_eq!(cells.pack().to_vec(), cells.to_vec());
        assert!(!format!("{cells:?}").contains("Zoë"));
        cells.to_vec()
    }

    #[test]
    fn only_the_columns_in_use_are_kept_in_file_order() {
        let kept = KeptColumns::new(&used(&["Name", "WorkerID"]), &["workerid ", "SSN", "Name"]);
        assert_eq!(kept.headers(), ["workerid ", "Name"]);
        assert_eq!(cells_of(&kept, &["00123", "078-05-1120", "Zoë"]), ["00123", "Zoë"]);
        assert_eq!(cells_of(&kept, &["", "x", ""]), ["", ""]);
        // a row that is too short has empty cells, not other ones
        assert_eq!(cells_of(&kept, &["1"]), ["1", ""]);
    }

    #[test]
    fn a_row_beyond_the_ceiling_goes_back_without_its_cells() {
        let kept = KeptColumns::new(&used(&["a", "b"]), &["a", "b", "c"]);
        let long = "x".repeat(KEPT_BYTES);
        assert_eq!(cells_of(&kept, &[&long, "", "not kept"]).len(), 2);
        assert_eq!(cells_of(&kept, &[&long, "y", ""]), [""; 0]);
        assert!(RowCells::none().to_vec().is_empty());
    }
}
