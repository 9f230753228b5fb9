//! Managers who come back to the worker they manage.
//!
//! Every worker has one manager at most, so walking from each to the next finds each ring once.

use std::sync::Arc;

use crate::source::rows::{Entry, Managers, State};

/// What is known of a worker on the walk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Not,
    OnThisWalk,
    Before,
}

/// The rows in rings of two workers and more, sorted, each with the lines of its ring; one's own
/// manager is no ring.
pub(super) fn find(
    entries: &mut [Entry],
    managers: &Managers,
    by_column: bool,
) -> Vec<(u32, Arc<[u32]>)> {
    let mut rings = Vec::new();
    if managers.rows.is_empty() {
        return rings;
    }
    let id = |entry: &Entry| if by_column { entry.more } else { entry.key };
    entries.sort_unstable_by_key(|entry| (id(entry), entry.number()));
    let worker = |wanted: u64| {
        let start = entries.partition_point(|entry| id(entry) < wanted);
        let same = entries.iter().enumerate().skip(start);
        let mut same = same.take_while(|(_, entry)| id(entry) == wanted);
        same.find(|(_, entry)| entry.state() == State::Counts).map(|(at, _)| at)
    };
    let mut seen = vec![Seen::Not; entries.len()];
    let mut walk = Vec::new();
    for start in 0..entries.len() {
        walk.clear();
        let mut next = Some(start);
        while let Some(at) = next {
            match seen.get(at) {
                Some(Seen::Not) => {}
                Some(Seen::OnThisWalk) => {
                    let from = walk.iter().position(|&step| step == at).unwrap_or(walk.len());
                    note(walk.get(from..).unwrap_or_default(), entries, &mut rings);
                    break;
                }
                Some(Seen::Before) | None => break,
            }
            if let Some(seen) = seen.get_mut(at) {
                *seen = Seen::OnThisWalk;
            }
            walk.push(at);
            let entry = entries.get(at).filter(|entry| entry.state() == State::Counts);
            next = entry.and_then(|entry| managers.of(entry.number())).and_then(worker);
        }
        for &at in &walk {
            if let Some(seen) = seen.get_mut(at) {
                *seen = Seen::Before;
            }
        }
    }
    rings.sort_unstable_by_key(|(row, _)| *row);
    rings
}

fn note(ring: &[usize], entries: &[Entry], rings: &mut Vec<(u32, Arc<[u32]>)>) {
    if ring.len() < 2 {
        return;
    }
    let members = || ring.iter().filter_map(|&at| entries.get(at));
    let mut lines: Vec<u32> = members().map(|entry| entry.line).collect();
    lines.sort_unstable();
    let lines: Arc<[u32]> = lines.into();
    rings.extend(members().map(|entry| (entry.number(), Arc::clone(&lines))));
}
