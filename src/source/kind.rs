//! What a file is, by its bytes and never by its name.

use std::io::{Read, Seek, SeekFrom};

use memchr::memmem;

use crate::source::Format;
use crate::source::workbook::{Compound, MAGIC, Package, WorkbookLimits};

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

/// How many first bytes are enough for [`kind_of`]; more do no harm.
pub const KIND_BYTES: usize = 64 * 1024;

/// The first bytes of a ZIP archive with something in it, or with nothing.
const ARCHIVE: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];
const PDF: &[u8] = b"%PDF-";
const GZIP: &[u8] = &[0x1f, 0x8b];
/// What an ODS workbook says of itself in its first entry.
const ODS: &[u8] = b"application/vnd.oasis.opendocument.spreadsheet";
/// The workbook's own part in each kind of archive.
const XLSX: &str = "xl/workbook.xml";
const XLSB: &str = "xl/workbook.bin";
const MACROS: &str = "xl/vbaproject.bin";
const OFFICE_2003: [&[u8]; 2] =
    [b"<?mso-application", b"urn:schemas-microsoft-com:office:spreadsheet"];

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
            Self::Zip
            | Self::Compound
            | Self::Pdf
            | Self::Gzip
            | Self::Html
            | Self::SpreadsheetMl => None,
        }
    }

    /// What is wrong with the file's name, such as "named `.xlsx`, but it is CSV text"; `None` where
    /// the name fits, or says nothing.
    #[must_use]
    pub fn mismatch(self, file_name: &str) -> Option<String> {
        let (_, ending) = file_name.rsplit_once('.')?;
        let ending = ending.to_ascii_lowercase();
        let fits = match ending.as_str() {
            "xlsx" => matches!(self, Self::Xlsx | Self::Encrypted),
            "xlsm" => matches!(self, Self::Xlsx | Self::Xlsm | Self::Encrypted),
            "xlsb" => matches!(self, Self::Xlsb | Self::Encrypted),
            "xls" => self == Self::Xls,
            "ods" => self == Self::Ods,
            "csv" | "txt" | "tsv" | "tab" => self == Self::Text,
            "json" | "ndjson" | "jsonl" => self == Self::Json,
            "pdf" => self == Self::Pdf,
            "gz" => self == Self::Gzip,
            "htm" | "html" => self == Self::Html,
            "zip" => self == Self::Zip,
            _ => return None,
        };
        (!fits).then(|| format!("named `.{ending}`, but it is {}", self.words()))
    }
}

/// What a file is, as far as its first bytes tell (see [`KIND_BYTES`]). Of archives and compound
/// files, [`kind_of_file`] knows more.
#[must_use]
pub fn kind_of(first_bytes: &[u8]) -> FileKind {
    let has = |words: &[u8]| memmem::find(first_bytes, words).is_some();
    let has_wide = |words: &str| {
        let wide: Vec<u8> = words.encode_utf16().flat_map(u16::to_le_bytes).collect();
        has(&wide)
    };
    if ARCHIVE.iter().any(|magic| first_bytes.starts_with(magic)) {
        return match () {
            () if has(ODS) => FileKind::Ods,
            () if has(XLSB.as_bytes()) => FileKind::Xlsb,
            () if has(b"xl/vbaProject.bin") => FileKind::Xlsm,
            () if has(b"xl/") => FileKind::Xlsx,
            () => FileKind::Zip,
        };
    }
    if first_bytes.starts_with(MAGIC) {
        return match () {
            () if has_wide("EncryptedPackage") => FileKind::Encrypted,
            () if has_wide("Workbook") => FileKind::Xls,
            () => FileKind::Compound,
        };
    }
    if first_bytes.starts_with(PDF) {
        return FileKind::Pdf;
    }
    if first_bytes.starts_with(GZIP) {
        return FileKind::Gzip;
    }
    text_kind(first_bytes)
}

/// What a text is by how it begins, byte-order mark and blanks passed over.
fn text_kind(first_bytes: &[u8]) -> FileKind {
    // UTF-16 is text with every other byte 0; nothing looked for here is longer than a few letters
    let is_wide = first_bytes.starts_with(&[0xff, 0xfe]) || first_bytes.starts_with(&[0xfe, 0xff]);
    let letters = first_bytes.iter().copied().take(4 * 1024);
    let letters: Vec<u8> = letters.filter(|&byte| !(is_wide && byte == 0)).collect();
    let marks = [&[0xef, 0xbb, 0xbf][..], &[0xff, 0xfe], &[0xfe, 0xff]];
    let unmarked = marks.iter().find_map(|mark| letters.strip_prefix(*mark));
    let start = unmarked.unwrap_or(&letters).trim_ascii_start().to_ascii_lowercase();
    let has = |words: &[u8]| memmem::find(&start, words).is_some();
    if OFFICE_2003.iter().any(|words| start.starts_with(b"<") && has(words)) {
        return FileKind::SpreadsheetMl;
    }
    let is_markup = start.first() == Some(&b'<');
    if is_markup && [&b"<html"[..], b"<table", b"<!doctype html"].iter().any(|tag| has(tag)) {
        return FileKind::Html;
    }
    match start.first() {
        Some(b'{' | b'[') if begins_json(&start) => FileKind::Json,
        _ => FileKind::Text,
    }
}

