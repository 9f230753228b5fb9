//! What reading a workbook came to, beside the rows in the spool; and addresses of cells.

use super::merged::Stretch;
use crate::source::{Finding, Merged};

/// What is known of a sheet that was read into a spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkbookShape {
    /// The name of the sheet.
    pub sheet: String,
    /// The headers in sheet order, the first being column A; empty where a column has none.
    pub headers: Vec<String>,
    /// The sheet row that holds them, from 1.
    pub header_row: u32,
    /// Rows in the spool: those below the header that have anything under any header.
    pub rows: u64,
    /// How many of them are hidden.
    pub hidden_rows: u64,
    /// What was noticed.
    pub findings: Vec<Finding>,
    /// The stretches of mapped columns that are merged, by column and row.
    pub(super) merged: Vec<Stretch>,
    /// What becomes of them.
    pub(super) merging: Merged,
}

impl WorkbookShape {
    /// The address of a cell as a spreadsheet program shows it, such as `D7`; the column counted
    /// from 0, the row from 1.
    #[must_use]
    pub fn address(column: usize, row: u64) -> String {
        format!("{}{row}", Self::letters(column))
    }

    /// The letters of a column, counted from 0: `A` to `XFD` in worksheets.
    #[must_use]
    pub fn letters(column: usize) -> String {
        let mut letters = Vec::new();
        let mut rest = column;
        loop {
            letters.push(b'A' + u8::try_from(rest % 26).unwrap_or(0));
            match (rest / 26).checked_sub(1) {
                Some(next) => rest = next,
                None => break,
            }
        }
        letters.iter().rev().copied().map(char::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::workbook::sheet::column;

    #[test]
    fn columns_have_letters_and_letters_columns() {
        assert_eq!(WorkbookShape::address(3, 7), "D7");
        assert_eq!(WorkbookShape::address(16_383, 1_048_576), "XFD1048576");
        for index in [0_u32, 25, 26, 51, 52, 701, 702, 16_383] {
            let letters = WorkbookShape::letters(usize::try_from(index).unwrap());
            assert_eq!(column(letters.as_bytes()), Some(index), "{letters}");
        }
    }
}
