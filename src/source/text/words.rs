//! The words of a file that have bytes beyond ASCII: what there is to tell an encoding by.
//!
//! A word is a run of ASCII letters, digits and bytes from 0x80; it ends where any other byte
//! stands, in every encoding that is asked about here. Words are kept once each and up to a
//! ceiling, so a file of any size takes the same memory. Which bytes occur at all, and where first,
//! is noted of the whole file.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hasher};

/// Longer words are judged by their beginning.
const WORD_BYTES: usize = 48;
/// Words that are kept; after that only those with a byte that was seldom seen.
const WORDS: usize = 8_192;
/// So many words with a byte are kept in any case.
const WORDS_A_BYTE: u32 = 32;

/// The words so far, and what is known of the one that goes on.
#[derive(Debug)]
pub(super) struct Words {
    kept: Vec<Vec<u8>>,
    known: HashSet<u64>,
    /// For each byte from 0x80 in how many kept words it stands.
    kept_with: [u32; 128],
    used: [bool; 128],
    word: Vec<u8>,
    has_high: bool,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            kept: Vec::new(),
            known: HashSet::new(),
            kept_with: [0; 128],
            used: [false; 128],
            word: Vec::with_capacity(WORD_BYTES),
            has_high: false,
        }
    }
}

impl Words {
    /// Notes the words of the next bytes of a file.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte >= 0x80 {
                self.has_high = true;
                if let Some(used) = self.used.get_mut(usize::from(byte & 0x7F)) {
                    *used = true;
                }
            } else if !byte.is_ascii_alphanumeric() {
                self.end_word();
                continue;
            }
            if self.word.len() < WORD_BYTES {
                self.word.push(byte);
            }
        }
    }

    /// Ends the last word.
    pub(super) fn end_word(&mut self) {
        if self.has_high {
            self.keep();
        }
        self.has_high = false;
        self.word.clear();
    }

    fn keep(&mut self) {
        let highs = || self.word.iter().filter(|byte| **byte >= 0x80);
        let count = |byte: &u8| self.kept_with.get(usize::from(byte & 0x7F)).copied();
        let is_rare = || highs().filter_map(count).any(|count| count < WORDS_A_BYTE);
        if self.kept.len() >= WORDS && !is_rare() {
            return;
        }
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.word);
        if self.known.insert(hasher.finish()) {
            for byte in self.word.iter().filter(|byte| **byte >= 0x80) {
                if let Some(count) = self.kept_with.get_mut(usize::from(byte & 0x7F)) {
                    *count += 1;
                }
            }
            self.kept.push(self.word.clone());
        }
    }

    /// The words, each once.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.kept.iter().map(Vec::as_slice)
    }

    /// The bytes from 0x80 that occur.
    pub(super) fn used(&self) -> impl Iterator<Item = u8> {
        (0x80..=0xFF).zip(self.used).filter_map(|(byte, is_used)| is_used.then_some(byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_beyond_ascii_are_kept_once_wherever_the_bytes_are_cut() {
        let text = b"1,M\xFCller,O\x92Brien;M\xFCller \xA3100,plain\n\xE9";
        for size in [1, 2, 5, 100] {
            let mut words = Words::default();
            text.chunks(size).for_each(|chunk| words.feed(chunk));
            words.end_word();
            let kept: Vec<&[u8]> = words.iter().collect();
            assert_eq!(kept, [&b"M\xFCller"[..], b"O\x92Brien", b"\xA3100", b"\xE9"]);
            assert_eq!(words.used().collect::<Vec<_>>(), [0x92, 0xA3, 0xE9, 0xFC]);
        }
    }

    #[test]
    fn a_file_of_any_size_keeps_only_so_many_words_and_never_misses_a_byte() {
        let mut words = Words::default();
        for number in 0..20_000 {
            words.feed(format!("a{number}").as_bytes());
            words.feed(b"\xFC ");
        }
        words.feed(b"\xA3ukasz ");
        assert_eq!(words.iter().count(), WORDS + 1);
        assert!(words.iter().any(|word| word == b"\xA3ukasz"));
    }
}
