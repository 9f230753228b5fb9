//! Which times have come, and which is the next. Pure: instants in, instants out.
//!
//! Times are by the clock of a zone, so daylight saving matters. One that the clock leaps over comes
//! when the clock has leapt (02:30 becomes 03:00 that day); one that the clock shows twice comes the
//! first time only; what repeats, such as every quarter of an hour, goes on evenly. However many times
//! have gone by, they are caught up with once: what counts of an export is its latest state.

use jiff::{SignedDuration, Timestamp};

use crate::config::Times;

/// How many missed times are counted; more are "that many".
const MOST_COUNTED: u64 = 10_000;
/// How far back the latest time is looked for, step by step.
const LOOK_BACK: [SignedDuration; 5] = [
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(25),
    SignedDuration::from_hours(24 * 32),
    SignedDuration::from_hours(24 * 400),
    SignedDuration::from_hours(24 * 366 * 10),
];

/// A time that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Come {
    /// The latest.
    pub at: Timestamp,
    /// How many came before it, since what was asked for.
    pub missed: u64,
}

/// The next time after an instant; `None` where there is none in any year.
#[must_use]
pub fn next(times: &Times, after: Timestamp) -> Option<Timestamp> {
    let after = after.to_zoned(times.zone().zone.clone());
    let next = times.cron().find_next_occurrence(&after, false).ok()?.timestamp();
    // it never stands still
    (next > after.timestamp()).then_some(next)
}

/// The latest time before an instant; `None` where there is none within ten years.
#[must_use]
pub fn previous(times: &Times, before: Timestamp) -> Option<Timestamp> {
    latest(times, Timestamp::MIN, before - SignedDuration::from_nanos(1))
}

/// What has come after one instant, up to and with another.
#[must_use]
pub fn come(times: &Times, after: Timestamp, until: Timestamp) -> Option<Come> {
    let at = latest(times, after, until)?;
    let mut missed = 0;
    let mut earlier = after;
    while missed < MOST_COUNTED {
        match next(times, earlier) {
            Some(next) if next < at => (earlier, missed) = (next, missed + 1),
            _ => break,
        }
    }
    Some(Come { at, missed })
}

/// Forwards only: there is one meaning of a time that the clock leaps over or shows twice.
fn latest(times: &Times, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
    for back in LOOK_BACK {
        let from = until.checked_sub(back).unwrap_or(Timestamp::MIN).max(after);
        let mut found = None;
        let mut at = from;
        while let Some(next) = next(times, at).filter(|next| *next <= until) {
            (found, at) = (Some(next), next);
        }
        if found.is_some() || from == after {
            return found;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::config::SourceTimeZone;

    fn times(cron: &str, zone: &str) -> Times {
        let zone = SourceTimeZone { name: zone.to_owned(), zone: TimeZone::get(zone).unwrap() };
        Times::parse(cron, zone).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// All times between two instants, in UTC.
    fn all(cron: &str, zone: &str, after: &str, until: &str) -> Vec<String> {
        let (times, mut from) = (times(cron, zone), at(after));
        let mut found = Vec::new();
        while let Some(next) = next(&times, from).filter(|next| *next <= at(until)) {
            found.push(next.to_string());
            from = next;
        }
        found
    }

    #[test]
    fn the_latest_time_is_caught_up_with_once_and_the_others_are_counted() {
        let daily = times("0 5 * * MON-FRI", "Europe/Berlin");
        // 2026-09-04 is a Friday; at 5 in the morning in Berlin it is 3 in UTC
        let friday = at("2026-09-04T03:00:00Z");
        let come_by = |until: &str| come(&daily, friday, at(until));
        assert_eq!(come_by("2026-09-04T03:00:00Z"), None, "what is noted does not come again");
        assert_eq!(come_by("2026-09-07T02:59:59.999Z"), None, "nor on a weekend");
        let monday = at("2026-09-07T03:00:00Z");
        assert_eq!(come_by("2026-09-07T03:00:00Z"), Some(Come { at: monday, missed: 0 }));
        let friday = at("2026-09-11T03:00:00Z");
        assert_eq!(come_by("2026-09-13T12:00:00Z"), Some(Come { at: friday, missed: 4 }));
        assert_eq!(next(&daily, friday), Some(at("2026-09-14T03:00:00Z")));
        assert_eq!(previous(&daily, friday), Some(at("2026-09-10T03:00:00Z")));
        assert_eq!(come(&daily, friday, monday), None, "a clock that went back");
    }

    #[test]
    fn a_year_of_minutes_is_counted_up_to_many() {
        let minutes = times("* * * * *", "UTC");
        let come = come(&minutes, at("2025-01-01T00:00:30Z"), at("2026-01-01T00:00:30Z"));
        assert_eq!(come, Some(Come { at: at("2026-01-01T00:00:00Z"), missed: MOST_COUNTED }));
    }

    #[test]
    fn a_time_that_the_clock_leaps_over_comes_when_it_has_leapt() {
        // 2026-03-29: Berlin goes from 02:00 to 03:00, which is 01:00 in UTC
        assert_eq!(
            all("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", "2026-03-30T23:00:00Z"),
            ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
        );
        let nights = times("30 2 * * *", "Europe/Berlin");
        let come = come(&nights, at("2026-03-28T01:30:00Z"), at("2026-03-29T01:00:00Z"));
        assert_eq!(come, Some(Come { at: at("2026-03-29T01:00:00Z"), missed: 0 }));
    }

    #[test]
    fn a_time_that_the_clock_shows_twice_comes_once() {
        // 2026-10-25: Berlin goes from 03:00 back to 02:00, which is 01:00 in UTC
        assert_eq!(
            all("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z"),
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
        );
        // what repeats goes on evenly
        assert_eq!(
            all("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:59:00Z", "2026-10-25T02:00:00Z"),
            [
                "2026-10-25T00:00:00Z",
                "2026-10-25T00:30:00Z",
                "2026-10-25T01:00:00Z",
                "2026-10-25T01:30:00Z",
                "2026-10-25T02:00:00Z"
            ]
        );
    }

    #[test]
    fn rare_times_are_found_too() {
        let leap = times("0 12 29 2 *", "UTC");
        let come = come(&leap, at("2023-01-01T00:00:00Z"), at("2027-06-01T00:00:00Z"));
        assert_eq!(come, Some(Come { at: at("2024-02-29T12:00:00Z"), missed: 0 }));
        assert_eq!(previous(&leap, at("2027-06-01T00:00:00Z")), Some(at("2024-02-29T12:00:00Z")));
        assert_eq!(next(&leap, at("2024-03-01T00:00:00Z")), Some(at("2028-02-29T12:00:00Z")));
        let last = times("0 5 L * *", "UTC");
        assert_eq!(next(&last, at("2026-02-01T00:00:00Z")), Some(at("2026-02-28T05:00:00Z")));
    }
}
