//! Several rows of one worker: which of them counts.
//!
//! The first pass over a file notes every row's key here; the second asks for each row what
//! becomes of it. An entry takes 24 bytes: 64 bits of the hash of what tells workers apart, 64 more
//! of the hash of the id as it stands, the row and the place that messages name. While the first
//! pass runs, a mapped `userName` takes 8 bytes a row on top, a mapped manager 12, and `by` and
//! `prefer` 16.
//!
//! Ids are compared as they stand. Two that differ only in what nobody sees or what a spreadsheet
//! loses (width, invisible characters, leading zeros) are [`RowVerdict::LookAlike`]s: no rule says
//! which of the two is right, so both wait for a person.

use std::sync::Arc;

use crate::domain::{Places, hash};
use crate::source::Pick;
use crate::source::same_id::fold_id;

mod rings;
mod settle;
mod sort;
#[cfg(test)]
mod tests;

/// Most lines of other rows that a conflict names.
const NAMED: usize = 10;

/// What becomes of a row, kept in the upper bits of `Entry::row`; rows have a ceiling far below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Another row counts.
    Passed,
    Counts,
    /// It would count, but so would another.
    Tied,
    /// It applies from a later day on.
    Future,
    /// Its id looks like another one.
    LookAlike,
}

/// Bits of a row's number.
const ROW_BITS: u32 = 28;

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Of what tells workers apart: the folded id, or the column of `per`.
    key: u64,
    /// Of the id as it stands or, where rows are told apart by a column, of the folded id.
    more: u64,
    row: u32,
    line: u32,
}

impl Entry {
    const fn number(self) -> u32 {
        self.row & ((1 << ROW_BITS) - 1)
    }

    const fn state(self) -> State {
        match self.row >> ROW_BITS {
            1 => State::Counts,
            2 => State::Tied,
            3 => State::Future,
            4 => State::LookAlike,
            _ => State::Passed,
        }
    }

    const fn set(&mut self, state: State) {
        self.row = self.number() | ((state as u32) << ROW_BITS);
    }
}

/// How a row stands among the rows of its worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowStanding {
    /// The greater the better.
    pub rank: i32,
    /// The day from which it applies; the later the better.
    pub day: i32,
    /// Whether that day is still to come, so that the row does not compete.
    pub is_future: bool,
}

/// A row, as the first pass notes it.
#[derive(Clone, Copy)]
pub struct NotedRow<'a> {
    /// What tells workers apart: the column of `per`, or else the externalId.
    pub key: &'a str,
    /// The mapped externalId.
    pub external_id: &'a str,
    /// The mapped userName, where there is one.
    pub user_name: Option<&'a str>,
    /// The externalId of the worker's manager, where there is one.
    pub manager: Option<&'a str>,
    /// The row's number.
    pub row: u64,
    /// The place that messages name: its line, or its row where there are no lines.
    pub line: u64,
    /// By `by` and `prefer`, where they are set.
    pub standing: Option<RowStanding>,
}

/// Collects the keys of a file's rows, in file order.
#[derive(Debug)]
pub struct RowIndexBuilder {
    entries: Vec<Entry>,
    /// Hash of each entry's userName, 0 where it has none; empty while no entry has one.
    users: Vec<u64>,
    /// By row.
    standings: Vec<(u32, RowStanding)>,
    managers: Managers,
    folded: String,
    pick: Pick,
    by_column: bool,
    /// Hashes of the folded ids of rows that name somebody without competing.
    named: Vec<u64>,
}

/// Knows for each row of a file whether it counts.
#[derive(Debug)]
pub struct RowIndex {
    /// Sorted by key.
    entries: Vec<Entry>,
    places: Places,
    by_column: bool,
    has_repeats: bool,
    /// Hashes of the folded ids, sorted, where the entries are not sorted by those.
    ids: Vec<u64>,
    /// Hashes of the folded ids of rows that name somebody without competing, sorted.
    named: Vec<u64>,
    /// Rows (sorted) that count but share something that is to be one worker's own.
    clashes: Vec<Clash>,
    /// Rows (sorted) whose managers come back to them, and the lines of all rows of the ring.
    rings: Vec<(u32, Arc<[u32]>)>,
}

