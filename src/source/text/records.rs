//! CSV bytes to records (RFC 4180 as spreadsheets write it), with exact lines and hard ceilings.
//!
//! `csv-core` does the parsing. It is driven by hand rather than through `csv::Reader` for three
//! things that a careful reader of people's files needs: a record stops growing at a ceiling, so
//! that an unbalanced quote cannot swallow a file; a quote that is never closed is an error and not
//! a field; and each record knows the line on which it really starts, blank lines counted.

use std::io::Read;

use csv_core::ReadRecordResult;

use crate::domain::Place;
use crate::source::text::input::Input;
use crate::source::text::split::{is_plain, split};
use crate::source::{Limits, SourceError};

/// Streams records.
pub(super) struct Records<R> {
    input: Input<R>,
    core: csv_core::Reader,
    delimiter: u8,
    /// What fields are quoted with, if with anything.
    quote: Option<u8>,
    /// The last record (or skipped byte) ended with a carriage return whose line is not counted yet.
    after_cr: bool,
    text: Vec<u8>,
    text_len: usize,
    ends: Vec<usize>,
    ends_len: usize,
    limits: Limits,
    file: String,
    record: u64,
    line: u64,
    offset: u64,
    is_terminated: bool,
}

/// One record: its bytes, where its fields end, and where it stands.
pub(super) struct RawRecord<'a> {
    pub text: &'a [u8],
    pub ends: &'a [usize],
    /// Counted from 1.
    pub record: u64,
    pub line: u64,
    /// Bytes of the input before it.
    pub offset: u64,
    /// Whether a line end follows; the last record of a cut file has none.
    pub is_terminated: bool,
}

impl<R: Read> Records<R> {
    pub(super) fn new(
        input: R,
        delimiter: u8,
        quote: Option<u8>,
        limits: Limits,
        file: &str,
    ) -> Self {
        let mut core = csv_core::ReaderBuilder::new();
        core.delimiter(delimiter);
        match quote {
            Some(quote) => core.quote(quote),
            None => core.quoting(false),
        };
        let mut core = core.build();
        // once it has read something it leaves byte-order marks alone; it would take one away only
        // where the bytes come in large enough pieces
        core.read_record(b"\n", &mut [0; 4], &mut [0; 4]);
        core.set_line(1);
        Self {
            input: Input::new(input, limits, file),
            core,
            delimiter,
            quote,
            after_cr: false,
            text: vec![0; 4 * 1024],
            text_len: 0,
            ends: vec![0; 64],
            ends_len: 0,
            limits,
            file: file.to_owned(),
            record: 0,
            line: 1,
            offset: 0,
            is_terminated: true,
        }
    }

