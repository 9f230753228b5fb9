//! What a cell says: the rules from a stored value to text and mark, the same for every kind of
//! workbook.

use std::str::FromStr as _;

use jiff::civil::{Date, DateTime};

use super::format::NumberFormat;
use super::number::{
    Written, is_written_day, whole, write_moment, write_number, write_serial, write_time,
};
use crate::domain::{CellFault, ColumnKind};

/// A stored value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Text(&'a str),
    /// As it is written in the file.
    Digits(&'a str),
    Number(f64),
    Boolean(bool),
    /// A date in ISO 8601.
    Moment(&'a str),
    Error,
    /// A formula that nobody has calculated.
    NoResult,
}

impl Value<'_> {
    /// Whether nobody would see anything in the cell.
    #[inline]
    pub(super) fn is_blank(&self) -> bool {
        match self {
            Self::Text(text) => text.trim_start().is_empty(),
            _ => false,
        }
    }

    /// Adds the cell's text.
    #[inline]
    pub(super) fn write(
        &self,
        format: &NumberFormat,
        kind: ColumnKind,
        is_1904: bool,
        out: &mut Vec<u8>,
    ) -> Written {
        match *self {
            Self::Text(text) => {
                out.extend_from_slice(text.as_bytes());
                Written::Text
            }
            Self::Digits(digits) => {
                let is_plain = kind != ColumnKind::Date && *format == NumberFormat::Number;
                if is_plain && is_plain_number(digits) {
                    out.extend_from_slice(digits.as_bytes());
                    return Written::Text;
                }
                match f64::from_str(digits.trim()) {
                    Ok(number) => write(number, format, kind, is_1904, out),
                    Err(_) => Written::Unknown(CellFault::Error),
                }
            }
            Self::Number(number) => write(number, format, kind, is_1904, out),
            Self::Boolean(is_true) => {
                out.extend_from_slice(if is_true { b"TRUE" } else { b"FALSE" });
                Written::Text
            }
            Self::Moment(text) => {
                let moment = text.trim().trim_end_matches('Z');
                let parsed = moment.parse::<DateTime>().ok();
                let parsed = parsed.or_else(|| Some(moment.parse::<Date>().ok()?.at(0, 0, 0, 0)));
                let Some(parsed) = parsed else {
                    out.extend_from_slice(text.as_bytes());
                    return Written::Text;
                };
                let time = parsed.time();
                let second = i64::from(time.hour()) * 3_600
                    + i64::from(time.minute()) * 60
                    + i64::from(time.second());
                write_moment(parsed.date(), second, out)
            }
            Self::Error => Written::Unknown(CellFault::Error),
            Self::NoResult => Written::Unknown(CellFault::NoResult),
        }
    }
}

/// A whole number that is written as it would be shown.
#[inline]
fn is_plain_number(digits: &str) -> bool {
    let bytes = digits.as_bytes();
    (bytes == b"0" || bytes.first().is_some_and(|first| *first != b'0'))
        && bytes.len() <= 15
        && bytes.iter().all(u8::is_ascii_digit)
}

fn write(
    number: f64,
    format: &NumberFormat,
    kind: ColumnKind,
    is_1904: bool,
    out: &mut Vec<u8>,
) -> Written {
    let is_exact = matches!(kind, ColumnKind::Id | ColumnKind::Phone);
    match format {
        NumberFormat::Zeros(pattern) => match whole(number).map(u64::try_from) {
            Some(Ok(number)) => {
                pattern.write(number, out);
                Written::Text
            }
            _ => write_number(number, is_exact, out),
        },
        NumberFormat::Time if kind != ColumnKind::Date && (0.0..1.0).contains(&number) => {
            write_time(number, out)
        }
        NumberFormat::Date | NumberFormat::Time => write_serial(number, is_1904, out),
        NumberFormat::Number if kind == ColumnKind::Date => match whole(number) {
            // no serial has eight digits; whether the text is a date, its format decides
            Some(day) if is_written_day(day) => write_number(number, is_exact, out),
            _ => write_serial(number, is_1904, out),
        },
        NumberFormat::Number => write_number(number, is_exact, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: Value<'_>, code: &str, kind: ColumnKind) -> String {
        let mut out = Vec::new();
        let written = value.write(&NumberFormat::of(code), kind, false, &mut out);
        let text = String::from_utf8(out).unwrap();
        match written {
            Written::Text => text,
            Written::Date => format!("date {text}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn an_id_is_shown_with_the_zeros_of_its_format_and_as_text_as_it_is() {
        use ColumnKind::Id;
        assert_eq!(shown(Value::Digits("4711"), "000000", Id), "004711");
        assert_eq!(shown(Value::Text("004711"), "000000", Id), "004711");
        assert_eq!(shown(Value::Digits("4711"), "General", Id), "4711");
        assert_eq!(shown(Value::Digits("4711.0"), "General", Id), "4711");
        assert_eq!(shown(Value::Digits("00123E4"), "General", Id), "1230000");
        assert_eq!(shown(Value::Text("00123E4"), "General", Id), "00123E4");
        let lost = "Unknown(Precision)";
        assert_eq!(shown(Value::Digits("1234567890123456789"), "General", Id), lost);
        assert_eq!(shown(Value::Digits("1.23457E+18"), "000000", Id), lost);
        assert_eq!(shown(Value::Digits("4.47911E+11"), "0.00E+00", Id), "447911000000");
    }

    #[test]
    fn dates_are_known_by_format_or_by_column() {
        use ColumnKind::{Date, Text};
        assert_eq!(shown(Value::Digits("45352"), "dd.mm.yyyy", Text), "date 2024-03-01");
        assert_eq!(shown(Value::Digits("45352"), "General", Date), "date 2024-03-01");
        assert_eq!(shown(Value::Digits("45352"), "General", Text), "45352");
        assert_eq!(shown(Value::Digits("45352.5"), "0.0", Date), "date 2024-03-01T12:00:00");
        assert_eq!(shown(Value::Digits("20240301"), "General", Date), "20240301");
        assert_eq!(shown(Value::Digits("20241301"), "General", Date), "Unknown(DateRange)");
        assert_eq!(shown(Value::Digits("1032024"), "00000000", Date), "01032024");
        assert_eq!(shown(Value::Digits("0"), "General", Date), "Nothing");
        assert_eq!(shown(Value::Text("01/03/2024"), "General", Date), "01/03/2024");
        assert_eq!(shown(Value::Digits("0.375"), "hh:mm", Text), "09:00:00");
        assert_eq!(shown(Value::Digits("0.375"), "hh:mm", Date), "Unknown(DateRange)");
        assert_eq!(shown(Value::Moment("2024-03-01T00:00:00.000Z"), "", Text), "date 2024-03-01");
        assert_eq!(shown(Value::Moment("soon"), "", Text), "soon");
    }

    #[test]
    fn what_is_no_number_is_no_guess() {
        let kind = ColumnKind::Text;
        assert_eq!(shown(Value::Digits("12x"), "General", kind), "Unknown(Error)");
        assert_eq!(shown(Value::Error, "General", kind), "Unknown(Error)");
        assert_eq!(shown(Value::NoResult, "General", kind), "Unknown(NoResult)");
        assert_eq!(shown(Value::Boolean(true), "General", kind), "TRUE");
        assert_eq!(shown(Value::Digits("007"), "General", kind), "7");
    }
}
