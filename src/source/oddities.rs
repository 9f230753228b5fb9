//! Letters that look as if something went wrong before the file was written.
//!
//! A name that was UTF-8, was taken for windows-1252 and written as UTF-8 once more has `Ã¼` where
//! it had `ü`. And characters that nobody sees make two ids of one. Both are told, and nothing is
//! repaired: only the one who wrote it knows what it was.

use crate::domain::{Place, Row, is_invisible};
use crate::source::Finding;
use crate::source::notes::Notes;

/// Bytes that are looked at together.
const BLOCK: usize = 32;

/// Whether a text seems to be encoded twice: `MÃ¼ller`, `Oâ€™Brien`, or control characters that
/// come of reading windows-1252 as ISO-8859-1.
#[must_use]
pub fn is_double_encoded(text: &str) -> bool {
    if text.is_ascii() {
        return false;
    }
    let mut before = None;
    for letter in text.chars() {
        let is_odd = match (before, letter) {
            (_, '\u{80}'..='\u{84}' | '\u{86}'..='\u{9f}') => true,
            // the two bytes of a letter up to U+00FF
            (Some('Â' | 'Ã'), letter) => is_second_byte(letter),
            // those of a letter up to U+017F, unless it is a letter after a letter
            (Some('Ä' | 'Å'), letter) => is_second_byte(letter) && !letter.is_alphabetic(),
            // the first two of three, as of a typographic apostrophe
            (Some('â'), letter) => letter == '€',
            _ => false,
        };
        if is_odd {
            return true;
        }
        before = Some(letter);
    }
    false
}

/// What the second byte of a letter in UTF-8 is in windows-1252, or in ISO-8859-1.
const fn is_second_byte(letter: char) -> bool {
    matches!(letter, '\u{80}'..='\u{bf}')
        || matches!(
            letter,
            '€' | '‚' | 'ƒ' | '„' | '…' | '†' | '‡' | 'ˆ' | '‰' | 'Š' | '‹' | 'Œ' | 'Ž'
        )
        || matches!(
            letter,
            '‘' | '’'
                | '“'
                | '”'
                | '•'
                | '–'
                | '—'
                | '˜'
                | '™'
                | 'š'
                | '›'
                | 'œ'
                | 'ž'
                | 'Ÿ'
        )
}

/// Whether a text has characters that nobody sees.
#[must_use]
pub fn has_invisible(text: &str) -> bool {
    !text.is_ascii() && text.chars().any(is_invisible)
}

/// Whether a text can have either: a swift look at all of a row, which lets nearly every row pass.
/// Whatever is looked for has the bytes C2, E2 or EF, or C3 and the second byte of an `Â`, `Ã`, `Ä`,
/// `Å` or `â`.
#[expect(clippy::needless_bitwise_bool, reason = "many bytes at once only without jumps")]
fn may_be_odd(text: &[u8]) -> bool {
    let is_odd = |byte: u8, next: u8| {
        let is_first = (byte == 0xC2) | (byte == 0xE2) | (byte == 0xEF);
        let is_second = (next & 0xFC == 0x80) | (next & 0xFE == 0x84) | (next == 0xA2);
        is_first | ((byte == 0xC3) & is_second)
    };
    if text.is_ascii() {
        return false;
    }
    // blocks of one size, so that many bytes are looked at together
    let (blocks, _) = text.as_chunks::<BLOCK>();
    let (after, _) = text.get(1..).unwrap_or_default().as_chunks::<BLOCK>();
    let in_block = |(block, after): (&[u8; BLOCK], &[u8; BLOCK])| {
        block.iter().zip(after).fold(false, |odd, (&byte, &next)| odd | is_odd(byte, next))
    };
    let whole = blocks.len().min(after.len());
    let rest = text.get(whole * BLOCK..).unwrap_or_default();
    blocks.iter().zip(after).any(in_block)
        || rest.iter().zip(rest.iter().skip(1)).any(|(&byte, &next)| is_odd(byte, next))
}

/// Watches the rows of a table for both.
#[derive(Debug)]
pub struct Oddities {
    place: Place,
    headers: Vec<String>,
    doubled: Notes,
    invisible: Notes,
}

