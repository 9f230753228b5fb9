//! Which encoding a file has that is not Unicode and does not say.
//!
//! `chardetng` knows pages of prose; a list of people has a name here and there, and one name may
//! read well in several encodings. So the words are judged one by one (see
//! [`letters`](super::letters)), encodings that read all of them alike are no rivals, and
//! `chardetng` can raise doubt where there are enough words for it. Where doubt remains the file is
//! refused: a question costs a minute, and a wrong letter goes into everybody's directory.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;

use crate::domain::Place;
use crate::source::SourceError;
use crate::source::text::decode::{holes, letter};
use crate::source::text::languages::{CANDIDATES, Candidate};
use crate::source::text::letters::{cost, places};
use crate::source::text::words::Words;

/// One sign in so many may stand where no such sign stands.
const MISPLACED_ONE_IN: u32 = 50;
/// So much likelier than the next must the likeliest be: e^2.2, nine to one.
const CLEAR: u32 = 22;
/// What words may cost on average; more, and no language reads them.
const READABLE: u32 = 60;
/// What a sign costs that stands where no such sign stands.
const MISPLACED: u32 = 60;
/// What the guess of `chardetng` counts.
const HEARD: u32 = 12;
/// From so many words on, it counts for each word.
const ENOUGH_WORDS: u32 = 40;

/// A decision, and how sure it is.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) encoding: &'static Encoding,
    pub(super) percent: u32,
    pub(super) words: u32,
}

/// An encoding that could be the file's.
struct Reading {
    candidate: &'static Candidate,
    /// What its letters for the file's bytes are, in the order of the bytes.
    alphabet: Vec<Option<char>>,
    signs: u32,
    misplaced: u32,
    /// The summed costs of all words.
    cost: u32,
}

impl Reading {
    fn is_plausible(&self) -> bool {
        self.misplaced.saturating_mul(MISPLACED_ONE_IN) <= self.signs
    }
}

/// Chooses by the words of a file.
pub(super) fn choose(words: &Words, file: &str) -> Result<Choice, SourceError> {
    let mut readings: Vec<Reading> =
        CANDIDATES.iter().filter_map(|candidate| read(candidate, words)).collect();
    let count = u32::try_from(words.iter().count()).unwrap_or(u32::MAX);
    let guess = guess(words);
    readings.retain(Reading::is_plausible);
    // an encoding that `chardetng` does not know is thought of when the common one cannot be
    if readings.iter().any(|reading| is(reading, encoding_rs::WINDOWS_1252)) {
        readings.retain(|reading| !is(reading, encoding_rs::ISO_8859_15));
    }
    readings.sort_by_key(|reading| reading.cost);
    let Some(best) = readings.first() else {
        return Err(unreadable(guess, file));
    };
    if best.cost > count.saturating_mul(READABLE).saturating_add(best.candidate.prior) {
        return Err(unreadable(guess, file));
    }
    let rivals = || readings.iter().filter(|reading| reading.alphabet != best.alphabet);
    let agrees =
        readings.iter().any(|reading| reading.alphabet == best.alphabet && is(reading, guess));
    let hint = if agrees { HEARD } else { 0 };
    // how much likelier the best is than another
    let margin = |rival: &Reading| {
        let doubt = match is(rival, guess) {
            true if count >= ENOUGH_WORDS => count.saturating_mul(HEARD),
            true => HEARD,
            false => 0,
        };
        (rival.cost - best.cost + hint).saturating_sub(doubt)
    };
    let clear = rivals().map(margin).min();
    if clear.is_some_and(|clear| clear < CLEAR) {
        let mut names = vec![best.candidate.encoding.name()];
        let near = rivals().filter(|rival| margin(rival) < CLEAR);
        names.extend(near.map(|rival| rival.candidate.encoding.name()));
        return Err(unclear(&names, file));
    }
    // of those that read alike, the one that is likeliest at all
    let mut alike = readings.iter().filter(|reading| reading.alphabet == best.alphabet);
    let likeliest = alike.by_ref().min_by_key(|reading| reading.candidate.prior).unwrap_or(best);
    let encoding = likeliest.candidate.encoding;
    Ok(Choice { encoding, percent: percent(clear, count), words: count })
}

fn is(reading: &Reading, encoding: &'static Encoding) -> bool {
    reading.candidate.encoding == encoding
}

