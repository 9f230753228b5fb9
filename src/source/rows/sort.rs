//! Sorting by hashes, which are spread evenly: into parts by their upper bits, in place, and each
//! part, small enough for the fastest memory, for itself.

use crate::domain::Places;
use crate::source::rows::Entry;

/// Fewer items are sorted at once.
const FEW: usize = 4 * 1024;
/// About so many items make a part.
const PART: usize = 512;
/// Most parts: so many places of memory are written to in turn.
const MOST_BITS: u32 = 12;

/// Sorts entries by one of their hashes and, where that is the same, by another number.
pub(super) fn by_hash(entries: &mut [Entry], order: impl Fn(&Entry) -> (u64, u32)) {
    sort(entries, |entry| order(entry).0, |part| part.sort_unstable_by_key(&order));
}

/// Sorts hashes.
pub(super) fn hashes(hashes: &mut [u64]) {
    sort(hashes, |hash| *hash, <[u64]>::sort_unstable);
}

fn sort<T: Copy>(items: &mut [T], hash: impl Fn(&T) -> u64, finish: impl Fn(&mut [T])) {
    // what is sorted already is left alone
    if items.len() < FEW || items.is_sorted_by_key(&hash) {
        return finish(items);
    }
    let bits = (items.len() / PART).ilog2().min(MOST_BITS);
    let part = |item: &T| usize::try_from(hash(item) >> (u64::BITS - bits)).unwrap_or(0);
    let ends = divide(items, 1 << bits, part);
    let mut rest = items;
    let mut start = 0;
    for end in ends {
        let (part, after) = rest.split_at_mut(end - start);
        finish(part);
        rest = after;
        start = end;
    }
}

/// Brings the items of each part together, in the order of the parts; where each part ends.
fn divide<T: Copy>(items: &mut [T], parts: usize, part: impl Fn(&T) -> usize) -> Vec<usize> {
    let mut ends = vec![0; parts];
    for item in &*items {
        if let Some(count) = ends.get_mut(part(item)) {
            *count += 1;
        }
    }
    let mut next = Vec::with_capacity(parts);
    let mut start = 0;
    for count in &mut ends {
        next.push(start);
        start += *count;
        *count = start;
    }
    for (own, &end) in ends.iter().enumerate() {
        while let Some(&at) = next.get(own).filter(|&&at| at < end) {
            // an item that belongs elsewhere takes its place there, and what stood there comes here
            let other = items.get(at).map_or(own, &part);
            if let Some(place) = next.get_mut(other) {
                if other != own {
                    items.swap(at, *place);
                }
                *place += 1;
            }
        }
    }
    ends
}

/// Finds entries by the hash they are sorted by.
pub(super) struct Finder<'a, H> {
    entries: &'a [Entry],
    hash: H,
    places: Places,
}

impl<'a, H: Fn(&Entry) -> u64> Finder<'a, H> {
    /// A finder over sorted entries.
    pub(super) fn new(entries: &'a [Entry], hash: H) -> Self {
        let places = Places::new(entries.iter().map(&hash));
        Self { entries, hash, places }
    }

    /// The first entry with a hash, and its place.
    #[inline]
    pub(super) fn find(&self, wanted: u64) -> Option<(usize, &'a Entry)> {
        let range = self.places.of(wanted);
        let start = range.start;
        let few = self.entries.get(range)?;
        let before = few.partition_point(|entry| (self.hash)(entry) < wanted);
        let found = few.get(before).filter(|entry| (self.hash)(entry) == wanted)?;
        Some((start + before, found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(count: u32, by: u64) -> Vec<Entry> {
        let entry = |number: u32| Entry {
            key: (u64::from(number) / by).wrapping_mul(0x9E37_79B9_7F4A_7C15),
            more: u64::from(number % 7),
            row: number.wrapping_mul(7_919) % 65_536,
            line: number,
        };
        (0..count).map(entry).collect()
    }

    #[test]
    fn many_and_few_are_sorted_by_hash_and_row() {
        for (count, by) in [(0, 1), (1, 1), (100, 1), (4_096, 2), (20_000, 1), (20_000, 9_999)] {
            let mut entries = spread(count, by);
            let mut expected = entries.clone();
            expected.sort_by_key(|entry| (entry.key, entry.number(), entry.line));
            by_hash(&mut entries, |entry| (entry.key, entry.number()));
            let key = |entry: &Entry| (entry.key, entry.number());
            assert!(entries.iter().map(key).eq(expected.iter().map(key)), "{count}");
            let mut keys: Vec<u64> = expected.iter().rev().map(|entry| entry.key).collect();
            hashes(&mut keys);
            assert!(keys.iter().eq(expected.iter().map(|entry| &entry.key)), "{count}");
        }
    }

    #[test]
    fn few_different_hashes_are_sorted_too() {
        let mut entries = spread(20_000, 1);
        let mut expected = entries.clone();
        expected.sort_by_key(|entry| (entry.more, entry.number()));
        by_hash(&mut entries, |entry| (entry.more, entry.number()));
        let key = |entry: &Entry| (entry.more, entry.number());
        assert!(entries.iter().map(key).eq(expected.iter().map(key)));
    }

    #[test]
    fn every_entry_is_found_and_no_other() {
        for (count, by) in [(0, 1), (1, 1), (20, 1), (30_000, 1), (30_000, 3), (30_000, 30_000)] {
            let mut entries = spread(count, by);
            by_hash(&mut entries, |entry| (entry.key, entry.number()));
            let finder = Finder::new(&entries, |entry: &Entry| entry.key);
            for entry in &entries {
                let first = entries.partition_point(|other| other.key < entry.key);
                let found = finder.find(entry.key).map(|(at, found)| (at, found.line));
                assert_eq!(found, Some((first, entries[first].line)));
                assert!(finder.find(entry.key.wrapping_add(1)).is_none());
            }
            assert!(finder.find(u64::MAX).is_none() && finder.find(1).is_none());
        }
    }
}
