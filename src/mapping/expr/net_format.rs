//! The .NET date formats of `FormatDateTime`: `yyyy-MM-dd`, `MMM d yyyy h:mm tt`.
//!
//! What needs no guess is understood: numbers of year, month, day, hour, minute, second and their
//! fractions, English names of months and weekdays, AM and PM, offsets, and text in quotes. Reading
//! refuses years of two digits; any other letter is refused by name, where .NET would copy it and
//! leave one wondering (`YYYY`, `DD`).

use jiff::civil::{Time, Weekday};

use crate::mapping::expr::moment::{Cursor, Moment, date, whole_day};

/// A compiled format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NetFormat {
    pub(super) items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Text(char),
    Blanks,
    Year {
        digits: usize,
    },
    Month {
        digits: usize,
    },
    MonthName {
        is_short: bool,
    },
    Day {
        digits: usize,
    },
    WeekdayName {
        is_short: bool,
    },
    /// Of a 24-hour clock.
    Hour {
        digits: usize,
    },
    /// Of a 12-hour clock.
    HalfHour {
        digits: usize,
    },
    Minute {
        digits: usize,
    },
    Second {
        digits: usize,
    },
    /// With or without the zeros at its end, and without its point where nothing is left.
    Fraction {
        digits: usize,
        is_exact: bool,
    },
    Half {
        letters: usize,
    },
    Offset(Offset),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offset {
    /// `+1`, `+01`.
    Hours { digits: usize },
    /// `+01:00`.
    Minutes,
    /// `Z`, `+01:00`, or nothing.
    Kind,
}

/// What a format is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Read,
    Write,
}

pub(super) const MONTHS: [&str; 12] = [
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
pub(super) const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/// Letters of an abbreviated name.
pub(super) const SHORT: usize = 3;
/// Most digits of a fraction.
const MOST_FRACTION: usize = 7;

impl NetFormat {
    /// Reads the notation.
    ///
    /// # Errors
    /// What about it is not understood.
    pub(super) fn compile(notation: &str, purpose: Purpose) -> Result<Self, String> {
        let mut items = Vec::new();
        let mut letters = notation.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '\'' | '"' => loop {
                    match letters.next() {
                        Some(end) if end == letter => break,
                        Some(text) => items.push(Item::Text(text)),
                        None => return Err("a quote in the format is never closed".to_owned()),
                    }
                },
                '\\' => match letters.next() {
                    Some(text) => items.push(Item::Text(text)),
                    None => return Err("a `\\` at the end of the format says nothing".to_owned()),
                },
                // marks one letter as a custom format
                '%' => {}
                'T' | 'Z' => items.push(Item::Text(letter)),
                letter if letter.is_whitespace() => items.push(Item::Blanks),
                letter if letter.is_alphabetic() => {
                    let mut count = 1;
                    while letters.next_if_eq(&letter).is_some() {
                        count += 1;
                    }
                    items.push(specifier(letter, count, purpose)?);
                }
                letter => items.push(Item::Text(letter)),
            }
        }
        let format = Self { items };
        if purpose == Purpose::Read {
            format.names_a_day()?;
        }
        Ok(format)
    }

    fn names_a_day(&self) -> Result<(), String> {
        let count =
            |wanted: fn(&Item) -> bool| self.items.iter().filter(|item| wanted(item)).count();
        for (name, found) in [
            ("year (`yyyy`)", count(|item| matches!(item, Item::Year { .. }))),
            (
                "month (`MM`)",
                count(|item| matches!(item, Item::Month { .. } | Item::MonthName { .. })),
            ),
            ("day (`dd`)", count(|item| matches!(item, Item::Day { .. }))),
        ] {
            match found {
                1 => {}
                0 => return Err(format!("the format reads no {name}")),
                _ => return Err(format!("the format reads the {name} twice")),
            }
        }
        let is_half = |item: &Item| matches!(item, Item::HalfHour { .. });
        let has_half = self.items.iter().any(|item| matches!(item, Item::Half { .. }));
        if self.items.iter().any(is_half) && !has_half {
            return Err("`h` is an hour of the 12-hour clock, which needs `tt`".to_owned());
        }
        Ok(())
    }

    /// The moment that the whole text is in this format.
    pub(super) fn read(&self, text: &str) -> Option<Moment> {
        let mut cursor = Cursor { rest: text.trim() };
        let (mut year, mut month, mut day) = (0, 0, 0);
        let (mut hour, mut minute, mut second, mut nano) = (0, 0, 0, 0);
        let (mut half, mut offset, mut weekday) = (None, None, None);
        for item in &self.items {
            match *item {
                Item::Text(letter) => cursor.skip(letter).then_some(())?,
                Item::Blanks => {
                    cursor.blanks();
                }
                Item::Year { .. } => year = cursor.number(4, 4)?,
                Item::Month { digits } => month = cursor.small(digits, 2)?,
                Item::MonthName { is_short } => month = name(&mut cursor, &MONTHS, is_short)?,
                Item::Day { digits } => day = cursor.small(digits, 2)?,
                Item::WeekdayName { is_short } => {
                    weekday = Some(name(&mut cursor, &WEEKDAYS, is_short)?);
                }
                Item::Hour { digits } | Item::HalfHour { digits } => {
                    hour = cursor.small(digits, 2)?;
                }
                Item::Minute { digits } => minute = cursor.small(digits, 2)?,
                Item::Second { digits } => second = cursor.small(digits, 2)?,
                Item::Fraction { digits, is_exact } => {
                    let least = if is_exact { digits } else { 0 };
                    let has_digit = cursor.rest.starts_with(|next: char| next.is_ascii_digit());
                    nano = if least == 0 && !has_digit {
                        0
                    } else {
                        cursor.fraction(least, digits)?
                    };
                }
                Item::Half { .. } => half = Some(cursor.half()?),
                Item::Offset(_) => offset = cursor.offset()?.seconds(),
            }
        }
        // as .NET reads `'Z'`, and as everybody means it
        if self.items.last() == Some(&Item::Text('Z')) {
            offset = Some(0);
        }
        let hour = match half {
            Some(is_afternoon) => whole_day(hour, is_afternoon)?,
            None => hour,
        };
        let date = date(year, month, day).filter(|_| cursor.rest.is_empty())?;
        if let Some(number) = weekday
            && date.weekday() != Weekday::from_monday_one_offset(number).ok()?
        {
            return None;
        }
        let time = Time::new(hour, minute, second, nano).ok()?;
        Some(Moment { local: date.to_datetime(time), offset })
    }
}

