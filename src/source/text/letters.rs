//! How well an encoding reads the words of a file.
//!
//! Two questions. Does each sign stand where such a sign stands: a letter in a word, a pound sign
//! before a number and not before `ukasz`? That alone rules encodings out. And of those that are
//! left, in which are the words such as some language writes? That is a cost for each word, lower
//! for letters that a language is full of, higher for strange ones and for a vowel where a
//! consonant belongs. Costs are ten times the natural logarithm of how unlikely something is, so
//! that the difference of two sums says how much likelier one reading is.

use unicode_normalization::UnicodeNormalization;

use crate::source::text::languages::Language;

/// A letter that a language is full of.
const COMMON: u32 = 3;
/// A letter that it has.
const RARE: u32 = 18;
/// A letter that it has not.
const STRANGE: u32 = 50;
/// A sign that is no letter.
const SIGN: u32 = 10;
/// A letter where its kind hardly ever stands.
const MISFIT: u32 = 30;
/// No single word says more than this.
const MOST_A_WORD: u32 = 150;

/// Counts the signs beyond ASCII of a word, and those among them that stand where no such sign
/// stands.
pub(super) fn places(word: &[char]) -> (u32, u32) {
    let (mut signs, mut misplaced) = (0, 0);
    for (at, &letter) in word.iter().enumerate() {
        if !letter.is_ascii() {
            let before = at.checked_sub(1).and_then(|at| word.get(at)).copied();
            let after = word.get(at + 1).copied();
            signs += 1;
            misplaced += u32::from(!is_in_place(word, at, letter, before, after));
        }
    }
    (signs, misplaced)
}

fn is_in_place(
    word: &[char],
    at: usize,
    sign: char,
    before: Option<char>,
    after: Option<char>,
) -> bool {
    let is_letter = |place: Option<char>| place.is_some_and(is_word_letter);
    let is_lower = |place: Option<char>| place.is_some_and(char::is_lowercase);
    let is_digit = |place: Option<char>| place.is_some_and(|letter| letter.is_ascii_digit());
    let stands_alone = !is_letter(before) && !is_letter(after);
    match sign {
        // apostrophes, and what is typed for one; blanks; what hyphenates
        '\u{2018}' | '\u{2019}' | '´' | '\u{a0}' | '\u{ad}' => true,
        '·' => is_letter(before) == is_letter(after),
        '“' | '„' | '‚' | '«' | '‹' | '¿' | '¡' => !is_letter(before),
        '”' | '»' | '›' | '®' | '™' | '©' => !is_letter(after),
        '–' | '—' | '…' | '•' => !(is_lower(before) && is_lower(after)),
        'ª' | 'º' => before.is_some() && !is_letter(after),
        '°' => !is_letter(before) || matches!(before, Some('n' | 'N')),
        '¹' | '²' | '³' => !is_letter(after) && (at <= 2 || !is_letter(before)),
        'µ' => !is_letter(before) && word.len() <= 3,
        _ if is_word_letter(sign) => {
            let is_script_mixed = [before, after]
                .into_iter()
                .flatten()
                .any(|other| is_word_letter(other) && script(other) != script(sign));
            let is_unit =
                (is_digit(after) && !is_letter(before)) || (is_digit(before) && !is_letter(after));
            let is_case_odd = sign != 'ß'
                && (sign.is_uppercase() && is_lower(before)
                    || sign.is_lowercase() && after.is_some_and(char::is_uppercase));
            !is_script_mixed && !is_unit && !is_case_odd
        }
        _ => stands_alone,
    }
}

/// A letter that words are made of, not a sign made of one.
fn is_word_letter(letter: char) -> bool {
    letter.is_alphabetic() && !matches!(letter, 'ª' | 'º' | 'µ' | 'ƒ' | 'ˆ' | 'ˇ')
}

#[derive(PartialEq, Eq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Other,
}

const fn script(letter: char) -> Script {
    match letter {
        '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Script::Latin,
        '\u{370}'..='\u{3ff}' => Script::Greek,
        '\u{400}'..='\u{52f}' => Script::Cyrillic,
        _ => Script::Other,
    }
}

/// What a word costs in the language that reads it best, and which one that is; `used` are the
/// languages that other words of the file have, and one more is less likely than those.
pub(super) fn cost(word: &[char], languages: &[Language], used: &[bool]) -> (u32, Option<usize>) {
    /// One more language in the file.
    const NEW: u32 = 8;
    let word: Vec<char> = word.iter().flat_map(|letter| letter.to_lowercase()).collect();
    // in lower case `İ` is an i and a dot above it, which is in place in Turkish alone
    let fit = misfits(&word);
    let mut best = (MOST_A_WORD, None);
    for (at, language) in languages.iter().enumerate() {
        let mut cost = fit + language.prior;
        if used.get(at) != Some(&true) {
            cost += NEW;
        }
        for &letter in word.iter().filter(|letter| !letter.is_ascii()) {
            cost += match letter {
                _ if language.common.contains(letter) => COMMON,
                _ if language.rare.contains(letter) => RARE,
                _ if is_word_letter(letter) => STRANGE,
                '\u{2019}' | '\u{a0}' => COMMON,
                '\u{307}' if language.common.contains('ı') => COMMON,
                _ => SIGN,
            };
        }
        if cost < best.0 {
            best = (cost, Some(at));
        }
    }
    best
}

