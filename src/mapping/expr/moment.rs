//! Dates with their time of day, as Entra's date functions hand them to each other.

use std::fmt::Write as _;

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time};

/// A date and time, with its distance from UTC where the text says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) local: DateTime,
    /// Seconds east of UTC.
    pub(super) offset: Option<i32>,
}

impl Moment {
    /// The same moment in UTC; without an offset it is taken for UTC.
    pub(super) fn utc(self) -> Option<DateTime> {
        let east = SignedDuration::from_secs(i64::from(self.offset.unwrap_or(0)));
        self.local.checked_sub(east).ok()
    }

    /// Reads ISO 8601 (`2020-03-16`, `2020-03-16-07:00`, `2020-03-16T08:00:00.5Z`) and the form that
    /// the functions write themselves (`3/16/2020 7:00:00 AM`: month before day, as .NET has it
    /// where no culture is named).
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut cursor = Cursor { rest: text.trim() };
        let is_iso = cursor.rest.as_bytes().get(4) == Some(&b'-');
        let date = if is_iso { cursor.iso_date()? } else { cursor.american_date()? };
        let mut time = Time::midnight();
        if cursor.skip('T') || cursor.blanks() {
            time = cursor.time()?;
        }
        let offset = cursor.offset()?.seconds();
        cursor.rest.is_empty().then_some(Self { local: date.to_datetime(time), offset })
    }
}

/// Writes `M/d/yyyy h:mm:ss tt`.
pub(super) fn write_american(at: DateTime) -> String {
    let (hour, half) = half_day(at.hour());
    let mut text = String::new();
    let _ = write!(
        text,
        "{}/{}/{:04} {hour}:{:02}:{:02} {half}",
        at.month(),
        at.day(),
        at.year(),
        at.minute(),
        at.second()
    );
    text
}

/// An hour of the 12-hour clock and its half of the day.
pub(super) const fn half_day(hour: i8) -> (i8, &'static str) {
    let half = if hour < 12 { "AM" } else { "PM" };
    match hour % 12 {
        0 => (12, half),
        hour => (hour, half),
    }
}

/// The hour of a 24-hour clock.
pub(super) const fn whole_day(hour: i8, is_afternoon: bool) -> Option<i8> {
    match (hour, is_afternoon) {
        (12, false) => Some(0),
        (12, true) => Some(12),
        (1..=11, false) => Some(hour),
        (1..=11, true) => Some(hour + 12),
        _ => None,
    }
}

/// What a text says of its distance from UTC.
pub(super) enum Zone {
    Unsaid,
    /// Seconds east.
    East(i32),
}

impl Zone {
    pub(super) const fn seconds(self) -> Option<i32> {
        match self {
            Self::Unsaid => None,
            Self::East(seconds) => Some(seconds),
        }
    }
}

/// Reads from the front of a text.
pub(super) struct Cursor<'t> {
    pub(super) rest: &'t str,
}

