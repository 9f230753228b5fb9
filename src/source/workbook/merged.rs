//! Merged ranges: which cells of a row have the value of another cell, or none that is known.
//!
//! A worksheet lists its merged ranges behind its rows, so they are applied when the spool is read.

use super::sheet::column;

/// A merged range; rows from 1, columns from 0, ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub first_row: u32,
    pub last_row: u32,
    pub first_column: u32,
    pub last_column: u32,
}

impl Range {
    /// A range such as `A2:B3`.
    pub(super) fn parse(range: &[u8]) -> Option<Self> {
        let at = range.iter().position(|&byte| byte == b':')?;
        let (first, last) = (range.get(..at)?, range.get(at + 1..)?);
        let range = Self {
            first_row: row(first)?,
            last_row: row(last)?,
            first_column: column(first)?,
            last_column: column(last)?,
        };
        range.is_sound().then_some(range)
    }

    /// Whether it is more than one cell, and the right way round.
    pub(super) const fn is_sound(&self) -> bool {
        self.first_row <= self.last_row
            && self.first_column <= self.last_column
            && (self.first_row < self.last_row || self.first_column < self.last_column)
    }
}

/// The row of an address such as `AB12`.
fn row(address: &[u8]) -> Option<u32> {
    let digits = address.iter().position(u8::is_ascii_digit)?;
    super::styles::number(address.get(digits..)?).filter(|&row| row > 0)
}

/// A stretch of one column in a merged range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub column: u32,
    pub first_row: u32,
    pub last_row: u32,
    /// The column that holds the value, in the first row.
    pub from_column: u32,
    /// Whether the first cell of the stretch is the one that holds the value.
    pub is_first: bool,
}

/// The stretches of the mapped columns in ranges below the header, by column and row; none overlap.
/// `None` when there are more than so many.
pub(super) fn stretches(
    ranges: &[Range],
    is_mapped: impl Fn(u32) -> bool,
    columns: u32,
    header_row: u32,
    most: usize,
) -> Option<Vec<Stretch>> {
    let mut stretches = Vec::new();
    for range in ranges.iter().filter(|range| range.last_row > header_row) {
        for column in range.first_column..=range.last_column.min(columns.saturating_sub(1)) {
            if !is_mapped(column) {
                continue;
            }
            if stretches.len() >= most {
                return None;
            }
            stretches.push(Stretch {
                column,
                first_row: range.first_row,
                last_row: range.last_row,
                from_column: range.first_column,
                is_first: column == range.first_column,
            });
        }
    }
    stretches.sort_unstable_by_key(|it| (it.column, it.first_row, it.last_row));
    // ranges that overlap are not allowed; of the later one what is left counts
    let mut end = (u32::MAX, 0);
    stretches.retain_mut(|it| {
        if it.column == end.0 && it.first_row <= end.1 {
            it.first_row = end.1.saturating_add(1);
            it.is_first = false;
        }
        let is_left = it.first_row <= it.last_row;
        if is_left {
            end = (it.column, it.last_row);
        }
        is_left
    });
    Some(stretches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_mapped_columns_below_the_header() {
        let ranges: Vec<Range> = [&b"A1:C1"[..], b"B2:C4", b"$B$4:B6"]
            .iter()
            .filter_map(|it| Range::parse(it))
            .collect();
        let found = stretches(&ranges, |column| column != 2, 3, 1, 10).unwrap();
        let stretch = |first_row, last_row, is_first| Stretch {
            column: 1,
            first_row,
            last_row,
            from_column: 1,
            is_first,
        };
        assert_eq!(found, [stretch(2, 4, true), stretch(5, 6, false)]);
        assert_eq!(stretches(&ranges, |_| true, 3, 0, 1), None);
        for bad in [&b"A1"[..], b"B2:A1", b"A0:A1", b":", b"A1:", b"A1:A1"] {
            assert_eq!(Range::parse(bad), None);
        }
    }
}
