//! CSV bytes to records (RFC 4180 as spreadsheets write it), with exact lines and hard ceilings.
//!
//! `csv-core` does the parsing. It is driven by hand rather than through `csv::Reader` for three
//! things that a careful reader of people's files needs: a record stops growing at a ceiling, so
//! that an unbalanced quote cannot swallow a file; a quote that is never closed is an error and not
//! a field; and each record knows the line on which it really starts, blank lines counted.

use std::io::Read;

use csv_core::ReadRecordResult;

use crate::domain::Place;
use crate::source::text::decode::Undecodable;
use crate::source::text::split::{is_plain, split};
use crate::source::{Limits, SourceError};

/// Bytes read from the file at a time.
const BUFFER_BYTES: usize = 128 * 1024;

/// How a file in UTF-8 may begin.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Streams records.
pub(super) struct Records<R> {
    input: R,
    core: csv_core::Reader,
    delimiter: u8,
    /// What fields are quoted with, if with anything.
    quote: Option<u8>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    at_end: bool,
    /// The last record (or skipped byte) ended with a carriage return whose line is not counted yet.
    after_cr: bool,
    text: Vec<u8>,
    text_len: usize,
    ends: Vec<usize>,
    ends_len: usize,
    limits: Limits,
    file: String,
    bytes_read: u64,
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
            input,
            core,
            delimiter,
            quote,
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            end: 0,
            at_end: false,
            after_cr: false,
            text: vec![0; 4 * 1024],
            text_len: 0,
            ends: vec![0; 64],
            ends_len: 0,
            limits,
            file: file.to_owned(),
            bytes_read: 0,
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
    pub(super) fn offset(&self) -> u64 {
        let waiting = u64::try_from(self.end - self.start).unwrap_or(0);
        self.bytes_read.saturating_sub(waiting)
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
        let input = self.buffer.get(self.start..self.end).unwrap_or_default();
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
        self.start += found.read;
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
            let (input, is_sentinel): (&[u8], bool) = if self.start < self.end {
                (self.buffer.get(self.start..self.end).unwrap_or_default(), false)
            } else if self.fill()? {
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
                self.start += read;
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
            let Some(&byte) = self.buffer.get(self.start).filter(|_| self.start < self.end) else {
                if self.fill()? {
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
            self.start += 1;
        }
    }

    fn count_line(&mut self) {
        self.core.set_line(self.core.line() + 1);
    }

    /// Reads more; false at the end of the input.
    fn fill(&mut self) -> Result<bool, SourceError> {
        if self.at_end {
            return Ok(false);
        }
        let is_first = self.bytes_read == 0;
        self.start = 0;
        self.end = 0;
        // of a file's beginning so much that a byte-order mark is whole
        let least = if is_first { BYTE_ORDER_MARK.len() } else { 1 };
        while self.end < least {
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.input.read(room) {
                Ok(0) => {
                    self.at_end = true;
                    break;
                }
                Ok(count) => self.end += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.unreadable(error)),
            }
        }
        self.bytes_read += u64::try_from(self.end).unwrap_or(u64::MAX);
        if self.bytes_read > self.limits.file_bytes {
            return Err(SourceError::refused(
                "source.file-too-large",
                Place::file(&self.file),
                format!("the file is larger than {} bytes", self.limits.file_bytes),
                "split the export",
            ));
        }
        let read = self.buffer.get(..self.end).unwrap_or_default();
        if is_first && read.starts_with(BYTE_ORDER_MARK) {
            self.start = BYTE_ORDER_MARK.len();
        }
        Ok(self.start < self.end || !self.at_end && self.fill()?)
    }

    fn unreadable(&self, error: std::io::Error) -> SourceError {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Undecodable>()) {
            Some(undecodable) => SourceError::refused(
                "source.encoding",
                Place::file(&self.file),
                undecodable.to_string(),
                "set the encoding that the file was written in, such as \
                 `csv = { encoding = \"windows-1252\" }`, or export it as UTF-8",
            ),
            None => error.into(),
        }
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
mod tests {
    use super::*;

    type All = Result<Vec<(u64, u64, Vec<String>)>, String>;

    fn read(bytes: &[u8]) -> All {
        read_from(bytes)
    }

    fn read_from(input: impl Read) -> All {
        let mut records = Records::new(input, b',', Some(b'"'), Limits::default(), "hr.csv");
        let mut all = Vec::new();
        loop {
            match records.next() {
                Err(error) => return Err(error.to_string()),
                Ok(None) => return Ok(all),
                Ok(Some(record)) => {
                    let mut start = 0;
                    let mut fields = Vec::new();
                    for &end in record.ends {
                        fields.push(String::from_utf8_lossy(&record.text[start..end]).into_owned());
                        start = end;
                    }
                    all.push((record.record, record.line, fields));
                }
            }
        }
    }

    fn lines(bytes: &[u8]) -> Vec<(u64, u64)> {
        read(bytes).unwrap().into_iter().map(|(record, line, _)| (record, line)).collect()
    }

    #[test]
    fn every_line_end_counts_lines_and_blank_lines_are_no_records() {
        assert_eq!(lines(b"a\n\nb\n"), [(1, 1), (2, 3)]);
        assert_eq!(lines(b"a\r\n\r\nb\r\n\r\n"), [(1, 1), (2, 3)]);
        assert_eq!(lines(b"a\rb\r\rc"), [(1, 1), (2, 2), (3, 4)]);
        assert_eq!(lines(b"a\r\n\"x\r\ny\",z\r\nb"), [(1, 1), (2, 2), (3, 4)]);
    }

    #[test]
    fn quotes_doubled_quotes_and_line_breaks_inside_fields_are_data() {
        let all = read(b"\"12 High St\r\nFloor 2\",\"O\"\"Neil\"\r\n").unwrap();
        assert_eq!(all[0].2, ["12 High St\r\nFloor 2", "O\"Neil"]);
    }

    #[test]
    fn an_unclosed_quote_is_refused_at_the_line_where_it_opens() {
        let error = read(b"a,b\n1,x\n\"2\n2\",\"y\n3,z\n").unwrap_err();
        assert_eq!(
            error,
            "hr.csv, line 4: a quote is opened here and never closed before the file ends"
        );
    }

    #[test]
    fn a_closing_quote_at_the_very_end_is_closed() {
        assert_eq!(read(b"a,\"b\"").unwrap()[0].2, ["a", "b"]);
    }

    #[test]
    fn an_open_quote_cannot_swallow_the_file() {
        let mut bytes = b"a,b\n1,\"".to_vec();
        bytes.resize(3 * 1024 * 1024, b'x');
        let error = read(&bytes).unwrap_err();
        assert!(
            error.starts_with("hr.csv, line 2: the field that starts here is larger"),
            "{error}"
        );
        let mut bytes = b"a,b\n1,\"".to_vec();
        bytes.resize(100_000, b'\n');
        let error = read(&bytes).unwrap_err();
        assert!(error.contains("goes over more than 1000 lines"), "{error}");
    }

    #[test]
    fn a_record_of_commas_meets_the_ceiling_of_columns() {
        assert!(read(&vec![b','; 20_000]).unwrap_err().contains("more than 16384 fields"));
    }

    #[test]
    fn a_byte_order_mark_before_a_quoted_header_is_no_part_of_it() {
        assert_eq!(read(b"\xEF\xBB\xBF\"Employee ID\",b\n").unwrap()[0].2[0], "Employee ID");
    }

    /// Gives one byte at a time, so that no record is ever whole in the buffer.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let least = buffer.len().min(1);
            self.0.read(buffer.get_mut(..least).unwrap_or_default())
        }
    }

