//! The part of a file that is in memory, and where in the file it is.

use std::io::Read;

use crate::domain::Place;
use crate::source::json::token::{Fault, FaultKind};
use crate::source::{Limits, SourceError};

/// Least bytes read from the file at a time.
const CHUNK_BYTES: usize = 128 * 1024;

/// A stretch of bytes that moves through a file.
pub(super) struct Window<R> {
    input: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Up to here lines are counted.
    counted: usize,
    line: u64,
    /// Characters of the current line before `counted`.
    characters: u64,
    at_end: bool,
    bytes_read: u64,
    chunk: usize,
    limits: Limits,
    file: String,
}

impl<R: Read> Window<R> {
    pub(super) fn new(input: R, limits: Limits, file: &str) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            counted: 0,
            line: 1,
            characters: 0,
            at_end: false,
            bytes_read: 0,
            chunk: CHUNK_BYTES,
            limits,
            file: file.to_owned(),
        }
    }

    /// The same with another size of reading.
    #[cfg(test)]
    pub(super) const fn with_chunk(mut self, chunk: usize) -> Self {
        self.chunk = chunk;
        self
    }

    /// What is in memory and not passed yet.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether nothing follows the bytes in memory.
    #[inline]
    pub(super) const fn is_last(&self) -> bool {
        self.at_end
    }

    pub(super) const fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn file(&self) -> Place {
        Place::file(&self.file)
    }

    /// Passes over bytes.
    #[inline]
    pub(super) fn pass(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// The line on which the bytes in memory begin, from 1.
    pub(super) fn line(&mut self) -> u64 {
        self.count_to(self.start);
        self.line
    }

    /// Reads more, as much again as there is; false at the end of the file.
    pub(super) fn more(&mut self) -> Result<bool, SourceError> {
        if self.at_end {
            return Ok(false);
        }
        self.count_to(self.start);
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        self.counted = 0;
        let before = self.end;
        let wanted = before.saturating_mul(2).max(self.chunk);
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        while self.end < wanted {
            let room = self.buffer.get_mut(self.end..wanted).unwrap_or_default();
            match self.input.read(room) {
                Ok(0) => {
                    self.at_end = true;
                    break;
                }
                Ok(count) => {
                    self.end = (self.end + count).min(wanted);
                    self.bytes_read += u64::try_from(count).unwrap_or(u64::MAX);
                    if self.bytes_read > self.limits.file_bytes {
                        return Err(SourceError::refused(
                            "source.file-too-large",
                            self.file(),
                            format!("the file is larger than {} bytes", self.limits.file_bytes),
                            "split the export",
                        ));
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.end > before)
    }

    fn count_to(&mut self, to: usize) {
        let passed = self.buffer.get(self.counted..to).unwrap_or_default();
        let (lines, characters) = lines_and_characters(passed);
        self.line += lines;
        if lines > 0 {
            self.characters = 0;
        }
        self.characters += characters;
        self.counted = to;
    }

    /// The line and the character in it at which a byte of [`bytes`](Self::bytes) stands, from 1.
    fn place_of(&mut self, at: usize) -> (u64, u64) {
        self.count_to(self.start);
        let (lines, characters) =
            lines_and_characters(self.bytes().get(..at).unwrap_or(self.bytes()));
        let before = if lines > 0 { 0 } else { self.characters };
        (self.line + lines, before + characters + 1)
    }

    /// A refusal of the file for what is wrong at a byte of [`bytes`](Self::bytes).
    pub(super) fn refuse(&mut self, fault: Fault) -> SourceError {
        let (line, column) = self.place_of(fault.at);
        let place = self.file().at_line(line);
        let no_json = |what: &str| {
            SourceError::refused(
                "source.json",
                place.clone(),
                format!("not JSON at column {column}: {what}"),
                "export the file again; what writes JSON by hand must follow RFC 8259",
            )
        };
        match fault.kind {
            FaultKind::Expected(what) => no_json(&format!("expected {what}")),
            FaultKind::ControlCharacter => {
                no_json("a string holds a control character that is not escaped")
            }
            FaultKind::Escape => no_json("a backslash begins no escape"),
            FaultKind::Surrogate => no_json("an escape is half of a surrogate pair"),
            FaultKind::Number => no_json("a number is written in a way that JSON does not know"),
            FaultKind::Changed => SourceError::refused(
                "source.changed",
                place,
                "the file changed while it was read",
                "wait until it is written, then start again",
            ),
            FaultKind::NotUtf8 => SourceError::refused(
                "source.encoding",
                place,
                format!("the bytes at column {column} are not UTF-8"),
                "export the file as UTF-8; JSON is always UTF-8 (RFC 8259, section 8.1)",
            ),
            FaultKind::TooLong(what, most) => SourceError::refused(
                "source.too-large",
                place,
                format!("the {what} at column {column} is larger than {most} bytes"),
                "leave such members out of the export",
            ),
            FaultKind::TooDeep => SourceError::refused(
                "source.too-deep",
                place,
                format!("at column {column} the nesting is deeper than {} levels", super::DEPTH),
                "export flatter records",
            ),
            FaultKind::TooManyColumns(most) => SourceError::refused(
                "source.too-many-columns",
                place,
                format!("the records have more than {most} different members"),
                "export fewer members; names that differ from record to record belong into values",
            ),
            FaultKind::HeadersTooLong(most) => SourceError::refused(
                "source.too-many-columns",
                place,
                format!("the names of the records' members are longer than {most} bytes together"),
                "export fewer members; names that differ from record to record belong into values",
            ),
        }
    }

    /// A refusal of a file that ends too early.
    pub(super) fn cut_off(&mut self, what: &str) -> SourceError {
        let (line, column) = self.place_of(self.bytes().len());
        SourceError::refused(
            "source.cut-off",
            self.file().at_line(line),
            format!("the file ends at column {column} {what}"),
            "the file was cut off: wait until it is written, or export it again",
        )
    }

    /// A refusal of a record beyond its ceiling.
    pub(super) fn record_too_large(&mut self) -> SourceError {
        let line = self.line();
        SourceError::refused(
            "source.too-large",
            self.file().at_line(line),
            format!(
                "the record that starts here is larger than {} bytes",
                self.limits.record_bytes
            ),
            "leave large members out of the export",
        )
    }
}

/// Line feeds, and the characters after the last of them.
fn lines_and_characters(bytes: &[u8]) -> (u64, u64) {
    let lines = memchr::memchr_iter(b'\n', bytes).count();
    let last = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
    let line = bytes.get(last..).unwrap_or_default();
    // a byte that does not go on with a character begins one
    let characters = line.iter().filter(|byte| (**byte & 0xC0) != 0x80).count();
    (u64::try_from(lines).unwrap_or(u64::MAX), u64::try_from(characters).unwrap_or(u64::MAX))
}
