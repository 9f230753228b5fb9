//! When what is queued will have gone out, as far as the quota lets it.
//!
//! Pure: the calls of the last day and the instant are handed in. Each call counts for 24 hours from
//! its start, so the next free one is the oldest that expires; those that are made then expire a day
//! later in turn. The burst limit is counted too, which matters for large runs within the quota.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// A call counts so long against the daily quota.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The limits of a tenant, as far as a forecast needs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Most calls in any 24 hours.
    pub daily: u32,
    /// Most calls in a window.
    pub burst: u32,
    /// The window.
    pub window: Duration,
}

/// When the last of so many requests goes out; `None` when nothing may ever be sent.
///
/// `starts` are the calls of the last 24 hours, oldest first.
#[must_use]
pub fn forecast(
    starts: &[Timestamp],
    pace: Quota,
    requests: u64,
    now: Timestamp,
) -> Option<Timestamp> {
    if requests == 0 {
        return Some(now);
    }
    if pace.daily == 0 || pace.burst == 0 {
        return None;
    }
    let daily = usize::try_from(pace.daily).unwrap_or(usize::MAX);
    let window = SignedDuration::try_from(pace.window).unwrap_or(SignedDuration::MAX);
    let mut counting: VecDeque<Timestamp> =
        starts.iter().copied().filter(|start| now.duration_since(*start) < DAY).collect();
    let mut at = now;
    let mut left = requests;
    while left > 0 {
        while counting.front().is_some_and(|start| at.duration_since(*start) >= DAY) {
            counting.pop_front();
        }
        let free = daily.saturating_sub(counting.len());
        if free == 0 {
            at = counting.front()?.checked_add(DAY).ok()?;
            continue;
        }
        // a window's worth at a time
        let burst = u64::from(pace.burst).min(left).min(u64::try_from(free).unwrap_or(u64::MAX));
        counting.extend((0..burst).map(|_| at));
        left -= burst;
        if left > 0 {
            at = at.checked_add(window).ok()?;
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PACE: Quota = Quota { daily: 2_000, burst: 40, window: Duration::from_secs(5) };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[test]
    fn within_the_quota_only_the_burst_limit_counts() {
        assert_eq!(forecast(&[], PACE, 0, at(0)), Some(at(0)));
        assert_eq!(forecast(&[], PACE, 40, at(0)), Some(at(0)));
        assert_eq!(forecast(&[], PACE, 41, at(0)), Some(at(5)));
        assert_eq!(forecast(&[], PACE, 2_000, at(0)), Some(at(245)));
    }

    #[test]
    fn what_is_over_the_quota_waits_for_calls_to_expire() {
        // 1,640 calls, made ten hours ago
        let starts = vec![at(-36_000); 1_640];
        assert_eq!(forecast(&starts, PACE, 360, at(0)), Some(at(40)));
        assert_eq!(forecast(&starts, PACE, 361, at(0)), Some(at(50_400)));
        assert_eq!(forecast(&starts, PACE, 500, at(0)), Some(at(50_415)));
        // older ones count no more
        assert_eq!(forecast(&vec![at(-86_400); 2_000], PACE, 1, at(0)), Some(at(0)));
        assert_eq!(forecast(&vec![at(-86_399); 2_000], PACE, 1, at(0)), Some(at(1)));
    }

    #[test]
    fn several_days_are_counted_through() {
        let small = Quota { daily: 20, ..PACE };
        assert_eq!(forecast(&[], small, 20, at(0)), Some(at(0)));
        assert_eq!(forecast(&[], small, 60, at(0)), Some(at(2 * 86_400)));
        assert_eq!(forecast(&[], small, 61, at(0)), Some(at(3 * 86_400)));
    }

    #[test]
    fn without_any_calls_nothing_goes_out() {
        assert_eq!(forecast(&[], Quota { daily: 0, ..PACE }, 1, at(0)), None);
        assert_eq!(forecast(&[], Quota { burst: 0, ..PACE }, 1, at(0)), None);
    }

    proptest! {
        #[test]
        fn more_requests_never_go_out_earlier(
            mut starts in proptest::collection::vec(0_i64..86_400, 0..50),
            daily in 1_u32..60,
            requests in 0_u64..300,
        ) {
            starts.sort_unstable_by(|left, right| right.cmp(left));
            let starts: Vec<Timestamp> = starts.into_iter().map(|ago| at(-ago)).collect();
            let pace = Quota { daily, ..PACE };
            let sooner = forecast(&starts, pace, requests, at(0)).unwrap();
            let later = forecast(&starts, pace, requests + 1, at(0)).unwrap();
            prop_assert!(at(0) <= sooner && sooner <= later);
        }
    }
}
