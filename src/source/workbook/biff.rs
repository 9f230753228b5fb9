//! The records of XLS workbooks, and texts in them.

use super::compound::{u16_at, u32_at};
use super::fault::Fault;
use super::strings::StringsBuilder;
use super::xlsb::utf16;

/// What goes on with the record before.
const CONTINUE: u16 = 0x003c;

/// A record.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    pub kind: u16,
    pub bytes: &'a [u8],
    /// Where it begins in the stream.
    pub at: usize,
}

/// Walks records.
#[derive(Clone)]
pub(super) struct Records<'a> {
    stream: &'a [u8],
    at: usize,
}

impl<'a> Records<'a> {
    pub(super) const fn new(stream: &'a [u8], at: usize) -> Self {
        Self { stream, at }
    }

    /// The next record, or `None` at the end of the stream.
    pub(super) fn next(&mut self) -> Result<Option<Record<'a>>, Fault> {
        let rest = self.stream.get(self.at..).unwrap_or_default();
        let (Some(kind), Some(length)) = (u16_at(rest, 0), u16_at(rest, 2)) else {
            return Ok(None);
        };
        let end = 4 + usize::from(length);
        let bytes = rest.get(4..end).ok_or_else(broken)?;
        let at = self.at;
        self.at += end;
        Ok(Some(Record { kind, bytes, at }))
    }

    /// The next record if it goes on with the one before.
    fn next_part(&mut self) -> Result<Option<&'a [u8]>, Fault> {
        let mut ahead = self.clone();
        match ahead.next()? {
            Some(record) if record.kind == CONTINUE => {
                *self = ahead;
                Ok(Some(record.bytes))
            }
            _ => Ok(None),
        }
    }
}

/// A text with its length in two bytes.
pub(super) fn text(bytes: &[u8], at: usize) -> Option<String> {
    letters(bytes, at + 2, usize::from(u16_at(bytes, at)?))
}

/// A text with its length in one byte.
pub(super) fn short_text(bytes: &[u8], at: usize) -> Option<String> {
    letters(bytes, at + 1, usize::from(*bytes.get(at)?))
}

fn letters(bytes: &[u8], at: usize, length: usize) -> Option<String> {
    let flags = *bytes.get(at)?;
    let letters = bytes.get(at + 1..)?;
    Some(if flags & 1 == 0 {
        letters.get(..length)?.iter().copied().map(char::from).collect()
    } else {
        utf16(letters.get(..length * 2)?)
    })
}

/// A text that may go on in the records behind.
pub(super) fn long_text(records: &mut Records<'_>, bytes: &[u8]) -> Result<String, Fault> {
    let length = usize::from(u16_at(bytes, 0).ok_or_else(broken)?);
    let mut parts = Parts { records: records.clone(), part: bytes.get(2..).unwrap_or_default() };
    let flags = parts.byte()?;
    parts.letters(length, flags)
}

/// Reads the table of shared strings that begins with a record.
pub(super) fn shared_strings(
    stream: &[u8],
    first: Record<'_>,
    strings: &mut StringsBuilder,
) -> Result<(), Fault> {
    let count = u32_at(first.bytes, 4).ok_or_else(broken)?;
    let after = first.at + 4 + first.bytes.len();
    let mut parts = Parts {
        records: Records::new(stream, after),
        part: first.bytes.get(8..).unwrap_or_default(),
    };
    for _ in 0..count {
        // some writers count more strings than they write
        if parts.is_at_end()? {
            break;
        }
        let length = usize::from(parts.number()?);
        let flags = parts.byte()?;
        let runs = if flags & 8 == 0 { 0 } else { usize::from(parts.number()?) };
        let more = if flags & 4 == 0 {
            0
        } else {
            let low = u32::from(parts.number()?);
            usize::try_from(low | u32::from(parts.number()?) << 16).map_err(|_| broken())?
        };
        let text = parts.letters(length, flags)?;
        strings.push(&text)?;
        parts.skip(runs * 4)?;
        parts.skip(more)?;
    }
    Ok(())
}

/// Bytes that go on from record to record.
struct Parts<'a> {
    records: Records<'a>,
    part: &'a [u8],
}

impl Parts<'_> {
    fn is_at_end(&mut self) -> Result<bool, Fault> {
        while self.part.is_empty() {
            match self.records.next_part()? {
                Some(part) => self.part = part,
                None => return Ok(true),
            }
        }
        Ok(false)
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        if self.is_at_end()? {
            return Err(broken());
        }
        let (&byte, rest) = self.part.split_first().ok_or_else(broken)?;
        self.part = rest;
        Ok(byte)
    }

    fn number(&mut self) -> Result<u16, Fault> {
        Ok(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    fn skip(&mut self, count: usize) -> Result<(), Fault> {
        let mut left = count;
        while left > 0 {
            if self.is_at_end()? {
                return Err(broken());
            }
            let here = left.min(self.part.len());
            self.part = self.part.get(here..).unwrap_or_default();
            left -= here;
        }
        Ok(())
    }

    /// So many letters; in a record that goes on with them, flags stand before them once more.
    fn letters(&mut self, length: usize, flags: u8) -> Result<String, Fault> {
        let mut flags = flags;
        let mut text = String::new();
        let mut left = length;
        while left > 0 {
            if self.part.is_empty() {
                flags = self.byte()?;
                continue;
            }
            let width = if flags & 1 == 0 { 1 } else { 2 };
            let here = left.min(self.part.len() / width);
            if here == 0 {
                return Err(broken());
            }
            let (letters, rest) = self.part.split_at_checked(here * width).ok_or_else(broken)?;
            if width == 1 {
                text.extend(letters.iter().copied().map(char::from));
            } else {
                text.push_str(&utf16(letters));
            }
            self.part = rest;
            left -= here;
        }
        Ok(text)
    }
}

pub(super) fn broken() -> Fault {
    Fault::broken("a record of it ends in the middle")
}
