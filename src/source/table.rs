//! A file as a table of rows, whatever its format.
//!
//! A [`Shape`] is what one look through a file found out: encoding, dialect, header, sheet. It is
//! the same for every pass. A [`Table`] reads the rows: in the file's order, without repeated headers
//! and trailers.

use std::io::{Read, Seek, SeekFrom};

use crate::domain::ColumnUse;
use crate::source::{
    Completeness, CsvReader, CsvShape, Finding, Format, FormatConfig, JsonReader, JsonShape,
    Limits, SourceError, SourceRow, SpoolReader, WorkbookShape,
};

/// What a look through a file found out about how to read it.
#[derive(Debug)]
pub enum Shape {
    /// Text with delimiters.
    Csv(CsvShape),
    /// JSON or NDJSON.
    Json(JsonShape),
    /// A workbook, whose rows lie in a spool.
    Workbook(WorkbookShape),
}

impl Shape {
    /// Looks through a text file, from its beginning to its end.
    ///
    /// # Errors
    ///
    /// When the file is refused.
    pub fn find(
        input: &mut (impl Read + Seek),
        format: Format,
        config: &FormatConfig,
        columns: &[ColumnUse],
        limits: Limits,
        file: &str,
    ) -> Result<Self, SourceError> {
        match format {
            Format::Json => JsonShape::find(input, config, columns, limits, file).map(Self::Json),
            _ => CsvShape::find(input, config, columns, limits, file).map(Self::Csv),
        }
    }

    /// What was decided about the file, and what is odd about it, as far as it is known before its
    /// rows are read.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Csv(shape) => shape.findings(),
            // the reader tells, once it knows the columns
            Self::Json(_) => &[],
            Self::Workbook(shape) => &shape.findings,
        }
    }

    /// The sheet that is read, in a workbook.
    #[must_use]
    pub fn sheet(&self) -> Option<&str> {
        match self {
            Self::Csv(_) | Self::Json(_) => None,
            Self::Workbook(shape) => Some(&shape.sheet),
        }
    }
}

/// Streams the rows of a file.
pub enum Table<'s, R> {
    /// Of text with delimiters.
    Csv(CsvReader<R>),
    /// Of JSON or NDJSON.
    Json(JsonReader<R>),
    /// Of a workbook's spool.
    Workbook(SpoolReader<'s, R>),
}

impl<'s, R: Read + Seek> Table<'s, R> {
    /// Reads a file from its beginning (a workbook's spool), whose shape was found before.
    ///
    /// # Errors
    ///
    /// When the bytes cannot be read, or are not those whose shape was found.
    pub fn open(
        mut input: R,
        shape: &'s Shape,
        columns: &[ColumnUse],
        limits: Limits,
        file: &str,
    ) -> Result<Self, SourceError> {
        match shape {
            Shape::Csv(shape) => {
                CsvReader::open(input, shape, columns, limits, file).map(Self::Csv)
            }
            Shape::Json(shape) => {
                JsonReader::open(input, shape, columns, limits, file).map(Self::Json)
            }
            Shape::Workbook(shape) => {
                input.seek(SeekFrom::Start(0))?;
                Ok(Self::Workbook(SpoolReader::open(input, shape)))
            }
        }
    }
}

impl<R: Read> Table<'_, R> {
    /// The headers in file order; every row has as many cells.
    #[must_use]
    pub fn headers(&self) -> &[String] {
        match self {
            Self::Csv(reader) => reader.headers(),
            Self::Json(reader) => reader.headers(),
            Self::Workbook(reader) => reader.headers(),
        }
    }

    /// Data rows read so far, those that cannot be used too.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        match self {
            Self::Csv(reader) => reader.rows(),
            Self::Json(reader) => reader.rows(),
            Self::Workbook(reader) => reader.rows(),
        }
    }

    /// What was noticed while reading; complete after the last row.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Csv(reader) => reader.findings(),
            Self::Json(reader) => reader.findings(),
            Self::Workbook(_) => &[],
        }
    }

    /// Whether the file says itself that it is whole; valid after the last row.
    #[must_use]
    pub const fn completeness(&self) -> Completeness {
        match self {
            Self::Csv(reader) => reader.completeness(),
            Self::Json(_) | Self::Workbook(_) => Completeness::Unproven,
        }
    }

    /// The next row, or `None` at the end of the file.
    ///
    /// # Errors
    ///
    /// When the file is refused at this place.
    pub fn next_row(&mut self) -> Result<Option<SourceRow<'_>>, SourceError> {
        match self {
            Self::Csv(reader) => reader.next_row(),
            Self::Json(reader) => reader.next_row(),
            Self::Workbook(reader) => reader.next_row(),
        }
    }
}