impl Cursor<'_> {
    /// Digits as many as there are, within bounds.
    pub(super) fn number(&mut self, least: usize, most: usize) -> Option<i32> {
        let count = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at_checked(count).filter(|_| count >= least)?;
        self.rest = rest;
        digits.parse().ok()
    }

    pub(super) fn small(&mut self, least: usize, most: usize) -> Option<i8> {
        self.number(least, most)?.try_into().ok()
    }

    pub(super) fn skip(&mut self, letter: char) -> bool {
        let after = self.rest.strip_prefix(letter);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    /// Skips blanks, and says whether there were any.
    pub(super) fn blanks(&mut self) -> bool {
        let before = self.rest.len();
        self.rest = self.rest.trim_start();
        self.rest.len() < before
    }

    /// `AM` or `PM`, and whether it is the afternoon.
    pub(super) fn half(&mut self) -> Option<bool> {
        let (word, rest) = self.rest.split_at_checked(2)?;
        let is_afternoon = word.eq_ignore_ascii_case("pm");
        (is_afternoon || word.eq_ignore_ascii_case("am")).then(|| {
            self.rest = rest;
            is_afternoon
        })
    }

    /// Digits after the decimal point, as nanoseconds.
    pub(super) fn fraction(&mut self, least: usize, most: usize) -> Option<i32> {
        let before = self.rest.len();
        let number = self.number(least, most.min(9))?;
        let count = u32::try_from(before - self.rest.len()).ok()?;
        number.checked_mul(10_i32.checked_pow(9_u32.checked_sub(count)?)?)
    }

    fn iso_date(&mut self) -> Option<Date> {
        let year = self.number(4, 4)?;
        let month = self.skip('-').then(|| self.small(2, 2))??;
        let day = self.skip('-').then(|| self.small(2, 2))??;
        date(year, month, day)
    }

    fn american_date(&mut self) -> Option<Date> {
        let month = self.small(1, 2)?;
        let day = self.skip('/').then(|| self.small(1, 2))??;
        let year = self.skip('/').then(|| self.number(4, 4))??;
        date(year, month, day)
    }

    fn time(&mut self) -> Option<Time> {
        let hour = self.small(1, 2)?;
        let minute = self.skip(':').then(|| self.small(2, 2))??;
        let (mut second, mut nano) = (0, 0);
        if self.skip(':') {
            second = self.small(2, 2)?;
            if self.skip('.') {
                nano = self.fraction(1, 9)?;
            }
        }
        let before = self.rest;
        self.blanks();
        let hour = if let Some(is_afternoon) = self.half() {
            whole_day(hour, is_afternoon)?
        } else {
            self.rest = before;
            hour
        };
        Time::new(hour, minute, second, nano).ok()
    }

    /// `Z` or `±HH:MM`, in seconds; none at all is [`Zone::Unsaid`].
    pub(super) fn offset(&mut self) -> Option<Zone> {
        if self.skip('Z') {
            return Some(Zone::East(0));
        }
        let sign = match self.rest.chars().next() {
            Some('+') => 1,
            Some('-') => -1,
            _ => return Some(Zone::Unsaid),
        };
        self.rest = self.rest.get(1..)?;
        let hours = self.number(2, 2)?;
        let minutes = if self.skip(':') || !self.rest.is_empty() { self.number(2, 2)? } else { 0 };
        (hours <= 14 && minutes < 60).then_some(Zone::East(sign * (hours * 60 + minutes) * 60))
    }
}

/// A date of years 1 to 9999.
pub(super) fn date(year: i32, month: i8, day: i8) -> Option<Date> {
    let year = i16::try_from(year).ok().filter(|year| *year > 0)?;
    Date::new(year, month, day).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn in_utc(text: &str) -> Option<String> {
        Some(Moment::read(text)?.utc()?.to_string())
    }

    #[test]
    fn iso_8601_and_the_american_form_are_read() {
        for (text, utc) in [
            ("2020-03-16-07:00", "2020-03-16T07:00:00"),
            ("2020-03-16", "2020-03-16T00:00:00"),
            (" 2020-03-16Z ", "2020-03-16T00:00:00"),
            ("2020-03-16T08:30:00+0530", "2020-03-16T03:00:00"),
            ("2020-03-16 08:30", "2020-03-16T08:30:00"),
            ("2020-03-16T08:30:01.25Z", "2020-03-16T08:30:01.25"),
            ("3/16/2020 7:00:00 AM", "2020-03-16T07:00:00"),
            ("3/16/2020 12:00:00 AM", "2020-03-16T00:00:00"),
            ("12/1/2020 12:05:00 pm", "2020-12-01T12:05:00"),
            ("3/16/2020", "2020-03-16T00:00:00"),
        ] {
            assert_eq!(in_utc(text).as_deref(), Some(utc), "for {text}");
        }
        for text in [
            "",
            "soon",
            "16.03.2020",
            "16/3/2020",
            "2020-02-30",
            "3/16/20",
            "2020-03-16T25:00",
            "2020-03-16T",
            "2020-03-16x",
            "3/16/2020 13:00:00 PM",
            "0000-01-01",
            "２０20-01-01",
            "2020-03-16+15:00",
        ] {
            assert_eq!(in_utc(text), None, "for {text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(seconds in -62_000_000_000_i64..250_000_000_000) {
            let at = jiff::Timestamp::from_second(seconds).expect("in range");
            let at = at.to_zoned(jiff::tz::TimeZone::UTC).datetime();
            prop_assert_eq!(Moment::read(&write_american(at)).and_then(Moment::utc), Some(at));
        }

        #[test]
        fn no_text_makes_reading_panic(text in "[0-9/:. TZapm+-]{0,30}|.*") {
            let _ = in_utc(&text);
        }
    }
}
