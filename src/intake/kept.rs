//! Rows that a first pass keeps, so that nobody has to read the file once more.
//!
//! Most files say what the last one said but for a few rows. A first pass over such a file passes
//! over the rows that are known, and keeps the others: those are few enough to be mapped from
//! memory. Where they are not, or the file is to be read otherwise than its beginning promised,
//! nothing is kept, and a second pass goes over all of it.

use crate::domain::{RecordProblem, Row};
use crate::intake::known::{KnownRows, RowDigests, reading};
use crate::mapping::DateOrder;

/// Rows by which it is guessed how all of the file will be read.
const SAMPLE: usize = 1_000;
/// Most bytes that are kept.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// A row out of the reader's buffers.
pub(super) enum KeptRow {
    Row { text: Box<str>, ends: Box<[usize]>, row: u64, line: Option<u64> },
    Bad { row: u64, line: Option<u64>, problem: Box<RecordProblem> },
}

/// All rows of a file that are not known, in file order.
pub(super) struct KeptRows {
    pub(super) headers: Vec<String>,
    pub(super) rows: Vec<KeptRow>,
    /// How many rows are known.
    pub(super) known: u64,
}

/// Keeps rows on the way.
pub(super) struct Keeper<'k> {
    known: &'k mut KnownRows,
    headers: Vec<String>,
    /// Without how the file is read.
    digests: RowDigests,
    /// How the file is read, once that is guessed.
    reading: Option<u128>,
    rows: Vec<KeptRow>,
    passed: u64,
    bytes: usize,
    is_given_up: bool,
}

impl<'k> Keeper<'k> {
    /// For a file with these headers.
    pub(super) fn new(known: &'k mut KnownRows, headers: &[String]) -> Self {
        known.forget();
        let is_given_up = known.is_empty();
        Self {
            known,
            headers: headers.to_vec(),
            digests: RowDigests::new(headers, 0),
            reading: None,
            rows: Vec::new(),
            passed: 0,
            bytes: 0,
            is_given_up,
        }
    }

    /// Takes in a row. `so_far` tells what the rows before it have shown.
    pub(super) fn row(
        &mut self,
        row: &Row<'_>,
        so_far: impl FnOnce() -> Option<(Vec<DateOrder>, Option<usize>)>,
    ) {
        if self.is_given_up {
            return;
        }
        if self.reading.is_none() && self.rows.len() >= SAMPLE {
            match so_far() {
                Some((orders, id_width)) => self.read_as(reading(&orders, id_width)),
                None => return self.give_up(),
            }
        }
        if let Some(reading) = self.reading
            && self.known.see(self.digests.of(row) ^ reading)
        {
            self.passed += 1;
            return;
        }
        let ends = row.ends().into();
        self.keep(KeptRow::Row { text: row.text().into(), ends, row: row.row, line: row.line });
        if !row.marks().is_empty() {
            // only workbooks have marks, and those are never read at once
            self.give_up();
        }
    }

    /// Takes in a row that cannot be read.
    pub(super) fn bad(&mut self, row: u64, line: Option<u64>, problem: Box<RecordProblem>) {
        if !self.is_given_up {
            self.keep(KeptRow::Bad { row, line, problem });
        }
    }

    /// All that was kept, where the file is read as was guessed.
    pub(super) fn finish(
        mut self,
        orders: &[DateOrder],
        id_width: Option<usize>,
    ) -> Option<KeptRows> {
        let reading = reading(orders, id_width);
        if self.reading.is_none() && !self.is_given_up {
            self.read_as(reading);
        }
        if self.is_given_up || self.reading != Some(reading) {
            self.known.forget();
            return None;
        }
        Some(KeptRows { headers: self.headers, rows: self.rows, known: self.passed })
    }

    fn read_as(&mut self, reading: u128) {
        self.reading = Some(reading);
        let Self { known, digests, rows, passed, .. } = self;
        rows.retain(|kept| {
            let KeptRow::Row { text, ends, row, line } = kept else { return true };
            let is_known = known.see(digests.of(&Row::new(text, ends, *row, *line)) ^ reading);
            *passed += u64::from(is_known);
            !is_known
        });
    }

