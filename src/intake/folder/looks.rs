//! Which files are whole, told from one look to the next.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::intake::folder::{Listing, Seen, Shape};

/// An empty file is mostly the beginning of one: it waits so many times as long.
const EMPTY: u32 = 6;

/// Remembers how the files of a folder looked before.
#[derive(Debug, Default)]
pub struct Looks {
    known: HashMap<OsString, (Seen, Instant)>,
    unfinished: BTreeSet<Shape>,
    /// Companions that were there without their files.
    stale: BTreeMap<OsString, Option<SystemTime>>,
}

/// What a look comes to.
#[derive(Debug, Default)]
pub struct Found {
    /// Files that are whole, the oldest first.
    pub whole: Vec<OsString>,
    /// When the first of the others may be whole, if it does not change any more.
    pub next: Option<Duration>,
}

impl Looks {
    /// Compares a folder with how it looked before. A file is whole when it has stayed as it is for
    /// `settle`, when its companion was written after it, or when it was renamed into place: it is new,
    /// and has size, time and end of a file that was still being written at the last look and is gone.
    ///
    /// A companion that came too late, when its file was taken, says nothing of the next file.
    pub fn compare(&mut self, listing: Listing, settle: Duration, now: Instant) -> Found {
        let mut found = Found::default();
        let has_file: BTreeSet<&OsString> = listing.files.iter().map(|seen| &seen.name).collect();
        let is_stale = |(name, at): &(&OsString, &Option<SystemTime>)| {
            !has_file.contains(name) || self.stale.get(*name) == Some(*at)
        };
        let stale: BTreeMap<_, _> = listing
            .announced
            .iter()
            .filter(is_stale)
            .map(|(name, at)| (name.clone(), *at))
            .collect();
        let mut whole = Vec::new();
        let mut known = HashMap::with_capacity(listing.files.len());
        for seen in listing.files {
            let before = self.known.remove(&seen.name);
            let shape = seen.shape();
            let is_renamed = before.is_none()
                && seen.size > 0
                && self.unfinished.contains(&shape)
                && !listing.unfinished.contains(&shape);
            let is_announced = !stale.contains_key(&seen.name)
                && listing.announced.get(&seen.name).is_some_and(|at| *at >= seen.modified);
            let since = match before {
                Some((before, since)) if before == seen && seen.tail.is_some() => since,
                _ => now,
            };
            let needed = if seen.size == 0 { settle * EMPTY } else { settle };
            let left = needed.saturating_sub(now.duration_since(since));
            if is_renamed || is_announced || left.is_zero() {
                whole.push((seen.modified, seen.name.clone()));
            } else {
                found.next = Some(found.next.map_or(left, |next| next.min(left)));
            }
            known.insert(seen.name.clone(), (seen, since));
        }
        self.known = known;
        self.unfinished = listing.unfinished;
        self.stale = stale;
        whole.sort();
        found.whole = whole.into_iter().map(|(_, name)| name).collect();
        found
    }

    /// Forgets everything: the folder was away.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;

    const SETTLE: Duration = Duration::from_secs(10);

    fn seen(name: &str, size: u64, modified: u64, tail: u32) -> Seen {
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(modified);
        Seen { name: name.into(), size, modified: Some(modified), tail: Some(tail) }
    }

    fn files(files: &[Seen]) -> Listing {
        Listing { files: files.to_vec(), ..Listing::default() }
    }

    /// Looks at these listings at these seconds; gives what was whole each time.
    fn looked(looks: &[(u64, Listing)]) -> Vec<Vec<OsString>> {
        let (mut state, start) = (Looks::default(), Instant::now());
        let each = |(at, listing): &(u64, Listing)| {
            state.compare(listing.clone(), SETTLE, start + Duration::from_secs(*at)).whole
        };
        looks.iter().map(each).collect()
    }

