//! Bytes of another encoding as UTF-8, while they are read.
//!
//! A byte that means nothing in its encoding ends the reading with its offset; nothing is ever
//! replaced by U+FFFD, and nothing becomes a control character that no one can see.

use std::borrow::Cow;
use std::fmt;
use std::io::{Error, ErrorKind, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding};

/// Bytes read from the file at a time.
const BUFFER_BYTES: usize = 64 * 1024;
/// Bytes that are decoded for a caller who gives less room than a letter may need.
const SPARE_BYTES: usize = 16;

/// A file as UTF-8: as it is, or decoded.
pub(super) enum Text<R> {
    Utf8(R),
    Decoded(Box<Decoding<R>>),
}

impl<R: Read> Text<R> {
    pub(super) fn new(input: R, encoding: &'static Encoding) -> Self {
        if encoding == encoding_rs::UTF_8 {
            Self::Utf8(input)
        } else {
            Self::Decoded(Box::new(Decoding::new(input, encoding)))
        }
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Utf8(input) => input.read(buffer),
            Self::Decoded(decoding) => decoding.read(buffer),
        }
    }
}

/// The bytes at this place in the file mean nothing in its encoding.
#[derive(Debug)]
pub(super) struct Undecodable {
    pub(super) encoding: &'static str,
    /// Bytes before them.
    pub(super) offset: u64,
}

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {} is no letter in {}", self.offset, self.encoding)
    }
}

impl std::error::Error for Undecodable {}

/// Decodes what it reads.
pub(super) struct Decoding<R> {
    input: R,
    encoding: &'static Encoding,
    decoder: Decoder,
    /// For each byte from 0x80 whether a single-byte encoding has no letter for it.
    holes: Option<[bool; 128]>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes of the file before `start`.
    offset: u64,
    /// Where the reading ends because the next byte is no letter.
    fault: Option<u64>,
    is_last: bool,
    is_done: bool,
    spare: [u8; SPARE_BYTES],
    spare_start: usize,
    spare_end: usize,
}

impl<R: Read> Decoding<R> {
    fn new(input: R, encoding: &'static Encoding) -> Self {
        Self {
            input,
            encoding,
            decoder: encoding.new_decoder_with_bom_removal(),
            holes: encoding.is_single_byte().then(|| holes(encoding)),
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            end: 0,
            offset: 0,
            fault: None,
            is_last: false,
            is_done: false,
            spare: [0; SPARE_BYTES],
            spare_start: 0,
            spare_end: 0,
        }
    }

    fn fill(&mut self) -> std::io::Result<()> {
        self.start = 0;
        self.end = 0;
        let count = self.input.read(&mut self.buffer)?;
        self.end = count;
        self.is_last = count == 0;
        if let Some(holes) = &self.holes {
            let bytes = self.buffer.get(..count).unwrap_or_default();
            let at = bytes.iter().position(|byte| {
                byte.checked_sub(0x80)
                    .is_some_and(|high| holes.get(usize::from(high)) == Some(&true))
            });
            // what stands before it is given first, however the bytes came
            if let Some(at) = at {
                self.end = at;
                self.fault = Some(self.offset.saturating_add(u64::try_from(at).unwrap_or(0)));
            }
        }
        Ok(())
    }

    /// Decodes into room that a letter fits into; 0 at the end alone.
    fn decode(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        while !self.is_done {
            if self.start == self.end {
                if let Some(offset) = self.fault {
                    let encoding = self.encoding.name();
                    let fault = Undecodable { encoding, offset };
                    return Err(Error::new(ErrorKind::InvalidData, fault));
                }
                if !self.is_last {
                    self.fill()?;
                }
            }
            if self.start == self.end && self.fault.is_some() {
                continue;
            }
            let input = self.buffer.get(self.start..self.end).unwrap_or_default();
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(input, room, self.is_last);
            self.start += read;
            self.offset += u64::try_from(read).unwrap_or(0);
            match result {
                DecoderResult::Malformed(length, after) => {
                    let back = u64::from(length) + u64::from(after);
                    self.fault = Some(self.offset.saturating_sub(back));
                    self.start = self.end;
                }
                DecoderResult::InputEmpty if self.is_last => self.is_done = true,
                DecoderResult::InputEmpty | DecoderResult::OutputFull => {}
            }
            if written > 0 {
                return Ok(written);
            }
        }
        Ok(0)
    }
}