/// How a candidate reads the words; `None` when it has no letter for one of the bytes.
fn read(candidate: &'static Candidate, words: &Words) -> Option<Reading> {
    let encoding = candidate.encoding;
    let holes = holes(encoding);
    if words.used().any(|byte| holes.get(usize::from(byte & 0x7F)) == Some(&true)) {
        return None;
    }
    let letters: Vec<Option<char>> = (0..=0xFF).map(|byte| letter(encoding, byte)).collect();
    let of = |byte: &u8| letters.get(usize::from(*byte)).copied().flatten();
    let alphabet = words.used().map(|byte| of(&byte)).collect();
    let mut reading =
        Reading { candidate, alphabet, signs: 0, misplaced: 0, cost: candidate.prior };
    let mut used = vec![false; candidate.languages.len()];
    for word in words.iter() {
        let word: Vec<char> = word.iter().filter_map(of).collect();
        let (signs, misplaced) = places(&word);
        reading.signs += signs;
        reading.misplaced += misplaced;
        let (cost, language) = cost(&word, candidate.languages, &used);
        let cost = cost.saturating_add(misplaced.saturating_mul(MISPLACED));
        reading.cost = reading.cost.saturating_add(cost);
        if let Some(used) = language.and_then(|language| used.get_mut(language)) {
            *used = true;
        }
    }
    Some(reading)
}

/// What `chardetng` takes it for.
fn guess(words: &Words) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    for word in words.iter() {
        detector.feed(word, false);
        detector.feed(b" ", false);
    }
    detector.feed(b"", true);
    detector.guess(None, Utf8Detection::Deny)
}

/// The odds as a share of a hundred; never all of it, since nothing in the file says so.
fn percent(margin: Option<u32>, words: u32) -> u32 {
    // a word or two are no proof, however clear they are
    let few = if words < 3 { 39 } else { u32::MAX };
    let Some(margin) = margin else {
        return 99;
    };
    // odds of e^(margin / 10) to one
    match margin.min(few) {
        0..=24 => 90,
        25..=29 => 93,
        30..=38 => 95,
        39..=45 => 98,
        _ => 99,
    }
}

fn unclear(names: &[&str], file: &str) -> SourceError {
    let first = names.first().copied().unwrap_or("windows-1252");
    SourceError::refused(
        "source.encoding-unclear",
        Place::file(file),
        format!(
            "the file is not UTF-8, and its letters could be {}, which read them differently",
            names.join(" or ")
        ),
        format!(
            "look up a name with an accent in the export, and set the encoding that shows it \
             right, such as `csv = {{ encoding = \"{first}\" }}`, or export the file as UTF-8"
        ),
    )
}

