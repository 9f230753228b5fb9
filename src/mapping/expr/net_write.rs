//! Writing by a .NET date format.

use std::fmt::Write as _;

use crate::mapping::expr::moment::{Moment, half_day};
use crate::mapping::expr::net_format::{Item, MONTHS, NetFormat, Offset, SHORT, WEEKDAYS};

/// Nanoseconds of the finest digit that a format writes.
const FINEST: i32 = 100;

impl NetFormat {
    /// The moment in this format.
    pub(super) fn write(&self, moment: Moment) -> String {
        let mut out = String::new();
        for item in &self.items {
            // writing to a string cannot fail
            let _ = item.write(&mut out, moment);
        }
        out
    }
}

impl Item {
    fn write(&self, out: &mut String, moment: Moment) -> std::fmt::Result {
        let at = moment.local;
        match *self {
            Self::Text(letter) => {
                out.push(letter);
                Ok(())
            }
            Self::Blanks => {
                out.push(' ');
                Ok(())
            }
            Self::Year { digits: 4 } => write!(out, "{:04}", at.year()),
            Self::Year { digits } => write!(out, "{:0digits$}", at.year().rem_euclid(100)),
            Self::Month { digits } => write!(out, "{:0digits$}", at.month()),
            Self::MonthName { is_short } => {
                write_name(out, &MONTHS, at.month(), is_short);
                Ok(())
            }
            Self::Day { digits } => write!(out, "{:0digits$}", at.day()),
            Self::WeekdayName { is_short } => {
                write_name(out, &WEEKDAYS, at.weekday().to_monday_one_offset(), is_short);
                Ok(())
            }
            Self::Hour { digits } => write!(out, "{:0digits$}", at.hour()),
            Self::HalfHour { digits } => write!(out, "{:0digits$}", half_day(at.hour()).0),
            Self::Minute { digits } => write!(out, "{:0digits$}", at.minute()),
            Self::Second { digits } => write!(out, "{:0digits$}", at.second()),
            Self::Fraction { digits, is_exact } => {
                let whole = format!("{:07}", at.subsec_nanosecond() / FINEST);
                let cut = whole.get(..digits).unwrap_or(&whole);
                let kept = if is_exact { cut } else { cut.trim_end_matches('0') };
                if kept.is_empty() && out.ends_with('.') {
                    out.pop();
                }
                out.push_str(kept);
                Ok(())
            }
            Self::Half { letters } => {
                let half = half_day(at.hour()).1;
                out.push_str(half.get(..letters).unwrap_or(half));
                Ok(())
            }
            Self::Offset(Offset::Kind) if moment.offset.is_none() => Ok(()),
            Self::Offset(Offset::Kind) if moment.offset == Some(0) => {
                out.push('Z');
                Ok(())
            }
            Self::Offset(form) => {
                let seconds = moment.offset.unwrap_or(0);
                let minutes = seconds.unsigned_abs() / 60;
                out.push(if seconds < 0 { '-' } else { '+' });
                match form {
                    Offset::Hours { digits } => write!(out, "{:0digits$}", minutes / 60),
                    Offset::Minutes | Offset::Kind => {
                        write!(out, "{:02}:{:02}", minutes / 60, minutes % 60)
                    }
                }
            }
        }
    }
}

fn write_name(out: &mut String, names: &[&str], number: i8, is_short: bool) {
    let name = usize::try_from(number).ok().and_then(|number| names.get(number.checked_sub(1)?));
    let name = name.copied().unwrap_or_default();
    out.push_str(if is_short { name.get(..SHORT).unwrap_or(name) } else { name });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mapping::expr::net_format::Purpose;

    fn read_and_written(text: &str, from: &str, to: &str) -> Option<String> {
        let from = NetFormat::compile(from, Purpose::Read).expect(from);
        let to = NetFormat::compile(to, Purpose::Write).expect(to);
        Some(to.write(from.read(text)?))
    }

    #[test]
    fn the_usual_formats_are_read_and_written() {
        for (text, from, to, made) in [
            ("20200316", "yyyyMMdd", "yyyy-MM-dd", "2020-03-16"),
            ("16.3.2020", "d.M.yyyy", "MMM dd, yyyy", "Mar 16, 2020"),
            ("Mar 16 2020", "MMM d yyyy", "dddd, d MMMM yy", "Monday, 16 March 20"),
            (
                "20200316070501.5Z",
                "yyyyMMddHHmmss.fZ",
                "yyyy-MM-ddTHH:mm:ss.fffK",
                "2020-03-16T07:05:01.500Z",
            ),
            ("2020-03-16 07:05 pm", "yyyy-MM-dd hh:mm tt", "HH:mm", "19:05"),
            ("2020-03-16T07:05:00+05:30", "yyyy-MM-ddTHH:mm:sszzz", "h:m:s t z", "7:5:0 A +5"),
            ("2020-03-16", "yyyy-MM-dd", "'on' d/M \\a\\t HH:mmK", "on 16/3 at 00:00"),
            ("2020-03-16 00:00:00.1200", "yyyy-MM-dd HH:mm:ss.FFFFFFF", "ss.FFF", "00.12"),
            ("2020-03-16 00:00:00.0", "yyyy-MM-dd HH:mm:ss.FFF", "ss.FFF", "00"),
        ] {
            assert_eq!(read_and_written(text, from, to).as_deref(), Some(made), "{text} by {from}");
        }
        for (text, from) in [
            ("20200230", "yyyyMMdd"),
            ("2020-3-16", "yyyy-MM-dd"),
            ("2020-03-16 x", "yyyy-MM-dd"),
            ("Tuesday 2020-03-16", "dddd yyyy-MM-dd"),
            ("2020-03-16 13:00 PM", "yyyy-MM-dd hh:mm tt"),
        ] {
            assert_eq!(read_and_written(text, from, "yyyy"), None, "{text} by {from}");
        }
    }

    #[test]
    fn formats_that_guess_or_say_too_little_are_refused() {
        for (format, words) in [
            ("dd.MM.yy", "`yy` reads a year without its century"),
            ("YYYY-MM-dd", "`yyyy`"),
            ("yyyy-MM-DD", "`dd`"),
            ("yyyy-MM", "no day"),
            ("yyyy-MM-dd dd", "twice"),
            ("yyyy-MM-dd hh:mm", "needs `tt`"),
            ("yyyy-MM-dd g", "`g` is not known"),
            ("yyyy-MM-dd 'x", "never closed"),
            ("yyyy-MM-dd\\", "says nothing"),
            ("d", "no year"),
        ] {
            let fault = NetFormat::compile(format, Purpose::Read).expect_err(format);
            assert!(fault.contains(words), "{format}: {fault}");
        }
    }

    proptest! {
        #[test]
        fn no_format_and_no_text_make_reading_or_writing_panic(
            format in "[yMdHhmsfFtzK:./T '-]{0,20}|.*",
            text in "[0-9 :./APM-]{0,30}|.*",
        ) {
            let moment = Moment::read("2020-02-29T23:59:59.1234567-11:30").expect("a moment");
            if let Ok(format) = NetFormat::compile(&format, Purpose::Write) {
                format.write(moment);
            }
            if let Ok(format) = NetFormat::compile(&format, Purpose::Read) {
                let _ = format.read(&text);
            }
        }
    }
}
