//! Rows that need not be mapped again: a digest says that a row is the one behind the ledger's
//! resource, made by the same mapping.
//!
//! The digest is of the whole row, columns that nobody maps included, under a seed of everything in
//! the file around it that has a say in its resource. So it is quick, and it errs on one side only:
//! a row that looks new is mapped and compared, and costs no call when the resource is the same.

use sha2::{Digest as _, Sha256};

use crate::domain::Row;
use crate::mapping::DateOrder;

/// Rows of the ledger that are looked at before all of it is searched.
const NEAR: usize = 4;

/// The digests of a source's known rows.
///
/// Most files name people in the ledger's order, by id. So a row is looked for behind the one that
/// was found last, where the memory is near, and only then everywhere.
#[derive(Debug, Default)]
pub struct KnownRows {
    /// In the ledger's order, as numbers whose first byte counts most.
    digests: Vec<u128>,
    /// Whether each was looked for and found.
    seen: Vec<bool>,
    /// Behind the row that was found last.
    next: usize,
    /// The places of the digests, those with the same first bits together.
    places: Vec<u32>,
    /// Where each of those groups ends in `places`.
    ends: Vec<u32>,
    bits: u32,
}

impl KnownRows {
    /// From the ledger's digests, 2^32 at most, one for each person; 0 for none.
    #[must_use]
    pub fn new(digests: Vec<u128>) -> Self {
        let bits = digests.len().max(1).ilog2();
        // counted first, then summed up, then filled from the end of each group to its start
        let mut ends = vec![0_u32; 1 << bits];
        let is_one = |digest: &&u128| **digest != 0;
        for digest in digests.iter().filter(is_one) {
            if let Some(count) = ends.get_mut(group(*digest, bits)) {
                *count += 1;
            }
        }
        let mut end = 0;
        for count in &mut ends {
            end += *count;
            *count = end;
        }
        let mut starts = ends.clone();
        let mut places = vec![0; usize::try_from(end).unwrap_or(digests.len())];
        for (at, digest) in (0..).zip(&digests).filter(|(_, digest)| is_one(digest)) {
            let Some(start) = starts.get_mut(group(*digest, bits)) else { continue };
            *start = start.saturating_sub(1);
            if let Some(place) = usize::try_from(*start).ok().and_then(|at| places.get_mut(at)) {
                *place = at;
            }
        }
        let seen = vec![false; digests.len()];
        Self { digests, seen, next: 0, places, ends, bits }
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether the ledger has the resource of this row, whose person is seen then.
    pub fn see(&mut self, digest: u128) -> bool {
        let near = self.digests.get(self.next..).unwrap_or_default().iter().take(NEAR);
        let found = match near.copied().position(|known| known == digest) {
            Some(past) => Some(self.next + past),
            None => self.find(digest),
        };
        let Some(at) = found.filter(|_| digest != 0) else { return false };
        if let Some(seen) = self.seen.get_mut(at) {
            *seen = true;
        }
        self.next = at + 1;
        true
    }

    /// Whether the row of this person was seen, counted from 0.
    #[must_use]
    pub fn is_seen(&self, person: usize) -> bool {
        self.seen.get(person) == Some(&true)
    }

    /// Nobody was seen.
    pub fn forget(&mut self) {
        self.seen.fill(false);
        self.next = 0;
    }

    fn find(&self, digest: u128) -> Option<usize> {
        let own = group(digest, self.bits);
        let end = |group: usize| self.ends.get(group).and_then(|end| usize::try_from(*end).ok());
        let start = own.checked_sub(1).map_or(Some(0), end)?;
        let places = self.places.get(start..end(own)?)?;
        let places = places.iter().filter_map(|at| usize::try_from(*at).ok());
        places.into_iter().find(|at| self.digests.get(*at) == Some(&digest))
    }
}

fn group(digest: u128, bits: u32) -> usize {
    // a shift by all bits is none
    let first = digest.checked_shr(u128::BITS - bits).unwrap_or(0);
    usize::try_from(first).unwrap_or(0)
}

/// Digests the rows of one file.
///
/// How dates are read, and how wide ids are, is the whole file's to say: it is known at the file's
/// end, and so it is the last thing that goes into a digest.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowDigests {
    seed: u64,
    reading: u128,
}

impl RowDigests {
    /// For rows under these headers.
    pub(super) fn new(headers: &[String], reading: u128) -> Self {
        let mut hash = Sha256::new();
        for header in headers {
            hash.update((header.len() as u64).to_le_bytes());
            hash.update(header);
        }
        let digest: [u8; 32] = hash.finalize().into();
        let seed = digest.first_chunk().map_or(0, |start| u64::from_le_bytes(*start));
        Self { seed, reading }
    }

    pub(super) fn of(self, row: &Row<'_>) -> u128 {
        u128::from_be_bytes(row.digest(self.seed)) ^ self.reading
    }
}

/// How a file is read, as a number that goes into the digests of its rows.
pub(super) fn reading(orders: &[DateOrder], id_width: Option<usize>) -> u128 {
    let mut hash = Sha256::new();
    for order in orders {
        // whichever values prove it
        for text in [&order.attribute, &order.format, &order.instead_of] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        hash.update(format!("{:?}", order.column));
    }
    hash.update(format!("{id_width:?}"));
    let digest: [u8; 32] = hash.finalize().into();
    digest.first_chunk().map_or(0, |start| u128::from_be_bytes(*start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_known_when_all_of_it_is() {
        let spread = |number: u128| number.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        for count in [0, 1, 3, 5_000] {
            // the first has none
            let mut known = KnownRows::new((0..count).map(spread).collect());
            assert_eq!(known.is_empty(), count < 2);
            assert!(!known.see(0));
            // in the ledger's order, against it, and with gaps
            let order = (1..count).chain((1..count).rev()).chain((1..count).step_by(7));
            for digest in order.map(spread) {
                assert!(known.see(digest));
                for other in [digest ^ 1, digest ^ 1 << 64, digest ^ 1 << 127] {
                    assert!(!known.see(other));
                }
            }
            let all = usize::try_from(count).unwrap();
            assert!((0..all).all(|at| known.is_seen(at) == (at > 0)));
            known.forget();
            assert!((0..=all).all(|at| !known.is_seen(at)));
        }
    }
}
