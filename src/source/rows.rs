//! Several rows of one worker: which of them counts.
//!
//! The first pass over a file notes every row's key here; the second asks for each row what
//! becomes of it. An entry takes 24 bytes: 128 bits of the key's hash (no two ids of any real file
//! share those), the row and its line.

use std::hash::{DefaultHasher, Hasher};

use crate::source::Pick;

/// Most lines of other rows that a conflict names.
const NAMED: usize = 10;

/// Set in `Entry::row` when the row counts for its worker.
const PICKED: u32 = 1 << 31;

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Of the worker's key.
    key: u64,
    /// More of the worker's key or, where rows are told apart by a column, of the externalId.
    more: u64,
    row: u32,
    line: u32,
}

impl Entry {
    const fn number(&self) -> u32 {
        self.row & !PICKED
    }

    const fn is_picked(&self) -> bool {
        self.row & PICKED != 0
    }
}

/// Collects the keys of a file's rows.
#[derive(Debug)]
pub struct RowIndexBuilder {
    entries: Vec<Entry>,
    pick: Pick,
    by_column: bool,
}

/// Knows for each row of a file whether it counts.
#[derive(Debug)]
pub struct RowIndex {
    entries: Vec<Entry>,
    pick: Pick,
    by_column: bool,
    has_repeats: bool,
    /// Rows (sorted) that count for their key but share their externalId with another such row.
    clashes: Vec<Clash>,
}

/// A row that counts for its key, and the lines of the rows it shares its externalId with.
#[derive(Debug)]
struct Clash {
    row: u32,
    lines: Vec<u32>,
    more: usize,
}

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowVerdict {
    /// It counts.
    Counts,
    /// Another row of the same worker counts, the one on this line.
    Superseded {
        /// The line of the row that counts.
        line: u64,
    },
    /// None of the worker's rows counts: the others are on these lines.
    Conflict {
        /// The lines of the other rows, ten at most.
        lines: Vec<u64>,
        /// How many other rows there are beyond those.
        more: usize,
    },
}

impl RowIndexBuilder {
    /// An empty index. `by_column` says that rows are told apart by a column of their own, so that
    /// the externalId has to be watched as well.
    #[must_use]
    pub const fn new(pick: Pick, by_column: bool) -> Self {
        Self { entries: Vec::new(), pick, by_column }
    }

    /// Notes a row. `key` tells workers apart; `external_id` is the mapped one.
    pub fn push(&mut self, key: &str, external_id: &str, row: u64, line: u64) {
        let (key, more) = hashes(self.by_column, key, external_id);
        self.entries.push(Entry {
            key,
            more,
            // rows have a ceiling far below 31 bits, and a row has a line or more
            row: u32::try_from(row).unwrap_or(u32::MAX) & !PICKED,
            line: u32::try_from(line).unwrap_or(u32::MAX),
        });
    }

    /// Sorts what was noted.
    #[must_use]
    pub fn finish(mut self) -> RowIndex {
        self.entries.shrink_to_fit();
        let mut clashes = Vec::new();
        if self.by_column {
            self.entries.sort_unstable_by_key(|entry| (entry.key, entry.number()));
            let pick = self.pick;
            for group in self.entries.chunk_by_mut(|a, b| a.key == b.key) {
                let picked = match (pick, group.len()) {
                    (Pick::First, _) | (Pick::Error, 1) => group.first_mut(),
                    (Pick::Last, _) => group.last_mut(),
                    (Pick::Error, _) => None,
                };
                if let Some(entry) = picked {
                    entry.row |= PICKED;
                }
            }
            self.entries.sort_unstable_by_key(|entry| (entry.more, entry.number()));
            for group in self.entries.chunk_by(|a, b| a.more == b.more) {
                let picked: Vec<&Entry> = group.iter().filter(|entry| entry.is_picked()).collect();
                if picked.len() > 1 {
                    for entry in &picked {
                        let others = picked.iter().filter(|other| other.row != entry.row);
                        clashes.push(Clash {
                            row: entry.number(),
                            lines: others.map(|other| other.line).take(NAMED).collect(),
                            more: (picked.len() - 1).saturating_sub(NAMED),
                        });
                    }
                }
            }
            clashes.sort_unstable_by_key(|clash| clash.row);
        }
        self.entries.sort_unstable_by_key(|entry| (entry.group(self.by_column), entry.number()));
        let groups =
            self.entries.chunk_by(|a, b| a.group(self.by_column) == b.group(self.by_column));
        let has_repeats = !clashes.is_empty() || groups.count() < self.entries.len();
        RowIndex {
            entries: self.entries,
            pick: self.pick,
            by_column: self.by_column,
            has_repeats,
            clashes,
        }
    }
}

impl Entry {
    /// What the entries of one worker have in common.
    const fn group(&self, by_column: bool) -> (u64, u64) {
        if by_column { (self.key, 0) } else { (self.key, self.more) }
    }
}

