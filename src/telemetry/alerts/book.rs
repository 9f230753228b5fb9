//! What holds, what was told of it, and so what is to be told now: raised once, said again while it
//! lasts, over once. Pure: conditions, rules and the instant are handed in.
//!
//! An alert is known by its kind and its subject (a run, a target, a key). Each channel is told by
//! itself, so that one that fails keeps no other waiting. What happens in a burst is one message: new
//! alerts of a kind are gathered until no more of them come, and after a message the next ones of its
//! kind wait for some minutes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::domain::AlertKind;
use crate::telemetry::alerts::facts::Facts;
use crate::telemetry::alerts::message::{Message, State};

/// New alerts of a kind are told once this long none has joined them.
const GATHER: SignedDuration = SignedDuration::from_secs(3);
/// They are told after this long whatever joins them.
const GATHER_MOST: SignedDuration = SignedDuration::from_mins(2);
/// The pause between two messages of a kind about new alerts.
const QUIET: SignedDuration = SignedDuration::from_mins(5);
/// What happened this long ago is not told any more to a channel that could not be told.
const STALE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Something that holds now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What.
    pub facts: Facts,
    /// Since when.
    pub since: Timestamp,
    /// Grows when it becomes worth saying again: with each threshold that an expiry has passed.
    pub level: i64,
}

impl Condition {
    /// A condition of which there is but one level.
    #[must_use]
    pub const fn new(facts: Facts, since: Timestamp) -> Self {
        Self { facts, since, level: 0 }
    }
}

/// A condition that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What.
    pub facts: Facts,
    /// Since when.
    pub since: Timestamp,
    /// See [`Condition::level`].
    pub level: i64,
    /// When it was first seen.
    pub seen_at: Timestamp,
    /// When it was first seen to hold no more.
    pub ended_at: Option<Timestamp>,
}

/// What tells alerts apart: kind and subject.
pub type AlertKey = (AlertKind, String);

impl Alert {
    /// Its kind and subject.
    #[must_use]
    pub fn key(&self) -> AlertKey {
        (self.facts.kind(), self.facts.subject())
    }
}

/// What a channel was last told of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// That it holds, or that it is over.
    pub state: State,
    /// The level that it had.
    pub level: i64,
    /// When.
    pub at: Timestamp,
}

/// What is kept over a restart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// When alerts were switched on: what happened before is not told.
    pub since: Timestamp,
    /// Up to when runs were looked at.
    pub looked_until: Timestamp,
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// What each channel was told, by its name.
    pub told: Vec<(String, AlertKey, Told)>,
}

/// What the config says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The kinds that are told.
    pub on: BTreeSet<AlertKind>,
    /// How long until what lasts is said again.
    pub repeat: SignedDuration,
    /// The channels, by their names.
    pub channels: Vec<String>,
}

/// The alerts, and what was told.
#[derive(Debug)]
pub struct Book {
    rules: Rules,
    since: Timestamp,
    looked_until: Timestamp,
    alerts: BTreeMap<AlertKey, Alert>,
    told: BTreeMap<(String, AlertKey), Told>,
    /// When a channel was last told of something new of a kind.
    last: BTreeMap<(String, AlertKind, State), Timestamp>,
}

impl Book {
    /// Opens what was kept, or begins: then alerts were switched on `now`. Kinds and channels that
    /// are not in the rules any more are forgotten.
    #[must_use]
    pub fn open(kept: Option<Kept>, rules: Rules, now: Timestamp) -> Self {
        let kept = kept.unwrap_or(Kept { since: now, looked_until: now, ..Kept::default() });
        let alerts = kept.alerts.into_iter().filter(|alert| rules.on.contains(&alert.facts.kind()));
        let alerts: BTreeMap<AlertKey, Alert> = alerts.map(|alert| (alert.key(), alert)).collect();
        let told = kept
            .told
            .into_iter()
            .filter(|(channel, key, _)| {
                rules.channels.contains(channel) && alerts.contains_key(key)
            })
            .map(|(channel, key, told)| ((channel, key), told))
            .collect();
        let (since, looked_until) = (kept.since, kept.looked_until);
        Self { rules, since, looked_until, alerts, told, last: BTreeMap::new() }
    }

