//! A row in 128 bits, by which a row that was seen before is known again.
//!
//! The digest is stored and made of every row of every file, so it is the same on every machine and
//! for good, and takes a tenth of the time of SHA-256. It keeps accidents apart, not forgers: two
//! halves of 64 bits are made of the same words with other constants, so that a changed row is
//! overlooked with odds of 2^-64 even where one half is of no use.

use crate::domain::mix::{FACTORS, mix, wide};
use crate::domain::{CellFault, CellMark, Row};

/// Bytes that are taken at a time.
const BLOCK: usize = 32;
/// Where the halves begin: fractional digits of pi.
const STARTS: [[u64; 2]; 2] = [
    [0x243F_6A88_85A3_08D3, 0x1319_8A2E_0370_7344],
    [0xA409_3822_299F_31D0, 0x4528_21E6_38D0_1377],
];

impl Row<'_> {
    /// The digest of all cells, of where each ends, and of all marks. Under another seed every row
    /// has another one. What it is never changes: it is stored.
    #[must_use]
    pub fn digest(&self, seed: u64) -> [u8; 16] {
        let [mut left, mut right] = STARTS.map(|[first, second]| Halves { first, second });
        let (text, ends) = (self.text().as_bytes(), self.ends());
        left.take(seed, wide(text.len()));
        right.take(wide(ends.len()) | wide(self.marks().len()) << 32, seed);
        let mut take = |[a, b, c, d]: [u64; 4]| {
            left.take(a, b);
            right.take(c, d);
        };
        let (blocks, rest) = text.as_chunks::<BLOCK>();
        for block in blocks {
            take(words(block));
        }
        if !rest.is_empty() {
            // the last bytes of a longer text once more, or a short one with zeros behind it
            let mut padded = [0; BLOCK];
            padded.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            take(words(text.last_chunk().unwrap_or(&padded)));
        }
        let (blocks, rest) = ends.as_chunks::<8>();
        for block in blocks {
            take(pairs(block));
        }
        if !rest.is_empty() {
            let mut padded = [0; 8];
            padded.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            take(pairs(&padded));
        }
        for mark in self.marks() {
            left.take(wide(mark.cell), number(mark.kind));
        }
        left.take(right.first, right.second);
        let [_, [first, second]] = STARTS;
        left.take(first, second);
        left.take(second, first);
        (u128::from(left.second) << 64 | u128::from(left.first)).to_le_bytes()
    }
}

/// The two halves of a digest on its way.
#[derive(Clone, Copy)]
struct Halves {
    first: u64,
    second: u64,
}

impl Halves {
    #[inline]
    fn take(&mut self, left: u64, right: u64) {
        let [first, second] = FACTORS;
        self.first = mix(self.first ^ left, right ^ first);
        self.second = mix(self.second ^ right, left ^ second);
    }
}

#[inline]
fn words(block: &[u8; BLOCK]) -> [u64; 4] {
    let (words, _) = block.as_chunks::<8>();
    let mut numbers = [0; 4];
    numbers.iter_mut().zip(words).for_each(|(to, from)| *to = u64::from_le_bytes(*from));
    numbers
}

/// Two ends in a word; no row is longer than 32 bits can say.
#[inline]
fn pairs(ends: &[usize; 8]) -> [u64; 4] {
    let (two, _) = ends.as_chunks::<2>();
    let mut pairs = [0; 4];
    for (pair, [low, high]) in pairs.iter_mut().zip(two) {
        *pair = wide(*low) | wide(*high) << 32;
    }
    pairs
}