    /// The next record, or `None` at the end. Blank lines are passed over.
    pub(super) fn next(&mut self) -> Result<Option<RawRecord<'_>>, SourceError> {
        Ok(self.advance()?.then(|| self.current()))
    }

    /// The record that was read last.
    pub(super) fn current(&self) -> RawRecord<'_> {
        RawRecord {
            text: self.text.get(..self.text_len).unwrap_or_default(),
            ends: self.ends.get(..self.ends_len).unwrap_or_default(),
            record: self.record,
            line: self.line,
            offset: self.offset,
            is_terminated: self.is_terminated,
        }
    }

    /// Bytes of the input that were read, to the end of the last record.
    pub(super) const fn offset(&self) -> u64 {
        self.input.offset()
    }

    /// Counts on from here: the record that was read last has this number.
    pub(super) const fn renumber(&mut self, record: u64) {
        self.record = record;
    }

    /// Reads the next record; false at the end of the input.
    pub(super) fn advance(&mut self) -> Result<bool, SourceError> {
        if !self.skip_line_ends()? {
            return Ok(false);
        }
        self.record += 1;
        let line = self.core.line();
        self.line = line;
        self.offset = self.offset();
        self.text_len = 0;
        self.ends_len = 0;
        self.is_terminated = true;
        if !self.advance_swiftly() {
            self.advance_with_care(line)?;
        }
        if self.text_len > self.limits.field_bytes {
            self.check_fields(line)?;
        }
        Ok(true)
    }

    /// Reads a record that is simple and whole in the buffer; false, and nothing is read, when it is
    /// not.
    fn advance_swiftly(&mut self) -> bool {
        if !is_plain(self.delimiter, self.quote) {
            return false;
        }
        let input = self.input.waiting();
        let (text, ends) = (&mut self.text, &mut self.ends);
        let found = match self.quote {
            Some(b'"') => split::<b'"'>(input, self.delimiter, text, ends),
            Some(b'\'') => split::<b'\''>(input, self.delimiter, text, ends),
            _ => None,
        };
        let Some(found) = found else {
            return false;
        };
        if found.line_feeds > self.limits.record_lines {
            return false;
        }
        self.after_cr = found.read > 0 && input.get(found.read - 1) == Some(&b'\r');
        self.input.pass(found.read);
        self.text_len = found.text;
        self.ends_len = found.ends;
        self.core.set_line(self.core.line() + found.line_feeds);
        true
    }

    /// Reads any record, byte by byte.
    fn advance_with_care(&mut self, line: u64) -> Result<(), SourceError> {
        loop {
            // At the end of the input a line end is fed in once: a record takes it and is done; an
            // open quote takes it as data, and that is how an open quote is told from a last field.
            let (input, is_sentinel): (&[u8], bool) = if !self.input.waiting().is_empty() {
                (self.input.waiting(), false)
            } else if self.input.fill()? {
                continue;
            } else {
                self.is_terminated = false;
                (b"\n", true)
            };
            let (result, read, written, ended) = self.core.read_record(
                input,
                self.text.get_mut(self.text_len..).unwrap_or_default(),
                self.ends.get_mut(self.ends_len..).unwrap_or_default(),
            );
            self.text_len += written;
            self.ends_len += ended;
            if !is_sentinel {
                self.after_cr = read > 0 && input.get(read - 1) == Some(&b'\r');
                self.input.pass(read);
            }
            match result {
                ReadRecordResult::InputEmpty if is_sentinel => {
                    return Err(self.unclosed_quote(line));
                }
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.grow_text(line)?,
                ReadRecordResult::OutputEndsFull => self.grow_ends(line)?,
                ReadRecordResult::Record | ReadRecordResult::End => break,
            }
            if self.core.line() - line > self.limits.record_lines {
                return Err(self.too_many_lines(line));
            }
        }
        Ok(())
    }

    /// Passes over line ends, counting lines; false at the end of the input.
    fn skip_line_ends(&mut self) -> Result<bool, SourceError> {
        loop {
            let Some(&byte) = self.input.waiting().first() else {
                if self.input.fill()? {
                    continue;
                }
                return Ok(false);
            };
            match byte {
                b'\n' => {
                    self.count_line();
                    self.after_cr = false;
                }
                b'\r' => {
                    if self.after_cr {
                        self.count_line();
                    }
                    self.after_cr = true;
                }
                _ => {
                    if self.after_cr {
                        self.count_line();
                        self.after_cr = false;
                    }
                    return Ok(true);
                }
            }
            self.input.pass(1);
        }
    }

    fn count_line(&mut self) {
        self.core.set_line(self.core.line() + 1);
    }

    fn grow_text(&mut self, line: u64) -> Result<(), SourceError> {
        if self.text.len() >= self.limits.record_bytes {
            return Err(self.too_large(line, "record", self.limits.record_bytes));
        }
        // an open quote is met here long before the record's ceiling
        if self.text_len - self.field_start() > self.limits.field_bytes {
            return Err(self.too_large(line, "field", self.limits.field_bytes));
        }
        let size = (self.text.len() * 2).min(self.limits.record_bytes);
        self.text.resize(size, 0);
        Ok(())
    }

    fn grow_ends(&mut self, line: u64) -> Result<(), SourceError> {
        if self.ends.len() >= self.limits.columns {
            return Err(SourceError::refused(
                "source.too-many-columns",
                Place::file(&self.file).at_line(line),
                format!("the record has more than {} fields", self.limits.columns),
                "check the delimiter, or export fewer columns",
            ));
        }
        let size = (self.ends.len() * 2).min(self.limits.columns);
        self.ends.resize(size, 0);
        Ok(())
    }

    fn check_fields(&self, line: u64) -> Result<(), SourceError> {
        let mut start = 0;
        for &end in self.ends.get(..self.ends_len).unwrap_or_default() {
            if end - start > self.limits.field_bytes {
                let place = Place::file(&self.file).at_line(line);
                return Err(Self::field_too_large(place, "field", self.limits.field_bytes));
            }
            start = end;
        }
        Ok(())
    }

    /// Where the field that is being read begins in the text.
    fn field_start(&self) -> usize {
        self.ends_len.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or(0)
    }

    /// The line on which the field that is being read begins.
    fn field_line(&self, record_line: u64) -> u64 {
        let before = self.text.get(..self.field_start()).unwrap_or_default();
        record_line + u64::try_from(memchr::memchr_iter(b'\n', before).count()).unwrap_or(0)
    }

    fn too_large(&self, line: u64, what: &str, limit: usize) -> SourceError {
        let place = Place::file(&self.file).at_line(self.field_line(line));
        Self::field_too_large(place, what, limit)
    }

    fn field_too_large(place: Place, what: &str, limit: usize) -> SourceError {
        SourceError::refused(
            "source.too-large",
            place,
            format!("the {what} that starts here is larger than {limit} bytes"),
            "look for a quote that is opened here and never closed",
        )
    }

    fn too_many_lines(&self, line: u64) -> SourceError {
        SourceError::refused(
            "source.too-many-lines",
            Place::file(&self.file).at_line(self.field_line(line)),
            format!(
                "the record that starts on line {line} goes over more than {} lines",
                self.limits.record_lines
            ),
            "look for a quote that is opened here and never closed",
        )
    }

    fn unclosed_quote(&self, line: u64) -> SourceError {
        SourceError::refused(
            "source.unclosed-quote",
            Place::file(&self.file).at_line(self.field_line(line)),
            "a quote is opened here and never closed before the file ends",
            "the file may be cut off: export it again",
        )
    }
}

#[cfg(test)]
mod tests;
