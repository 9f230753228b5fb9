//! A file as a table of rows, whatever its format.
//!
//! A [`Shape`] is what one look through a file found out: encoding, dialect, header, sheet. It is
//! the same for every pass. A [`Table`] reads the rows: in the file's order, in NFC, without repeated
//! headers and trailers.

use std::io::{Read, Seek, SeekFrom};

use crate::domain::{ColumnUse, Place};
use crate::source::{
    Completeness, CsvReader, CsvShape, Finding, Format, FormatConfig, Frame, JsonReader, JsonShape,
    Limits, Look, Normalizer, SourceError, SourceRow, SpoolReader, WorkbookShape,
};

/// What a look through a file found out about how to read it.
#[derive(Debug)]
pub enum Shape {
    /// Text with delimiters.
    Csv(Box<CsvShape>),
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
        if format == Format::Json {
            return JsonShape::find(input, config, columns, limits, file).map(Self::Json);
        }
        let shape = CsvShape::find(input, config, columns, limits, file)?;
        Ok(Self::Csv(Box::new(shape)))
    }

    /// Guesses the shape of a file by its beginning alone, as [`CsvShape::guess`] does; `None` where
    /// all of it has to be looked at.
    #[must_use]
    pub fn guess(
        beginning: &[u8],
        format: Format,
        config: &FormatConfig,
        columns: &[ColumnUse],
        limits: Limits,
        file: &str,
    ) -> Option<Self> {
        let is_text = format == Format::Csv;
        let guess = || CsvShape::guess(beginning, config, columns, limits, file);
        Some(Self::Csv(Box::new(is_text.then(guess)??)))
    }

    /// What [`find`](Self::find) would have found, once the guess has proved right.
    #[must_use]
    pub fn confirmed(self, has_letters: bool) -> Option<Self> {
        match self {
            Self::Csv(shape) => Some(Self::Csv(Box::new(shape.confirmed(has_letters)?))),
            Self::Json(_) | Self::Workbook(_) => None,
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
pub struct Table<'s, R> {
    rows: Rows<'s, R>,
    normalizer: Normalizer,
}

enum Rows<'s, R> {
    Csv(Box<CsvReader<R>>),
    Json(Box<JsonReader<R>>),
    Workbook {
        reader: Box<SpoolReader<'s, R>>,
        /// Knows what is no data; the reader of text has one of its own.
        frame: Box<Frame>,
        rows: u64,
    },
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
        config: &FormatConfig,
        columns: &[ColumnUse],
        limits: Limits,
        file: &str,
    ) -> Result<Self, SourceError> {
        let rows = match shape {
            Shape::Csv(shape) => {
                Rows::Csv(Box::new(CsvReader::open(input, shape, columns, limits, file)?))
            }
            Shape::Json(shape) => {
                Rows::Json(Box::new(JsonReader::open(input, shape, columns, limits, file)?))
            }
            Shape::Workbook(shape) => {
                input.seek(SeekFrom::Start(0))?;
                let reader = Box::new(SpoolReader::open(input, shape));
                let place = Place { sheet: Some(shape.sheet.clone()), ..Place::file(file) };
                let trailer = config.trailer.as_ref();
                let frame = Box::new(Frame::new(place, reader.headers(), columns, trailer)?);
                Rows::Workbook { reader, frame, rows: 0 }
            }
        };
        Ok(Self { rows, normalizer: Normalizer::default() })
    }
}

impl<R: Read> Table<'_, R> {
    /// The headers in file order; every row has as many cells.
    #[must_use]
    pub fn headers(&self) -> &[String] {
        match &self.rows {
            Rows::Csv(reader) => reader.headers(),
            Rows::Json(reader) => reader.headers(),
            Rows::Workbook { reader, .. } => reader.headers(),
        }
    }

    /// Data rows read so far, those that cannot be used too.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        match &self.rows {
            Rows::Csv(reader) => reader.rows(),
            Rows::Json(reader) => reader.rows(),
            Rows::Workbook { rows, .. } => *rows,
        }
    }

    /// What was noticed while reading; complete after the last row.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        match &self.rows {
            Rows::Csv(reader) => reader.findings(),
            Rows::Json(reader) => reader.findings().to_vec(),
            Rows::Workbook { frame, .. } => frame.findings(),
        }
    }

    /// Whether the file says itself that it is whole; valid after the last row.
    #[must_use]
    pub fn completeness(&self) -> Completeness {
        match &self.rows {
            Rows::Csv(reader) => reader.completeness(),
            Rows::Json(_) => Completeness::Unproven,
            Rows::Workbook { frame, .. } => frame.completeness(),
        }
    }

    /// The next row, or `None` at the end of the file.
    ///
    /// # Errors
    ///
    /// When the file is refused at this place.
    pub fn next_row(&mut self) -> Result<Option<SourceRow<'_>>, SourceError> {
        let Self { rows, normalizer } = self;
        let row = match rows {
            Rows::Csv(reader) => reader.next_row()?,
            Rows::Json(reader) => reader.next_row()?,
            Rows::Workbook { reader, frame, rows } => loop {
                if !reader.advance()? {
                    break None;
                }
                if frame.look(&reader.current())? == Look::Data {
                    *rows += 1;
                    break Some(SourceRow::Row(reader.current()));
                }
            },
        };
        Ok(row.map(|row| match row {
            SourceRow::Row(row) => SourceRow::Row(normalizer.apply(row)),
            bad @ SourceRow::Bad { .. } => bad,
        }))
    }
}
