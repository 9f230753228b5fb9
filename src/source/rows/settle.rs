//! The decisions about a file's rows, once all of them are noted.

use std::collections::BTreeMap;

use crate::domain::Places;
use crate::source::Pick;
use crate::source::rows::{
    Clash, Entry, NAMED, Over, RowIndex, RowIndexBuilder, RowStanding, State, rings, sort,
};

/// Sorts what was noted and decides for each row.
pub(super) fn settle(noted: RowIndexBuilder) -> RowIndex {
    let RowIndexBuilder {
        mut entries, users, standings, managers, pick, by_column, mut named, ..
    } = noted;
    named.sort_unstable();
    named.dedup();
    entries.shrink_to_fit();
    let shared = SharedNames::among(users, &entries);
    sort::by_hash(&mut entries, |entry| (entry.key, entry.number()));
    for group in entries.chunk_by_mut(|a, b| a.key == b.key) {
        match group {
            [only] if standings.is_empty() => only.set(State::Counts),
            _ => decide(group, pick, by_column, &standings),
        }
    }
    drop(standings);
    let mut clashes = Vec::new();
    if by_column {
        sort::by_hash(&mut entries, |entry| (entry.more, entry.number()));
        for group in entries.chunk_by(|a, b| a.more == b.more) {
            clash(group, Over::Id, &mut clashes);
        }
    }
    if !shared.rows.is_empty() {
        entries.sort_unstable_by_key(|entry| entry.number());
        shared.clash(&entries, &mut clashes);
    }
    // an id that is shared is the graver of the two
    clashes.sort_by_key(|clash: &Clash| (clash.row, clash.over == Over::UserName));
    clashes.dedup_by_key(|clash| clash.row);
    let rings = rings::find(&mut entries, &managers, by_column);
    drop(managers);
    let ids = if by_column { sorted_ids(&entries) } else { Vec::new() };
    sort::by_hash(&mut entries, |entry| (entry.key, entry.number()));
    let all_count = entries.iter().all(|entry| entry.state() == State::Counts);
    RowIndex {
        has_repeats: !all_count || !clashes.is_empty(),
        places: Places::new(entries.iter().map(|entry| entry.key)),
        entries,
        by_column,
        ids,
        named,
        clashes,
        rings,
    }
}

/// Which of a worker's rows counts.
fn decide(group: &mut [Entry], pick: Pick, by_column: bool, standings: &[(u32, RowStanding)]) {
    let first_id = group.first().map(|entry| entry.more);
    if !by_column && group.iter().any(|entry| Some(entry.more) != first_id) {
        for entry in group {
            entry.set(State::LookAlike);
        }
        return;
    }
    let standing = |entry: &Entry| {
        let at = standings.binary_search_by_key(&entry.number(), |(row, _)| *row).ok()?;
        standings.get(at).map(|(_, standing)| *standing)
    };
    let mut best = None;
    for entry in group.iter_mut() {
        match standing(entry) {
            Some(RowStanding { is_future: true, .. }) => entry.set(State::Future),
            Some(RowStanding { rank, day, .. }) => best = best.max(Some((rank, day))),
            None => best = best.max(Some((0, 0))),
        }
    }
    let mut leading: Vec<&mut Entry> = group
        .iter_mut()
        .filter(|entry| entry.state() != State::Future)
        .filter(|entry| {
            let own = standing(entry).map_or((0, 0), |standing| (standing.rank, standing.day));
            Some(own) == best
        })
        .collect();
    match (pick, leading.as_mut_slice()) {
        (_, [only]) => only.set(State::Counts),
        (Pick::First, [first, ..]) => first.set(State::Counts),
        (Pick::Last, [.., last]) => last.set(State::Counts),
        (Pick::Error, tied) => tied.iter_mut().for_each(|entry| entry.set(State::Tied)),
        (_, []) => {}
    }
}

/// Rows that count, each for a worker of its own, in a group that only one of them should be in.
fn clash(group: &[Entry], over: Over, clashes: &mut Vec<Clash>) {
    let counting: Vec<&Entry> =
        group.iter().filter(|entry| entry.state() == State::Counts).collect();
    if counting.len() < 2 {
        return;
    }
    for entry in &counting {
        let others = counting.iter().filter(|other| other.row != entry.row);
        clashes.push(Clash {
            row: entry.number(),
            over,
            lines: others.map(|other| other.line).take(NAMED).collect(),
            more: (counting.len() - 1).saturating_sub(NAMED),
        });
    }
}

/// The rows whose userName other rows have too, in file order.
struct SharedNames {
    rows: Vec<u32>,
    /// The hash of each row's name.
    names: Vec<u64>,
}

impl SharedNames {
    /// Finds them among all rows, whether they count or not. `users` has the hash of each entry's
    /// name, 0 for none, and may be shorter; both are in file order.
    fn among(users: Vec<u64>, entries: &[Entry]) -> Self {
        let shared = repeated(&users);
        if shared.is_empty() {
            return Self { rows: Vec::new(), names: Vec::new() };
        }
        let rows =
            entries.iter().zip(&users).filter(|(_, user)| shared.binary_search(user).is_ok());
        let rows = rows.map(|(entry, _)| entry.number()).collect();
        let mut names = users;
        names.retain(|user| shared.binary_search(user).is_ok());
        Self { rows, names }
    }

    /// Finds the userNames that more than one worker has; the entries are in file order.
    fn clash(self, entries: &[Entry], clashes: &mut Vec<Clash>) {
        let Self { mut rows, mut names } = self;
        let mut all = entries.iter();
        let counts = rows.iter().map(|row| {
            let own = all.find(|entry| entry.number() == *row);
            own.is_some_and(|entry| entry.state() == State::Counts)
        });
        let counts: Vec<bool> = counts.collect();
        let mut each = counts.iter();
        rows.retain(|_| each.next() == Some(&true));
        let mut each = counts.iter();
        names.retain(|_| each.next() == Some(&true));
        let shared = repeated(&names);
        let mut groups: BTreeMap<u64, Vec<Entry>> = BTreeMap::new();
        let mut all = entries.iter();
        for (row, name) in rows.into_iter().zip(names) {
            if let Some(entry) = all.find(|entry| entry.number() == row)
                && shared.binary_search(&name).is_ok()
            {
                groups.entry(name).or_default().push(*entry);
            }
        }
        for group in groups.values() {
            clash(group, Over::UserName, clashes);
        }
    }
}

/// The hashes that are there more than once, sorted; 0 is none.
fn repeated(hashes: &[u64]) -> Vec<u64> {
    let mut sorted: Vec<u64> = hashes.iter().copied().filter(|hash| *hash != 0).collect();
    sort::hashes(&mut sorted);
    let same = sorted.chunk_by(|a, b| a == b).filter(|same| same.len() > 1);
    same.filter_map(|same| same.first().copied()).collect()
}

fn sorted_ids(entries: &[Entry]) -> Vec<u64> {
    let mut ids: Vec<u64> = entries.iter().map(|entry| entry.more).collect();
    sort::hashes(&mut ids);
    ids.dedup();
    ids
}
