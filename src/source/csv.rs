//! A CSV file as rows: header, encoding, ragged and blank rows.
//!
//! UTF-8 with or without byte-order mark; other encodings are refused with a clear message. A
//! record whose fields are all empty is no row (spreadsheets leave such lines at the end).

use std::io::{Read, Seek, SeekFrom};

use crate::domain::{ColumnUse, Place, RecordProblem, Row};
use crate::source::records::Records;
use crate::source::{CsvConfig, Delimiter, Limits, SourceError, SourceRow, delimiter};

/// How much of a file is looked at to find its delimiter.
const SAMPLE_BYTES: u64 = 256 * 1024;

/// Streams the rows of a CSV file.
pub struct CsvReader<R> {
    records: Records<R>,
    headers: Vec<String>,
    delimiter: u8,
    file: String,
    rows: u64,
    limits: Limits,
}

impl<R: Read + Seek> CsvReader<R> {
    /// Reads the header of a file, from its beginning.
    ///
    /// `file` is the name used in messages, `columns` the mapped columns (for finding the
    /// delimiter).
    ///
    /// # Errors
    ///
    /// When the bytes cannot be read, are in another encoding, or hold no header.
    pub fn open(
        mut input: R,
        config: &CsvConfig,
        columns: &[ColumnUse],
        limits: Limits,
        file: &str,
    ) -> Result<Self, SourceError> {
        input.seek(SeekFrom::Start(0))?;
        let mut sample = Vec::new();
        input.by_ref().take(SAMPLE_BYTES).read_to_end(&mut sample)?;
        refuse_other_encodings(&sample, file)?;
        if sample.is_empty() {
            return Err(SourceError::refused(
                "source.empty-file",
                Place::file(file),
                "the file is empty",
                "export it again",
            ));
        }
        let header_row = config.header_row.unwrap_or(1);
        let delimiter = match config.delimiter {
            Delimiter::Byte(byte) => byte,
            Delimiter::Auto => delimiter::detect(&sample, header_row, columns),
        };
        drop(sample);
        input.seek(SeekFrom::Start(0))?;
        let mut records = Records::new(input, delimiter, limits, file);
        let headers = read_header(&mut records, header_row, file)?;
        Ok(Self { records, headers, delimiter, file: file.to_owned(), rows: 0, limits })
    }
}

impl<R: Read> CsvReader<R> {
    /// The headers in file order, trimmed.
    #[must_use]
    pub fn headers(&self) -> &[String] {
        &self.headers
    }

