//! What this process has noticed and the store does not know: raised and cleared by whoever notices.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::bridge::Bridge;
use crate::domain::AlertKind;
use crate::entra::CallFailure;
use crate::store::StoreTrouble;
use crate::telemetry::alerts::{AlertKey, Condition, Facts, Word};

/// Trouble with the store is over this long after it last showed: what fails is tried again sooner.
const TROUBLE_LASTS: SignedDuration = SignedDuration::from_mins(10);

/// What holds as far as this process has noticed.
#[derive(Default)]
pub struct Conditions {
    noticed: Mutex<BTreeMap<AlertKey, Noticed>>,
    active: Mutex<BTreeMap<AlertKind, u64>>,
    refused_keys: Mutex<BTreeMap<&'static str, u64>>,
}

struct Noticed {
    condition: Condition,
    /// When it is over unless it is raised again.
    until: Option<Timestamp>,
}

impl Conditions {
    /// Says that something holds, until it is cleared. Said again, it still holds since the first time.
    pub fn raise(&self, facts: Facts, now: Timestamp) {
        self.raise_until(facts, now, None);
    }

    /// Says that something holds, until it is cleared or the instant has come.
    pub fn raise_until(&self, facts: Facts, now: Timestamp, until: Option<Timestamp>) {
        let mut noticed = held(&self.noticed);
        let key = (facts.kind(), facts.subject());
        let before = noticed.get(&key).filter(|before| !before.is_over(now));
        let since = before.map_or(now, |before| before.condition.since);
        noticed.insert(key, Noticed { condition: Condition::new(facts, since), until });
    }

    /// Says that something does not hold any more: the kind and the [`Facts::subject`] that it was
    /// raised with.
    pub fn clear(&self, kind: AlertKind, subject: &str) {
        held(&self.noticed).remove(&(kind, subject.to_owned()));
    }

    /// How many alerts of each kind hold, as they were last counted.
    #[must_use]
    pub fn active(&self) -> BTreeMap<AlertKind, u64> {
        held(&self.active).clone()
    }

    pub(super) fn note_active(&self, active: BTreeMap<AlertKind, u64>) {
        *held(&self.active) = active;
    }

    /// How many provisioning keys were refused, by reason, since this process began.
    #[must_use]
    pub fn refused_keys(&self) -> BTreeMap<&'static str, u64> {
        held(&self.refused_keys).clone()
    }

    pub(in crate::bridge) fn note_refused_key(&self, reason: &'static str) {
        *held(&self.refused_keys).entry(reason).or_default() += 1;
    }

    /// Everything that holds.
    pub(in crate::bridge) fn all(&self, now: Timestamp) -> Vec<Condition> {
        let mut noticed = held(&self.noticed);
        noticed.retain(|_, each| !each.is_over(now));
        noticed.values().map(|each| each.condition.clone()).collect()
    }

    pub(super) fn has_store_trouble(&self) -> bool {
        held(&self.noticed).keys().any(|(kind, _)| *kind == AlertKind::StoreTrouble)
    }
}

impl Noticed {
    fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

impl Bridge {
    /// Notes what is the matter with the store, where an error comes from that. It is over once nothing
    /// of the kind has happened for some time.
    pub(in crate::bridge) fn note_trouble(&self, error: &(dyn Error + 'static)) {
        if let Some(trouble) = StoreTrouble::among_causes(error) {
            let (words, advice) = (trouble.to_string(), trouble.advice().to_owned());
            let facts = Facts::StoreTrouble { trouble: words, advice };
            let now = self.clock.now();
            self.conditions.raise_until(facts, now, now.checked_add(TROUBLE_LASTS).ok());
        }
    }
}

/// The status and the code that a call failed with.
pub(in crate::bridge) fn answer_of(failure: &CallFailure) -> (Option<u16>, Option<Word>) {
    (failure.status(), failure.code().map(|code| Word::new(&code)))
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_is_raised_holds_since_the_first_time_until_it_is_cleared() {
        let conditions = Conditions::default();
        let overdue = || Facts::FileOverdue { source: "hr".to_owned(), expected_at: at(1) };
        conditions.raise(overdue(), at(10));
        conditions.raise(overdue(), at(20));
        assert_eq!(conditions.all(at(30)), [Condition::new(overdue(), at(10))]);
        conditions.clear(AlertKind::FileOverdue, "payroll");
        assert_eq!(conditions.all(at(30)).len(), 1);
        conditions.clear(AlertKind::FileOverdue, "hr");
        assert_eq!(conditions.all(at(30)), []);
    }

    #[test]
    fn what_is_raised_for_a_time_is_over_by_itself() {
        let conditions = Conditions::default();
        conditions.raise_until(Facts::KeysRefused {}, at(0), Some(at(60)));
        conditions.raise_until(Facts::KeysRefused {}, at(50), Some(at(110)));
        assert_eq!(conditions.all(at(109)), [Condition::new(Facts::KeysRefused {}, at(0))]);
        assert_eq!(conditions.all(at(110)), []);
        conditions.raise_until(Facts::KeysRefused {}, at(200), Some(at(260)));
        assert_eq!(conditions.all(at(200)), [Condition::new(Facts::KeysRefused {}, at(200))]);
    }
}
