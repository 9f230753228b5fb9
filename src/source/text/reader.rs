//! A CSV file as rows: header, ragged and blank rows, rows whose letters cannot be read.
//!
//! A record whose fields are all empty is no row (spreadsheets leave such lines at the end).

use std::io::{Read, Seek, SeekFrom};

use crate::domain::{ColumnUse, Place, RecordProblem, Row};
use crate::source::text::CsvShape;
use crate::source::text::decode::{Text, utf8};
use crate::source::text::records::{RawRecord, Records};
use crate::source::text::stray::swallowed;
use crate::source::{Completeness, Finding, Frame, Limits, Look, SourceError, SourceRow};

/// Streams the rows of a CSV file.
pub struct CsvReader<R> {
    records: Records<Text<R>>,
    headers: Vec<String>,
    frame: Frame,
    delimiter: u8,
    /// Where the first places are that are not UTF-8.
    invalid_at: Vec<u64>,
    file: String,
    rows: u64,
    limits: Limits,
}

impl<R: Read + Seek> CsvReader<R> {
    /// Reads the header of a file, from its beginning, as its shape says.
    ///
    /// `columns` are the mapped columns, `file` is the name used in messages.
    ///
    /// # Errors
    ///
    /// When the bytes cannot be read, or hold no header.
    pub fn open(
        mut input: R,
        shape: &CsvShape,
        columns: &[ColumnUse],
        limits: Limits,
        file: &str,
    ) -> Result<Self, SourceError> {
        input.seek(SeekFrom::Start(0))?;
        let dialect = shape.dialect;
        let text = Text::new(input, shape.encoding);
        let mut records = Records::new(text, dialect.delimiter, dialect.quote, limits, file);
        if dialect.has_directive {
            records.advance()?;
        }
        let headers = read_header(&mut records, dialect.header_row, file)?;
        let frame = Frame::new(Place::file(file), &headers, columns, shape.trailer.as_ref())?;
        let invalid_at = shape.invalid_at.clone();
        let file = file.to_owned();
        let delimiter = dialect.delimiter;
        Ok(Self { records, headers, frame, delimiter, invalid_at, file, rows: 0, limits })
    }
}

impl<R: Read> CsvReader<R> {
    /// The headers in file order, trimmed.
    #[must_use]
    pub fn headers(&self) -> &[String] {
        &self.headers
    }

    /// Data rows read so far, those that cannot be used too.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// What was noticed while reading; complete after the last row.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.frame.findings()
    }

    /// Whether the file is known to be whole; valid after the last row.
    #[must_use]
    pub fn completeness(&self) -> Completeness {
        self.frame.completeness()
    }

    /// The next row, or `None` at the end of the file.
    ///
    /// # Errors
    ///
    /// When the file is refused at this place: a ceiling, an unclosed quote, bytes that mean
    /// nothing in the file's encoding, a last line that is cut off.
    pub fn next_row(&mut self) -> Result<Option<SourceRow<'_>>, SourceError> {
        let expected = self.headers.len();
        loop {
            if !self.records.advance()? {
                return Ok(None);
            }
            if !self.records.current().text.is_empty() && self.is_data()? {
                break;
            }
        }
        self.rows += 1;
        let record = self.records.current();
        let (row, line) = (record.record, record.line);
        if self.rows > u64::from(self.limits.rows) {
            return Err(SourceError::refused(
                "source.too-many-rows",
                Place::file(&self.file).at_line(line),
                format!("the file has more than {} rows", self.limits.rows),
                "split the export",
            ));
        }
        if let Some(lines) = swallowed(record.text, record.ends, self.delimiter, expected) {
            let line = line + u64::try_from(lines).unwrap_or(0);
            return Err(SourceError::refused(
                "source.stray-quote",
                Place::file(&self.file).at_line(line),
                "the field that a quote opens here goes over whole rows, up to another quote",
                "look for a quote too many here; a quote inside a field is doubled",
            ));
        }
        if record.ends.len() != expected {
            let found = record.ends.len();
            if !record.is_terminated && found < expected {
                return Err(SourceError::refused(
                    "source.cut-off",
                    Place::file(&self.file).at_line(line),
                    format!(
                        "the last line ends after {found} of {expected} fields, without a line end"
                    ),
                    "the file was cut off: wait until it is written, or export it again",
                ));
            }
            return Ok(Some(SourceRow::Bad {
                row,
                line: Some(line),
                is_ragged: true,
                problem: Box::new(ragged(found, expected)),
            }));
        }
        let Some(text) = text(&record) else {
            let problem = Box::new(self.not_utf8(&record));
            return Ok(Some(SourceRow::Bad { row, line: Some(line), is_ragged: false, problem }));
        };
        if has_lost_letters(text) {
            let problem = Box::new(lost_letters());
            return Ok(Some(SourceRow::Bad { row, line: Some(line), is_ragged: false, problem }));
        }
        Ok(Some(SourceRow::Row(Row::new(text, record.ends, row, Some(line)))))
    }

    /// Whether the record that was read is data; repeated headers and trailers are not.
    fn is_data(&mut self) -> Result<bool, SourceError> {
        let record = self.records.current();
        if self.frame.pass(record.ends.len(), |cell| cell_of(&record, cell)) {
            return Ok(true);
        }
        let (row, line) = (record.record, Some(record.line));
        match text(&record) {
            Some(text) => {
                let row = Row::new(text, record.ends, row, line);
                Ok(self.frame.look_closely(&row)? == Look::Data)
            }
            None => self.frame.unreadable(row, line).map(|()| true),
        }
    }

    fn not_utf8(&self, record: &RawRecord<'_>) -> RecordProblem {
        let next = self.invalid_at.partition_point(|&at| at < record.offset);
        let at = self.invalid_at.get(next).filter(|&&at| at < self.records.offset());
        let message = match at {
            Some(at) => format!("byte {at} of the file is not UTF-8, as the rest of it is"),
            None => format!(
                "the record at byte {} of the file holds bytes that are not UTF-8, as the rest of \
                 it is",
                record.offset
            ),
        };
        RecordProblem {
            code: "source.not-utf8",
            attribute: None,
            column: None,
            message,
            hint: Some("correct this row in the system it comes from, or export again".to_owned()),
        }
    }
}

