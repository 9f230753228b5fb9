//! How a source's files are read, as the config states it.

/// `csv = { … }` of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvConfig {
    /// What separates fields.
    pub delimiter: Delimiter,
    /// The record that holds the headers, from 1; records before it are passed over.
    pub header_row: u32,
}

impl Default for CsvConfig {
    fn default() -> Self {
        Self { delimiter: Delimiter::Auto, header_row: 1 }
    }
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
