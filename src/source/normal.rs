//! Letters in one form: Unicode's NFC.
//!
//! `ë` can be one character or an `e` and a mark, and both look alike; an id or a name must not
//! change because an export writes it the other way. Sources hand rows on in NFC.

use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::domain::Row;

/// Bytes from this one on begin the characters from U+0300 on; all before that are NFC.
const FIRST_BYTE: u8 = 0xCC;

/// Bytes that are looked at together.
const BLOCK: usize = 64;

/// Puts rows into NFC, one after the other.
#[derive(Debug, Default)]
pub struct Normalizer {
    text: String,
    ends: Vec<usize>,
}

impl Normalizer {
    /// The row in NFC: the same, or a copy that lives here until the next one.
    #[must_use]
    #[inline]
    pub fn apply<'a>(&'a mut self, row: Row<'a>) -> Row<'a> {
        // by blocks, whose bytes are compared many at a time
        let is_low = |block: &[u8]| block.iter().fold(0, |most, &byte| most.max(byte)) < FIRST_BYTE;
        let (blocks, rest) = row.text().as_bytes().as_chunks::<BLOCK>();
        if blocks.iter().all(|block| is_low(block)) && is_low(rest) {
            return row;
        }
        self.apply_slowly(row)
    }

    fn apply_slowly<'a>(&'a mut self, row: Row<'a>) -> Row<'a> {
        if is_nfc(row.text()) {
            return row;
        }
        self.text.clear();
        self.ends.clear();
        // cell by cell: a mark at the start of a cell belongs to no letter of the cell before
        for cell in row.cells() {
            self.text.extend(cell.nfc());
            self.ends.push(self.text.len());
        }
        Row::new(&self.text, &self.ends, row.row, row.line).with_marks(row.marks())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CellFault, CellMark, Mark};

    fn normal(cells: &[&str]) -> Vec<String> {
        let text = cells.concat();
        let mut ends = Vec::new();
        for cell in cells {
            ends.push(ends.last().copied().unwrap_or(0) + cell.len());
        }
        let marks = [Mark { cell: 1, kind: CellMark::Unknown(CellFault::Error) }];
        let row = Row::new(&text, &ends, 7, Some(9)).with_marks(&marks);
        let mut normalizer = Normalizer::default();
        let row = normalizer.apply(row);
        assert_eq!((row.row, row.line, row.len()), (7, Some(9), cells.len()));
        assert_eq!(row.marks(), marks);
        row.cells().map(str::to_owned).collect()
    }

    #[test]
    fn a_letter_and_its_mark_become_one_letter() {
        let composed = std::str::from_utf8(b"\x5A\x6F\xC3\xAB").unwrap();
        let decomposed = std::str::from_utf8(b"\x5A\x6F\x65\xCC\x88").unwrap();
        assert_eq!(normal(&["1", decomposed, "x"]), ["1", composed, "x"]);
        assert_eq!(normal(&["1", composed, "x"]), ["1", composed, "x"]);
        // full-width digits are other digits, not another form of these
        assert_eq!(normal(&["１２３", "e\u{308}"]), ["１２３", "ë"]);
    }

    #[test]
    fn a_mark_at_the_start_of_a_cell_stays_in_its_cell() {
        assert_eq!(normal(&["e", "\u{308}x"]), ["e", "\u{308}x"]);
    }

    #[test]
    fn a_row_that_is_in_nfc_is_not_copied() {
        let row = Row::new("äßŁИ字", &[2, 13], 1, None);
        let mut normalizer = Normalizer::default();
        let same = normalizer.apply(row);
        assert_eq!(same.text().as_ptr(), row.text().as_ptr());
    }

    proptest::proptest! {
        #[test]
        fn every_cell_comes_out_in_nfc(cells in proptest::collection::vec("[a-e\u{300}-\u{310}\u{ac00}é\\PC]{0,8}", 1..5)) {
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            let expected: Vec<String> = cells.iter().map(|cell| cell.nfc().collect()).collect();
            proptest::prop_assert_eq!(normal(&cells), expected);
        }
    }
}
