//! Folding of diacritics, as Entra's `NormalizeDiacritics` does it: `Zoë Łęcki` becomes
//! `Zoe Lecki`.
//!
//! Only Latin letters change. What Unicode takes apart into a letter and its marks loses the marks;
//! letters that it does not take apart stand in a table. Other scripts stay as they are, since
//! their marks make other letters: `й` without its breve is `и`.

use unicode_normalization::char::{decompose_canonical, is_combining_mark};

/// Appends the text with its diacritics folded.
pub(super) fn push_folded(out: &mut String, text: &str) {
    let mut rest = text;
    while !rest.is_empty() {
        let plain = rest.bytes().take_while(u8::is_ascii).count();
        let (ascii, other) = rest.split_at_checked(plain).unwrap_or((rest, ""));
        out.push_str(ascii);
        let mut letters = other.chars();
        if let Some(letter) = letters.next() {
            push_letter(out, letter);
        }
        rest = letters.as_str();
    }
}

fn push_letter(out: &mut String, letter: char) {
    if is_latin_mark(letter) {
        // a letter and its mark written apart
        if !out.ends_with(|before: char| before.is_ascii_alphabetic()) {
            out.push(letter);
        }
        return;
    }
    let mut base = None;
    decompose_canonical(letter, |part| {
        base.get_or_insert(part);
    });
    let base = base.unwrap_or(letter);
    match folded(base) {
        Some(text) => out.push_str(text),
        None if base.is_ascii_alphabetic() => out.push(base),
        None => out.push(letter),
    }
}

/// Combining marks that Latin letters are written with.
fn is_latin_mark(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{1dc0}'..='\u{1dff}') && is_combining_mark(letter)
}

/// Latin letters that Unicode does not take apart.
const fn folded(letter: char) -> Option<&'static str> {
    Some(match letter {
        'æ' => "ae",
        'Æ' => "AE",
        'ø' | 'œ' => "oe",
        'Ø' | 'Œ' => "OE",
        'ß' => "ss",
        'ẞ' => "SS",
        'þ' => "th",
        'Þ' => "TH",
        'ð' | 'đ' | 'ɖ' => "d",
        'Ð' | 'Đ' | 'Ɖ' => "D",
        'ł' | 'ŀ' | 'ƚ' => "l",
        'Ł' | 'Ŀ' | 'Ƚ' => "L",
        'ħ' => "h",
        'Ħ' => "H",
        'ı' | 'ɨ' => "i",
        'Ɨ' => "I",
        'ĸ' => "k",
        'ŋ' | 'ŉ' => "n",
        'Ŋ' => "N",
        'ŧ' => "t",
        'Ŧ' => "T",
        'ƀ' => "b",
        'Ƀ' => "B",
        'ȼ' => "c",
        'Ȼ' => "C",
        'ɇ' => "e",
        'Ɇ' => "E",
        'ǥ' => "g",
        'Ǥ' => "G",
        'ɉ' => "j",
        'Ɉ' => "J",
        'ɍ' => "r",
        'Ɍ' => "R",
        'ʉ' => "u",
        'Ʉ' => "U",
        'ɏ' => "y",
        'Ɏ' => "Y",
        'ƶ' => "z",
        'Ƶ' => "Z",
        'ĳ' => "ij",
        'Ĳ' => "IJ",
        'ſ' => "s",
        _ => return None,
    })
}

#[cfg(test)]
fn fold_diacritics(text: &str) -> String {
    let mut out = String::new();
    push_folded(&mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization as _;

    use super::*;

    #[test]
    fn latin_letters_lose_their_marks() {
        for (text, folded) in [
            ("", ""),
            ("Plain text, 1-2", "Plain text, 1-2"),
            ("ä à â ã å á ą ă ā ǟ ǡ", "a a a a a a a a a a a"),
            ("ç č ć ď ë è é ê ę ě ė ē", "c c c d e e e e e e e e"),
            ("ğ ï î í ı ī ñ ń ň ö ò õ ô ó ő", "g i i i i i n n n o o o o o o"),
            ("ř š ş ș ś ť ț ü ù û ú ů ű ÿ ý ź ž ż", "r s s s s t t u u u u u u y y z z z"),
            ("Ä Å Ç É Ñ Ö Ü Ž İ", "A A C E N O U Z I"),
            ("æ Æ ǣ ø Ø ǿ œ ß ẞ ł Ł đ þ ð", "ae AE ae oe OE oe oe ss SS l L d th d"),
            ("Zoë zoe\u{308} Nguyễn Thị", "Zoe zoe Nguyen Thi"),
        ] {
            assert_eq!(fold_diacritics(text), folded, "for {text}");
        }
    }

    #[test]
    fn other_scripts_and_lone_marks_stay() {
        for text in
            ["Сергей Ёлкин", "Γιώργος", "강 한글", "が", "محمّد", "नमस्ते", "1\u{308}", "\u{301}"]
        {
            assert_eq!(fold_diacritics(text), text);
        }
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in any::<String>()) {
            let once = fold_diacritics(&text);
            prop_assert_eq!(fold_diacritics(&once), once);
        }

        #[test]
        fn latin_names_become_ascii(text in "[a-zA-Z\u{c0}-\u{d6}\u{d8}-\u{f6}\u{f8}-\u{17e}]*") {
            prop_assert!(fold_diacritics(&text).is_ascii(), "{}", text);
        }

        #[test]
        fn composed_and_decomposed_letters_fold_alike(text in "[\u{c0}-\u{17e}\u{1e00}-\u{1ef9}]*") {
            let apart: String = text.nfd().collect();
            prop_assert_eq!(fold_diacritics(&text), fold_diacritics(&apart));
        }
    }
}
