//! The rules that come last: date, letters, length, and the JSON type that is written.

use crate::mapping::Case;
use crate::mapping::date::{DateRule, Reading};
use crate::mapping::diacritics::push_folded;
use crate::mapping::letters::push_cased;
use crate::mapping::problem::Fault;

/// The JSON type that is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Output {
    #[default]
    Text,
    Boolean,
    Integer,
}

/// Most characters of a value, and what becomes of a longer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Max {
    pub(super) chars: usize,
    pub(super) longer: Longer,
}

/// What becomes of a value that is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Longer {
    /// The row is rejected.
    Reject,
    /// It is cut.
    Cut,
    /// It is cut, and blanks that stand at the end then are removed.
    CutAndTrim,
}

/// What comes after `map`.
#[derive(Default)]
pub(super) struct Finish {
    pub(super) date: Option<DateRule>,
    pub(super) case: Option<Case>,
    pub(super) ascii: bool,
    pub(super) max: Option<Max>,
}

/// Buffers for what is made of a value.
#[derive(Default)]
pub(super) struct Made {
    first: String,
    second: String,
}

impl Finish {
    /// Whether there is nothing to do.
    pub(super) const fn is_nothing(&self) -> bool {
        self.date.is_none() && self.case.is_none() && !self.ascii && self.max.is_none()
    }

    /// The finished text, in `made` where it had to be made.
    pub(super) fn apply<'v>(
        &self,
        text: &'v str,
        reading: Reading<'_>,
        made: &'v mut Made,
    ) -> Result<&'v str, Fault> {
        let Made { first, second } = made;
        let mut text = text;
        if let Some(date) = &self.date {
            first.clear();
            date.push(first, text, reading)?;
            text = first;
        } else if let Some(case) = self.case {
            first.clear();
            push_cased(first, text, case);
            text = first;
        }
        if self.ascii && !text.is_ascii() {
            second.clear();
            push_folded(second, text);
            text = second;
        }
        match self.max {
            // a character is at least one byte, so short texts need no counting
            Some(max) if text.len() > max.chars => max.hold(text),
            _ => Ok(text),
        }
    }
}

impl Max {
    fn hold(self, text: &str) -> Result<&str, Fault> {
        let Some((end, _)) = text.char_indices().nth(self.chars) else { return Ok(text) };
        let cut = text.get(..end).unwrap_or_default();
        match self.longer {
            Longer::Reject => Err(Fault::TooLong { found: text.chars().count(), most: self.chars }),
            Longer::Cut => Ok(cut),
            Longer::CutAndTrim => Ok(cut.trim_end()),
        }
    }
}

/// The text with zeros before it, where it is of digits alone and fewer than asked for.
pub(super) fn padded<'v>(text: &'v str, digits: usize, made: &'v mut String) -> &'v str {
    if text.len() >= digits || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text;
    }
    made.clear();
    made.extend(std::iter::repeat_n('0', digits - text.len()));
    made.push_str(text);
    made
}

/// Whether the text is a whole number of 64 bits, in the one way in which JSON writes it.
pub(super) fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_canonical = match digits.as_bytes() {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', ..] => true,
        _ => false,
    };
    is_canonical && text.parse::<i64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_json_would_write_itself_is_an_integer() {
        for text in ["0", "7", "-1", "9223372036854775807", "-9223372036854775808"] {
            assert!(is_integer(text), "for {text}");
        }
        for text in [
            "",
            "-",
            "-0",
            "+1",
            "007",
            "00",
            "1.0",
            "1,0",
            "1e3",
            " 1",
            "1 ",
            "٣",
            "0x10",
            "--1",
            "9223372036854775808",
            "true",
        ] {
            assert!(!is_integer(text), "for {text}");
        }
    }

    #[test]
    fn zeros_are_put_before_digits_alone() {
        let mut made = String::new();
        for (text, expected) in [
            ("4711", "004711"),
            ("0", "000000"),
            ("1234567", "1234567"),
            ("A11", "A11"),
            ("٣", "٣"),
        ] {
            assert_eq!(padded(text, 6, &mut made), expected);
        }
    }

    #[test]
    fn a_cut_is_between_characters_and_leaves_no_blank_behind() {
        let cut = |text, chars, longer| Max { chars, longer }.hold(text).expect("it is cut");
        assert_eq!(cut("äöü", 2, Longer::Cut), "äö");
        assert_eq!(cut("äöü", 3, Longer::Cut), "äöü");
        assert_eq!(cut("Head of Sales", 5, Longer::Cut), "Head ");
        assert_eq!(cut("Head of Sales", 5, Longer::CutAndTrim), "Head");
        assert_eq!(cut("😀😀", 1, Longer::CutAndTrim), "😀");
    }
}
