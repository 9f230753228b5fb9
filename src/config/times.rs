//! `cron` and `time_zone`: the times at which something happens.
//!
//! Five fields as every cron has them (minute, hour, day of the month, month, day of the week), with
//! `L`, `W` and `#` for those who know them, or a word such as `@daily`. Checked when the config is
//! read: also whether such a time ever comes.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;

use crate::config::SourceTimeZone;
use crate::config::section::{Field, Section};
use crate::config::source::time_zone;

const EXAMPLE: &str = "minute, hour, day of the month, month and day of the week, such as \
                       `0 5 * * MON-FRI`: at 5 o'clock from Monday to Friday";
/// The fields, in their order, and what may stand in them.
const FIELDS: [(&str, &str); 5] = [
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31, or `L` for the last"),
    ("month", "1 to 12, or `JAN` to `DEC`"),
    ("day of the week", "0 (Sunday) to 6, or `SUN` to `SAT`"),
];

/// Times by the clock of a time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    text: String,
    cron: Cron,
    zone: SourceTimeZone,
}

impl Times {
    /// Reads times; `None` where they are none, or never come.
    #[must_use]
    pub fn parse(text: &str, zone: SourceTimeZone) -> Option<Self> {
        let cron = parse(text)?;
        comes(&cron).then(|| Self { text: text.trim().to_owned(), cron, zone })
    }

    /// As they are written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What they mean.
    #[must_use]
    pub const fn cron(&self) -> &Cron {
        &self.cron
    }

    /// By whose clock they are meant.
    #[must_use]
    pub const fn zone(&self) -> &SourceTimeZone {
        &self.zone
    }
}

/// Reads `cron`, and `time_zone` where it is there; else the source's holds.
pub(super) fn read(section: &Section<'_>, zone: Option<&SourceTimeZone>) -> Option<Times> {
    let cron = section.require("cron").and_then(|field| cron(&field));
    let zone = section.get("time_zone").map_or(zone.cloned(), |field| time_zone(&field));
    if zone.is_none() && !section.has("time_zone") {
        let message = format!(
            "{} needs `time_zone`, because the source has none and its times are by a clock",
            section.title()
        );
        let hint = "write it like `time_zone = \"Europe/Berlin\"`".to_owned();
        section.refuse(message, Some(hint));
    }
    let (text, cron) = cron?;
    Some(Times { text, cron, zone: zone? })
}

fn cron(field: &Field<'_>) -> Option<(String, Cron)> {
    let text = field.text()?.trim();
    let Some(cron) = parse(text) else {
        let (message, hint) = what_is_wrong(text);
        field.refuse(format!("`{}` {message}", field.key), Some(hint));
        return None;
    };
    if !comes(&cron) {
        let hint = "such a day is in no year: look at the day of the month and the month";
        field.refuse(format!("`{}` is a time that never comes", field.key), Some(hint.to_owned()));
        return None;
    }
    Some((text.to_owned(), cron))
}

fn parse(text: &str) -> Option<Cron> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(text).ok()
}

/// Whether there is such a time at all.
fn comes(cron: &Cron) -> bool {
    const BEGIN: DateTime = DateTime::constant(2000, 1, 1, 0, 0, 0, 0);
    cron.find_next_occurrence(&BEGIN, true).is_ok()
}

/// Says which field it is, by trying each alone.
fn what_is_wrong(text: &str) -> (String, String) {
    if text.starts_with('@') {
        let hint = "write `@hourly`, `@daily`, `@weekly`, `@monthly` or `@yearly`".to_owned();
        return ("is no word that is known".to_owned(), hint);
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        let message = format!("has to have 5 fields, found {}", fields.len());
        return (message, format!("write {EXAMPLE}"));
    }
    for (at, (field, (name, range))) in fields.iter().zip(FIELDS).enumerate() {
        let alone = |other| if other == at { *field } else { "*" };
        let alone: Vec<&str> = (0..FIELDS.len()).map(alone).collect();
        if parse(&alone.join(" ")).is_none() {
            let message = format!("has an odd {name}: `{field}`");
            return (message, format!("{name}: {range}; `*` is any, `1-5` a range, `*/15` a step"));
        }
    }
    ("is no list of times".to_owned(), format!("write {EXAMPLE}"))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn utc() -> SourceTimeZone {
        SourceTimeZone { name: "UTC".to_owned(), zone: TimeZone::UTC }
    }

    #[test]
    fn times_have_five_fields_or_a_word() {
        for text in ["0 5 * * MON-FRI", "*/15 6-18 * * *", "0 5 L * *", "@daily", "0 5 * * MON#1"] {
            let times = Times::parse(text, utc());
            assert_eq!(times.as_ref().map(Times::text), Some(text));
        }
        for text in ["", "0 5 * *", "0 0 5 * * *", "0 0 5 * * * 2030", "60 5 * * *", "@reboot"] {
            assert_eq!(Times::parse(text, utc()), None, "{text}");
        }
    }

    #[test]
    fn a_day_of_no_year_is_no_time_and_a_leap_day_is_one() {
        assert_eq!(Times::parse("0 5 30 2 *", utc()), None);
        assert_eq!(Times::parse("0 5 31 4,6,9,11 *", utc()), None);
        assert!(Times::parse("0 5 29 2 *", utc()).is_some());
    }

    #[test]
    fn the_field_that_is_wrong_is_named() {
        for (text, message) in [
            ("61 5 * * *", "has an odd minute: `61`"),
            ("0 25 * * *", "has an odd hour: `25`"),
            ("0 5 32 * *", "has an odd day of the month: `32`"),
            ("0 5 * FOO *", "has an odd month: `FOO`"),
            ("0 5 * * MONFRI", "has an odd day of the week: `MONFRI`"),
            ("0 5 * *", "has to have 5 fields, found 4"),
            ("30 0 5 * * *", "has to have 5 fields, found 6"),
            ("@noon", "is no word that is known"),
        ] {
            assert_eq!(what_is_wrong(text).0, message, "{text}");
        }
    }
}
