//! What the ledger knows of all people of a source, as small as it gets: it stands in memory while
//! a file is held against it.

use jiff::Timestamp;

use crate::domain::ExternalId;
use crate::store::{ActiveRecord, RecordCounts};

/// All people of a source by externalId: 29 bytes each, and the id's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownPeople {
    /// Their ids, one after the other.
    ids: String,
    /// Where each id ends.
    ends: Vec<u32>,
    active: Vec<bool>,
    /// Digests of their rows, as big-endian numbers; 0 where the row has to be mapped again.
    rows: Vec<u128>,
    /// Of those who were missing from files before: their place, from how many, and since when.
    absences: Vec<(u32, u32, Option<Timestamp>)>,
}

impl KnownPeople {
    /// Adds somebody; people come by externalId. `row` is the digest of the row behind the record,
    /// where that need not be mapped again.
    pub fn push(
        &mut self,
        external_id: &str,
        is_active: bool,
        row: Option<[u8; 16]>,
        absences: (u32, Option<Timestamp>),
    ) {
        if absences.0 > 0 {
            self.absences.push((small(self.ends.len()), absences.0, absences.1));
        }
        self.ids.push_str(external_id);
        self.ends.push(small(self.ids.len()));
        self.active.push(is_active);
        self.rows.push(row.map_or(0, u128::from_be_bytes));
    }

    /// How many they are.
    #[must_use]
    pub fn counts(&self) -> RecordCounts {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let active = self.active.iter().filter(|is_active| **is_active).count();
        RecordCounts { all: count(self.active.len()), active: count(active) }
    }

    /// Takes the digests of the rows that need not be mapped again (as big-endian numbers), one for
    /// each person; 0 for none.
    #[must_use]
    pub fn take_rows(&mut self) -> Vec<u128> {
        std::mem::take(&mut self.rows)
    }

    /// The active ones who are not seen: `is_seen` is asked with a person's place and id.
    pub fn missing(
        &self,
        mut is_seen: impl FnMut(usize, &str) -> bool,
    ) -> impl Iterator<Item = ActiveRecord> {
        let absences = |at: usize| {
            let found = self.absences.binary_search_by_key(&small(at), |(at, ..)| *at).ok();
            found.and_then(|found| self.absences.get(found))
        };
        self.active.iter().enumerate().filter(|(_, is_active)| **is_active).filter_map(
            move |(at, _)| {
                let id = self.id(at);
                if is_seen(at, id) {
                    return None;
                }
                let (missing_runs, missing_since) =
                    absences(at).map_or((0, None), |(_, runs, since)| (*runs, *since));
                Some(ActiveRecord {
                    external_id: ExternalId::from(id),
                    missing_runs,
                    missing_since,
                })
            },
        )
    }

    fn id(&self, at: usize) -> &str {
        let end = |at: usize| self.ends.get(at).and_then(|end| usize::try_from(*end).ok());
        let start = at.checked_sub(1).and_then(end).unwrap_or(0);
        end(at).and_then(|end| self.ids.get(start..end)).unwrap_or_default()
    }
}

/// A place or a length: a source has no 2^32 people, nor are their ids as many bytes.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_come_out_as_they_went_in() {
        let since = Timestamp::UNIX_EPOCH;
        let mut people = KnownPeople::default();
        people.push("E1", true, Some([1; 16]), (0, None));
        people.push("É2", false, None, (0, None));
        people.push("E33", true, None, (2, Some(since)));
        assert_eq!(people.counts(), RecordCounts { all: 3, active: 2 });
        assert_eq!(people.take_rows(), [u128::from_be_bytes([1; 16]), 0, 0]);
        let mut asked = Vec::new();
        let missing = people.missing(|at, id| {
            asked.push((at, id.to_owned()));
            id == "E1"
        });
        let expected =
            ActiveRecord { external_id: "E33".into(), missing_runs: 2, missing_since: Some(since) };
        assert_eq!(missing.collect::<Vec<_>>(), [expected]);
        assert_eq!(asked, [(0, "E1".to_owned()), (2, "E33".to_owned())]);
    }
}
