//! Numbers of cells as text, and serial days as dates.

use std::io::Write as _;

use jiff::civil::Date;

use crate::domain::CellFault;

/// What a number came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// Its text was added.
    Text,
    /// It is a date, and its text was added.
    Date,
    /// Nothing was added, and the cell is empty.
    Nothing,
    /// Nothing was added.
    Unknown(CellFault),
}

/// From here on whole numbers have more digits than a workbook keeps.
const TOO_LARGE: f64 = 1e15;
/// 9999-12-31 in the 1900 system.
const LAST_DAY: i64 = 2_958_465;
/// Days that the 1904 system is behind.
const DAYS_1904: i64 = 1_462;
const SECONDS: i64 = 86_400;

/// A whole number, where the number is one and all of its digits are known.
pub(super) fn whole(number: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "far below 2^53 and without a fraction")]
    (number.abs() < TOO_LARGE && number.fract() == 0.0).then_some(number as i64)
}

/// Writes a number: whole ones without a point, others with 15 digits at most, none with an
/// exponent. `is_exact` says that 15 digits have to be all there are.
pub(super) fn write_number(number: f64, is_exact: bool, out: &mut Vec<u8>) -> Written {
    if let Some(whole) = whole(number) {
        return wrote(&write!(out, "{whole}"));
    }
    if !number.is_finite() || number.abs() >= TOO_LARGE {
        return Written::Unknown(CellFault::Precision);
    }
    // what a spreadsheet shows of 0.1 + 0.2 is 0.3
    let shown = format!("{number:.14e}").parse().unwrap_or(number);
    #[expect(clippy::float_cmp, reason = "the same bits or not")]
    if is_exact && shown != number {
        return Written::Unknown(CellFault::Precision);
    }
    wrote(&write!(out, "{shown}"))
}

/// Writes a serial day as `YYYY-MM-DD`, with `THH:MM:SS` where it has a time.
pub(super) fn write_serial(serial: f64, is_1904: bool, out: &mut Vec<u8>) -> Written {
    if serial == 0.0 {
        return Written::Nothing;
    }
    if !(serial.is_finite() && serial > 0.0 && serial < 1e7) {
        return Written::Unknown(CellFault::DateRange);
    }
    #[expect(clippy::cast_possible_truncation, reason = "below 10^7")]
    let (mut day, mut second) = (serial.trunc() as i64, (serial.fract() * 86_400.0).round() as i64);
    if second >= SECONDS {
        second -= SECONDS;
        day += 1;
    }
    if is_1904 {
        day += DAYS_1904;
    } else if day == 60 {
        return Written::Unknown(CellFault::NoSuchDay);
    }
    if !(1..=LAST_DAY).contains(&day) {
        return Written::Unknown(CellFault::DateRange);
    }
    // 1900 was no leap year, and the 1900 system believes that it was one
    let days = if day < 60 && !is_1904 { day } else { day - 1 };
    match day_number(days) {
        Some(date) => write_moment(date, second, out),
        None => Written::Unknown(CellFault::DateRange),
    }
}

/// Writes a time of day as `HH:MM:SS`.
pub(super) fn write_time(part: f64, out: &mut Vec<u8>) -> Written {
    #[expect(clippy::cast_possible_truncation, reason = "a part of a day")]
    let second = ((part.fract() * 86_400.0).round() as i64).clamp(0, SECONDS - 1);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    wrote(&write!(out, "{hour:02}:{minute:02}:{second:02}"))
}

