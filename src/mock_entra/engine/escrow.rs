//! Escrows: records that failed wait here, and are tried again with growing pauses.
//!
//! Follows "Application provisioning in quarantine status", retry duration: 6, 12 and 24 hours after
//! the first failure, then every 24 hours, and no more after 28 days.

use std::sync::Arc;

use indexmap::IndexMap;

use super::record::Record;
use crate::mock_entra::clock::SECOND;
use crate::mock_entra::shared::DAY;

const HOUR: i64 = 3_600 * SECOND;
/// The retries of the first day, after the first failure: 6 h, 12 h. From 24 h on it is once a day.
const FIRST_DAY: [i64; 2] = [6 * HOUR, 12 * HOUR];
/// The last retry, after the first failure.
const LAST: i64 = 28 * DAY;

#[derive(Debug)]
struct Escrow {
    record: Record,
    first_failed: i64,
    next: i64,
}

/// All failed records, by external id.
#[derive(Debug, Default)]
pub(super) struct Escrows(IndexMap<Arc<str>, Escrow>);

impl Escrows {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The people who have one.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|id| &**id)
    }

    /// Keeps a record that has just failed, and failed first at `first_failed`. False when the
    /// ladder has come to its end: then it is given up.
    pub(super) fn keep(&mut self, record: Record, first_failed: i64, now: i64) -> bool {
        let Some(next) = next_retry(first_failed, now) else {
            return false;
        };
        let id = Arc::clone(&record.external_id);
        self.0.insert(id, Escrow { record, first_failed, next });
        true
    }

    pub(super) fn remove(&mut self, external_id: &str) {
        // The order of retries does not matter; moving forty thousand entries up would.
        self.0.swap_remove(external_id);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// When the next retry is due.
    pub(super) fn next(&self) -> Option<i64> {
        self.0.values().map(|escrow| escrow.next).min()
    }

    /// Takes out what is due, with the instants of the first failures.
    pub(super) fn take_due(&mut self, now: i64) -> Vec<(Record, i64)> {
        let mut due = Vec::new();
        if self.next().is_some_and(|next| next <= now) {
            for (id, escrow) in std::mem::take(&mut self.0) {
                if escrow.next <= now {
                    due.push((escrow.record, escrow.first_failed));
                } else {
                    self.0.insert(id, escrow);
                }
            }
        }
        due
    }

    /// Takes out all, due or not.
    pub(super) fn take_all(&mut self) -> Vec<(Record, i64)> {
        std::mem::take(&mut self.0)
            .into_values()
            .map(|escrow| (escrow.record, escrow.first_failed))
            .collect()
    }
}

/// The ladder's first step after `now`.
fn next_retry(first_failed: i64, now: i64) -> Option<i64> {
    let waited = now.saturating_sub(first_failed);
    let next_day = (waited.div_euclid(DAY) + 1) * DAY;
    let step = FIRST_DAY.into_iter().find(|step| *step > waited).unwrap_or(next_day);
    (step <= LAST).then(|| first_failed.saturating_add(step))
}

#[cfg(test)]
mod tests {
    use super::super::record::Source;
    use super::*;

    fn record(id: &str) -> Record {
        Record::new(Arc::from(id), Source::default())
    }

    #[test]
    fn retries_are_after_6_12_and_24_hours_then_daily_to_28_days() {
        let mut at = 7;
        let mut steps = Vec::new();
        while let Some(next) = next_retry(7, at) {
            steps.push((next - 7) / HOUR);
            at = next;
        }
        let mut expected = vec![6, 12];
        expected.extend((1..=28).map(|day| day * 24));
        assert_eq!(steps, expected);
    }

    #[test]
    fn steps_that_were_missed_are_not_made_up_for() {
        assert_eq!(next_retry(0, 13 * HOUR), Some(DAY));
        assert_eq!(next_retry(0, 3 * DAY + HOUR), Some(4 * DAY));
        assert_eq!(next_retry(0, 30 * DAY), None);
    }

    #[test]
    fn only_what_is_due_is_taken() {
        let mut escrows = Escrows::default();
        assert!(escrows.keep(record("early"), 0, 0));
        assert!(escrows.keep(record("late"), HOUR, HOUR));
        assert!(!escrows.keep(record("spent"), 0, LAST), "given up");
        assert_eq!(escrows.next(), Some(6 * HOUR));
        assert!(escrows.take_due(6 * HOUR - 1).is_empty());
        let due = escrows.take_due(6 * HOUR);
        assert_eq!(due.len(), 1);
        assert_eq!((&*due[0].0.external_id, due[0].1), ("early", 0));
        assert_eq!(escrows.ids().collect::<Vec<_>>(), ["late"]);
    }
}
