//! Ceilings. A file that passes one is refused, with the ceiling's name and size.

/// How large a text file and its parts may be.
///
/// The defaults are far above any export of people and far below what would hurt this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes in a field.
    pub field_bytes: usize,
    /// Most bytes in a record.
    pub record_bytes: usize,
    /// Most line ends inside a record (in quoted fields).
    pub record_lines: u64,
    /// Most columns.
    pub columns: usize,
    /// Most rows; row numbers are kept in 31 bits.
    pub rows: u32,
    /// Most bytes in the file.
    pub file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            field_bytes: 64 * 1024,
            record_bytes: 1024 * 1024,
            record_lines: 1_000,
            // as many as a worksheet has
            columns: 16_384,
            rows: 10_000_000,
            file_bytes: 16 * 1024 * 1024 * 1024,
        }
    }
}

/// Rows with too few or too many fields that are still rejected one by one.
const ALWAYS_TOLERATED: u64 = 3;
/// One in so many rows may be ragged.
const ONE_IN: u64 = 100;

/// Whether so many ragged rows refuse the file: more than 3, and more than 1 % of the rows.
/// `rows` counts the ragged ones too.
#[must_use]
pub const fn too_many_ragged(ragged: u64, rows: u64) -> bool {
    ragged > ALWAYS_TOLERATED && ragged * ONE_IN > rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_ragged_rows_are_always_tolerated_and_one_in_a_hundred() {
        assert!(!too_many_ragged(3, 3));
        assert!(too_many_ragged(4, 399));
        assert!(!too_many_ragged(4, 400));
    }
}