    /// What is to be kept.
    #[must_use]
    pub fn kept(&self) -> Kept {
        let told = self.told.iter();
        Kept {
            since: self.since,
            looked_until: self.looked_until,
            alerts: self.alerts.values().cloned().collect(),
            told: told
                .map(|((channel, key), told)| (channel.clone(), key.clone(), *told))
                .collect(),
        }
    }

    /// When alerts were switched on.
    #[must_use]
    pub const fn since(&self) -> Timestamp {
        self.since
    }

    /// Up to when runs were looked at.
    #[must_use]
    pub const fn looked_until(&self) -> Timestamp {
        self.looked_until
    }

    /// How many hold, by kind. What happened once does not hold.
    #[must_use]
    pub fn active(&self) -> BTreeMap<AlertKind, u64> {
        let mut counts: BTreeMap<AlertKind, u64> = BTreeMap::new();
        for alert in self.alerts.values() {
            let kind = alert.facts.kind();
            if alert.ended_at.is_none() && !kind.is_event() {
                *counts.entry(kind).or_default() += 1;
            }
        }
        counts
    }

    /// Takes what was seen to hold: everything, but for the kinds of which nothing could be learnt.
    /// Whether there is something new to keep.
    pub fn observe(
        &mut self,
        seen: Vec<Condition>,
        unknown: &BTreeSet<AlertKind>,
        now: Timestamp,
    ) -> bool {
        let mut is_changed = false;
        let mut holds = BTreeSet::new();
        for condition in seen {
            let kind = condition.facts.kind();
            if !self.rules.on.contains(&kind) {
                continue;
            }
            let Condition { facts, since, level } = condition;
            let key = (kind, facts.subject());
            holds.insert(key.clone());
            if let Some(alert) = self.alerts.get_mut(&key) {
                let is_back = alert.ended_at.take().is_some();
                is_changed |= is_back || alert.level != level;
                if is_back {
                    (alert.since, alert.seen_at) = (since, now);
                }
                // the numbers of what lasts go on changing: not worth a write each
                (alert.facts, alert.level) = (facts, level);
            } else {
                let alert = Alert { facts, since, level, seen_at: now, ended_at: None };
                self.alerts.insert(key, alert);
                is_changed = true;
            }
        }
        for (key, alert) in &mut self.alerts {
            if !holds.contains(key) && !unknown.contains(&key.0) && alert.ended_at.is_none() {
                alert.ended_at = Some(now);
                is_changed = true;
            }
        }
        self.forget_what_is_done(now) || is_changed
    }

    /// Notes up to when runs were looked at.
    pub fn note_looked(&mut self, until: Timestamp) {
        self.looked_until = self.looked_until.max(until);
    }

    /// What a channel is to be told now, a message for all that is alike.
    #[must_use]
    pub fn due(&self, channel: &str, now: Timestamp) -> Vec<Message> {
        let mut groups: BTreeMap<(AlertKind, State, bool), Vec<&Alert>> = BTreeMap::new();
        for (key, alert) in &self.alerts {
            let told = self.told.get(&(channel.to_owned(), key.clone()));
            if let Some((state, is_again)) = self.news(alert, told, now) {
                groups.entry((key.0, state, is_again)).or_default().push(alert);
            }
        }
        let is_ready = |(kind, state, is_again): &(AlertKind, State, bool), alerts: &[&Alert]| {
            *is_again || self.is_gathered(channel, *kind, *state, alerts, now)
        };
        groups
            .into_iter()
            .filter(|(group, alerts)| is_ready(group, alerts))
            .map(|((kind, state, is_again), alerts)| Message {
                kind,
                state,
                is_again,
                alerts: alerts.into_iter().cloned().collect(),
                at: now,
            })
            .collect()
    }

