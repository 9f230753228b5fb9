//! Letters of a value: case for the rule `case`, and folding for lookups.
//!
//! ASCII, which is most of it, is done in place of a reused buffer; the rest follows Unicode.

use crate::mapping::Case;

/// Writes the text into `out` in the case asked for.
pub(super) fn push_cased(out: &mut String, text: &str, case: Case) {
    match case {
        Case::Lower => push_lower(out, text),
        Case::Upper if text.is_ascii() => {
            let start = out.len();
            out.push_str(text);
            if let Some(tail) = out.get_mut(start..) {
                tail.make_ascii_uppercase();
            }
        }
        Case::Upper => out.push_str(&text.to_uppercase()),
        Case::Title => push_title(out, text),
    }
}

/// Writes the text in lower case, which is how words of a lookup table are held against each other.
pub(super) fn push_lower(out: &mut String, text: &str) {
    if text.is_ascii() {
        let start = out.len();
        out.push_str(text);
        if let Some(tail) = out.get_mut(start..) {
            tail.make_ascii_lowercase();
        }
    } else {
        out.push_str(&text.to_lowercase());
    }
}

/// The first letter of each word in upper case, the others in lower case. A word ends at anything
/// that is neither letter nor digit, so both halves of a double name count; after an apostrophe
/// only where at least two letters follow (`O'Neil`, but `Men's`).
fn push_title(out: &mut String, text: &str) {
    let lower = text.to_lowercase();
    let mut word_starts = true;
    for (at, letter) in lower.char_indices() {
        if !letter.is_alphanumeric() && !is_mark(letter) {
            let rest = lower.get(at + letter.len_utf8()..).unwrap_or("");
            word_starts = !is_apostrophe(letter) || starts_with_two_letters(rest);
            out.push(letter);
        } else if word_starts && letter.is_alphanumeric() {
            out.extend(letter.to_uppercase());
            word_starts = false;
        } else {
            out.push(letter);
        }
    }
}

fn starts_with_two_letters(text: &str) -> bool {
    text.chars().take(2).filter(|letter| letter.is_alphabetic()).count() == 2
}

const fn is_apostrophe(letter: char) -> bool {
    matches!(letter, '\'' | '\u{2019}')
}

/// A combining accent, which belongs to the letter before it.
const fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cased(text: &str, case: Case) -> String {
        let mut out = String::new();
        push_cased(&mut out, text, case);
        out
    }

    #[test]
    fn names_in_title_case_look_like_names() {
        for (text, title) in [
            ("mary-jane o'neil", "Mary-Jane O'Neil"),
            ("MARY-JANE O\u{2019}NEIL", "Mary-Jane O\u{2019}Neil"),
            ("women's wear", "Women's Wear"),
            ("élodie d'arc", "Élodie D'Arc"),
            ("j.r. ewing", "J.R. Ewing"),
            ("zoe\u{308} łukasz", "Zoe\u{308} Łukasz"),
            ("3rd floor", "3rd Floor"),
            ("", ""),
        ] {
            assert_eq!(cased(text, Case::Title), title);
        }
    }

    #[test]
    fn lower_and_upper_go_beyond_ascii() {
        assert_eq!(cased("MÜLLER", Case::Lower), "müller");
        assert_eq!(cased("Straße é", Case::Upper), "STRASSE É");
        assert_eq!(cased("AbC1", Case::Lower), "abc1");
        assert_eq!(cased("AbC1", Case::Upper), "ABC1");
    }
}