/// A mark as a number, which stays the same for good.
const fn number(mark: CellMark) -> u64 {
    match mark {
        CellMark::Date => 1,
        CellMark::Unknown(CellFault::Error) => 2,
        CellMark::Unknown(CellFault::NoResult) => 3,
        CellMark::Unknown(CellFault::Precision) => 4,
        CellMark::Unknown(CellFault::Exponent) => 5,
        CellMark::Unknown(CellFault::NoSuchDay) => 6,
        CellMark::Unknown(CellFault::DateRange) => 7,
        CellMark::Unknown(CellFault::Merged) => 8,
        CellMark::Unknown(CellFault::Structure) => 9,
        CellMark::Unknown(CellFault::Missing) => 10,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::domain::Mark;

    fn digest(cells: &[&str], marks: &[Mark], seed: u64) -> u128 {
        let text = cells.concat();
        let ends: Vec<usize> = cells
            .iter()
            .scan(0, |end, cell| {
                *end += cell.len();
                Some(*end)
            })
            .collect();
        let row = Row::new(&text, &ends, 2, Some(2)).with_marks(marks);
        u128::from_le_bytes(row.digest(seed))
    }

    const DATE: Mark = Mark { cell: 1, kind: CellMark::Date };

    #[test]
    fn what_is_stored_is_known_again_by_any_machine() {
        let long = "0123456789abcdefghijklmnopqrstuvwxyzäöü".repeat(7);
        let many = ["x"; 11];
        let marks = [DATE, Mark { cell: 2, kind: CellMark::Unknown(CellFault::Structure) }];
        // made by an implementation in another language
        assert_eq!(digest(&[], &[], 0), 0xb606_8ed7_a6c8_f7e2_808c_8a92_f5a2_e881);
        assert_eq!(
            digest(&["00123", "Zoë", ""], &[], 0),
            0x2527_6842_733d_92aa_9120_feda_cbdd_b6b2
        );
        assert_eq!(
            digest(&["00123", "Zoë", ""], &[], 7),
            0x280b_6118_5de3_7c19_7166_ee39_8263_190c
        );
        assert_eq!(
            digest(&["00123", "2026-01-02", ""], &marks, 7),
            0x3f31_59f9_cd47_fa03_8668_9a3f_bd1f_c93a
        );
        assert_eq!(
            digest(&[&long, "", &long], &[], u64::MAX),
            0x3905_714a_a7bf_4177_53bd_bbc6_dbb6_fec3
        );
        assert_eq!(digest(&many, &[], 1), 0xc200_9cad_4d41_b430_fd03_1a61_175f_a03e);
    }

    #[test]
    fn cells_marks_and_seed_tell_rows_apart() {
        let fault = |fault| Mark { cell: 1, kind: CellMark::Unknown(fault) };
        let digests = [
            digest(&["ab", "c"], &[], 0),
            digest(&["a", "bc"], &[], 0),
            digest(&["abc"], &[], 0),
            digest(&["abc", ""], &[], 0),
            digest(&["", "abc"], &[], 0),
            digest(&["abc\0", ""], &[], 0),
            digest(&["ab", "c"], &[], 1),
            digest(&["ab", "c"], &[DATE], 0),
            digest(&["ab", "c"], &[Mark { cell: 0, ..DATE }], 0),
            digest(&["ab", "c"], &[fault(CellFault::Error)], 0),
            digest(&["ab", "c"], &[fault(CellFault::Merged)], 0),
        ];
        assert_eq!(HashSet::from(digests).len(), digests.len());
    }

    #[test]
    fn every_bit_of_a_row_changes_half_of_the_digests_bits() {
        for length in [1, 7, 8, 31, 32, 33, 63, 64, 65, 245] {
            let cells = ["0".repeat(length), "é".to_owned(), "7".repeat(length)];
            let cells = cells.each_ref().map(String::as_str);
            let whole = digest(&cells, &[], 0);
            let mut flipped = 0;
            for at in 0..length {
                for bit in 0..7 {
                    let mut bytes = "0".repeat(length).into_bytes();
                    bytes[at] ^= 1 << bit;
                    let text = String::from_utf8(bytes).unwrap();
                    let changed = digest(&[&text, cells[1], cells[2]], &[], 0) ^ whole;
                    for half in [changed >> 64, changed & u128::from(u64::MAX)] {
                        assert!((8..=56).contains(&half.count_ones()), "{length} {at} {bit}");
                    }
                    flipped += changed.count_ones() as usize;
                }
            }
            let average = flipped / (length * 7);
            assert!((58..=70).contains(&average), "{average} of 128 bits at {length} bytes");
        }
    }

    #[test]
    fn rows_that_are_nearly_the_same_differ_in_both_halves() {
        let (mut low, mut high) = (HashSet::new(), HashSet::new());
        for number in 0..50_000 {
            let text = format!("{number:08}");
            let whole = digest(&[&text, "Active", "Employee", &text], &[], 0);
            low.insert(whole & u128::from(u64::MAX));
            high.insert(whole >> 64);
        }
        assert_eq!((low.len(), high.len()), (50_000, 50_000));
    }
}
