//! One look at all bytes of a text file, in constant memory: is it UTF-8, UTF-16, or neither?

use std::io::Read;

use crate::domain::Place;
use crate::source::text::kinds::refuse_other_kinds;
use crate::source::text::words::Words;
use crate::source::{Limits, SourceError};

/// Bytes read at a time.
const BUFFER_BYTES: usize = 128 * 1024;
/// How much of a file's beginning is kept, for finding its delimiter and header.
pub(super) const SAMPLE_BYTES: usize = 256 * 1024;
/// How much of a file is looked at for the zeros of UTF-16.
const ZEROS_BYTES: usize = 4 * 1024;
/// Places that are not UTF-8 whose offsets are kept.
const PLACES_KEPT: usize = 4_096;

/// What the bytes are, as far as they say so themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unicode {
    /// By its byte-order mark, of so many bytes.
    Marked(&'static encoding_rs::Encoding),
    /// UTF-16 by the zeros between its letters.
    Zeros(&'static encoding_rs::Encoding),
    /// Neither; the letters will tell.
    Unmarked,
}

/// What one look at a file found.
pub(super) struct Survey {
    pub(super) unicode: Unicode,
    /// The file's beginning.
    pub(super) sample: Vec<u8>,
    /// Bytes of the file.
    pub(super) bytes: u64,
    /// Letters of several bytes that are UTF-8.
    pub(super) letters: u64,
    /// Places that are not UTF-8.
    pub(super) invalid: u64,
    /// Where the first of those are, in bytes from the file's beginning.
    pub(super) invalid_at: Vec<u64>,
    /// The words beyond ASCII from about the first place on that is not UTF-8.
    pub(super) words: Words,
}

impl Survey {
    /// Reads a file to its end, or to the first byte that no text has. `is_utf_16` says that it has
    /// been told what it is.
    ///
    /// # Errors
    ///
    /// When it is no text, or larger than the ceiling.
    pub(super) fn of(
        input: &mut impl Read,
        is_utf_16: bool,
        limits: Limits,
        file: &str,
    ) -> Result<Self, SourceError> {
        let mut survey = Self {
            unicode: Unicode::Unmarked,
            sample: Vec::new(),
            bytes: 0,
            letters: 0,
            invalid: 0,
            invalid_at: Vec::new(),
            words: Words::default(),
        };
        let mut buffer = vec![0; BUFFER_BYTES];
        // bytes at the buffer's start that are the beginning of a letter
        let mut kept = 0;
        let mut is_first = true;
        loop {
            let (end, is_last) = fill(input, &mut buffer, kept)?;
            let new = buffer.get(kept..end).unwrap_or_default();
            survey.bytes += u64::try_from(new.len()).unwrap_or(0);
            if survey.bytes > limits.file_bytes {
                return Err(too_large(limits, file));
            }
            let room = SAMPLE_BYTES.saturating_sub(survey.sample.len());
            survey.sample.extend_from_slice(new.get(..room.min(new.len())).unwrap_or(new));
            let bytes = buffer.get(..end).unwrap_or_default();
            if is_first {
                refuse_other_kinds(bytes, file)?;
                survey.unicode = unicode(bytes);
                is_first = false;
            }
            let has_zeros = match survey.unicode {
                Unicode::Marked(mark) => mark != encoding_rs::UTF_8,
                Unicode::Zeros(_) => true,
                Unicode::Unmarked => is_utf_16,
            };
            if let Some(at) = memchr::memchr(0, new).filter(|_| !has_zeros) {
                let before = survey.bytes - u64::try_from(new.len() - at).unwrap_or(0);
                return Err(zero(before, file));
            }
            kept = survey.look(bytes, is_last);
            if is_last {
                survey.words.end_word();
                return Ok(survey);
            }
            buffer.copy_within(end - kept..end, 0);
        }
    }

    /// Looks at the next bytes; gives back how many at their end are to be seen again, with what
    /// follows.
    fn look(&mut self, bytes: &[u8], is_last: bool) -> usize {
        if matches!(self.unicode, Unicode::Zeros(_))
            || matches!(self.unicode, Unicode::Marked(mark) if mark != encoding_rs::UTF_8)
        {
            return 0;
        }
        let length = u64::try_from(bytes.len()).unwrap_or(0);
        let start = self.bytes - length;
        let wide = |at: usize| start + u64::try_from(at).unwrap_or(0);
        let mut from = 0;
        let mut kept = 0;
        while let Some(rest) = bytes.get(from..).filter(|rest| !rest.is_empty()) {
            let Err(error) = std::str::from_utf8(rest) else {
                self.letters += leads(rest);
                break;
            };
            let valid = error.valid_up_to();
            self.letters += leads(rest.get(..valid).unwrap_or_default());
            let length = match error.error_len() {
                Some(length) => length,
                None if is_last => rest.len() - valid,
                None => {
                    kept = rest.len() - valid;
                    break;
                }
            };
            self.invalid += 1;
            if self.invalid_at.len() < PLACES_KEPT {
                self.invalid_at.push(wide(from + valid));
            }
            from += valid + length;
        }
        if self.may_be_foreign() {
            self.words.feed(bytes.get(..bytes.len() - kept).unwrap_or_default());
        }
        kept
    }

    /// Whether the places that are not UTF-8 are too many for a few accidents.
    fn may_be_foreign(&self) -> bool {
        self.invalid > 0 && self.invalid.saturating_mul(4) >= self.letters
    }
}

/// Fills the buffer from `kept` on; how far, and whether the input ended.
fn fill(
    input: &mut impl Read,
    buffer: &mut [u8],
    kept: usize,
) -> Result<(usize, bool), SourceError> {
    let mut end = kept;
    while let Some(room) = buffer.get_mut(end..).filter(|room| !room.is_empty()) {
        match input.read(room) {
            Ok(0) => return Ok((end, true)),
            Ok(count) => end += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok((end, false))
}

/// How many letters of several bytes valid UTF-8 has.
fn leads(valid: &[u8]) -> u64 {
    // blocks of one size, so that many bytes are counted at once
    let (blocks, rest) = valid.as_chunks::<128>();
    let count =
        |bytes: &[u8]| bytes.iter().fold(0_u8, |count, &byte| count + u8::from(byte >= 0xC0));
    let blocks = blocks.iter().map(|block| u64::from(count(block)));
    blocks.sum::<u64>() + u64::from(count(rest))
}

fn unicode(bytes: &[u8]) -> Unicode {
    if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(bytes) {
        return Unicode::Marked(encoding);
    }
    let bytes = bytes.get(..ZEROS_BYTES).unwrap_or(bytes);
    let (pairs, _) = bytes.as_chunks::<2>();
    let zeros = |which: fn(&[u8; 2]) -> u8| pairs.iter().filter(|pair| which(pair) == 0).count();
    let (first, second) = (zeros(|[first, _]| *first), zeros(|[_, second]| *second));
    // a header is ASCII for the most part
    let (few, many) = (pairs.len() / 50, pairs.len().div_ceil(2).max(1));
    match (first, second) {
        (first, second) if second >= many && first <= few => Unicode::Zeros(encoding_rs::UTF_16LE),
        (first, second) if first >= many && second <= few => Unicode::Zeros(encoding_rs::UTF_16BE),
        _ => Unicode::Unmarked,
    }
}

fn zero(at: u64, file: &str) -> SourceError {
    SourceError::refused(
        "source.encoding",
        Place::file(file),
        format!("byte {at} of the file is zero: the file is damaged, or no text"),
        "export it again, as UTF-8",
    )
}

fn too_large(limits: Limits, file: &str) -> SourceError {
    SourceError::refused(
        "source.file-too-large",
        Place::file(file),
        format!("the file is larger than {} bytes", limits.file_bytes),
        "split the export",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey(bytes: &[u8]) -> Survey {
        Survey::of(&mut &*bytes, false, Limits::default(), "hr.csv").unwrap()
    }

    #[test]
    fn letters_cut_by_the_buffers_end_are_whole() {
        for before in BUFFER_BYTES - 4..BUFFER_BYTES + 2 {
            let mut bytes = vec![b'x'; before];
            bytes.extend_from_slice("😀ü".as_bytes());
            bytes.extend_from_slice(b"\xE9,");
            bytes.extend_from_slice("€".as_bytes());
            let found = survey(&bytes);
            assert_eq!((found.letters, found.invalid), (3, 1));
            assert_eq!(found.invalid_at, [u64::try_from(before).unwrap() + 6]);
        }
    }

    #[test]
    fn a_letter_cut_by_the_files_end_is_not_utf8() {
        let found = survey(b"ab\xC3");
        assert_eq!((found.invalid, found.invalid_at), (1, vec![2]));
    }

    #[test]
    fn utf16_is_told_by_its_zeros() {
        assert_eq!(survey(b"I\0d\0\n\0").unicode, Unicode::Zeros(encoding_rs::UTF_16LE));
        assert_eq!(survey(b"\0I\0d\0\n").unicode, Unicode::Zeros(encoding_rs::UTF_16BE));
        let mut bytes = b"WorkerID,Name\n1,".to_vec();
        bytes.resize(1_000_000, 0);
        let refusal = Survey::of(&mut bytes.as_slice(), false, Limits::default(), "hr.csv").err();
        let words = "hr.csv: byte 16 of the file is zero: the file is damaged, or no text";
        assert_eq!(refusal.map(|error| error.to_string()).as_deref(), Some(words));
    }
}
