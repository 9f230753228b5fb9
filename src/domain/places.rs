//! Where to look in a sorted list of hashes.
//!
//! Hashes are spread evenly, so their upper bits say about where one stands: a look-up touches the
//! memory twice, where a binary search of a million touches it twenty times.

use std::ops::Range;

/// Hashes of which about so many share their upper bits.
const TOGETHER: usize = 2;

/// The places of a sorted list by the upper bits of its hashes; it takes two to four bytes for each.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// Where the hashes begin whose upper bits are no less than this place's number.
    starts: Vec<u32>,
    bits: u32,
    len: usize,
}

impl Places {
    /// Of hashes that come sorted, 2^32 at most.
    pub(crate) fn new(hashes: impl ExactSizeIterator<Item = u64>) -> Self {
        let len = hashes.len();
        let bits = (len / TOGETHER).max(1).ilog2();
        let mut starts = Vec::with_capacity(1 << bits);
        for (at, hash) in (0..).zip(hashes) {
            let place = usize::try_from(upper(hash, bits)).unwrap_or(0);
            while starts.len() <= place {
                starts.push(at);
            }
        }
        Self { starts, bits, len }
    }

    /// Where a hash stands if it is there: all others in this part of the list are near it.
    #[inline]
    pub(crate) fn of(&self, hash: u64) -> Range<usize> {
        let place = usize::try_from(upper(hash, self.bits)).unwrap_or(usize::MAX);
        let start = |place: usize| self.starts.get(place).and_then(|at| usize::try_from(*at).ok());
        let from = start(place).unwrap_or(self.len);
        from..place.checked_add(1).and_then(start).unwrap_or(self.len)
    }
}

const fn upper(hash: u64, bits: u32) -> u64 {
    // a shift by all 64 bits is none
    match hash.checked_shr(u64::BITS - bits) {
        Some(upper) => upper,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hash_is_where_it_is_looked_for() {
        for (count, by) in [(0, 1), (1, 1), (20, 1), (30_000, 1), (30_000, 3), (30_000, 30_000)] {
            let spread = |number: u64| (number / by).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mut hashes: Vec<u64> = (0..count).map(spread).collect();
            hashes.sort_unstable();
            let places = Places::new(hashes.iter().copied());
            let mut widest = 0;
            for wanted in hashes.iter().flat_map(|hash| [*hash, hash.wrapping_add(1)]) {
                let range = places.of(wanted);
                let first = hashes.partition_point(|hash| *hash < wanted);
                let last = hashes.partition_point(|hash| *hash <= wanted);
                assert!(first == last || (range.start <= first && last <= range.end));
                widest = widest.max(range.len());
            }
            assert!(by > 3 || widest < 30, "{widest} of {count}");
            assert!(places.of(u64::MAX).end <= hashes.len() && places.of(1).end <= hashes.len());
        }
    }
}