fn specifier(letter: char, count: usize, purpose: Purpose) -> Result<Item, String> {
    let digits = count.min(2);
    let written = || letter.to_string().repeat(count);
    let too_many = |most: usize| {
        if count > most { Err(format!("`{}` is not known in a format", written())) } else { Ok(()) }
    };
    Ok(match (letter, count) {
        ('y', 4) => Item::Year { digits: 4 },
        ('y', 1 | 2) if purpose == Purpose::Write => Item::Year { digits: count },
        ('y', 1..=3) => {
            let message = "reads a year without its century, which leaves that to a guess";
            return Err(format!("`{}` {message}", written()));
        }
        ('M', 1 | 2) => Item::Month { digits },
        ('M', 3 | 4) => Item::MonthName { is_short: count == 3 },
        ('d', 1 | 2) => Item::Day { digits },
        ('d', 3 | 4) => Item::WeekdayName { is_short: count == 3 },
        ('H', _) => {
            too_many(2)?;
            Item::Hour { digits }
        }
        ('h', _) => {
            too_many(2)?;
            Item::HalfHour { digits }
        }
        ('m', _) => {
            too_many(2)?;
            Item::Minute { digits }
        }
        ('s', _) => {
            too_many(2)?;
            Item::Second { digits }
        }
        ('f' | 'F', _) => {
            too_many(MOST_FRACTION)?;
            Item::Fraction { digits: count, is_exact: letter == 'f' }
        }
        ('t', _) => {
            too_many(2)?;
            if count == 1 && purpose == Purpose::Read {
                return Err("`t` reads half of `AM`; write `tt`".to_owned());
            }
            Item::Half { letters: count }
        }
        ('z', 1 | 2) => Item::Offset(Offset::Hours { digits }),
        ('z', 3) => Item::Offset(Offset::Minutes),
        ('K', 1) => Item::Offset(Offset::Kind),
        ('Y', _) => return Err("a year is `yyyy`, in small letters".to_owned()),
        ('D', _) => return Err("a day is `dd`, in small letters".to_owned()),
        _ => {
            return Err(format!("`{}` is not known in a format; text goes in quotes", written()));
        }
    })
}

/// Reads an English name, case ignored, and gives its number from 1.
fn name(cursor: &mut Cursor<'_>, names: &[&str], is_short: bool) -> Option<i8> {
    let (number, rest) = (1_i8..).zip(names).find_map(|(number, name)| {
        let wanted = if is_short { name.get(..SHORT)? } else { name };
        let (found, rest) = cursor.rest.split_at_checked(wanted.len())?;
        found.eq_ignore_ascii_case(wanted).then_some((number, rest))
    })?;
    cursor.rest = rest;
    Some(number)
}
