//! Managers who come back to the worker they manage.
//!
//! Every worker has one manager at most, so walking from each to the next finds each ring once.

use std::sync::Arc;

use crate::source::rows::sort::{self, Finder};
use crate::source::rows::{Entry, Managers, ROW_BITS, State};

/// What is known of a worker on the walk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Not,
    OnThisWalk,
    Before,
}

/// No manager among the entries.
const NOBODY: u32 = u32::MAX;

/// The rows in rings of two workers and more, sorted, each with the lines of its ring; one's own
/// manager is no ring. Sorts the entries by the hash of their ids.
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
    // of rows with one id, the first that counts comes first
    let passed = |entry: &Entry| u32::from(entry.state() != State::Counts) << ROW_BITS;
    sort::by_hash(entries, |entry| (id(entry), passed(entry) | entry.number()));
    let next = next(entries, managers, id);
    let mut seen = vec![Seen::Not; entries.len()];
    let mut walk = Vec::new();
    for start in 0..entries.len() {
        walk.clear();
        let mut at = start;
        loop {
            match seen.get_mut(at) {
                Some(seen @ Seen::Not) => *seen = Seen::OnThisWalk,
                Some(Seen::OnThisWalk) => {
                    let from = walk.iter().position(|&step| step == at).unwrap_or(walk.len());
                    note(walk.get(from..).unwrap_or_default(), entries, &mut rings);
                    break;
                }
                Some(Seen::Before) | None => break,
            }
            walk.push(at);
            // nobody is beyond all entries
            at = next.get(at).and_then(|&next| usize::try_from(next).ok()).unwrap_or(usize::MAX);
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

/// For each entry the place of its manager's. Looked up for all of them before anybody walks:
/// look-ups that do not wait for each other take a fraction of the time.
fn next(entries: &[Entry], managers: &Managers, id: impl Fn(&Entry) -> u64) -> Vec<u32> {
    let finder = Finder::new(entries, id);
    let manager = |entry: &Entry| {
        let wanted = managers.of(entry.number()).filter(|_| entry.state() == State::Counts)?;
        let (at, found) = finder.find(wanted)?;
        u32::try_from(at).ok().filter(|_| found.state() == State::Counts)
    };
    entries.iter().map(|entry| manager(entry).unwrap_or(NOBODY)).collect()
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