    /// Whether something waits to be told that is still being gathered.
    #[must_use]
    pub fn is_gathering(&self, now: Timestamp) -> bool {
        self.rules.channels.iter().any(|channel| {
            self.alerts.iter().any(|(key, alert)| {
                let told = self.told.get(&(channel.clone(), key.clone()));
                self.news(alert, told, now).is_some_and(|(_, is_again)| !is_again)
                    && since(begun(alert), now) < GATHER_MOST
            })
        })
    }

    /// Notes that a channel was told.
    pub fn note_told(&mut self, channel: &str, message: &Message, now: Timestamp) {
        for alert in &message.alerts {
            let told = Told { state: message.state, level: alert.level, at: now };
            self.told.insert((channel.to_owned(), alert.key()), told);
        }
        if !message.is_again {
            self.last.insert((channel.to_owned(), message.kind, message.state), now);
        }
        self.forget_what_is_done(now);
    }

    /// What there is to say of an alert: its state, and whether it is said again.
    fn news(&self, alert: &Alert, told: Option<&Told>, now: Timestamp) -> Option<(State, bool)> {
        let is_event = alert.facts.kind().is_event();
        let has_ended = alert.ended_at.is_some() && !is_event;
        match told {
            None if has_ended => None,
            None => Some((State::Raised, false)),
            Some(told) if has_ended => {
                let is_told = told.state == State::Raised && is_end_told(alert);
                is_told.then_some((State::Over, false))
            }
            Some(told) if told.state == State::Over || alert.level > told.level => {
                Some((State::Raised, false))
            }
            Some(told) => {
                let repeats = !is_event && repeats(alert, now);
                let is_time = since(told.at, now) >= self.rules.repeat;
                (repeats && is_time).then_some((State::Raised, true))
            }
        }
    }

    fn is_gathered(
        &self,
        channel: &str,
        kind: AlertKind,
        state: State,
        alerts: &[&Alert],
        now: Timestamp,
    ) -> bool {
        let last = self.last.get(&(channel.to_owned(), kind, state));
        if last.is_some_and(|last| since(*last, now) < QUIET) {
            return false;
        }
        let waits = || alerts.iter().map(|alert| since(begun(alert), now));
        waits().min().is_some_and(|newest| newest >= GATHER)
            || waits().max().is_some_and(|oldest| oldest >= GATHER_MOST)
    }

    /// Forgets what has ended and of which there is nothing left to say to anybody.
    fn forget_what_is_done(&mut self, now: Timestamp) -> bool {
        let done: Vec<AlertKey> = self
            .alerts
            .iter()
            .filter(|(key, alert)| {
                let Some(ended_at) = alert.ended_at else { return false };
                let is_known = |channel: &String| {
                    let told = self.told.get(&(channel.clone(), (*key).clone()));
                    self.news(alert, told, now).is_none()
                };
                since(ended_at, now) >= STALE || self.rules.channels.iter().all(is_known)
            })
            .map(|(key, _)| key.clone())
            .collect();
        for key in &done {
            self.alerts.remove(key);
        }
        self.told.retain(|(_, key), _| self.alerts.contains_key(key));
        !done.is_empty()
    }
}

/// When what is to be told of it began.
fn begun(alert: &Alert) -> Timestamp {
    alert.ended_at.filter(|_| !alert.facts.kind().is_event()).unwrap_or(alert.seen_at)
}

/// What ends by running out is not said to be over: it was said to run out.
fn is_end_told(alert: &Alert) -> bool {
    match (alert.facts.expires_at(), alert.ended_at) {
        (Some(expires_at), Some(ended_at)) => ended_at < expires_at,
        _ => true,
    }
}

/// What runs out is said again by threshold, and day by day only once it has.
fn repeats(alert: &Alert, now: Timestamp) -> bool {
    alert.facts.expires_at().is_none_or(|expires_at| now >= expires_at)
}

/// How long ago. A clock that has gone back makes it very long: better said twice than never.
fn since(at: Timestamp, now: Timestamp) -> SignedDuration {
    if now < at { SignedDuration::MAX } else { now.duration_since(at) }
}

#[cfg(test)]
mod tests;