    /// What separates the fields.
    #[must_use]
    pub const fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Data rows read so far, ragged ones too.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// The next row, or `None` at the end of the file.
    ///
    /// # Errors
    ///
    /// When the file is refused at this place: a ceiling, an unclosed quote, bytes that are not
    /// UTF-8, a last line that is cut off.
    pub fn next_row(&mut self) -> Result<Option<SourceRow<'_>>, SourceError> {
        let expected = self.headers.len();
        loop {
            if !self.records.advance()? {
                return Ok(None);
            }
            if !self.records.current().text.is_empty() {
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
        let text = std::str::from_utf8(record.text).ok().filter(|text| {
            text.is_ascii() || record.ends.iter().all(|&end| text.is_char_boundary(end))
        });
        let Some(text) = text else {
            return Err(not_utf8(&self.file, line));
        };
        Ok(Some(SourceRow::Row(Row::new(text, record.ends, row, Some(line)))))
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
    let line = record.line;
    let text = std::str::from_utf8(record.text).map_err(|_| not_utf8(file, line))?;
    let mut headers = Vec::with_capacity(record.ends.len());
    let mut start = 0;
    for &end in record.ends {
        let header = text.get(start..end).ok_or_else(|| not_utf8(file, line))?;
        headers.push(header.trim().to_owned());
        start = end;
    }
    // row numbers count from the header as 1, wherever it stands
    records.renumber(1);
    Ok(headers)
}

fn not_utf8(file: &str, line: u64) -> SourceError {
    SourceError::refused(
        "source.not-utf8",
        Place::file(file).at_line(line),
        "the record holds bytes that are not UTF-8",
        "export the file as UTF-8; other encodings are not read by this version",
    )
}

/// Byte-order marks of encodings that are not read; the longer ones first.
const FOREIGN_MARKS: [(&[u8], &str); 4] = [
    (&[0xFF, 0xFE, 0x00, 0x00], "UTF-32"),
    (&[0x00, 0x00, 0xFE, 0xFF], "UTF-32"),
    (&[0xFF, 0xFE], "UTF-16"),
    (&[0xFE, 0xFF], "UTF-16"),
];

/// Beginnings of files that are no text at all, whatever their name says.
const FOREIGN_KINDS: [(&[u8], &str); 4] = [
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook"),
    (&[0xD0, 0xCF, 0x11, 0xE0], "an old Excel workbook or an encrypted one"),
    (b"%PDF-", "a PDF document"),
    (&[0x1F, 0x8B], "a gzip archive"),
];

fn refuse_other_encodings(sample: &[u8], file: &str) -> Result<(), SourceError> {
    for (mark, name) in FOREIGN_MARKS {
        if sample.starts_with(mark) {
            return Err(SourceError::refused(
                "source.encoding",
                Place::file(file),
                format!("the file is {name} by its byte-order mark, not UTF-8"),
                "export the file as UTF-8; other encodings are not read by this version",
            ));
        }
    }
    for (mark, name) in FOREIGN_KINDS {
        if sample.starts_with(mark) {
            return Err(SourceError::refused(
                "source.not-csv",
                Place::file(file),
                format!("the file is {name}, not CSV"),
                "export the file as CSV; other formats are not read by this version",
            ));
        }
    }
    if memchr::memchr(0, sample).is_some() {
        return Err(SourceError::refused(
            "source.encoding",
            Place::file(file),
            "the file holds NUL bytes: it is UTF-16 without a byte-order mark, or no text",
            "export the file as UTF-8; other encodings are not read by this version",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::domain::ColumnKind;

    fn columns() -> [ColumnUse; 1] {
        [ColumnUse { name: "WorkerID".to_owned(), optional: false, kind: ColumnKind::Id }]
    }

    fn open(bytes: &[u8]) -> Result<CsvReader<Cursor<Vec<u8>>>, SourceError> {
        CsvReader::open(
            Cursor::new(bytes.to_vec()),
            &CsvConfig::default(),
            &columns(),
            Limits::default(),
            "hr.csv",
        )
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
        let bytes = Cursor::new(b"Export\nof today\nWorkerID,b\n1,2\n".to_vec());
        let mut reader =
            CsvReader::open(bytes, &config, &columns(), Limits::default(), "hr.csv").unwrap();
        let Some(SourceRow::Row(row)) = reader.next_row().unwrap() else { panic!("no row") };
        assert_eq!((row.row, row.line), (2, Some(4)));
    }

    #[test]
    fn files_that_cannot_be_trusted_are_refused_whole() {
        assert_eq!(refusal(b""), "hr.csv: the file is empty");
        assert_eq!(refusal(b"\n\n"), "hr.csv: the file has no header in record 1");
        assert_eq!(
            refusal(b"\xFF\xFEW\0o\0"),
            "hr.csv: the file is UTF-16 by its byte-order mark, not UTF-8"
        );
        assert_eq!(
            refusal(b"WorkerID,b\n1,J\xF6rg\n"),
            "hr.csv, line 2: the record holds bytes that are not UTF-8"
        );
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
    fn a_letter_split_over_two_fields_is_not_utf8() {
        assert!(refusal(b"WorkerID,b\n\xC3,\xB6\n").contains("not UTF-8"));
    }

    #[test]
    fn a_last_line_without_line_end_is_whole_when_its_fields_are() {
        let mut reader = open(b"WorkerID,b\n1,2").unwrap();
        assert!(matches!(reader.next_row().unwrap(), Some(SourceRow::Row(_))));
        assert!(reader.next_row().unwrap().is_none());
    }
}
