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
/// From so many words on, `chardetng` is heard.
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
    let margin = rivals().map(|rival| rival.cost - best.cost).min();
    if margin.is_some_and(|margin| margin < CLEAR) {
        let mut names = vec![best.candidate.encoding.name()];
        let near = |rival: &&Reading| rival.cost - best.cost < CLEAR;
        names.extend(rivals().filter(near).map(|rival| rival.candidate.encoding.name()));
        return Err(unclear(&names, file));
    }
    let doubt = rivals().find(|reading| is(reading, guess));
    if count >= ENOUGH_WORDS
        && let Some(doubt) = doubt
        && doubt.cost - best.cost < count.saturating_mul(CLEAR)
    {
        return Err(unclear(&[best.candidate.encoding.name(), guess.name()], file));
    }
    // of those that read alike, the one that is likeliest at all
    let mut alike = readings.iter().filter(|reading| reading.alphabet == best.alphabet);
    let likeliest = alike.by_ref().min_by_key(|reading| reading.candidate.prior).unwrap_or(best);
    let encoding = likeliest.candidate.encoding;
    Ok(Choice { encoding, percent: percent(margin), words: count })
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
fn percent(margin: Option<u32>) -> u32 {
    let Some(margin) = margin else {
        return 99;
    };
    // odds of e^(margin / 10) to one
    match margin {
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

    #[test]
    fn zz_survey() {
        let west = [
            "Müller",
            "Nuñez",
            "Peña",
            "François",
            "João",
            "Øystein",
            "Jørgensen",
            "Åsa",
            "Zoë",
            "Strauß",
            "Guðrún",
            "Þór",
            "São Paulo",
            "Mª José",
            "Conceição",
            "Hélène",
            "Malmö",
            "Lefèvre",
            "Benoît",
            "D’Angelò",
            "José",
            "Søren",
            "Grüße",
            "Bjørn",
            "Kjær",
            "Ångström",
            "Muñoz",
            "Núñez",
            "Loïc",
            "Anaïs",
            "Çelik",
            "Niccolò",
            "Agnès",
            "Müller £100",
            "Straße 5",
            "Sjögren",
            "Jæger",
            "MÜLLER GARCÍA",
            "Å",
            "Hernández",
            "Mårten",
            "Göran",
        ];
        let central = [
            "Łukasz",
            "Gdańsk",
            "Wiśniewski",
            "Dąbrowski",
            "Jiří",
            "Dvořák",
            "Čeněk",
            "Šimůnek",
            "Zdeněk",
            "Petrović",
            "Đorđe",
            "Erdős",
            "Szűcs",
            "Kovács",
            "Ştefănescu",
            "Małgorzata",
            "Łukasz Wiśniewski Gdańsk Dąbrowski Świętokrzyska Żaneta",
            "Jiří Dvořák Čeněk Šimůnek Zdeněk Růžička",
            "Kovács Szűcs Erdős Győr",
            "Ionuţ Ştefănescu Bălan Pârvu",
        ];
        let turk = [
            "Şahin",
            "İbrahim",
            "Yıldız",
            "Ağır",
            "Erdoğan",
            "Gülşen",
            "Şahin İbrahim Yıldız Erdoğan Gülşen Çağlar",
        ];
        let balt = [
            "Jānis",
            "Bērziņš",
            "Šarūnas",
            "Kęstutis",
            "Põder",
            "Jānis Bērziņš Kārlis Ozoliņš Līga",
            "Kęstutis Šarūnas Žydrūnė Jūratė Rūta Eglė",
        ];
        for (list, enc) in [
            (&west[..], encoding_rs::WINDOWS_1252),
            (&central[..], encoding_rs::WINDOWS_1250),
            (&central[..], encoding_rs::ISO_8859_2),
            (&turk[..], encoding_rs::WINDOWS_1254),
            (&balt[..], encoding_rs::WINDOWS_1257),
            (&["Иванов", "Иван Петров Сергей", "Ющенко Олексій"][..], encoding_rs::WINDOWS_1251),
            (&["Παπαδόπουλος", "Γιώργος Νίκος Παπαδόπουλος"][..], encoding_rs::WINDOWS_1253),
            (&["Παπαδόπουλος Άννα"][..], encoding_rs::ISO_8859_7),
            (&["שלום", "משה כהן"][..], encoding_rs::WINDOWS_1255),
            (&["محمد علي"][..], encoding_rs::WINDOWS_1256),
            (&["Иван Петров Сергей"][..], encoding_rs::KOI8_R),
            (&["Иван Петров Сергей"][..], encoding_rs::ISO_8859_5),
            (&["山田太郎 佐藤花子"][..], encoding_rs::SHIFT_JIS),
        ] {
            for t in list {
                let got = choose(&encoded(t, enc));
                let flag = match &got {
                    Ok((n, _)) => {
                        let e = Encoding::for_label(n.as_bytes()).unwrap();
                        if e.decode(&encoded(t, enc)).0 == *t { "ok " } else { "WRONG" }
                    }
                    Err(_) => "refused",
                };
                println!("{flag} {} {t}: {got:?}", enc.name());
            }
        }
    }
}
