//! Files that are no text with delimiters, told by how they begin.

use crate::domain::Place;
use crate::source::SourceError;

/// Beginnings of files that are no CSV, whatever their name says.
const FOREIGN_KINDS: [(&[u8], &str); 9] = [
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook"),
    (&[0xD0, 0xCF, 0x11, 0xE0], "an old Excel workbook or an encrypted one"),
    (b"%PDF-", "a PDF document"),
    (&[0x1F, 0x8B], "a gzip archive"),
    (b"{\\rtf", "an RTF document"),
    (b"<!doctype", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<table", "an HTML page"),
    (b"<?xml", "an XML document"),
];

/// Refuses a file that begins like no text with delimiters; `sample` is its beginning.
pub(super) fn refuse_other_kinds(sample: &[u8], file: &str) -> Result<(), SourceError> {
    if sample.is_empty() {
        return Err(SourceError::refused(
            "source.empty-file",
            Place::file(file),
            "the file is empty",
            "export it again",
        ));
    }
    let utf_32: [&[u8]; 2] = [&[0xFF, 0xFE, 0x00, 0x00], &[0x00, 0x00, 0xFE, 0xFF]];
    if utf_32.iter().any(|mark| sample.starts_with(mark)) {
        return Err(SourceError::refused(
            "source.encoding",
            Place::file(file),
            "the file is UTF-32 by its byte-order mark",
            "export it as UTF-8",
        ));
    }
    let text = sample.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(sample).trim_ascii_start();
    for (mark, name) in FOREIGN_KINDS {
        let start = text.get(..mark.len()).unwrap_or_default();
        if sample.starts_with(mark) || start.eq_ignore_ascii_case(mark) {
            return Err(SourceError::refused(
                "source.not-csv",
                Place::file(file),
                format!("the file is {name}, not CSV"),
                "export the file as CSV",
            ));
        }
    }
    Ok(())
}