/// What it costs that letters stand where their kind hardly ever does. The word is in lower case.
fn misfits(word: &[char]) -> u32 {
    let mut cost = 0;
    for (at, &letter) in word.iter().enumerate() {
        if letter.is_ascii() || !is_word_letter(letter) {
            continue;
        }
        let before = at.checked_sub(1).and_then(|at| word.get(at)).copied().map(kind);
        let after = word.get(at + 1).copied().map(kind);
        cost += match script(letter) {
            Script::Latin => latin_misfit(letter, before, after, word.get(at + 1).copied()),
            Script::Greek => greek_misfit(letter, before, after),
            Script::Cyrillic => cyrillic_misfit(letter, before, after),
            Script::Other => 0,
        };
    }
    if let &[only] = word
        && is_word_letter(only)
        && script(only) != Script::Latin
    {
        cost += MISFIT;
    }
    let is_greek = |letter: &char| script(*letter) == Script::Greek && letter.is_alphabetic();
    if word.iter().filter(|letter| is_greek(letter)).count() > 2 {
        let accents = word.iter().filter(|letter| "άέήίόύώΐΰ".contains(**letter)).count();
        cost += if accents == 1 { 0 } else { MISFIT };
    }
    cost
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Vowel,
    /// Sometimes the one, sometimes the other.
    Either,
    Consonant,
    None,
}

fn latin_misfit(
    letter: char,
    before: Option<Kind>,
    after: Option<Kind>,
    next: Option<char>,
) -> u32 {
    let is_vowel = |place| place == Some(Kind::Vowel);
    let is_consonant = |place| place == Some(Kind::Consonant);
    match letter {
        'ń' if is_vowel(after) => MISFIT,
        'ñ' if !is_vowel(after) => MISFIT,
        'ą' | 'ę' | 'ě' | 'ů' if before.is_none() => MISFIT,
        'ã' if !matches!(next, None | Some('o' | 'e' | 'i' | 'n' | 's' | 'õ')) => MISFIT,
        'à' | 'è' | 'ì' | 'ò' | 'ù' | 'ê' | 'æ' if is_vowel(before) || is_vowel(after) => {
            MISFIT
        }
        'ø' | 'å' if is_vowel(before) || after == Some(Kind::Vowel) => MISFIT,
        'ā' | 'ē' | 'ī' | 'ū' | 'ă' if is_vowel(before) || is_vowel(after) => MISFIT,
        // `Bjřrn` and `Kjćr` are no words
        _ if kind(letter) == Kind::Consonant
            && is_consonant(after)
            && matches!(before, Some(Kind::Consonant | Kind::Either)) =>
        {
            MISFIT
        }
        _ if kind(letter) == Kind::Consonant && is_consonant(before) && after.is_none() => {
            MISFIT / 2
        }
        _ if kind(letter) == Kind::Vowel && is_vowel(before) && is_vowel(after) => MISFIT / 2,
        _ => 0,
    }
}

fn greek_misfit(letter: char, before: Option<Kind>, after: Option<Kind>) -> u32 {
    match letter {
        'ς' if after.is_some() => MISFIT,
        'σ' if after.is_none() => MISFIT,
        'ΐ' | 'ΰ' => MISFIT,
        _ if kind(letter) == Kind::Consonant
            && before == Some(Kind::Consonant)
            && after == Some(Kind::Consonant) =>
        {
            MISFIT / 2
        }
        _ => 0,
    }
}

fn cyrillic_misfit(letter: char, before: Option<Kind>, after: Option<Kind>) -> u32 {
    let is_consonant = kind(letter) == Kind::Consonant;
    match letter {
        'ь' | 'ъ' | 'ы' if before.is_none() || before == Some(Kind::Vowel) => MISFIT,
        _ if is_consonant && before == Some(Kind::Consonant) && after == Some(Kind::Consonant) => {
            MISFIT / 2
        }
        _ => 0,
    }
}

/// Vowel or consonant; the word is in lower case.
fn kind(letter: char) -> Kind {
    const VOWELS: &str = "aeiouæøœıаеиоуыэюяієαεηιουω";
    let base = std::iter::once(letter).nfd().next().unwrap_or(letter);
    match base {
        'y' | 'j' | 'w' | 'й' | 'ь' | 'ъ' => Kind::Either,
        _ if VOWELS.contains(base) => Kind::Vowel,
        _ if is_word_letter(base) => Kind::Consonant,
        _ => Kind::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn misplaced(word: &str) -> u32 {
        places(&word.chars().collect::<Vec<_>>()).1
    }

    #[test]
    fn letters_stand_in_words_and_signs_beside_them() {
        for word in [
            "Müller",
            "Łukasz",
            "MÜLLER",
            "O’Brien",
            "O´Neil",
            "£100",
            "100€",
            "Mª",
            "1º",
            "2ème",
            "Straße",
            "STRAßE",
            "n°12",
            "¿Qué",
            "m²",
            "Иванов",
            "Παπαδόπουλος",
            "½",
            "Smith–Jones",
            "«AB»",
            "Col·lell",
        ] {
            assert_eq!(misplaced(word), 0, "{word}");
        }
        for word in [
            "£ukasz",
            "Pawe³",
            "Ka¼mierz",
            "Mьller",
            "мüller",
            "хБЮМНБ",
            "Ł100",
            "100Ł",
            "¯aneta",
            "Ka¿my",
            "WiÐniewski",
            "W¹sik",
            "ƒabc",
            "Š§rka",
        ] {
            assert!(misplaced(word) > 0, "{word}");
        }
    }
}
