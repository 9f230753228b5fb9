//! Dates: formats in strftime notation, Excel serials, and the ISO 8601 text with offset that goes
//! out.
//!
//! A format is compiled once and read by hand, because a row that fits only the second of two
//! formats is no error worth building one for. Years have four digits, always; month and day have
//! one or two. A time of day in the value is read and dropped: the time that is written is the
//! mapping's. Offsets in a value are not read, since they would make a civil date ambiguous.

use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, ToSpan as _};

use crate::mapping::DateOrder;
use crate::mapping::checks::Say;
use crate::mapping::date_format::Format;
use crate::mapping::problem::Fault;

/// Serials that are read from plain text: five digits, 1927-05-18 to 2173-10-13. Fewer digits are
/// more likely a year or a number that is no date.
const SERIALS: std::ops::RangeInclusive<i32> = 10_000..=99_999;

/// The serial of 9999-12-31, which HR systems write for "open-ended".
const SERIAL_OPEN_ENDED: i32 = 2_958_465;

/// Day 0 of Excel's 1900 date system, for serials after its day 60, the 29 February 1900 that never
/// was (Microsoft Support, "Differences between the 1900 and the 1904 date system in Excel").
const SERIAL_ZERO: Date = jiff::civil::date(1899, 12, 30);

/// How a column's dates are read and written.
#[derive(Clone)]
pub(super) struct DateRule {
    formats: Vec<Format>,
    /// Pairs of formats that read some texts as two different dates.
    pub(super) contested: Vec<(usize, usize)>,
    /// Its place among the mapping's date rules.
    pub(super) number: usize,
    time: Time,
    zone: TimeZone,
}

/// What is known of a date beside its text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reading<'a> {
    /// The text is ISO 8601, whatever the formats.
    pub(super) typed: bool,
    /// Which of two formats reads what both can read.
    pub(super) orders: &'a [DateOrder],
}

impl DateRule {
    pub(super) fn new(formats: Vec<Format>, time: Time, zone: TimeZone) -> Self {
        let mut contested = Vec::new();
        for (at, format) in formats.iter().enumerate() {
            for (before, other) in formats.iter().enumerate().take(at) {
                if other.contests(format) {
                    contested.push((before, at));
                }
            }
        }
        Self { formats, contested, number: 0, time, zone }
    }

    /// The time zone that its days are meant in.
    pub(super) const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Reads the text and appends date, time and offset.
    pub(super) fn push(
        &self,
        out: &mut String,
        text: &str,
        reading: Reading<'_>,
    ) -> Result<(), Fault> {
        let date = self.read_date(text, reading)?;
        write_instant(out, date, self.time, &self.zone);
        Ok(())
    }

    /// Reads the text.
    pub(super) fn read_date(&self, text: &str, reading: Reading<'_>) -> Result<Date, Fault> {
        let date = if reading.typed { read_iso(text) } else { None };
        date.map_or_else(|| self.read(text, reading.orders), Ok)
    }

    /// Whether one of its formats, counted from 0, reads the text.
    pub(super) fn reads(&self, format: usize, text: &str) -> bool {
        self.read_by(format, text).is_some()
    }

    /// One of its formats, counted from 0, as the config writes it.
    pub(super) fn notation(&self, format: usize) -> &str {
        self.formats.get(format).map_or("", Format::notation)
    }

    fn read_by(&self, format: usize, text: &str) -> Option<Date> {
        self.formats.get(format)?.read(text)
    }

    fn read(&self, text: &str, orders: &[DateOrder]) -> Result<Date, Fault> {
        let mut found = None;
        for format in &self.formats {
            match (format.read(text), found) {
                (Some(date), Some(other)) if date != other => return self.settle(text, orders),
                (Some(date), _) => found = Some(date),
                (None, _) => {}
            }
        }
        found.or_else(|| read_serial(text)).ok_or_else(|| {
            let is_short = self.formats.iter().any(|format| format.reads_short_year(text));
            if is_short { Fault::ShortYear } else { Fault::BadDate }
        })
    }

    /// The date of a text that formats read differently, where the column has shown which is meant.
    fn settle(&self, text: &str, orders: &[DateOrder]) -> Result<Date, Fault> {
        let mut found = None;
        for at in 0..self.formats.len() {
            let Some(date) = self.read_by(at, text) else { continue };
            let is_beaten = orders.iter().any(|order| {
                order.is_of(self.number)
                    && order.against() == at
                    && self.read_by(order.chosen(), text).is_some_and(|other| other != date)
            });
            match found {
                _ if is_beaten => {}
                Some(other) if other != date => return Err(Fault::AmbiguousDate),
                _ => found = Some(date),
            }
        }
        found.ok_or(Fault::AmbiguousDate)
    }
}

