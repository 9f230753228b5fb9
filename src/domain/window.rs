//! The time in which somebody is active, and where a day begins.

use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// From when to when somebody is active: `from` is in it, `until` is not.
///
/// With `until` at or before `from` nobody ever is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveWindow {
    /// The first instant in it.
    pub from: Timestamp,
    /// The first instant after it; `None`: it never ends.
    pub until: Option<Timestamp>,
}

impl ActiveWindow {
    /// Whether somebody is active at this instant.
    #[must_use]
    pub fn is_active_at(&self, now: Timestamp) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }

    /// The first instant after this one at which the state is another; `None` when it stays as it
    /// is for ever.
    #[must_use]
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        if self.until.is_some_and(|until| until <= self.from) {
            return None;
        }
        if now < self.from { Some(self.from) } else { self.until.filter(|until| now < *until) }
    }
}

/// The first instant of a day in a time zone: midnight, or, where the clocks skip midnight, the
/// instant at which they do. Of a midnight that comes twice it is the first. `None` for days at
/// the very end of time (9999-12-31 in most zones), which no instant stands for.
#[must_use]
pub fn start_of_day(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    let midnight = date.to_datetime(Time::midnight());
    match zone.to_ambiguous_timestamp(midnight).offset() {
        AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
            offset.to_timestamp(midnight).ok()
        }
        AmbiguousOffset::Gap { before, .. } => {
            // by the clock as it went before, midnight comes when the skip has just begun, or later
            let skipped = before.to_timestamp(midnight).ok()?;
            let after = skipped.checked_add(SignedDuration::from_nanos(1)).ok()?;
            zone.preceding(after).next().map(|skip| skip.timestamp())
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn starts(day: Date, zone: &str) -> String {
        let zone = TimeZone::get(zone).expect(zone);
        start_of_day(day, &zone).map_or_else(|| "never".to_owned(), |start| start.to_string())
    }

    #[test]
    fn the_first_instant_is_in_and_the_last_is_not() {
        let window = ActiveWindow { from: at(100), until: Some(at(200)) };
        let active = [99, 100, 199, 200].map(|second| window.is_active_at(at(second)));
        assert_eq!(active, [false, true, true, false]);
        let open = ActiveWindow { until: None, ..window };
        assert!(open.is_active_at(Timestamp::MAX) && !open.is_active_at(at(99)));
    }

    #[test]
    fn the_next_change_is_the_start_then_the_end_then_none() {
        let window = ActiveWindow { from: at(100), until: Some(at(200)) };
        let next = [0, 99, 100, 199, 200, 300].map(|second| window.next_change(at(second)));
        assert_eq!(next, [Some(at(100)), Some(at(100)), Some(at(200)), Some(at(200)), None, None]);
        let open = ActiveWindow { until: None, ..window };
        assert_eq!([open.next_change(at(99)), open.next_change(at(100))], [Some(at(100)), None]);
    }

    #[test]
    fn an_empty_window_never_changes() {
        for until in [100, 50] {
            let window = ActiveWindow { from: at(100), until: Some(at(until)) };
            for second in [0, 50, 75, 100, 150] {
                assert!(!window.is_active_at(at(second)));
                assert_eq!(window.next_change(at(second)), None);
            }
        }
    }

    #[test]
    fn a_day_begins_at_midnight_of_its_zone() {
        let day = date(2026, 3, 1);
        assert_eq!(starts(day, "UTC"), "2026-03-01T00:00:00Z");
        assert_eq!(starts(day, "Pacific/Auckland"), "2026-02-28T11:00:00Z");
        assert_eq!(starts(day, "America/Los_Angeles"), "2026-03-01T08:00:00Z");
        assert_eq!(starts(day, "Asia/Kathmandu"), "2026-02-28T18:15:00Z");
        assert_eq!(starts(date(2028, 2, 29), "Europe/Berlin"), "2028-02-28T23:00:00Z");
    }

    #[test]
    fn a_skipped_midnight_begins_the_day_when_the_clocks_are_moved() {
        assert_eq!(starts(date(2024, 9, 8), "America/Santiago"), "2024-09-08T04:00:00Z");
        // half past eleven became half past twelve: the new day was half an hour old at once
        assert_eq!(starts(date(1919, 3, 31), "America/Toronto"), "1919-03-31T04:30:00Z");
        // a whole day that never was begins and ends in one instant
        assert_eq!(starts(date(2011, 12, 30), "Pacific/Apia"), "2011-12-30T10:00:00Z");
        assert_eq!(starts(date(2011, 12, 31), "Pacific/Apia"), "2011-12-30T10:00:00Z");
    }

    #[test]
    fn of_a_midnight_that_comes_twice_the_first_begins_the_day() {
        assert_eq!(starts(date(2026, 11, 1), "America/Havana"), "2026-11-01T04:00:00Z");
        // back from midnight to eleven: midnight itself comes once, an hour later
        assert_eq!(starts(date(2024, 4, 7), "America/Santiago"), "2024-04-07T04:00:00Z");
    }

    #[test]
    fn the_end_of_time_is_no_instant() {
        assert_eq!(starts(date(9999, 12, 31), "UTC"), "never");
        assert_eq!(starts(date(9999, 12, 30), "America/New_York"), "9999-12-30T05:00:00Z");
    }
}
