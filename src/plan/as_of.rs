//! When a file's content was true: by its arrival, its name, or a column of it.
//!
//! An older export must not overwrite a newer one unasked, and files do not always arrive in the
//! order in which they were written.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// `as_of` of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AsOf {
    /// When the file arrived.
    #[default]
    Arrival,
    /// What its name says.
    Name(NamePattern),
    /// The latest day in a column of it.
    Column {
        /// The column, by its header.
        column: String,
        /// Date formats (strftime notation) to read it by.
        date: Vec<String>,
    },
}

impl AsOf {
    /// The instant that the name of a file says, without folders, in the source's time zone; `None`
    /// where it says none, or is not asked.
    #[must_use]
    pub fn from_name(&self, file_name: &str, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Name(pattern) => pattern.read(file_name, zone),
            Self::Arrival | Self::Column { .. } => None,
        }
    }
}

/// How a date stands in the names of files, such as `workers-%Y%m%d.csv`.
///
/// `%Y` stands for four digits, `%m`, `%d`, `%H`, `%M` and `%S` for two each, `%F` for `%Y-%m-%d`,
/// `%T` for `%H:%M:%S`, `%%` for a percent sign; everything else stands for itself. A name has to
/// be like it from end to end. Without a time of day the start of the day is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern {
    notation: String,
    items: Vec<Item>,
}

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NamePatternFault {
    /// It would have to guess the century.
    #[error("`%y` reads a year of two digits, which leaves the century to a guess")]
    TwoDigitYear,
    /// No such specifier.
    #[error("`%{0}` is not known here")]
    Unknown(char),
    /// A lone percent sign.
    #[error("a `%` at the end says nothing")]
    Unfinished,
    /// A part stands in it more than once.
    #[error("`%{0}` is read twice")]
    Twice(char),
    /// A part that it cannot do without.
    #[error("it reads no {0}")]
    Missing(&'static str),
    /// A name never has a folder in it.
    #[error("it has a folder in it, and only the name of a file is looked at")]
    Folder,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Literal(char),
    Part(Part),
}

/// A part of an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

impl Part {
    const ALL: [Self; 6] =
        [Self::Year, Self::Month, Self::Day, Self::Hour, Self::Minute, Self::Second];

    const fn letter(self) -> char {
        match self {
            Self::Year => 'Y',
            Self::Month => 'm',
            Self::Day => 'd',
            Self::Hour => 'H',
            Self::Minute => 'M',
            Self::Second => 'S',
        }
    }

    const fn digits(self) -> usize {
        match self {
            Self::Year => 4,
            Self::Month | Self::Day | Self::Hour | Self::Minute | Self::Second => 2,
        }
    }
}

/// What a name has said so far; the month and day of a date without them are none.
#[derive(Default)]
struct Read {
    year: i16,
    month: i8,
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
}

impl NamePattern {
    /// Reads the notation.
    ///
    /// # Errors
    ///
    /// When it does not say a day, says something twice, or says what is not known.
    pub fn parse(notation: &str) -> Result<Self, NamePatternFault> {
        use Part::{Day, Hour, Minute, Month, Second, Year};
        let mut items = Vec::new();
        let mut letters = notation.chars();
        while let Some(letter) = letters.next() {
            if matches!(letter, '/' | '\\') {
                return Err(NamePatternFault::Folder);
            }
            if letter != '%' {
                items.push(Item::Literal(letter));
                continue;
            }
            let (dash, colon) = (Item::Literal('-'), Item::Literal(':'));
            let [year, month, day, hour, minute, second] = Part::ALL.map(Item::Part);
            match letters.next().ok_or(NamePatternFault::Unfinished)? {
                '%' => items.push(Item::Literal('%')),
                'F' => items.extend([year, dash.clone(), month, dash, day]),
                'T' => items.extend([hour, colon.clone(), minute, colon, second]),
                'y' => return Err(NamePatternFault::TwoDigitYear),
                other => match Part::ALL.iter().find(|part| part.letter() == other) {
                    Some(part) => items.push(Item::Part(*part)),
                    None => return Err(NamePatternFault::Unknown(other)),
                },
            }
        }
        let count = |part| items.iter().filter(|item| **item == Item::Part(part)).count();
        if let Some(part) = Part::ALL.into_iter().find(|part| count(*part) > 1) {
            return Err(NamePatternFault::Twice(part.letter()));
        }
        let has = |part| count(part) > 0;
        for (name, is_missing) in [
            ("year (`%Y`)", !has(Year)),
            ("month (`%m`)", !has(Month)),
            ("day (`%d`)", !has(Day)),
            ("hour (`%H`) for its minute", has(Minute) && !has(Hour)),
            ("minute (`%M`) for its second", has(Second) && !has(Minute)),
        ] {
            if is_missing {
                return Err(NamePatternFault::Missing(name));
            }
        }
        Ok(Self { notation: notation.to_owned(), items })
    }

    /// The pattern as the config writes it.
    #[must_use]
    pub fn notation(&self) -> &str {
        &self.notation
    }

    /// The instant that a name says. A time of day that the clocks skip is moved on by what they
    /// skip; of one that comes twice the first is meant.
    fn read(&self, name: &str, zone: &TimeZone) -> Option<Timestamp> {
        let datetime = self.read_civil(name)?;
        zone.to_ambiguous_timestamp(datetime).compatible().ok()
    }

    fn read_civil(&self, name: &str) -> Option<DateTime> {
        let (mut read, mut rest) = (Read::default(), name);
        for item in &self.items {
            match item {
                Item::Literal(letter) => rest = rest.strip_prefix(*letter)?,
                Item::Part(part) => {
                    let (digits, after) = rest.split_at_checked(part.digits())?;
                    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                        return None;
                    }
                    let small = || digits.parse::<i8>().ok();
                    match part {
                        Part::Year => read.year = digits.parse().ok()?,
                        Part::Month => read.month = small()?,
                        Part::Day => read.day = small()?,
                        Part::Hour => read.hour = small()?,
                        Part::Minute => read.minute = small()?,
                        Part::Second => read.second = small()?,
                    }
                    rest = after;
                }
            }
        }
        let date = Date::new(read.year, read.month, read.day).ok().filter(|_| rest.is_empty())?;
        let time = Time::new(read.hour, read.minute, read.second, 0).ok()?;
        Some(date.to_datetime(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pattern: &str, name: &str, zone: &str) -> Option<String> {
        let as_of = AsOf::Name(NamePattern::parse(pattern).expect(pattern));
        let zone = TimeZone::get(zone).expect(zone);
        as_of.from_name(name, &zone).map(|instant| instant.to_string())
    }

    #[test]
    fn the_day_in_a_name_starts_in_the_time_zone_of_its_source() {
        let named = |zone| read("workers-%Y%m%d.csv", "workers-20260301.csv", zone);
        assert_eq!(named("UTC").as_deref(), Some("2026-03-01T00:00:00Z"));
        assert_eq!(named("Europe/Berlin").as_deref(), Some("2026-02-28T23:00:00Z"));
        assert_eq!(named("America/Los_Angeles").as_deref(), Some("2026-03-01T08:00:00Z"));
    }

    #[test]
    fn a_time_of_day_is_read_too() {
        for (pattern, name) in [
            ("w_%Y%m%d_%H%M%S.csv", "w_20260301_083015.csv"),
            ("%d.%m.%Y %H.%M.%S Staff.xlsx", "01.03.2026 08.30.15 Staff.xlsx"),
            ("%F %T", "2026-03-01 08:30:15"),
        ] {
            assert_eq!(read(pattern, name, "UTC").as_deref(), Some("2026-03-01T08:30:15Z"));
        }
        let hour = read("%Y%m%d%H", "2026030108", "UTC");
        assert_eq!(hour.as_deref(), Some("2026-03-01T08:00:00Z"));
        assert_eq!(
            read("100%% %F", "100% 2028-02-29", "UTC").as_deref(),
            Some("2028-02-29T00:00:00Z")
        );
    }

    #[test]
    fn a_time_that_the_clocks_skip_moves_on() {
        let skipped = read("%F %H%M", "2026-03-29 0230", "Europe/Berlin");
        assert_eq!(skipped.as_deref(), Some("2026-03-29T01:30:00Z"));
        // midnight itself is skipped there
        let midnight = read("%F", "2024-09-08", "America/Santiago");
        assert_eq!(midnight.as_deref(), Some("2024-09-08T04:00:00Z"));
    }

    #[test]
    fn a_name_of_another_shape_says_nothing() {
        for name in [
            "",
            "workers-.csv",
            "workers-20260301.csv.bak",
            "Workers-20260301.csv",
            "old-workers-20260301.csv",
            "workers-2026031.csv",
            "workers-202603011.csv",
            "workers-20260230.csv",
            "workers-20261301.csv",
            "workers-+2603011.csv",
            "workers-2026é301.csv",
            "workers-20260301",
        ] {
            assert_eq!(read("workers-%Y%m%d.csv", name, "UTC"), None, "`{name}`");
        }
        assert_eq!(read("%F %H%M", "2026-03-01 2430", "UTC"), None);
        assert_eq!(AsOf::Arrival.from_name("20260301", &TimeZone::UTC), None);
        let column = AsOf::Column { column: "Day".into(), date: vec!["%F".into()] };
        assert_eq!(column.from_name("2026-03-01", &TimeZone::UTC), None);
    }

    #[test]
    fn patterns_that_guess_or_say_too_little_are_refused() {
        use NamePatternFault as F;
        for (pattern, fault) in [
            ("workers.csv", F::Missing("year (`%Y`)")),
            ("%Y-%m.csv", F::Missing("day (`%d`)")),
            ("%y%m%d.csv", F::TwoDigitYear),
            ("%Y%m%d%j.csv", F::Unknown('j')),
            ("%Y%m%d-%", F::Unfinished),
            ("%F %d", F::Twice('d')),
            ("%F %M", F::Missing("hour (`%H`) for its minute")),
            ("%F %H %S", F::Missing("minute (`%M`) for its second")),
            ("in/%F.csv", F::Folder),
            ("in\\%F.csv", F::Folder),
        ] {
            assert_eq!(NamePattern::parse(pattern), Err(fault), "{pattern}");
        }
        assert_eq!(NamePattern::parse("w%F.csv").expect("good").notation(), "w%F.csv");
    }
}