impl RowIndex {
    /// What becomes of a row that was noted with this key.
    #[must_use]
    pub fn verdict(&self, key: &str, external_id: &str, row: u64) -> RowVerdict {
        let (key, more) = hashes(self.by_column, key, external_id);
        let wanted = if self.by_column { (key, 0) } else { (key, more) };
        let start = self.entries.partition_point(|entry| entry.group(self.by_column) < wanted);
        let rest = self.entries.get(start..).unwrap_or_default();
        let count = rest.partition_point(|entry| entry.group(self.by_column) == wanted);
        let group = rest.get(..count).unwrap_or_default();
        let others = || {
            let others = group.iter().filter(|entry| u64::from(entry.number()) != row);
            others.map(|entry| u64::from(entry.line)).take(NAMED).collect()
        };
        let counts = match self.pick {
            _ if group.len() < 2 => group.first(),
            Pick::First => group.first(),
            Pick::Last => group.last(),
            Pick::Error => {
                let more = (group.len() - 1).saturating_sub(NAMED);
                return RowVerdict::Conflict { lines: others(), more };
            }
        };
        match counts {
            Some(entry) if u64::from(entry.number()) != row => {
                RowVerdict::Superseded { line: u64::from(entry.line) }
            }
            _ => self.clash(row).unwrap_or(RowVerdict::Counts),
        }
    }

    /// Whether any worker has more than one row.
    #[must_use]
    pub const fn has_repeats(&self) -> bool {
        self.has_repeats
    }

    fn clash(&self, row: u64) -> Option<RowVerdict> {
        let row = u32::try_from(row).ok()?;
        let at = self.clashes.binary_search_by_key(&row, |clash| clash.row).ok()?;
        let clash = self.clashes.get(at)?;
        let lines = clash.lines.iter().map(|&line| u64::from(line)).collect();
        Some(RowVerdict::Conflict { lines, more: clash.more })
    }
}

fn hashes(by_column: bool, key: &str, external_id: &str) -> (u64, u64) {
    let more = if by_column { external_id } else { key };
    (hash(1, key), hash(2, more))
}

fn hash(salt: u8, text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u8(salt);
    hasher.write(text.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(pick: Pick, keys: &[&str]) -> RowIndex {
        let mut builder = RowIndexBuilder::new(pick, false);
        for (row, key) in (2..).zip(keys) {
            builder.push(key, key, row, row + 10);
        }
        builder.finish()
    }

    #[test]
    fn by_default_all_rows_of_a_repeated_worker_name_each_others_lines() {
        let index = index(Pick::Error, &["a", "b", "a", "a"]);
        assert_eq!(index.verdict("b", "b", 3), RowVerdict::Counts);
        assert_eq!(
            index.verdict("a", "a", 2),
            RowVerdict::Conflict { lines: vec![14, 15], more: 0 }
        );
        assert_eq!(
            index.verdict("a", "a", 4),
            RowVerdict::Conflict { lines: vec![12, 15], more: 0 }
        );
    }

    #[test]
    fn first_and_last_name_the_row_that_counts() {
        let first = index(Pick::First, &["a", "b", "a"]);
        assert_eq!(first.verdict("a", "a", 2), RowVerdict::Counts);
        assert_eq!(first.verdict("a", "a", 4), RowVerdict::Superseded { line: 12 });
        let last = index(Pick::Last, &["a", "b", "a"]);
        assert_eq!(last.verdict("a", "a", 2), RowVerdict::Superseded { line: 14 });
        assert_eq!(last.verdict("a", "a", 4), RowVerdict::Counts);
    }

    #[test]
    fn two_picked_workers_with_one_external_id_are_a_conflict() {
        let mut builder = RowIndexBuilder::new(Pick::Last, true);
        builder.push("p1", "x", 2, 2);
        builder.push("p1", "y", 3, 3);
        builder.push("p2", "y", 4, 4);
        builder.push("p3", "x", 5, 5);
        let index = builder.finish();
        assert_eq!(index.verdict("p1", "x", 2), RowVerdict::Superseded { line: 3 });
        assert_eq!(index.verdict("p1", "y", 3), RowVerdict::Conflict { lines: vec![4], more: 0 });
        assert_eq!(index.verdict("p2", "y", 4), RowVerdict::Conflict { lines: vec![3], more: 0 });
        assert_eq!(index.verdict("p3", "x", 5), RowVerdict::Counts);
    }

    #[test]
    fn a_worker_on_very_many_rows_names_ten_of_them() {
        let index = index(Pick::Error, &["a"; 30]);
        let RowVerdict::Conflict { lines, more } = index.verdict("a", "a", 2) else { panic!() };
        assert_eq!((lines.len(), more), (10, 19));
    }

    #[test]
    fn an_entry_takes_24_bytes() {
        assert_eq!(size_of::<Entry>(), 24);
    }
}