/// The text of a record whose fields are all UTF-8.
fn text<'a>(record: &RawRecord<'a>) -> Option<&'a str> {
    let text = utf8(record.text)?;
    // all ends are looked at, which is quicker than to ask at each whether to go on
    let is_inside = |end: usize| record.text.get(end).is_some_and(|byte| byte & 0xC0 == 0x80);
    let is_cut = || record.ends.iter().fold(false, |cut, &end| cut | is_inside(end));
    Some(text).filter(|text| text.is_ascii() || !is_cut())
}

fn cell_of<'a>(record: &RawRecord<'a>, cell: usize) -> &'a [u8] {
    let end = record.ends.get(cell).copied().unwrap_or_default();
    let start = cell.checked_sub(1).and_then(|before| record.ends.get(before)).copied();
    record.text.get(start.unwrap_or_default()..end).unwrap_or_default()
}

/// Whether letters were replaced by U+FFFD before the file was written.
fn has_lost_letters(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(0xEF, bytes).any(|at| bytes.get(at + 1..at + 3) == Some(&[0xBF, 0xBD]))
}

fn lost_letters() -> RecordProblem {
    RecordProblem {
        code: "source.lost-letters",
        attribute: None,
        column: None,
        message: "the row holds U+FFFD: a letter was lost before the file was written".to_owned(),
        hint: Some("correct the encoding in the program that exports the file".to_owned()),
    }
}

fn ragged(found: usize, expected: usize) -> RecordProblem {
    RecordProblem {
        code: "source.ragged-row",
        attribute: None,
        column: None,
        message: format!("the row has {found} fields, the header has {expected}"),
        hint: Some(
            "look for an unquoted delimiter or a line break in one of its fields".to_owned(),
        ),
    }
}

fn read_header<R: Read>(
    records: &mut Records<R>,
    header_row: u32,
    file: &str,
) -> Result<Vec<String>, SourceError> {
    let no_header = || {
        SourceError::refused(
            "source.no-header",
            Place::file(file),
            format!("the file has no header in record {header_row}"),
            "check `header_row`, or export the file again",
        )
    };
    for _ in 1..header_row {
        records.next()?.ok_or_else(no_header)?;
    }
    let record = records.next()?.ok_or_else(no_header)?;
    let text = text(&record).ok_or_else(|| not_utf8(file, record.line))?;
    let row = Row::new(text, record.ends, 1, Some(record.line));
    let headers = row.cells().map(|header| header.trim().to_owned()).collect();
    // row numbers count from the header as 1, wherever it stands
    records.renumber(1);
    Ok(headers)
}