/// Whether a bracket begins JSON. Column names stand in brackets, too: `[Worker ID],[Name]`.
fn begins_json(start: &[u8]) -> bool {
    let Some((bracket, rest)) = start.split_first() else { return false };
    match (bracket, rest.trim_ascii_start().first()) {
        (b'{', next) => matches!(next, None | Some(b'"' | b'}')),
        (_, next) => {
            matches!(next, None | Some(b'{' | b'[' | b'"' | b']' | b'-' | b'0'..=b'9'))
        }
    }
}

/// What a file is, by its first bytes and by what is inside archives and compound files. It reads
/// from the start and leaves the input there.
///
/// # Errors
///
/// When the file cannot be read. A broken archive is the kind that its first bytes tell.
pub fn kind_of_file<R: Read + Seek>(input: &mut R) -> std::io::Result<FileKind> {
    input.seek(SeekFrom::Start(0))?;
    let mut first = Vec::new();
    let most = u64::try_from(KIND_BYTES).unwrap_or(u64::MAX);
    input.by_ref().take(most).read_to_end(&mut first)?;
    let mut kind = kind_of(&first);
    if first.starts_with(MAGIC) {
        kind = compound_kind(&mut *input).unwrap_or(kind);
    } else if ARCHIVE.iter().any(|magic| first.starts_with(magic)) {
        kind = archive_kind(&mut *input).unwrap_or(kind);
    }
    input.seek(SeekFrom::Start(0))?;
    Ok(kind)
}

fn compound_kind<R: Read + Seek>(input: &mut R) -> Option<FileKind> {
    let compound = Compound::open(input).ok()?;
    let has = |name: &str| compound.streams().any(|it| it.eq_ignore_ascii_case(name));
    Some(match () {
        () if has("EncryptedPackage") => FileKind::Encrypted,
        () if has("Workbook") || has("Book") => FileKind::Xls,
        () => FileKind::Compound,
    })
}

fn archive_kind<R: Read + Seek>(input: &mut R) -> Option<FileKind> {
    let mut package = Package::open(input, &WorkbookLimits::default()).ok()?;
    let first = package.small_part("mimetype").ok()?;
    if first.and_then(|part| part.beginning(ODS.len()).ok()).is_some_and(|it| it == ODS) {
        return Some(FileKind::Ods);
    }
    Some(match () {
        () if package.has(XLSB) => FileKind::Xlsb,
        () if package.has(MACROS) => FileKind::Xlsm,
        () if package.has(XLSX) || package.has_folder("xl/") => FileKind::Xlsx,
        () => FileKind::Zip,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_told_apart_behind_blanks_and_marks() {
        for (bytes, kind) in [
            (&b"ID;Name"[..], FileKind::Text),
            (b"", FileKind::Text),
            (b"\xef\xbb\xbf \r\n<HTML><body>", FileKind::Html),
            (b"<!DOCTYPE html>", FileKind::Html),
            (b"\n<table border=1>", FileKind::Html),
            (b"<meta charset=utf-8><table>", FileKind::Html),
            (
                b"<?xml version=\"1.0\"?><?mso-application progid=\"Excel.Sheet\"?>",
                FileKind::SpreadsheetMl,
            ),
            (
                b"<Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\">",
                FileKind::SpreadsheetMl,
            ),
            (b"\xef\xbb\xbf [1]", FileKind::Json),
            (b"{\"a\": 1}", FileKind::Json),
            (b"\xff\xfe{\0\"\0", FileKind::Json),
            (b"\xff\xfeI\0D\0", FileKind::Text),
            (b"%PDF-1.7", FileKind::Pdf),
            (b"\x1f\x8b\x08", FileKind::Gzip),
            (b"PK\x03\x04rest", FileKind::Zip),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileKind::Compound),
        ] {
            assert_eq!(kind_of(bytes), kind, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_name_that_does_not_fit_is_told_exactly() {
        let told = |kind: FileKind, name: &str| kind.mismatch(name).unwrap_or_default();
        assert_eq!(told(FileKind::Text, "hr.xlsx"), "named `.xlsx`, but it is CSV text");
        assert_eq!(told(FileKind::Html, "HR.XLS"), "named `.xls`, but it is an HTML table");
        assert_eq!(told(FileKind::Xlsx, "hr.csv"), "named `.csv`, but it is an XLSX workbook");
        assert_eq!(told(FileKind::Encrypted, "hr.xlsx"), "");
        assert_eq!(told(FileKind::Text, "export"), "");
        assert_eq!(told(FileKind::Text, "hr.dat"), "");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            magic in proptest::sample::select(vec![&b""[..], b"PK\x03\x04", MAGIC, b"\xff\xfe"]),
            rest in proptest::collection::vec(any::<u8>(), 0..600),
        ) {
            let bytes = [magic, &rest].concat();
            let _ = kind_of(&bytes);
            kind_of_file(&mut std::io::Cursor::new(bytes)).unwrap();
        }
    }
}
