//! What a file is, by its bytes and never by its name.

use std::io::{Read, Seek, SeekFrom};

use crate::source::Format;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A workbook of Excel since 2007.
    Xlsx,
    /// The same with macros, which nobody runs here.
    Xlsm,
    /// The binary kind of it.
    Xlsb,
    /// A workbook of Excel 97 to 2003.
    Xls,
    /// An `OpenDocument` spreadsheet.
    Ods,
    /// An Office document that a password protects.
    Encrypted,
    /// Another ZIP archive.
    Zip,
    /// Another compound file of Office.
    Compound,
    /// A PDF document.
    Pdf,
    /// A file packed with gzip.
    Gzip,
    /// An HTML page, such as web applications give out as `.xls`.
    Html,
    /// A workbook in the XML of Excel 2003.
    SpreadsheetMl,
    /// JSON or NDJSON.
    Json,
    /// Anything else: text with delimiters, if it is anything that can be read.
    Text,
}

/// What the first bytes of every OLE compound file are.
const COMPOUND: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

impl FileKind {
    /// What people call it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Xlsx => "an XLSX workbook",
            Self::Xlsm => "an XLSM workbook",
            Self::Xlsb => "an XLSB workbook",
            Self::Xls => "an XLS workbook",
            Self::Ods => "an ODS workbook",
            Self::Encrypted => "an encrypted workbook",
            Self::Zip => "a ZIP archive",
            Self::Compound => "an old Office document",
            Self::Pdf => "a PDF document",
            Self::Gzip => "a gzip archive",
            Self::Html => "an HTML table",
            Self::SpreadsheetMl => "a workbook in the XML of Excel 2003",
            Self::Json => "JSON",
            Self::Text => "CSV text",
        }
    }
    /// The format that reads it, where there is one.
    #[must_use]
    pub const fn format(self) -> Option<Format> {
        match self {
            Self::Xlsx | Self::Xlsm | Self::Xlsb | Self::Xls | Self::Ods | Self::Encrypted => {
                Some(Format::Xlsx)
            }
            Self::Json => Some(Format::Json),
            Self::Text => Some(Format::Csv),
            _ => None,
        }
    }
}
impl FileKind {
    /// placeholder
    #[must_use]
    pub fn mismatch(self, _file: &str) -> Option<String> {
        None
    }
}
/// placeholder
#[must_use]
pub fn kind_of(first_bytes: &[u8]) -> FileKind {
    if first_bytes.starts_with(COMPOUND) {
        return FileKind::Xls;
    }
    if first_bytes.starts_with(b"PK") {
        return FileKind::Xlsx;
    }
    match first_bytes.trim_ascii_start().first() {
        Some(b'{' | b'[') => FileKind::Json,
        _ => FileKind::Text,
    }
}
/// placeholder
pub fn kind_of_file<R: Read + Seek>(input: &mut R) -> std::io::Result<FileKind> {
    let mut first = [0; 64];
    let count = input.read(&mut first)?;
    input.seek(SeekFrom::Start(0))?;
    Ok(kind_of(first.get(..count).unwrap_or_default()))
}