/// Compiles the formats that the config lists under `key`; every one that cannot be used is told.
pub(super) fn formats(
    notations: &[String],
    key: &'static str,
    say: &mut Say<'_>,
) -> Option<Vec<Format>> {
    let mut formats = Vec::new();
    for notation in notations {
        match Format::compile(notation) {
            Ok(format) => formats.push(format),
            Err(fault) => say.wrong(
                Some(key),
                format!("in the format `{notation}`, {fault}"),
                Some("formats look like `%Y-%m-%d` or `%d.%m.%Y`"),
            ),
        }
    }
    (formats.len() == notations.len()).then_some(formats)
}

/// `YYYY-MM-DD`, with a time of day behind it or without.
fn read_iso(text: &str) -> Option<Date> {
    let (date, rest) = text.split_at_checked(10)?;
    if !rest.is_empty() && !rest.starts_with(['T', ' ']) {
        return None;
    }
    date.parse().ok()
}

/// `HH:MM` of a 24-hour clock.
pub(super) fn parse_time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number = |digits: &str| -> Option<i8> {
        (digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| digits.parse().ok())?
    };
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

fn read_serial(text: &str) -> Option<Date> {
    if !matches!(text.len(), 5 | 7) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let serial: i32 = text.parse().ok()?;
    (SERIALS.contains(&serial) || serial == SERIAL_OPEN_ENDED)
        .then(|| SERIAL_ZERO.checked_add(serial.days()).ok())?
}

/// Writes `YYYY-MM-DDTHH:MM:SS±HH:MM`. A time that the clocks skip is moved on by what they skip;
/// of a time that comes twice the first one is meant (RFC 5545 section 3.3.5).
fn write_instant(out: &mut String, date: Date, time: Time, zone: &TimeZone) {
    let asked = date.to_datetime(time);
    let (datetime, offset) = match zone.to_ambiguous_timestamp(asked).offset() {
        AmbiguousOffset::Unambiguous { offset } => (asked, offset),
        AmbiguousOffset::Fold { before, .. } => (asked, before),
        AmbiguousOffset::Gap { before, after } => {
            let skipped = SignedDuration::from_secs(i64::from(after.seconds() - before.seconds()));
            asked.checked_add(skipped).map_or((asked, before), |moved| (moved, after))
        }
    };
    let year = datetime.year().unsigned_abs();
    let small = |number: i8| u16::from(number.unsigned_abs());
    // offsets of old times have seconds, which ISO 8601 has no place for: the nearest minute
    let minutes = u16::try_from((offset.seconds().unsigned_abs() + 30) / 60).unwrap_or(0);
    let mut text = *b"0000-00-00T00:00:00+00:00";
    if offset.seconds() < 0
        && let Some(sign) = text.get_mut(SIGN_AT)
    {
        *sign = b'-';
    }
    for (at, number) in [
        (0, year / 100),
        (2, year % 100),
        (5, small(datetime.month())),
        (8, small(datetime.day())),
        (11, small(datetime.hour())),
        (14, small(datetime.minute())),
        (17, small(datetime.second())),
        (20, minutes / 60),
        (23, minutes % 60),
    ] {
        put_two(&mut text, at, number);
    }
    out.push_str(std::str::from_utf8(&text).unwrap_or_default());
}

/// Where the sign of the offset stands.
const SIGN_AT: usize = 19;

