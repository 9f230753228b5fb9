//! When the next request may go, as far as answers tell: pauses after 429 and a full bucket.
//!
//! Pure: instants are handed in. The burst window and the daily quota are the store's, because
//! other processes and restarts share them.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::delivery::Ladder;
use crate::delivery::backoff::after_server;
use crate::domain::BulkRequestId;

/// A 429 that persists this long means the day's quota is used up somewhere else
/// (Microsoft Graph throttling guidance; Entra gives no other sign).
pub(super) const THROTTLED_IS_EXHAUSTED: SignedDuration = SignedDuration::from_mins(10);

/// What recent answers say about the pace.
#[derive(Debug)]
pub(super) struct Pace {
    throttle: Ladder,
    transient: Ladder,
    paused: Option<Pause>,
    throttle_step: u32,
    throttled_since: Option<Timestamp>,
    transient_steps: HashMap<BulkRequestId, u32>,
    token_step: u32,
    failing_since: Option<Timestamp>,
}

/// From when until when nothing is sent.
#[derive(Debug, Clone, Copy)]
struct Pause {
    from: Timestamp,
    until: Timestamp,
}

impl Pace {
    pub(super) fn new(throttle: Ladder, transient: Ladder) -> Self {
        Self {
            throttle,
            transient,
            paused: None,
            throttle_step: 0,
            throttled_since: None,
            transient_steps: HashMap::new(),
            token_step: 0,
            failing_since: None,
        }
    }

    /// How long nothing may be sent to the target, if at all. A clock that has gone back makes a
    /// pause begin anew, no more.
    pub(super) fn pause(&mut self, now: Timestamp) -> Option<Duration> {
        let pause = self.paused.as_mut()?;
        if now < pause.from {
            let length = pause.until.duration_since(pause.from);
            *pause = Pause { from: now, until: now.saturating_add(length).unwrap_or(now) };
        }
        let left = pause.until.duration_since(now);
        left.is_positive().then(|| left.unsigned_abs())
    }

    /// A request was taken.
    pub(super) fn accepted(&mut self, id: BulkRequestId) {
        self.throttle_step = 0;
        self.throttled_since = None;
        self.transient_steps.remove(&id);
        self.token_step = 0;
        self.failing_since = None;
    }

    /// A 429: the whole target pauses; returns until when. Several requests of one burst that are
    /// throttled together climb one step together.
    pub(super) fn throttled(&mut self, retry_after: Option<Duration>, now: Timestamp) -> Timestamp {
        let is_paused = self.pause(now).is_some();
        self.throttled_since.get_or_insert(now);
        let wait = match retry_after {
            Some(wait) => after_server(wait),
            None if is_paused => Duration::ZERO,
            None => self.throttle.wait(self.throttle_step),
        };
        if !is_paused {
            self.throttle_step += 1;
        }
        self.pause_for(wait, now)
    }

    /// Whether 429s have gone on for so long that the quota must be used up.
    pub(super) fn is_exhausted(&self, now: Timestamp) -> bool {
        self.throttled_since
            .is_some_and(|since| now.duration_since(since) >= THROTTLED_IS_EXHAUSTED)
    }

    /// Whether nothing but passing faults has been met for this long: the other side does not answer.
    pub(super) fn is_unreachable(&self, patience: Duration, now: Timestamp) -> bool {
        self.failing_since.is_some_and(|since| later(since, patience) <= now)
    }

    /// The whole target pauses for this long from now, or longer if it already does.
    pub(super) fn pause_for(&mut self, wait: Duration, now: Timestamp) -> Timestamp {
        let left = self.pause(now).unwrap_or(Duration::ZERO);
        let until = later(now, wait.max(left));
        self.paused = Some(Pause { from: now, until });
        until
    }

    /// The token endpoint gave no token this time: the whole target pauses.
    pub(super) fn without_token(&mut self, now: Timestamp) -> Timestamp {
        self.failing_since.get_or_insert(now);
        let wait = self.transient.wait(self.token_step);
        self.token_step += 1;
        self.pause_for(wait, now)
    }

    /// A passing fault of one request; returns when it may be tried again.
    pub(super) fn transient(
        &mut self,
        id: BulkRequestId,
        retry_after: Option<Duration>,
        now: Timestamp,
    ) -> Timestamp {
        self.failing_since.get_or_insert(now);
        let step = self.transient_steps.entry(id).or_insert(0);
        let wait = retry_after.map_or_else(|| self.transient.wait(*step), after_server);
        *step += 1;
        later(now, wait)
    }
}

/// An instant this much later.
pub(super) fn later(now: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> Pace {
        let ladder = |base| Ladder { base: Duration::from_secs(base), cap: Duration::from_mins(5) };
        Pace::new(ladder(5), ladder(1))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    #[test]
    fn a_burst_of_429s_climbs_one_step_and_success_climbs_down() {
        let mut pace = pace();
        let until = pace.throttled(None, at(0));
        assert!(until <= at(5));
        assert_eq!(pace.throttled(None, at(0)), until);
        assert_eq!(pace.throttle_step, 1);
        let until = pace.throttled(None, at(6));
        assert!(until >= at(11) && until <= at(16));
        pace.accepted(BulkRequestId(1));
        assert_eq!(pace.throttle_step, 0);
    }

    #[test]
    fn retry_after_beats_the_ladder() {
        let mut pace = pace();
        let until = pace.throttled(Some(Duration::from_secs(100)), at(0));
        assert!(until >= at(100) && until <= at(101));
        assert!(pace.pause(at(99)).is_some());
        assert!(pace.pause(at(102)).is_none());
    }

    #[test]
    fn a_pause_does_not_grow_by_the_hour_that_the_clock_goes_back() {
        let mut pace = pace();
        pace.pause_for(Duration::from_mins(5), at(0));
        assert_eq!(pace.pause(at(-3_600)), Some(Duration::from_mins(5)));
        assert_eq!(pace.pause(at(-3_400)), Some(Duration::from_secs(100)));
        assert_eq!(pace.pause(at(-3_300)), None);
        pace.pause_for(Duration::from_secs(10), at(-3_000));
        assert_eq!(pace.pause(at(-2_995)), Some(Duration::from_secs(5)));
        assert_eq!(pace.pause(at(3_600)), None, "and an hour on");
    }

    #[test]
    fn throttling_for_ten_minutes_means_the_quota_is_used_up() {
        let mut pace = pace();
        pace.throttled(None, at(0));
        assert!(!pace.is_exhausted(at(599)));
        assert!(pace.is_exhausted(at(600)));
    }

    #[test]
    fn faults_without_a_success_in_between_mean_that_nobody_answers() {
        let mut pace = pace();
        let patience = Duration::from_mins(10);
        pace.without_token(at(0));
        pace.transient(BulkRequestId(1), None, at(300));
        assert!(!pace.is_unreachable(patience, at(599)));
        assert!(pace.is_unreachable(patience, at(600)));
        pace.accepted(BulkRequestId(1));
        assert!(!pace.is_unreachable(patience, at(600)));
    }

    #[test]
    fn a_passing_fault_holds_back_only_its_own_request() {
        let mut pace = pace();
        pace.transient(BulkRequestId(1), None, at(0));
        let again = pace.transient(BulkRequestId(1), None, at(0));
        assert!(again >= at(1) && again <= at(2));
        assert!(pace.pause(at(0)).is_none());
    }
}
