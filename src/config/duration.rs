//! Lengths of time as the config writes them: `5m 30s`, `500ms`, `3h`.

use std::time::Duration;

/// Units from long to short, each at most once and in this order, with milliseconds in each.
const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
/// Most digits of one number: enough for 30 years in seconds, and no sum of them overflows.
const MAX_DIGITS: usize = 9;

/// What a length of time looks like, for messages.
pub(super) const EXAMPLES: &str = "`30s`, `5m 30s` or `500ms`";

/// Reads a length of time; `None` where it is none. Negative ones and fractions are none.
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut millis = 0_u64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at_checked(digits)?;
        if number.is_empty() || number.len() > MAX_DIGITS {
            return None;
        }
        let letters = after.bytes().take_while(u8::is_ascii_lowercase).count();
        let (unit, after) = after.split_at_checked(letters)?;
        let (_, length) = units.find(|(name, _)| *name == unit)?;
        millis = millis.checked_add(number.parse::<u64>().ok()?.checked_mul(*length)?)?;
        rest = match after.strip_prefix(' ') {
            Some("") => return None,
            Some(next) => next,
            None => after,
        };
    }
    (!text.is_empty()).then(|| Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_add_up_from_long_to_short() {
        assert_eq!(parse("5m 30s"), Some(Duration::from_secs(330)));
        assert_eq!(parse("5m30s"), Some(Duration::from_secs(330)));
        assert_eq!(parse("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse("1d 2h"), Some(Duration::from_hours(26)));
        assert_eq!(parse("0s"), Some(Duration::ZERO));
        assert!(parse("999999999d").is_some());
    }

    #[test]
    fn what_is_no_length_of_time_is_refused() {
        for text in [
            "",
            " ",
            "5",
            "m",
            "-5m",
            "+5m",
            "5 m",
            "5x",
            "5M",
            "30s 5m",
            "5m 5m",
            "5m ",
            " 5m",
            "1.5h",
            "5m  30s",
            "1234567890s",
            "5m,30s",
            "٥m",
        ] {
            assert_eq!(parse(text), None, "`{text}`");
        }
    }
}
