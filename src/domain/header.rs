//! When two column names are the same.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// What is left of a header for comparing: NFKC, no-break and other blanks as single spaces, ends
/// trimmed, case folded, invisible characters left out.
#[must_use]
pub fn fold_header(header: &str) -> Cow<'_, str> {
    let bytes = header.as_bytes();
    let is_plain = bytes.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
    if is_plain {
        return Cow::Borrowed(header);
    }
    let mut folded = String::with_capacity(header.len());
    for letter in header.nfkc() {
        if is_invisible(letter) {
            continue;
        }
        if letter.is_whitespace() {
            if !folded.is_empty() && !folded.ends_with(' ') {
                folded.push(' ');
            }
        } else {
            folded.extend(letter.to_lowercase());
        }
    }
    folded.truncate(folded.trim_end().len());
    Cow::Owned(folded)
}

/// Characters that nobody sees and that no id, header or address has on purpose: soft hyphen,
/// zero-width and direction marks, word joiner, byte-order mark.
#[must_use]
pub const fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_case_width_and_invisible_characters_do_not_tell_headers_apart() {
        for header in [
            "Employee ID",
            " employee id ",
            "Employee\u{a0}ID",
            "EMPLOYEE \t ID",
            "\u{feff}Employee\u{200b} ID",
            "Ｅmployee ID",
        ] {
            assert_eq!(fold_header(header), "employee id", "for {header:?}");
        }
        assert_eq!(fold_header("Straße"), "straße");
        assert_eq!(fold_header("workerid"), "workerid");
        assert_ne!(fold_header("EmployeeID"), fold_header("Employee ID"));
    }
}
