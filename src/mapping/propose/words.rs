//! What is left of a header, or of a word, for comparing it with what others call the same thing.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::domain::is_invisible;

/// Words that join others and tell nothing apart, in all languages of the lexicon.
const JOINING: [&str; 29] = [
    "of", "the", "de", "du", "des", "d", "l", "la", "le", "les", "del", "della", "dello", "dell",
    "di", "do", "da", "dos", "das", "der", "die", "el", "los", "van", "het", "y", "et", "und",
    "and",
];

/// The words of a header: split at blanks, punctuation and `camelCase`, in lower case, without
/// diacritics. "E-MailAdresse" is `e`, `mail`, `adresse`.
pub(super) fn words(header: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let letters: Vec<char> = header.nfkc().filter(|letter| !is_invisible(*letter)).collect();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| letters.get(before));
        let after = letters.get(at + 1);
        if is_combining_mark(*letter) {
            // a mark that could not be joined with its letter splits nothing
            continue;
        }
        if starts_word(before.copied(), *letter, after.copied()) || !letter.is_alphanumeric() {
            end(&mut word, &mut words);
        }
        if letter.is_alphanumeric() {
            push_folded(&mut word, *letter);
        }
    }
    end(&mut word, &mut words);
    words
}

/// Words run together, joining ones left out: "Date d'entrée" and `DateEntree` are `dateentree`.
/// Umlauts written as two letters count as one letter, so `ae` and `ä` are the same.
pub(super) fn key(words: &[String]) -> String {
    let is_joining = |word: &String| JOINING.contains(&word.as_str());
    let all_join = words.iter().all(is_joining);
    let kept = words.iter().filter(|word| all_join || !is_joining(word));
    let mut key: String = kept.map(String::as_str).collect();
    for (two, one) in [("ae", "a"), ("oe", "o"), ("ue", "u")] {
        key = key.replace(two, one);
    }
    key
}

/// The key of a text.
pub(super) fn key_of(text: &str) -> String {
    key(&words(text))
}

/// Between `b` and `A` of `abAc`, and between `A` and `B` of `ABc`.
fn starts_word(before: Option<char>, letter: char, after: Option<char>) -> bool {
    let Some(before) = before.filter(|_| letter.is_uppercase()) else { return false };
    before.is_lowercase() || before.is_uppercase() && after.is_some_and(char::is_lowercase)
}

fn end(word: &mut String, words: &mut Vec<String>) {
    if !word.is_empty() {
        words.push(std::mem::take(word));
    }
}

fn push_folded(word: &mut String, letter: char) {
    for letter in letter.to_lowercase().nfd() {
        match letter {
            'ß' => word.push_str("ss"),
            'ø' => word.push('o'),
            'œ' => word.push_str("oe"),
            'æ' => word.push_str("ae"),
            'ł' => word.push('l'),
            'đ' => word.push('d'),
            letter if is_combining_mark(letter) => {}
            letter => word.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_fall_into_words() {
        let cases: [(&str, &[&str]); 8] = [
            ("EmployeeID", &["employee", "id"]),
            ("employee_id", &["employee", "id"]),
            ("HRSystemKey", &["hr", "system", "key"]),
            ("Date d\u{2019}entrée", &["date", "d", "entree"]),
            ("\u{feff}Employee\u{a0}ID ", &["employee", "id"]),
            ("Straße/Nr.", &["strasse", "nr"]),
            ("name.first", &["name", "first"]),
            ("Prénom", &["prenom"]),
        ];
        for (header, expected) in cases {
            assert_eq!(words(header), expected, "for {header:?}");
        }
    }

    #[test]
    fn spellings_of_one_header_have_one_key() {
        assert_eq!(key_of("Geschäftsbereich"), key_of("GESCHAEFTSBEREICH"));
        assert_eq!(key_of("Date d'entrée"), key_of("date_entree"));
        assert_eq!(key_of("N° employé"), key_of("n employe"));
        assert_eq!(key_of("de la"), "dela");
        assert_eq!(key_of("—"), "");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_folding_panic(text: String) {
            let words = words(&text);
            assert!(words.iter().all(|word| !word.is_empty()));
            key(&words);
        }
    }
}