/// Hashes of the managers' folded ids, by row.
#[derive(Debug, Default)]
struct Managers {
    rows: Vec<u32>,
    ids: Vec<u64>,
}

impl Managers {
    #[inline]
    fn of(&self, row: u32) -> Option<u64> {
        // nearly every row has a manager, so the place is as far from the end as the row is
        let behind = usize::try_from(self.rows.last()?.checked_sub(row)?).ok()?;
        let guess = self.rows.len().checked_sub(behind + 1);
        let at = match guess.filter(|&at| self.rows.get(at) == Some(&row)) {
            Some(at) => at,
            None => self.rows.binary_search(&row).ok()?,
        };
        self.ids.get(at).copied()
    }
}

/// A row that counts for its key, and the rows with which it shares what it should not.
#[derive(Debug)]
struct Clash {
    row: u32,
    over: Over,
    lines: Vec<u32>,
    more: usize,
}

/// What two workers have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    Id,
    UserName,
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
    /// It applies from a later day on.
    NotYet {
        /// The line of the worker's row that counts today, where there is one.
        counts: Option<u64>,
    },
    /// None of the worker's rows counts: the others are on these lines.
    Conflict {
        /// The other rows.
        others: Others,
    },
    /// Its id differs from that of other rows only in leading zeros, width or invisible characters.
    LookAlike {
        /// The other rows.
        others: Others,
    },
    /// Another worker's row has the same userName.
    SameUserName {
        /// The other rows.
        others: Others,
    },
}

/// Other rows, as a message names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Others {
    /// Their lines, ten at most.
    pub lines: Vec<u64>,
    /// How many there are beyond those.
    pub more: usize,
}

impl RowIndexBuilder {
    /// An empty index. `by_column` says that rows are told apart by a column of their own, so that
    /// the externalId has to be watched as well.
    #[must_use]
    pub const fn new(pick: Pick, by_column: bool) -> Self {
        Self {
            entries: Vec::new(),
            users: Vec::new(),
            standings: Vec::new(),
            managers: Managers { rows: Vec::new(), ids: Vec::new() },
            folded: String::new(),
            pick,
            by_column,
            named: Vec::new(),
        }
    }

    /// Notes that a row names a worker, though it takes no part: it is out of scope, say.
    pub fn push_named(&mut self, external_id: &str) {
        self.named.push(hash(1, &fold_id(external_id)));
    }

    /// Notes a row; rows come in file order.
    pub fn push(&mut self, noted: NotedRow<'_>) {
        let (key, more) = hashes(self.by_column, noted.key, noted.external_id);
        // rows have a ceiling far below that, and a row has a line or more
        let row = u32::try_from(noted.row).unwrap_or(u32::MAX) & ((1 << ROW_BITS) - 1);
        let line = u32::try_from(noted.line).unwrap_or(u32::MAX);
        self.entries.push(Entry { key, more, row, line });
        if let Some(name) = noted.user_name {
            self.users.resize(self.entries.len() - 1, 0);
            // case does not tell userNames apart (RFC 7643 section 4.1.1)
            self.folded.clear();
            if name.is_ascii() {
                self.folded.push_str(name);
                self.folded.make_ascii_lowercase();
            } else {
                self.folded.extend(name.chars().flat_map(char::to_lowercase));
            }
            self.users.push(hash(3, &self.folded).max(1));
        }
        if let Some(manager) = noted.manager {
            self.managers.rows.push(row);
            self.managers.ids.push(hash(1, &fold_id(manager)));
        }
        if let Some(standing) = noted.standing {
            self.standings.push((row, standing));
        }
    }

    /// Decides.
    #[must_use]
    pub fn finish(self) -> RowIndex {
        settle::settle(self)
    }
}