    fn keep(&mut self, row: KeptRow) {
        self.bytes += size_of::<KeptRow>();
        if let KeptRow::Row { text, ends, .. } = &row {
            self.bytes += text.len() + size_of_val::<[usize]>(ends);
        }
        if self.bytes > MOST_BYTES {
            return self.give_up();
        }
        self.rows.push(row);
    }

    fn give_up(&mut self) {
        self.is_given_up = true;
        self.rows = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADERS: [&str; 2] = ["WorkerID", "Name"];

    fn headers() -> Vec<String> {
        HEADERS.map(str::to_owned).to_vec()
    }

    fn text(number: usize) -> (String, [usize; 2]) {
        let id = format!("{number:06}");
        let text = format!("{id}Name of {number}");
        let ends = [id.len(), text.len()];
        (text, ends)
    }

    /// The digests of these rows, in a file whose ids have this width.
    fn known(numbers: impl Iterator<Item = usize>, width: usize) -> KnownRows {
        let digests = RowDigests::new(&headers(), reading(&[], Some(width)));
        let digest = |number| {
            let (text, ends) = text(number);
            digests.of(&Row::new(&text, &ends, 2, None))
        };
        KnownRows::new(numbers.map(digest).collect())
    }

    /// Passes over a file of so many rows whose ids turn out to have widths, at first and at its end.
    fn kept(known: &mut KnownRows, rows: usize, widths: [usize; 2]) -> Option<(Vec<usize>, u64)> {
        let mut keeper = Keeper::new(known, &headers());
        for number in 0..rows {
            let (text, ends) = text(number);
            let row = Row::new(&text, &ends, number as u64 + 2, None);
            keeper.row(&row, || Some((Vec::new(), Some(widths[0]))));
        }
        let kept = keeper.finish(&[], Some(widths[1]))?;
        let number = |row: &KeptRow| match row {
            KeptRow::Row { text, .. } => text[..6].parse().unwrap(),
            KeptRow::Bad { row, .. } => usize::try_from(*row).unwrap(),
        };
        Some((kept.rows.iter().map(number).collect(), kept.known))
    }

    #[test]
    fn rows_that_are_known_are_passed_over_and_the_others_kept_in_order() {
        for rows in [0, 1, 999, 1_000, 1_001, 5_000] {
            let is_known = |number: &usize| number % 7 != 3;
            let mut known = known((0..rows).filter(is_known), 6);
            let expected: Vec<usize> = (0..rows).filter(|number| !is_known(number)).collect();
            let passed = (rows - expected.len()) as u64;
            let kept = kept(&mut known, rows, [6, 6]);
            // where nothing is known there is nothing to be had
            assert_eq!(kept, (rows > 0).then_some((expected, passed)), "{rows}");
        }
    }

    #[test]
    fn a_file_that_is_read_otherwise_in_the_end_is_read_again() {
        let mut known = known(0..5_000, 6);
        assert_eq!(kept(&mut known, 5_000, [6, 7]), None);
        assert!((0..5_000).all(|person| !known.is_seen(person)));
        // a short one is not guessed at
        assert_eq!(kept(&mut known, 900, [7, 6]), Some((Vec::new(), 900)));
        assert!((0..900).all(|person| known.is_seen(person)));
    }

    #[test]
    fn rows_are_kept_up_to_a_ceiling_alone() {
        let mut known = known(0..1, 6);
        assert_eq!(kept(&mut known, 120_000, [6, 6]), None);
    }

    #[test]
    fn a_row_that_cannot_be_read_stands_among_the_others() {
        let mut known = known(0..5, 6);
        let problem = RecordProblem {
            code: "source.ragged",
            attribute: None,
            column: None,
            message: String::new(),
            hint: None,
        };
        let mut keeper = Keeper::new(&mut known, &headers());
        for number in 0..3 {
            let (text, ends) = text(number + 3);
            keeper.row(&Row::new(&text, &ends, 2, None), || None);
            keeper.bad(9, None, Box::new(problem.clone()));
        }
        let kept = keeper.finish(&[], Some(6)).unwrap();
        assert!(matches!(
            kept.rows.as_slice(),
            [KeptRow::Bad { .. }, KeptRow::Bad { .. }, KeptRow::Row { .. }, KeptRow::Bad { .. }]
        ));
        assert_eq!(kept.known, 2);
    }
}