impl<R: Read> Read for Decoding<R> {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        if room.len() >= SPARE_BYTES && self.spare_start == self.spare_end {
            return self.decode(room);
        }
        if room.is_empty() {
            return Ok(0);
        }
        if self.spare_start == self.spare_end {
            let mut spare = [0; SPARE_BYTES];
            self.spare_end = self.decode(&mut spare)?;
            self.spare = spare;
            self.spare_start = 0;
        }
        let mut waiting = self.spare.get(self.spare_start..self.spare_end).unwrap_or_default();
        let count = waiting.read(room)?;
        self.spare_start += count;
        Ok(count)
    }
}

/// The text of bytes that are UTF-8. Says what [`std::str::from_utf8`] says, several times as fast
/// where there are letters beyond ASCII.
#[inline]
pub(super) fn utf8(bytes: &[u8]) -> Option<&str> {
    match encoding_rs::UTF_8.decode_without_bom_handling_and_without_replacement(bytes)? {
        Cow::Borrowed(text) => Some(text),
        Cow::Owned(_) => None,
    }
}

/// Which bytes of a single-byte encoding are no letter: undefined, or a control character that
/// stands for an undefined one.
pub(super) fn holes(encoding: &'static Encoding) -> [bool; 128] {
    let mut holes = [false; 128];
    for (byte, hole) in (0x80..=0xFF).zip(&mut holes) {
        *hole = letter(encoding, byte).is_none();
    }
    holes
}

/// What a byte means in a single-byte encoding.
pub(super) fn letter(encoding: &'static Encoding, byte: u8) -> Option<char> {
    let bytes = [byte];
    let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes)?;
    text.chars().next().filter(|letter| !matches!(letter, '\u{80}'..='\u{9f}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8], encoding: &'static Encoding, room: usize) -> Result<String, String> {
        let mut text = Text::new(bytes, encoding);
        let mut all = Vec::new();
        let mut buffer = vec![0; room];
        loop {
            match text.read(&mut buffer) {
                Ok(0) => return Ok(String::from_utf8(all).unwrap()),
                Ok(count) => all.extend_from_slice(&buffer[..count]),
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    #[test]
    fn letters_come_out_the_same_however_little_room_there_is() {
        for room in [1, 3, 15, 16, 4096] {
            assert_eq!(
                decode(b"O\x92Brien \x80", encoding_rs::WINDOWS_1252, room).unwrap(),
                "O\u{2019}Brien €"
            );
            assert_eq!(
                decode(b"\xFF\xFEI\0\x3D\xD8\x00\xDE", encoding_rs::UTF_16LE, room).unwrap(),
                "I\u{1F600}"
            );
        }
    }

    #[test]
    fn bytes_that_mean_nothing_end_the_reading_at_their_offset() {
        assert_eq!(
            decode(b"ab\x81c", encoding_rs::WINDOWS_1252, 64).unwrap_err(),
            "byte 2 is no letter in windows-1252"
        );
        assert_eq!(
            decode(b"a\0b\0\x00\xDCc\0", encoding_rs::UTF_16LE, 64).unwrap_err(),
            "byte 4 is no letter in UTF-16LE"
        );
        assert_eq!(
            decode(b"ab\x81", encoding_rs::SHIFT_JIS, 64).unwrap_err(),
            "byte 2 is no letter in Shift_JIS"
        );
    }

    proptest::proptest! {
        #[test]
        fn bytes_are_utf8_where_the_standard_library_says_so(
            text in "\\PC{0,80}",
            other: Vec<u8>,
            at in 0..80_usize,
        ) {
            let mut bytes = text.into_bytes();
            bytes.extend_from_slice(&other);
            proptest::prop_assert_eq!(utf8(&bytes), std::str::from_utf8(&bytes).ok());
            bytes.truncate(at);
            proptest::prop_assert_eq!(utf8(&bytes), std::str::from_utf8(&bytes).ok());
        }

        #[test]
        fn no_bytes_make_a_decoder_panic_or_replace_letters(bytes: Vec<u8>, which in 0..6_usize) {
            let encodings = [
                encoding_rs::WINDOWS_1252, encoding_rs::WINDOWS_1250, encoding_rs::UTF_16LE,
                encoding_rs::UTF_16BE, encoding_rs::SHIFT_JIS, encoding_rs::ISO_2022_JP,
            ];
            let one = decode(&bytes, encodings[which], 1);
            proptest::prop_assert_eq!(&one, &decode(&bytes, encodings[which], 4096));
            let is_utf_16 = matches!(which, 2 | 3);
            if let Ok(text) = one && !is_utf_16 {
                assert!(!text.contains(char::REPLACEMENT_CHARACTER));
            }
        }
    }
}