    proptest::proptest! {
        #[test]
        fn simple_records_are_read_swiftly_and_all_the_same(
            records in proptest::collection::vec("[ab,;\"\r\né]{0,12}|(\"([a,\n]|\"\"){0,40}\",?|[a-z]{0,40},){0,6}\r?\n", 1..20)
        ) {
            let mut bytes = records.concat().into_bytes();
            let room = bytes.len() + 100;
            bytes.insert(0, b'\n');
            bytes.resize(room, b'z');
            proptest::prop_assert_eq!(read(&bytes), read_from(Trickle(&bytes)));
        }

        #[test]
        fn no_bytes_make_the_reader_panic_or_go_backwards(bytes: Vec<u8>) {
            if let Ok(all) = read(&bytes) {
                for pair in all.windows(2) {
                    assert!(pair[0].1 < pair[1].1 || pair[0].1 == pair[1].1 && bytes.contains(&b'"'));
                }
            }
        }

        #[test]
        fn the_same_records_as_the_csv_crate_reads(
            rows in proptest::collection::vec(proptest::collection::vec("[a-z\",\n\r ]{0,6}", 2..4), 1..6)
        ) {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let bytes = writer.into_inner().unwrap();
            let ours: Vec<Vec<String>> = read(&bytes).unwrap().into_iter().map(|r| r.2).collect();
            assert_eq!(ours, rows);
        }
    }
}
