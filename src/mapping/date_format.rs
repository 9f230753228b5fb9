//! One date format in strftime notation, compiled to a reader.
//!
//! Only what a civil date needs is understood. Two-digit years (`%y`, `%g`, `%D`) and time zones
//! are refused: the first guess a century, the second would move a date to another day.

use std::fmt::Write as _;

use jiff::civil::{Date, Weekday};

/// A compiled format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Format {
    notation: String,
    items: Vec<Item>,
}

/// Why a format cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum FormatFault {
    #[error("`%{0}` reads a year of two digits, which leaves the century to a guess")]
    TwoDigitYear(char),
    #[error("`%{0}` reads a time zone; dates are read as they stand and written in `time_zone`")]
    Zone(char),
    #[error("`%{0}` is not known in a date format")]
    Unknown(char),
    #[error("a `%` at the end says nothing")]
    Unfinished,
    #[error("`{0}` is read twice")]
    Twice(&'static str),
    #[error("it reads no {0}")]
    Missing(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    Literal(char),
    Blanks,
    Year,
    Month,
    MonthName {
        short: bool,
    },
    Day,
    WeekdayName {
        short: bool,
    },
    /// A number that is checked and dropped.
    Number {
        least: u32,
        most: u32,
    },
    HalfDay,
    Fraction,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/// Letters of an abbreviated English month or weekday.
const SHORT: usize = 3;

/// Digits of a year.
const YEAR: usize = 4;
/// Digits of a year that leaves the century to a guess.
const SHORT_YEAR: usize = 2;

/// Dates with which two formats are held against each other: a month that could be a day.
const PROBES: [Date; 2] = [jiff::civil::date(2003, 4, 5), jiff::civil::date(2012, 11, 10)];
/// A year before this one is no reading of a worker's date: it was month and day.
const OUR_TIMES: i16 = 1800;

impl Format {
    /// Reads the notation.
    pub(super) fn compile(notation: &str) -> Result<Self, FormatFault> {
        let mut items = Vec::new();
        let mut letters = notation.chars();
        while let Some(letter) = letters.next() {
            if letter.is_whitespace() {
                items.push(Item::Blanks);
            } else if letter == '%' {
                // The flags of strftime say how to pad, which reading does not mind.
                let kind = letters.by_ref().find(|flag| !matches!(flag, '-' | '_' | '0'));
                specifier(kind.ok_or(FormatFault::Unfinished)?, &mut letters, &mut items)?;
            } else {
                items.push(Item::Literal(letter));
            }
        }
        let count = |wanted: fn(&Item) -> bool| items.iter().filter(|item| wanted(item)).count();
        for (name, found) in [
            ("year (`%Y`)", count(|item| *item == Item::Year)),
            ("month (`%m`)", count(|item| matches!(item, Item::Month | Item::MonthName { .. }))),
            ("day (`%d`)", count(|item| *item == Item::Day)),
        ] {
            match found {
                1 => {}
                0 => return Err(FormatFault::Missing(name)),
                _ => return Err(FormatFault::Twice(name)),
            }
        }
        Ok(Self { notation: notation.to_owned(), items })
    }

    /// The format as the config writes it.
    pub(super) fn notation(&self) -> &str {
        &self.notation
    }

    /// The date that the whole text is in this format; `None` if it is none.
    pub(super) fn read(&self, text: &str) -> Option<Date> {
        self.read_year(text, YEAR)
    }

    /// Whether the whole text would be a date in this format, had its year four digits.
    pub(super) fn reads_short_year(&self, text: &str) -> bool {
        self.read_year(text, SHORT_YEAR).is_some()
    }

    /// Whether there is a text that the two read as two different dates, both of our times.
    pub(super) fn contests(&self, other: &Self) -> bool {
        PROBES.into_iter().any(|date| {
            let differs = |writer: &Self, reader: &Self| {
                let read = writer.write(date).and_then(|text| reader.read(&text));
                read.is_some_and(|read| read != date && read.year() >= OUR_TIMES)
            };
            differs(self, other) || differs(other, self)
        })
    }

    /// A date in this format.
    fn write(&self, date: Date) -> Option<String> {
        let named = |names: &[&str], number: i8, short: bool| {
            let name = *names.get(usize::try_from(number).ok()?.checked_sub(1)?)?;
            Some(if short { name.get(..SHORT)? } else { name }.to_owned())
        };
        let mut text = String::new();
        for item in &self.items {
            match *item {
                Item::Literal(letter) => text.push(letter),
                Item::Blanks => text.push(' '),
                Item::Year => write!(text, "{:04}", date.year()).ok()?,
                Item::Month => write!(text, "{:02}", date.month()).ok()?,
                Item::MonthName { short } => text.push_str(&named(&MONTHS, date.month(), short)?),
                Item::Day => write!(text, "{:02}", date.day()).ok()?,
                Item::WeekdayName { short } => {
                    let number = date.weekday().to_monday_one_offset();
                    text.push_str(&named(&WEEKDAYS, number, short)?);
                }
                Item::Number { least, .. } => write!(text, "{least:02}").ok()?,
                Item::HalfDay => text.push_str("AM"),
                Item::Fraction => {}
            }
        }
        Some(text)
    }

    fn read_year(&self, text: &str, year_digits: usize) -> Option<Date> {
        let (mut year, mut month, mut day, mut weekday) = (0, 0, 0, None);
        let mut rest = text;
        for item in &self.items {
            match *item {
                Item::Literal(letter) => rest = rest.strip_prefix(letter)?,
                Item::Blanks => rest = rest.trim_start(),
                Item::Year => {
                    (year, rest) = digits(rest, year_digits, year_digits)?;
                }
                Item::Month => (month, rest) = digits(rest, 1, 2)?,
                Item::MonthName { short } => (month, rest) = name(rest, &MONTHS, short)?,
                Item::Day => (day, rest) = digits(rest.trim_start_matches(' '), 1, 2)?,
                Item::WeekdayName { short } => {
                    let (number, after) = name(rest, &WEEKDAYS, short)?;
                    (weekday, rest) = (Some(number), after);
                }
                Item::Number { least, most } => {
                    let (number, after) = digits(rest.trim_start_matches(' '), 1, 2)?;
                    rest = (least..=most).contains(&number).then_some(after)?;
                }
                Item::HalfDay => {
                    let (half, after) = rest.split_at_checked(2)?;
                    let known = ["am", "pm"].iter().any(|word| half.eq_ignore_ascii_case(word));
                    rest = known.then_some(after)?;
                }
                Item::Fraction => {
                    if let Some(after) = rest.strip_prefix(['.', ',']) {
                        rest = digits(after, 1, 9)?.1;
                    }
                }
            }
        }
        // any century does for a year that only has to be possible
        let year = if year_digits == SHORT_YEAR { year + 2000 } else { year };
        let year = i16::try_from(year).ok().filter(|year| *year > 0)?;
        let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        let date = Date::new(year, month, day).ok().filter(|_| rest.is_empty())?;
        match weekday {
            Some(number) => {
                let named = Weekday::from_monday_one_offset(i8::try_from(number).ok()?).ok()?;
                (date.weekday() == named).then_some(date)
            }
            None => Some(date),
        }
    }
}

fn specifier(
    kind: char,
    letters: &mut std::str::Chars<'_>,
    items: &mut Vec<Item>,
) -> Result<(), FormatFault> {
    const HOUR: Item = Item::Number { least: 0, most: 23 };
    const HALF_HOUR: Item = Item::Number { least: 1, most: 12 };
    const MINUTE: Item = Item::Number { least: 0, most: 59 };
    const SECOND: Item = Item::Number { least: 0, most: 60 };
    const COLON: Item = Item::Literal(':');
    const DASH: Item = Item::Literal('-');
    match kind {
        'Y' => items.push(Item::Year),
        'm' => items.push(Item::Month),
        'd' | 'e' => items.push(Item::Day),
        'b' | 'h' => items.push(Item::MonthName { short: true }),
        'B' => items.push(Item::MonthName { short: false }),
        'a' => items.push(Item::WeekdayName { short: true }),
        'A' => items.push(Item::WeekdayName { short: false }),
        'F' => items.extend([Item::Year, DASH, Item::Month, DASH, Item::Day]),
        'H' | 'k' => items.push(HOUR),
        'I' | 'l' => items.push(HALF_HOUR),
        'M' => items.push(MINUTE),
        'S' => items.push(SECOND),
        'R' => items.extend([HOUR, COLON, MINUTE]),
        'T' => items.extend([HOUR, COLON, MINUTE, COLON, SECOND]),
        'p' | 'P' => items.push(Item::HalfDay),
        '.' => match letters.next() {
            Some('f') => items.push(Item::Fraction),
            other => return Err(other.map_or(FormatFault::Unfinished, FormatFault::Unknown)),
        },
        'n' | 't' => items.push(Item::Blanks),
        '%' => items.push(Item::Literal('%')),
        'y' | 'g' | 'D' => return Err(FormatFault::TwoDigitYear(kind)),
        'z' | 'Z' | 'Q' | ':' | 's' => return Err(FormatFault::Zone(kind)),
        _ => return Err(FormatFault::Unknown(kind)),
    }
    Ok(())
}

/// Reads as many ASCII digits as there are, but not more than `most`.
fn digits(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(count).filter(|_| count >= least)?;
    Some((number.parse().ok()?, rest))
}

/// Reads an English name, case ignored, and gives its number from 1.
fn name<'t>(text: &'t str, names: &[&str], short: bool) -> Option<(u32, &'t str)> {
    (1_u32..).zip(names).find_map(|(number, name)| {
        let wanted = if short { name.get(..SHORT)? } else { name };
        let (found, rest) = text.split_at_checked(wanted.len())?;
        found.eq_ignore_ascii_case(wanted).then_some((number, rest))
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn read(format: &str, text: &str) -> Option<Date> {
        Format::compile(format).expect(format).read(text)
    }

    #[test]
    fn the_usual_formats_of_exports_are_read() {
        let day = Some(date(2024, 7, 5));
        for (format, text) in [
            ("%Y-%m-%d", "2024-07-05"),
            ("%F", "2024-7-5"),
            ("%d.%m.%Y", "5.7.2024"),
            ("%Y%m%d", "20240705"),
            ("%d %b %Y", "05 JUL 2024"),
            ("%B %-d, %Y", "July 5, 2024"),
            ("%a, %e %b %Y", "Fri,  5 Jul 2024"),
            ("%Y-%m-%dT%H:%M:%S", "2024-07-05T23:59:59"),
            ("%m/%d/%Y %I:%M:%S %p", "7/5/2024 12:00:00 AM"),
            ("%Y-%m-%d %T%.f", "2024-07-05 00:00:00.000"),
        ] {
            assert_eq!(read(format, text), day, "{format} of {text}");
        }
    }

    #[test]
    fn a_text_in_another_shape_is_no_date() {
        for (format, text) in [
            ("%Y-%m-%d", "2024-07-05 "),
            ("%Y-%m-%d", "24-07-05"),
            ("%Y-%m-%d", "2023-02-29"),
            ("%Y-%m-%d", "0000-01-01"),
            ("%A %F", "Monday 2024-07-05"),
            ("%F %T", "2024-07-05 24:00:00"),
            ("%d %b %Y", "05 Julé 2024"),
            ("%Y-%m-%d", ""),
        ] {
            assert_eq!(read(format, text), None, "{format} of {text}");
        }
    }

    #[test]
    fn formats_that_guess_or_say_too_little_are_refused() {
        for (format, fault) in [
            ("%d.%m.%y", FormatFault::TwoDigitYear('y')),
            ("%D", FormatFault::TwoDigitYear('D')),
            ("%F %z", FormatFault::Zone('z')),
            ("%F %q", FormatFault::Unknown('q')),
            ("%F%", FormatFault::Unfinished),
            ("%Y-%m", FormatFault::Missing("day (`%d`)")),
            ("%F %d", FormatFault::Twice("day (`%d`)")),
            ("yyyy-mm-dd", FormatFault::Missing("year (`%Y`)")),
        ] {
            assert_eq!(Format::compile(format), Err(fault), "{format}");
        }
    }
}
