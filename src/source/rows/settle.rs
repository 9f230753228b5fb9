//! The decisions about a file's rows, once all of them are noted.

use std::collections::BTreeMap;

use crate::source::Pick;
use crate::source::rows::rings;
use crate::source::rows::{
    Clash, Entry, NAMED, Over, RowIndex, RowIndexBuilder, RowStanding, State,
};

/// Sorts what was noted and decides for each row.
pub(super) fn settle(noted: RowIndexBuilder) -> RowIndex {
    let RowIndexBuilder {
        mut entries, users, standings, managers, pick, by_column, mut named, ..
    } = noted;
    named.sort_unstable();
    named.dedup();
    entries.shrink_to_fit();
    entries.sort_unstable_by_key(|entry| (entry.key, entry.number()));
    for group in entries.chunk_by_mut(|a, b| a.key == b.key) {
        decide(group, pick, by_column, &standings);
    }
    drop(standings);
    let mut clashes = Vec::new();
    if by_column {
        entries.sort_unstable_by_key(|entry| (entry.more, entry.number()));
        for group in entries.chunk_by(|a, b| a.more == b.more) {
            clash(group, Over::Id, &mut clashes);
        }
    }
    if !users.is_empty() {
        entries.sort_unstable_by_key(|entry| entry.number());
        share_user_name(&entries, users, &mut clashes);
    }
    // an id that is shared is the graver of the two
    clashes.sort_by_key(|clash: &Clash| (clash.row, clash.over == Over::UserName));
    clashes.dedup_by_key(|clash| clash.row);
    let rings = rings::find(&mut entries, &managers, by_column);
    drop(managers);
    let ids = if by_column { sorted_ids(&entries) } else { Vec::new() };
    entries.sort_unstable_by_key(|entry| (entry.key, entry.number()));
    let all_count = entries.iter().all(|entry| entry.state() == State::Counts);
    RowIndex {
        has_repeats: !all_count || !clashes.is_empty(),
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

/// Finds the userNames that more than one worker has. Both lists are in file order.
fn share_user_name(entries: &[Entry], mut users: Vec<u64>, clashes: &mut Vec<Clash>) {
    users.resize(entries.len(), 0);
    let counts = |entry: &Entry, user: u64| user != 0 && entry.state() == State::Counts;
    let mut sorted: Vec<u64> = entries
        .iter()
        .zip(&users)
        .filter(|&(entry, &user)| counts(entry, user))
        .map(|(_, &user)| user)
        .collect();
    sorted.sort_unstable();
    let mut shared: BTreeMap<u64, Vec<Entry>> = sorted
        .chunk_by(|a, b| a == b)
        .filter(|same| same.len() > 1)
        .filter_map(|same| same.first().map(|&user| (user, Vec::new())))
        .collect();
    drop(sorted);
    if shared.is_empty() {
        return;
    }
    for (entry, user) in entries.iter().zip(users) {
        if counts(entry, user)
            && let Some(group) = shared.get_mut(&user)
        {
            group.push(*entry);
        }
    }
    for group in shared.values() {
        clash(group, Over::UserName, clashes);
    }
}

fn sorted_ids(entries: &[Entry]) -> Vec<u64> {
    let mut ids: Vec<u64> = entries.iter().map(|entry| entry.more).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
