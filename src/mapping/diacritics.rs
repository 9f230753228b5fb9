//! Folds accented letters to plain ones.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Appends the text with its diacritics folded.
pub(super) fn push_folded(out: &mut String, text: &str) {
    for letter in text.nfd().filter(|letter| !is_combining_mark(*letter)) {
        match letter {
            'æ' => out.push_str("ae"),
            'Æ' => out.push_str("AE"),
            'ø' => out.push_str("oe"),
            'Ø' => out.push_str("OE"),
            'ß' => out.push_str("ss"),
            'ł' => out.push('l'),
            'Ł' => out.push('L'),
            _ => out.push(letter),
        }
    }
}
