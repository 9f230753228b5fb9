//! Sizes as the config writes them: `64MiB`, `500KB`, `1GB`.

/// Units with the bytes in each.
const UNITS: [(&str, u64); 7] = [
    ("B", 1),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];
/// Most digits of the number: no product of it and a unit overflows.
const MAX_DIGITS: usize = 9;

/// What a size looks like, for messages.
pub(super) const EXAMPLES: &str = "`64MiB` or `500KB`";

/// Reads a size in bytes; `None` where it is none, or nothing.
pub(super) fn parse(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    if number.is_empty() || number.len() > MAX_DIGITS {
        return None;
    }
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    let (_, bytes) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*bytes).filter(|size| *size > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit_are_a_size() {
        assert_eq!(parse("64MiB"), Some(64 * 1024 * 1024));
        assert_eq!(parse("500 KB"), Some(500_000));
        assert_eq!(parse("1B"), Some(1));
        assert_eq!(parse("999999999GiB"), Some(999_999_999 << 30));
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "5", "MB", "0MB", "-1MB", "1.5MB", "5mb", "5  MB", "5MB ", "1234567890B"] {
            assert_eq!(parse(text), None, "`{text}`");
        }
    }
}
