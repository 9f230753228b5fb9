//! A text file that is judged while its rows are read, and not in a look before.
//!
//! Which encoding a file has is known for certain at its end. But nearly every file is UTF-8 and
//! nothing else, and one that begins so mostly goes on so. Such a file is read at once as what its
//! beginning seems to be, and all of its bytes are held against that on the way. A file that turns
//! out to be something else is read again, by a look at all of it first.

use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};

use crate::source::text::decode::utf8;
use crate::source::text::survey::SAMPLE_BYTES;

/// A file of which the beginning is known, to be read once from there to its end.
pub struct Begun<R> {
    beginning: Vec<u8>,
    /// Bytes of the beginning that were given out.
    given: usize,
    rest: R,
    is_in_rest: bool,
    witness: Witness,
}

impl<R: Read> Begun<R> {
    /// Reads the beginning of a file, which stands at its first byte.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn of(mut rest: R) -> std::io::Result<Self> {
        let mut beginning = Vec::with_capacity(SAMPLE_BYTES);
        let most = u64::try_from(SAMPLE_BYTES).unwrap_or(u64::MAX);
        rest.by_ref().take(most).read_to_end(&mut beginning)?;
        let witness = Witness::default();
        Ok(Self { beginning, given: 0, rest, is_in_rest: false, witness })
    }

    /// The beginning: all that is needed to guess how the rows are read.
    pub fn beginning(&self) -> &[u8] {
        &self.beginning
    }

    /// Whether letters beyond ASCII were read, when all was read and all of it is UTF-8 without a
    /// zero; `None` for any other file.
    pub fn has_letters(&self) -> Option<bool> {
        (self.witness.is_at_end && self.witness.cut.is_empty()).then_some(self.witness.has_letters)
    }
}

impl<R: Read> Read for Begun<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let waiting = self.beginning.get(self.given..).unwrap_or_default();
        let count = if waiting.is_empty() {
            self.is_in_rest = true;
            self.rest.read(buffer)?
        } else {
            let mut waiting = waiting;
            let count = waiting.read(buffer)?;
            self.given += count;
            count
        };
        let bytes = buffer.get(..count).unwrap_or_default();
        if self.witness.see(bytes, !buffer.is_empty()) {
            return Ok(count);
        }
        Err(Error::new(ErrorKind::InvalidData, "the file does not go on as it begins"))
    }
}

impl<R> Seek for Begun<R> {
    /// Only to the beginning, and only before anything was read.
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        if to == SeekFrom::Start(0) && self.given == 0 && !self.is_in_rest {
            return Ok(0);
        }
        Err(Error::other("a file is read once by its beginning"))
    }
}

/// Sees all bytes of a file.
#[derive(Default)]
struct Witness {
    /// The first bytes of a letter whose others come next.
    cut: Vec<u8>,
    has_letters: bool,
    is_at_end: bool,
}

impl Witness {
    /// Sees the next bytes, none at the end; false when they are no UTF-8, or a zero is among them.
    fn see(&mut self, bytes: &[u8], is_end_without: bool) -> bool {
        if bytes.is_empty() {
            self.is_at_end = is_end_without;
            return true;
        }
        if memchr::memchr(0, bytes).is_some() {
            return false;
        }
        let mut bytes = bytes;
        while let (false, Some((&next, rest))) = (self.cut.is_empty(), bytes.split_first()) {
            self.cut.push(next);
            bytes = rest;
            match std::str::from_utf8(&self.cut) {
                Ok(_) => self.cut.clear(),
                Err(error) if error.error_len().is_some() => return false,
                Err(_) => {}
            }
        }
        // found soon, and then never looked for again
        self.has_letters = self.has_letters || !bytes.is_ascii();
        if utf8(bytes).is_some() {
            return true;
        }
        let Err(error) = std::str::from_utf8(bytes) else { return true };
        self.cut.extend_from_slice(bytes.get(error.valid_up_to()..).unwrap_or_default());
        error.error_len().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that gives so many bytes at a time.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let most = self.1.min(buffer.len());
            self.0.read(&mut buffer[..most])
        }
    }

    fn letters(bytes: &[u8], piece: usize) -> Option<bool> {
        let mut begun = Begun::of(Pieces(bytes, piece)).unwrap();
        begun.seek(SeekFrom::Start(0)).unwrap();
        let mut all = Vec::new();
        let mut buffer = vec![0; piece];
        loop {
            match begun.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => all.extend_from_slice(&buffer[..count]),
                Err(_) => return None,
            }
            assert!(begun.seek(SeekFrom::Start(0)).is_err());
        }
        assert_eq!(all, bytes);
        begun.has_letters()
    }

    #[test]
    fn a_file_that_is_utf8_to_its_end_is_told_wherever_it_is_cut() {
        for piece in [1, 2, 3, 5, 100_000] {
            assert_eq!(letters(b"", piece), Some(false));
            assert_eq!(letters(b"WorkerID\n1\n", piece), Some(false));
            assert_eq!(letters("Zoë 😀€".as_bytes(), piece), Some(true));
            for other in [&b"ab\xC3"[..], b"a\xC3,\xA9", b"a\0b", b"\xFF\xFEa\0", b"\xE2\x82"] {
                assert_eq!(letters(other, piece), None, "{other:?} by {piece}");
            }
        }
    }

    #[test]
    fn the_rest_is_judged_like_the_beginning() {
        for (rest, expected) in [
            (&b"abc"[..], Some(false)),
            ("€".as_bytes(), Some(true)),
            (b"\xFC", None),
            (b"\0", None),
        ] {
            for before in (SAMPLE_BYTES - 2)..=SAMPLE_BYTES {
                let bytes = [&vec![b'x'; before], rest].concat();
                assert_eq!(letters(&bytes, 64 * 1024), expected);
            }
        }
    }

    #[test]
    fn what_was_not_read_to_its_end_is_not_judged() {
        let mut begun = Begun::of(&b"abc"[..]).unwrap();
        assert_eq!(begun.has_letters(), None);
        assert_eq!(begun.read(&mut []).unwrap(), 0);
        assert_eq!(begun.has_letters(), None);
    }
}
