//! How a source's files are read, as the config states it.

/// Everything that says how a source's files are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormatConfig {
    /// `format = …`; by content where absent.
    pub format: Option<Format>,
    /// `csv = { … }`.
    pub csv: CsvConfig,
    /// `xlsx = { … }`: for workbooks of every kind.
    pub xlsx: WorkbookConfig,
    /// `json = { … }`.
    pub json: JsonConfig,
    /// `complete.trailer = { … }`.
    pub trailer: Option<TrailerConfig>,
}

/// A kind of file. What a file is, its content says; a file of another kind than the config states
/// is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Text with delimiters.
    Csv,
    /// A workbook: XLSX, XLSM, XLSB, XLS or ODS.
    Xlsx,
    /// JSON or NDJSON.
    Json,
}

impl Format {
    /// As the config writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Json => "json",
        }
    }
}

/// `xlsx = { … }` of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkbookConfig {
    /// Which sheet.
    pub sheet: SheetChoice,
    /// The sheet row that holds the headers, from 1; found by the mapped columns where absent.
    pub header_row: Option<u32>,
    /// What a cell of a merged range other than its first has.
    pub merged: Merged,
}

/// Which sheet of a workbook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SheetChoice {
    /// The first whose header has the mapped columns.
    #[default]
    Fitting,
    /// The one with this name (case ignored).
    Name(String),
    /// The one in this place, from 1, hidden ones counted.
    Number(u32),
}

/// What a cell of a merged range other than its first has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Merged {
    /// Nothing that could be used: rows that need it are rejected.
    #[default]
    Reject,
    /// The value of the first cell.
    Spread,
    /// Nothing: it is empty.
    Empty,
}

/// `json = { … }` of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JsonConfig {
    /// JSON Pointer (RFC 6901) to the array of records; absent: the document is the array, or
    /// NDJSON, or an object in which exactly one member is an array of objects.
    pub records: Option<String>,
    /// Whether each record has to have every mapped member, null where it is empty: what is not there
    /// is not known, and so a row that needs it is rejected. For webhooks; no file is read so.
    pub has_all_members: bool,
}

/// `complete.trailer = { … }`: the last row of a file that says how many rows there should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailerConfig {
    /// How the row's first field begins.
    pub starts_with: String,
    /// The field with the number of rows, from 1.
    pub count: Option<u32>,
    /// The field with a sum over a column, from 1, and that column.
    pub total: Option<(u32, String)>,
}

/// `csv = { … }` of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CsvConfig {
    /// What separates fields.
    pub delimiter: Delimiter,
    /// What fields are quoted with.
    pub quote: Quote,
    /// The encoding of the letters, by a label of the WHATWG Encoding Standard; found in the bytes
    /// where absent.
    pub encoding: Option<String>,
    /// The record that holds the headers, from 1; records before it are passed over. Found by the
    /// mapped columns where absent.
    pub header_row: Option<u32>,
}

/// What fields are quoted with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Quote {
    /// `"`, or `'` where the file is full of those.
    #[default]
    Auto,
    /// This ASCII character.
    Byte(u8),
    /// Nothing: a quote is a character like any other.
    None,
}

/// What separates fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Delimiter {
    /// Comma, semicolon, tab or pipe: the one under which the header fits best.
    #[default]
    Auto,
    /// This ASCII character.
    Byte(u8),
}

/// `rows = { … }` of a source: what happens to several rows of one worker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowsConfig {
    /// The column that tells workers apart; the mapped `externalId` where absent.
    pub per: Option<String>,
    /// Which of a worker's rows counts.
    pub pick: Pick,
}

/// Which of several rows of one worker counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pick {
    /// The first in the file; the others are superseded.
    First,
    /// The last in the file; the others are superseded.
    Last,
    /// None: all of them are rejected, naming each other's lines.
    #[default]
    Error,
}