impl Oddities {
    /// Begins a table: its file (and sheet) and its headers.
    #[must_use]
    pub fn new(place: Place, headers: &[String]) -> Self {
        Self {
            place,
            headers: headers.to_vec(),
            doubled: Notes::default(),
            invisible: Notes::default(),
        }
    }

    /// Looks at some cells of a row, such as those of the mapped columns; counted from 0.
    pub fn look(&mut self, row: &Row<'_>, cells: impl IntoIterator<Item = usize>) {
        if !may_be_odd(row.text().as_bytes()) {
            return;
        }
        for cell in cells {
            let text = row.cell(cell);
            let (is_doubled, is_invisible) = (is_double_encoded(text), has_invisible(text));
            if !is_doubled && !is_invisible {
                continue;
            }
            let header = self.headers.get(cell).cloned().unwrap_or_default();
            let place = || self.place.clone().at_row(row.row, row.line).in_column(header.clone());
            let tell =
                |code, message: String| Finding { code, place: place(), message, is_odd: true };
            if is_doubled {
                self.doubled.push(|| {
                    let message =
                        format!("`{header}` seems to be encoded twice, such as `Ã¼` for `ü`");
                    tell("source.double-encoding", message)
                });
            }
            if is_invisible {
                self.invisible.push(|| {
                    let message = format!("`{header}` has characters that nobody sees");
                    tell("source.invisible-characters", message)
                });
            }
        }
    }

    /// What was noticed so far.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = self.doubled.findings();
        findings.extend(self.invisible.findings());
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_encoded_twice_are_seen() {
        let mojibake = std::str::from_utf8(b"\x4D\xC3\x83\xC2\xBC\x6C\x6C\x65\x72").unwrap();
        for text in [
            mojibake,
            "Ãœnal",
            "SÃ£o",
            "Oâ€™Brien",
            "Åukasz\u{81}",
            "PaweÅ‚",
            "DvoÅ™ák",
            "O\u{92}Brien",
            "Â°",
        ] {
            assert!(is_double_encoded(text), "{text}");
        }
        for text in [
            "Müller",
            "SÃO PAULO",
            "Ângela",
            "Åsa",
            "JOÃO",
            "Ärzte",
            "château",
            "Muñoz",
            "",
            "Ann",
            "Â Ã",
        ] {
            assert!(!is_double_encoded(text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_row_that_passes_the_swift_look_has_nothing_odd(
            before in "[a-zäéИ字]{0,80}",
            odd in "[ÂÃÄÅâ][\u{80}-\u{ff}€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|[\u{80}-\u{9f}\u{ad}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2060}-\u{2064}\u{feff}]|\\PC",
            after in "[a-z]{0,40}",
        ) {
            let text = format!("{before}{odd}{after}");
            let is_odd = is_double_encoded(&text) || has_invisible(&text);
            proptest::prop_assert!(!is_odd || may_be_odd(text.as_bytes()));
        }
    }

    #[test]
    fn letters_of_most_names_pass_the_swift_look() {
        for text in ["Müller Straße 5", "Łukasz Żółć", "Иванов", "山田", "Παπαδόπουλος", "김민준"]
        {
            assert!(!may_be_odd(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_finding_names_row_and_column_and_never_the_value() {
        let headers = ["WorkerID".to_owned(), "Name".to_owned()];
        let mut oddities = Oddities::new(Place::file("hr.csv"), &headers);
        let row = Row::new("123\u{200b}MÃ¼ller", &[6, 15], 5, Some(7));
        oddities.look(&row, [0, 1]);
        let findings = oddities.findings();
        let told: Vec<String> =
            findings.iter().map(|found| format!("{}: {}", found.place, found.message)).collect();
        assert_eq!(
            told,
            [
                "hr.csv, row 5, line 7, column `Name`: `Name` seems to be encoded twice, such as \
                 `Ã¼` for `ü`",
                "hr.csv, row 5, line 7, column `WorkerID`: `WorkerID` has characters that nobody \
                 sees",
            ]
        );
        for _ in 0..100 {
            oddities.look(&row, [1]);
        }
        let findings = oddities.findings();
        assert_eq!(findings.len(), 21);
        assert!(findings[19].message.ends_with("; 81 more were found"));
    }
}
