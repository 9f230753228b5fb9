//! Instants as senders write them.

use jiff::Timestamp;

/// Reads Unix seconds, Unix milliseconds, or ISO 8601 with an offset (`Z`, `+00:00`, `+0000`). An
/// ISO instant without an offset is none: it would mean another instant elsewhere.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    /// Seconds have fewer digits than this until the year 33658, milliseconds as many since 2001.
    const MILLISECOND_DIGITS: usize = 13;
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().ok()?;
        return if text.len() < MILLISECOND_DIGITS {
            Timestamp::from_second(number).ok()
        } else {
            Timestamp::from_millisecond(number).ok()
        };
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_the_same_instant() {
        let at: Timestamp = "2026-01-31T18:42:00Z".parse().unwrap();
        for text in [
            "1769884920",
            "1769884920000",
            "2026-01-31T18:42:00Z",
            "2026-01-31T18:42:00+0000",
            "2026-01-31T18:42:00+00:00",
            "2026-01-31T19:42:00.000+01:00",
            "2026-01-31T13:42:00-0500",
            "2026-01-31 18:42:00Z",
        ] {
            assert_eq!(parse(text), Some(at), "{text}");
        }
    }

    #[test]
    fn what_is_no_instant_is_none() {
        for text in [
            "",
            "now",
            "-1769884920",
            "+1769884920",
            " 1769884920",
            "1769884920.5",
            "99999999999999999999999999",
            "9999999999999999",
            "2026-01-31",
            "2026-01-31T18:42:00",
            "2026-02-30T18:42:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