/// Writes a number below 100 with two digits. Formatting it would take ten times as long.
#[inline]
fn put_two(text: &mut [u8], at: usize, number: u16) {
    let digit = |number: u16| b'0' + u8::try_from(number % 10).unwrap_or(0);
    if let Some([tens, ones]) = text.get_mut(at..at + 2) {
        (*tens, *ones) = (digit(number / 10), digit(number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(formats: &[&str], time: &str, zone: &str) -> DateRule {
        let formats = formats.iter().map(|format| Format::compile(format).expect(format)).collect();
        let zone = TimeZone::get(zone).expect(zone);
        DateRule::new(formats, parse_time(time).expect(time), zone)
    }

    fn written(rule: &DateRule, text: &str) -> Result<String, Fault> {
        let mut out = String::new();
        rule.push(&mut out, text, Reading::default()).map(|()| out)
    }

    #[test]
    fn a_date_goes_out_with_time_and_the_offset_of_its_day() {
        let berlin = rule(&["%Y-%m-%d", "%d.%m.%Y"], "00:00", "Europe/Berlin");
        assert_eq!(written(&berlin, "2026-01-15").as_deref(), Ok("2026-01-15T00:00:00+01:00"));
        assert_eq!(written(&berlin, "15.7.2026").as_deref(), Ok("2026-07-15T00:00:00+02:00"));
        let new_york = rule(&["%m/%d/%Y"], "21:30", "America/New_York");
        assert_eq!(written(&new_york, "05/01/2021").as_deref(), Ok("2021-05-01T21:30:00-04:00"));
        let kolkata = rule(&["%Y%m%d"], "09:00", "Asia/Kolkata");
        assert_eq!(written(&kolkata, "20240715").as_deref(), Ok("2024-07-15T09:00:00+05:30"));
    }

    #[test]
    fn skipped_times_move_on_and_double_ones_are_the_first() {
        let gap = rule(&["%Y-%m-%d"], "02:30", "Europe/Berlin");
        assert_eq!(written(&gap, "2026-03-29").as_deref(), Ok("2026-03-29T03:30:00+02:00"));
        assert_eq!(written(&gap, "2026-10-25").as_deref(), Ok("2026-10-25T02:30:00+02:00"));
        // Midnight itself is skipped there.
        let santiago = rule(&["%Y-%m-%d"], "00:00", "America/Santiago");
        assert_eq!(written(&santiago, "2024-09-08").as_deref(), Ok("2024-09-08T01:00:00-03:00"));
    }

    #[test]
    fn impossible_and_ambiguous_dates_are_told_apart() {
        let both = rule(&["%d/%m/%Y", "%m/%d/%Y"], "00:00", "UTC");
        assert_eq!(written(&both, "03/04/2024"), Err(Fault::AmbiguousDate));
        assert_eq!(written(&both, "04/04/2024").as_deref(), Ok("2024-04-04T00:00:00+00:00"));
        assert_eq!(written(&both, "25/12/2024").as_deref(), Ok("2024-12-25T00:00:00+00:00"));
        for text in ["1/1/24", "31/12/99"] {
            assert_eq!(written(&both, text), Err(Fault::ShortYear), "for {text}");
        }
        for text in ["31/02/2024", "00/00/0000", "31/02/24", "soon", "2024-01-01", "25/12/2024x"] {
            assert_eq!(written(&both, text), Err(Fault::BadDate), "for {text}");
        }
    }

    #[test]
    fn serials_are_five_digits_or_the_end_of_time() {
        let rule = rule(&["%d.%m.%Y"], "00:00", "America/New_York");
        assert_eq!(written(&rule, "45352").as_deref(), Ok("2024-03-01T00:00:00-05:00"));
        assert_eq!(written(&rule, "10000").as_deref(), Ok("1927-05-18T00:00:00-04:00"));
        for end in ["2958465", "31.12.9999"] {
            assert_eq!(written(&rule, end).as_deref(), Ok("9999-12-31T00:00:00-05:00"));
        }
        for text in ["60", "9999", "09999", "100000", "2958464", "45352.5", "-45352", "٤٥٣٥٢"]
        {
            assert_eq!(written(&rule, text), Err(Fault::BadDate), "for {text}");
        }
    }

    #[test]
    fn a_typed_date_is_read_whatever_the_formats() {
        let rule = rule(&["%d/%m/%Y", "%m/%d/%Y"], "00:00", "UTC");
        let typed = |text: &str| {
            let mut out = String::new();
            rule.push(&mut out, text, Reading { typed: true, orders: &[] }).map(|()| out)
        };
        for text in ["2024-03-04", "2024-03-04T17:45:00"] {
            assert_eq!(typed(text).as_deref(), Ok("2024-03-04T00:00:00+00:00"));
        }
        assert_eq!(typed("2024-02-30"), Err(Fault::BadDate));
        assert_eq!(typed("04/04/2024").as_deref(), Ok("2024-04-04T00:00:00+00:00"));
        assert_eq!(typed("2024-03-04x"), Err(Fault::BadDate));
    }

    #[test]
    fn formats_contest_each_other_only_where_a_text_is_two_dates() {
        let contested = |formats: &[&str]| rule(formats, "00:00", "UTC").contested;
        assert_eq!(contested(&["%d/%m/%Y", "%m/%d/%Y"]), [(0, 1)]);
        assert_eq!(contested(&["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y"]), []);
        assert_eq!(contested(&["%m-%d-%Y", "%F", "%e-%m-%Y"]), [(0, 2)]);
        assert_eq!(contested(&["%d/%m/%Y", "%-d/%-m/%Y"]), []);
        assert_eq!(contested(&["%Y%m%d", "%d%m%Y"]), [], "a year 405 is no reading");
        assert_eq!(contested(&["%d/%m/%Y %H:%M", "%m/%d/%Y %R"]), [(0, 1)]);
        assert_eq!(contested(&["%b %d %Y", "%d %b %Y"]), []);
    }

    #[test]
    fn a_time_is_hours_and_minutes() {
        assert!(parse_time("23:59").is_some());
        for text in ["24:00", "9:00", "09:60", "0900", "09:00:00", "+9:00", ""] {
            assert!(parse_time(text).is_none(), "for {text}");
        }
    }
}