impl RowIndex {
    /// What becomes of a row that was noted with this key.
    #[must_use]
    pub fn verdict(&self, key: &str, external_id: &str, row: u64) -> RowVerdict {
        let (key, _) = hashes(self.by_column, key, external_id);
        let group = self.group(key);
        let own = group.iter().find(|entry| u64::from(entry.number()) == row);
        let Some(own) = own else { return RowVerdict::Counts };
        let others = |state: State| {
            let lines = group
                .iter()
                .filter(|entry| entry.state() == state && u64::from(entry.number()) != row)
                .map(|entry| u64::from(entry.line));
            let (count, lines) = (lines.clone().count(), lines.take(NAMED).collect());
            Others { lines, more: count.saturating_sub(NAMED) }
        };
        match own.state() {
            State::Counts => self.clash(row).unwrap_or(RowVerdict::Counts),
            State::Tied => RowVerdict::Conflict { others: others(State::Tied) },
            State::LookAlike => RowVerdict::LookAlike { others: others(State::LookAlike) },
            state @ (State::Passed | State::Future) => {
                let counts = |entry: &&Entry| matches!(entry.state(), State::Counts | State::Tied);
                let line = group.iter().find(counts).map(|entry| u64::from(entry.line));
                match (state, line) {
                    (State::Future, counts) => RowVerdict::NotYet { counts },
                    (_, Some(line)) => RowVerdict::Superseded { line },
                    (_, None) => RowVerdict::Counts,
                }
            }
        }
    }

    /// Whether any row needs a [`verdict`](Self::verdict): without repeats all of them count.
    #[must_use]
    pub const fn has_repeats(&self) -> bool {
        self.has_repeats
    }

    /// Whether any row is in a ring of managers.
    #[must_use]
    pub const fn has_rings(&self) -> bool {
        !self.rings.is_empty()
    }

    /// The other rows of the ring of managers that a row is in, if it is in one.
    #[must_use]
    pub fn ring(&self, row: u64) -> Option<Others> {
        let row = u32::try_from(row).ok()?;
        let at = self.rings.binary_search_by_key(&row, |(row, _)| *row).ok()?;
        let (_, lines) = self.rings.get(at)?;
        let more = lines.len().saturating_sub(NAMED);
        Some(Others {
            lines: lines.iter().take(NAMED).map(|&line| u64::from(line)).collect(),
            more,
        })
    }

    /// Whether any row names this worker.
    #[must_use]
    pub fn names(&self, external_id: &str) -> bool {
        let id = hash(1, &fold_id(external_id));
        if self.named.binary_search(&id).is_ok() {
            return true;
        }
        if self.by_column {
            self.ids.binary_search(&id).is_ok()
        } else {
            !self.group(id).is_empty()
        }
    }

    fn near(&self, key: u64) -> &[Entry] {
        self.entries.get(self.places.of(key)).unwrap_or_default()
    }

    fn group(&self, key: u64) -> &[Entry] {
        let few = self.near(key);
        let start = few.partition_point(|entry| entry.key < key);
        let rest = few.get(start..).unwrap_or_default();
        let count = rest.partition_point(|entry| entry.key == key);
        rest.get(..count).unwrap_or_default()
    }

    fn clash(&self, row: u64) -> Option<RowVerdict> {
        let row = u32::try_from(row).ok()?;
        let at = self.clashes.binary_search_by_key(&row, |clash| clash.row).ok()?;
        let clash = self.clashes.get(at)?;
        let lines = clash.lines.iter().map(|&line| u64::from(line)).collect();
        let others = Others { lines, more: clash.more };
        Some(match clash.over {
            Over::Id => RowVerdict::Conflict { others },
            Over::UserName => RowVerdict::SameUserName { others },
        })
    }
}

fn hashes(by_column: bool, key: &str, external_id: &str) -> (u64, u64) {
    if by_column {
        (hash(2, key), hash(1, &fold_id(external_id)))
    } else {
        (hash(1, &fold_id(external_id)), hash(2, external_id))
    }
}
