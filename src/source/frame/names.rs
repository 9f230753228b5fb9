//! Is a cell the name of a column? Asked of many cells that are not.

use std::collections::HashSet;

use crate::domain::{ColumnUse, fold_header};

/// The names of columns, of the header and the mapped ones.
#[derive(Debug)]
pub(super) struct Names {
    all: HashSet<String>,
    /// For each first byte, in lower case, the lengths (below 64) of the names that begin with it.
    lengths: Box<[u64; 256]>,
    longest: usize,
}

impl Names {
    pub(super) fn new(headers: &[String], columns: &[ColumnUse]) -> Self {
        let columns = columns.iter().map(|column| fold_header(&column.name).into_owned());
        let all: HashSet<String> = headers.iter().cloned().chain(columns).collect();
        let all: HashSet<String> = all.into_iter().filter(|name| !name.is_empty()).collect();
        let mut lengths = Box::new([0; 256]);
        for name in &all {
            let first = name.bytes().next().unwrap_or_default();
            if let Some(lengths) = lengths.get_mut(usize::from(first)) {
                *lengths |= bit(name.len());
            }
        }
        let longest = all.iter().map(String::len).max().unwrap_or(0);
        Self { all, lengths, longest }
    }

    /// Whether a cell could be a name; swift.
    pub(super) fn may_have(&self, cell: &[u8]) -> bool {
        match cell.first() {
            // what is folded may be longer or shorter
            Some(byte) if !byte.is_ascii_graphic() => true,
            Some(byte) => {
                let first = usize::from(byte.to_ascii_lowercase());
                let lengths = self.lengths.get(first).copied().unwrap_or_default();
                lengths != 0 && (lengths & bit(cell.len()) != 0 || !is_plain(cell))
            }
            None => false,
        }
    }

    pub(super) fn has(&self, cell: &str) -> bool {
        // blanks and invisible characters that fold away are few
        cell.len() <= self.longest.saturating_mul(4).saturating_add(64)
            && self.may_have(cell.as_bytes())
            && self.all.contains(&*fold_header(cell))
    }
}

/// Whether folding changes no length.
fn is_plain(cell: &[u8]) -> bool {
    cell.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'-')
}

fn bit(length: usize) -> u64 {
    1 << length.min(63)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_however_they_are_written_and_other_cells_are_not() {
        let headers = ["employee id".to_owned(), String::new(), "größe".to_owned()];
        let kind = crate::domain::ColumnKind::Text;
        let column = ColumnUse { name: "WorkEmail".to_owned(), optional: false, kind };
        let names = Names::new(&headers, &[column]);
        for cell in ["Employee ID", " employee  id", "EMPLOYEE\u{a0}ID", "workemail", "Größe"] {
            assert!(names.has(cell), "{cell}");
        }
        for cell in ["", "E123", "employee", "100457", "Gröse", &"e".repeat(70_000)] {
            assert!(!names.has(cell), "{cell}");
        }
        assert!(!names.may_have(b"E00123"));
    }
}