fn unreadable(guess: &'static Encoding, file: &str) -> SourceError {
    let names: Vec<&str> =
        CANDIDATES.iter().map(|candidate| candidate.encoding.name()).take(4).collect();
    let mut names = names.join(", ");
    if !names.contains(guess.name()) {
        names = format!("{}, {names}", guess.name());
    }
    SourceError::refused(
        "source.encoding-unclear",
        Place::file(file),
        format!(
            "the file is not UTF-8, and no encoding that was tried reads all its letters as \
             words ({names} and others)"
        ),
        format!(
            "set the encoding that the export is written in, such as \
             `csv = {{ encoding = \"{}\" }}`, or export the file as UTF-8",
            guess.name()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(text: &[u8]) -> Result<(&'static str, u32), String> {
        let mut words = Words::default();
        words.feed(text);
        words.end_word();
        match super::choose(&words, "hr.csv") {
            Ok(choice) => Ok((choice.encoding.name(), choice.percent)),
            Err(error) => Err(error.to_string()),
        }
    }

    fn encoded(text: &str, encoding: &'static Encoding) -> Vec<u8> {
        let (bytes, _, is_lossy) = encoding.encode(text);
        assert!(!is_lossy, "{text}");
        bytes.into_owned()
    }

    /// Words, each a file of its own, that come out right in this encoding.
    fn all_read(encoding: &'static Encoding, words: &[&str]) {
        for word in words {
            let bytes = encoded(word, encoding);
            let (name, _) = choose(&bytes).unwrap_or_else(|error| panic!("{word}: {error}"));
            let chosen = Encoding::for_label(name.as_bytes()).unwrap();
            assert_eq!(chosen.decode(&bytes).0, *word, "as {name}");
        }
    }

    fn all_refused(encoding: &'static Encoding, words: &[&str]) {
        for word in words {
            let refusal = choose(&encoded(word, encoding)).unwrap_err();
            assert!(refusal.starts_with("hr.csv: the file is not UTF-8, and "), "{refusal}");
        }
    }

    #[test]
    fn one_western_name_is_enough() {
        let names = [
            "Müller",
            "O’Brien",
            "José",
            "Nuñez",
            "Peña",
            "François",
            "João",
            "Conceição",
            "Zoë",
            "Hélène",
            "Lefèvre",
            "Benoît",
            "Loïc",
            "Anaïs",
            "Niccolò",
            "D’Angelò",
            "Strauß",
            "Øystein",
            "Jørgensen",
            "Søren",
            "Bjørn",
            "Kjær",
            "Åsa",
            "Ångström",
            "Malmö",
            "Guðrún",
            "Þór",
            "Mª José",
            "MÜLLER GARCÍA",
            "Müller £100",
            "Straße 5",
        ];
        all_read(encoding_rs::WINDOWS_1252, &names);
    }

    #[test]
    fn letters_that_all_readings_share_are_no_rivals() {
        assert_eq!(choose(b"M\xFCller"), Ok(("windows-1252", 99)));
    }

    #[test]
    fn a_pound_sign_before_lower_case_is_a_polish_letter() {
        assert_eq!(choose(b"\xA3ukasz").unwrap().0, "windows-1250");
        assert_eq!(choose(b"M\xFCller,O\x92Brien,\xA3ukasz").unwrap().0, "windows-1250");
        assert_eq!(choose(b"M\xFCller,\xA3100").unwrap().0, "windows-1252");
        let refusal = choose(b"\xA3ukasz,\xA3100").unwrap_err();
        assert!(refusal.contains("no encoding that was tried reads all its letters"), "{refusal}");
    }

    #[test]
    fn names_of_other_languages_are_read_in_their_encoding() {
        let polish = "Łukasz Wiśniewski Gdańsk Dąbrowski Świętokrzyska Żaneta";
        let czech = "Jiří Dvořák Čeněk Šimůnek Zdeněk Růžička";
        let romanian = "Ionuţ Ştefănescu Bălan Pârvu";
        all_read(encoding_rs::WINDOWS_1250, &[polish, czech, romanian, "Małgorzata", "Kovács"]);
        all_read(encoding_rs::ISO_8859_2, &[polish, czech, romanian, "Dąbrowski"]);
        all_read(encoding_rs::WINDOWS_1254, &["Şahin İbrahim Yıldız Erdoğan Gülşen Çağlar"]);
        let latvian = "Jānis Bērziņš Kārlis Ozoliņš Līga";
        let lithuanian = "Kęstutis Šarūnas Žydrūnė Jūratė Rūta Eglė";
        all_read(encoding_rs::WINDOWS_1257, &[latvian, lithuanian]);
        all_read(encoding_rs::WINDOWS_1251, &["Иванов", "Ющенко Олексій", "ИВАНОВ ПЁТР"]);
        all_read(encoding_rs::WINDOWS_1253, &["Παπαδόπουλος", "Γιώργος Νίκος"]);
        all_read(encoding_rs::ISO_8859_7, &["Παπαδόπουλος Άννα"]);
        all_read(encoding_rs::WINDOWS_1256, &["محمد علي"]);
    }

    #[test]
    fn names_that_read_well_in_two_encodings_are_asked_about() {
        all_refused(encoding_rs::WINDOWS_1250, &["Gdańsk", "Wiśniewski", "Zdeněk", "Szűcs"]);
        all_refused(encoding_rs::WINDOWS_1254, &["Şahin", "Erdoğan", "Yıldız"]);
        let error = choose(&encoded("Gdańsk", encoding_rs::WINDOWS_1250)).unwrap_err();
        assert_eq!(
            error,
            "hr.csv: the file is not UTF-8, and its letters could be windows-1250 or \
             windows-1252, which read them differently"
        );
    }

    #[test]
    fn encodings_that_are_not_looked_for_are_asked_about() {
        all_refused(encoding_rs::KOI8_R, &["Иван Петров Сергей"]);
        all_refused(encoding_rs::ISO_8859_5, &["Иван Петров Сергей"]);
        all_refused(encoding_rs::SHIFT_JIS, &["山田太郎 佐藤花子"]);
        let error = choose(&encoded("山田太郎 佐藤花子", encoding_rs::SHIFT_JIS)).unwrap_err();
        assert!(error.contains("Shift_JIS"), "{error}");
    }

    #[test]
    fn one_polish_name_among_many_german_ones_is_never_a_pound_sign() {
        let mut bytes = Vec::new();
        for number in 0..200 {
            bytes.extend_from_slice(format!("Name{number}").as_bytes());
            bytes.extend_from_slice(b"m\xFCller;");
        }
        bytes.extend_from_slice(b"\xA3ukasz");
        assert_ne!(choose(&bytes).map(|(name, _)| name), Ok("windows-1252"));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_read_by_an_encoding_that_has_no_letter_for_them(bytes: Vec<u8>) {
            if let Ok((name, percent)) = choose(&bytes) {
                let encoding = Encoding::for_label(name.as_bytes()).unwrap();
                let (text, has_errors) = encoding.decode_without_bom_handling(&bytes);
                assert!(!has_errors && !text.contains(|letter| matches!(letter, '\u{80}'..='\u{9f}')));
                assert!((90..=99).contains(&percent));
            }
        }
    }
}