fn not_utf8(file: &str, line: u64) -> SourceError {
    SourceError::refused(
        "source.not-utf8",
        Place::file(file).at_line(line),
        "the header holds bytes that are not UTF-8",
        "export the file again, as UTF-8",
    )
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::domain::ColumnKind;
    use crate::source::{CsvConfig, FormatConfig};

    fn columns() -> [ColumnUse; 1] {
        [ColumnUse { name: "WorkerID".to_owned(), optional: false, kind: ColumnKind::Id }]
    }

    fn open(bytes: &[u8]) -> Result<CsvReader<Cursor<Vec<u8>>>, SourceError> {
        open_with(bytes, &CsvConfig::default())
    }

    fn open_with(bytes: &[u8], csv: &CsvConfig) -> Result<CsvReader<Cursor<Vec<u8>>>, SourceError> {
        let config = FormatConfig { csv: csv.clone(), ..FormatConfig::default() };
        let mut input = Cursor::new(bytes.to_vec());
        let limits = Limits::default();
        let shape = CsvShape::find(&mut input, &config, &columns(), limits, "hr.csv")?;
        CsvReader::open(input, &shape, &columns(), limits, "hr.csv")
    }

    fn refusal(bytes: &[u8]) -> String {
        let mut reader = match open(bytes) {
            Ok(reader) => reader,
            Err(error) => return error.to_string(),
        };
        loop {
            match reader.next_row() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the file was taken"),
                Err(error) => return error.to_string(),
            }
        }
    }

    #[test]
    fn headers_are_trimmed_and_rows_know_row_and_line() {
        let mut reader = open(b" WorkerID ,Name\n\n1,\"a\nb\"\n,\n2,c\n").unwrap();
        assert_eq!(reader.headers(), ["WorkerID", "Name"]);
        let mut seen = Vec::new();
        while let Some(row) = reader.next_row().unwrap() {
            let SourceRow::Row(row) = row else { panic!("ragged") };
            seen.push((row.row, row.line, row.cell(0).to_owned(), row.cell(1).to_owned()));
        }
        assert_eq!(
            seen,
            [
                (2, Some(3), "1".to_owned(), "a\nb".to_owned()),
                (4, Some(6), "2".to_owned(), "c".to_owned()),
            ]
        );
        assert_eq!(reader.rows(), 2);
    }

    #[test]
    fn a_ragged_row_is_told_and_the_next_one_is_read() {
        let mut reader = open(b"WorkerID,b\n1,2,3\n4,5\n").unwrap();
        assert!(matches!(
            reader.next_row().unwrap(),
            Some(SourceRow::Bad { row: 2, line: Some(2), is_ragged: true, .. })
        ));
        assert!(matches!(reader.next_row().unwrap(), Some(SourceRow::Row(_))));
    }

    #[test]
    fn a_header_further_down_is_row_one_all_the_same() {
        let config = CsvConfig { header_row: Some(3), ..CsvConfig::default() };
        let mut reader = open_with(b"Export\nof today\nWorkerID,b\n1,2\n", &config).unwrap();
        let Some(SourceRow::Row(row)) = reader.next_row().unwrap() else { panic!("no row") };
        assert_eq!((row.row, row.line), (2, Some(4)));
    }

    #[test]
    fn files_that_cannot_be_trusted_are_refused_whole() {
        assert_eq!(refusal(b""), "hr.csv: the file is empty");
        assert_eq!(refusal(b"\n\n"), "hr.csv: the file has no header in record 1");
        assert_eq!(
            refusal(b"WorkerID,b,c\n1,2,3\n100457,Ann"),
            "hr.csv, line 3: the last line ends after 2 of 3 fields, without a line end"
        );
        assert_eq!(
            refusal(b"PK\x03\x04xx"),
            "hr.csv: the file is a ZIP archive or an Excel workbook, not CSV"
        );
    }

    #[test]
    fn a_last_line_without_line_end_is_whole_when_its_fields_are() {
        let mut reader = open(b"WorkerID,b\n1,2").unwrap();
        assert!(matches!(reader.next_row().unwrap(), Some(SourceRow::Row(_))));
        assert!(reader.next_row().unwrap().is_none());
    }
}
