//! Which character separates the fields of a CSV file.

use crate::domain::{ColumnUse, fold_header};
use crate::source::Limits;
use crate::source::records::Records;

/// What is tried where the config says `auto`, the likeliest first.
const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The delimiter under which the header fits best: the one that yields most of the wanted columns,
/// then most columns at all. `sample` is the beginning of the file.
pub(super) fn detect(sample: &[u8], header_row: u32, columns: &[ColumnUse]) -> u8 {
    let mut best = (b',', 0, 1);
    for candidate in CANDIDATES {
        let (found, columns) = fit(sample, candidate, header_row, columns);
        if (found, columns) > (best.1, best.2) {
            best = (candidate, found, columns);
        }
    }
    best.0
}

fn fit(sample: &[u8], delimiter: u8, header_row: u32, columns: &[ColumnUse]) -> (usize, usize) {
    let mut records = Records::new(sample, delimiter, Limits::default(), "");
    for _ in 1..header_row {
        if !matches!(records.next(), Ok(Some(_))) {
            return (0, 0);
        }
    }
    let Ok(Some(header)) = records.next() else {
        return (0, 0);
    };
    let mut found = 0;
    let mut start = 0;
    for &end in header.ends {
        let name = header.text.get(start..end).and_then(|bytes| std::str::from_utf8(bytes).ok());
        if name.is_some_and(|name| {
            let name = fold_header(name);
            columns.iter().any(|column| fold_header(&column.name) == name)
        }) {
            found += 1;
        }
        start = end;
    }
    (found, header.ends.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(sample: &[u8], header_row: u32, wanted: &[&str]) -> u8 {
        let columns: Vec<ColumnUse> = wanted
            .iter()
            .map(|name| ColumnUse {
                name: (*name).to_owned(),
                optional: false,
                kind: crate::domain::ColumnKind::Text,
            })
            .collect();
        super::detect(sample, header_row, &columns)
    }

    #[test]
    fn the_delimiter_under_which_the_header_fits_is_taken() {
        assert_eq!(detect(b"WorkerID;Name, full;Status\n", 1, &["WorkerID", "Name, full"]), b';');
        assert_eq!(detect(b"WorkerID\tStatus\n", 1, &["WorkerID"]), b'\t');
        assert_eq!(detect(b"a|b|c\n", 1, &[]), b'|');
        assert_eq!(detect(b"WorkerID\n", 1, &["WorkerID"]), b',');
        assert_eq!(detect(b"Export of today; all\nWorkerID,Status\n", 2, &["Status"]), b',');
    }
}