    #[test]
    fn a_file_is_whole_once_it_has_stayed_as_it_is() {
        let grown = seen("a", 20, 3, 2);
        let looks = looked(&[
            (0, files(&[seen("a", 10, 0, 1)])),
            (8, files(from_ref(&grown))),
            (16, files(from_ref(&grown))),
            (18, files(from_ref(&grown))),
        ]);
        assert_eq!(looks, [vec![], vec![], vec![], vec![OsString::from("a")]]);
    }

    #[test]
    fn other_bytes_of_the_same_size_and_time_are_a_change() {
        let looks = looked(&[
            (0, files(&[seen("a", 10, 0, 1)])),
            (10, files(&[seen("a", 10, 0, 2)])),
            (15, files(&[seen("a", 10, 0, 2)])),
        ]);
        assert!(looks.iter().all(Vec::is_empty));
    }

    #[test]
    fn one_that_somebody_keeps_to_himself_is_not_whole() {
        let kept = Seen { tail: None, ..seen("a", 10, 0, 1) };
        let looks = looked(&[(0, files(from_ref(&kept))), (60, files(from_ref(&kept)))]);
        assert!(looks.iter().all(Vec::is_empty));
    }

    #[test]
    fn an_empty_file_waits_longer() {
        let empty = || files(&[seen("a", 0, 0, 0)]);
        let looks = looked(&[(0, empty()), (59, empty()), (60, empty())]);
        assert_eq!(looks, [vec![], vec![], vec![OsString::from("a")]]);
    }

    fn with_companion(files_there: &[Seen], name: &str, written: u64) -> Listing {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(written);
        Listing { announced: [(name.into(), Some(at))].into(), ..files(files_there) }
    }

    #[test]
    fn a_companion_says_that_it_is_whole() {
        let listing = with_companion(&[seen("a", 10, 5, 1), seen("b", 10, 5, 1)], "a", 5);
        assert_eq!(looked(&[(0, listing)]), [[OsString::from("a")]]);
    }

    #[test]
    fn a_companion_that_was_there_before_says_nothing() {
        // yesterday's: older than the file
        assert_eq!(looked(&[(0, with_companion(&[seen("a", 10, 5, 1)], "a", 4))]), [[""; 0]]);
        // it came too late, and the next file has an old date
        let next = [seen("a", 10, 3, 1)];
        let looks = looked(&[
            (0, with_companion(&[], "a", 4)),
            (1, with_companion(&next, "a", 4)),
            (2, with_companion(&next, "a", 4)),
            (3, with_companion(&next, "a", 9)),
        ]);
        assert_eq!(looks, [vec![], vec![], vec![], vec![OsString::from("a")]]);
    }

    #[test]
    fn one_that_was_renamed_into_place_is_whole_at_once() {
        let written = seen("a", 10, 7, 1);
        let shape = written.shape();
        let before = Listing { unfinished: [shape].into(), ..Listing::default() };
        let looks = looked(&[(0, before.clone()), (1, files(from_ref(&written)))]);
        assert_eq!(looks[1], [OsString::from("a")]);
        // the last bytes came after the look, or it was copied and the other is still there
        let grown = seen("a", 11, 8, 1);
        assert!(looked(&[(0, before.clone()), (1, files(from_ref(&grown)))])[1].is_empty());
        let both = Listing { unfinished: [shape].into(), ..files(&[written]) };
        assert!(looked(&[(0, before), (1, both)])[1].is_empty());
    }

    #[test]
    fn the_oldest_comes_first_and_names_decide_among_equals() {
        let listing = files(&[seen("c", 1, 5, 1), seen("b", 1, 5, 1), seen("a", 1, 9, 1)]);
        let looks = looked(&[(0, listing.clone()), (10, listing)]);
        assert_eq!(looks[1], ["b", "c", "a"].map(OsString::from));
    }

    #[test]
    fn it_says_when_the_next_may_be_whole() {
        let (mut looks, start) = (Looks::default(), Instant::now());
        let listing = files(&[seen("a", 10, 0, 1)]);
        looks.compare(listing.clone(), SETTLE, start);
        let found = looks.compare(listing, SETTLE, start + Duration::from_secs(7));
        assert_eq!(found.next, Some(Duration::from_secs(3)));
    }
}