/// The day so many days after 31 December 1899.
fn day_number(days: i64) -> Option<Date> {
    let first = Date::constant(1899, 12, 31);
    first.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

/// Writes a date and a time of day.
pub(super) fn write_moment(date: Date, second: i64, out: &mut Vec<u8>) -> Written {
    let (year, month, day) = (date.year(), date.month(), date.day());
    if write!(out, "{year:04}-{month:02}-{day:02}").is_ok() && second > 0 {
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let _ = write!(out, "T{hour:02}:{minute:02}:{second:02}");
    }
    Written::Date
}

/// A number that is a day written as `20240301`, as other systems export them.
pub(super) fn is_written_day(number: i64) -> bool {
    let part = |divisor: i64, modulus: i64| number / divisor % modulus;
    let (Ok(year), Ok(month), Ok(day)) = (
        i16::try_from(part(10_000, 100_000)),
        i8::try_from(part(100, 100)),
        i8::try_from(part(1, 100)),
    ) else {
        return false;
    };
    (1_900..10_000).contains(&year) && Date::new(year, month, day).is_ok()
}

/// Writing into memory does not fail.
fn wrote(result: &std::io::Result<()>) -> Written {
    debug_assert!(result.is_ok(), "memory takes all bytes");
    Written::Text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(value: f64) -> String {
        let mut out = Vec::new();
        match write_number(value, false, &mut out) {
            Written::Text => String::from_utf8(out).unwrap(),
            other => format!("{other:?}"),
        }
    }

    fn serial(value: f64, is_1904: bool) -> String {
        let mut out = Vec::new();
        match write_serial(value, is_1904, &mut out) {
            Written::Date => String::from_utf8(out).unwrap(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn numbers_have_no_exponent_no_point_zero_and_fifteen_digits() {
        assert_eq!(number(4711.0), "4711");
        assert_eq!(number(-0.0), "0");
        assert_eq!(number(4.47911e11), "447911000000");
        assert_eq!(number(999_999_999_999_999.0), "999999999999999");
        assert_eq!(number(0.1 + 0.2), "0.3");
        assert_eq!(number(0.8), "0.8");
        assert_eq!(number(1e-7), "0.0000001");
        for lost in [1e15, 1.234_567_890_123_456_8e18, f64::INFINITY, f64::NAN, -1e300] {
            assert_eq!(number(lost), "Unknown(Precision)", "{lost}");
        }
        let mut out = Vec::new();
        let exact = write_number(123_456_789_012_345.6, true, &mut out);
        assert_eq!(exact, Written::Unknown(CellFault::Precision));
    }

    #[test]
    fn serials_count_by_the_system_of_the_workbook() {
        assert_eq!(serial(45_352.0, false), "2024-03-01");
        assert_eq!(serial(45_352.0, true), "2028-03-02");
        assert_eq!(serial(1.0, false), "1900-01-01");
        assert_eq!(serial(59.0, false), "1900-02-28");
        assert_eq!(serial(60.0, false), "Unknown(NoSuchDay)");
        assert_eq!(serial(60.5, false), "Unknown(NoSuchDay)");
        assert_eq!(serial(61.0, false), "1900-03-01");
        assert_eq!(serial(60.0, true), "1904-03-01");
        assert_eq!(serial(0.0, false), "Nothing");
        assert_eq!(serial(2_958_465.0, false), "9999-12-31");
        assert_eq!(serial(2_957_003.0, true), "9999-12-31");
        for bad in [2_958_466.0, -1.0, 0.5, 1e300, f64::NAN] {
            assert_eq!(serial(bad, false), "Unknown(DateRange)", "{bad}");
        }
        assert_eq!(serial(45_352.75, false), "2024-03-01T18:00:00");
        assert_eq!(serial(45_351.999_999_9, false), "2024-03-01");
    }

    #[test]
    fn days_of_other_systems_are_known_by_their_digits() {
        assert!(is_written_day(20_240_229) && is_written_day(99_991_231));
        for no in [20_230_229, 20_241_301, 45_352, 1_234_567_890, -20_240_101] {
            assert!(!is_written_day(no), "{no}");
        }
    }

    proptest! {
        #[test]
        fn no_number_makes_it_panic(bits in any::<u64>(), is_1904 in any::<bool>()) {
            let value = f64::from_bits(bits);
            let mut out = Vec::new();
            write_number(value, true, &mut out);
            write_serial(value, is_1904, &mut out);
            write_time(value, &mut out);
        }
    }
}
