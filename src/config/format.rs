//! `format`, `csv`, `xlsx` and `json` of a source: how its files are read.

use std::path::Path;

use encoding_rs::Encoding;

use crate::config::node::Value;
use crate::config::secrets::{self, SecretRef};
use crate::config::section::{Field, Section};
use crate::config::suggest::{did_you_mean, nearest};
use crate::source::{
    CsvConfig, Delimiter, Format, FormatConfig, JsonConfig, Merged, Quote, SheetChoice,
    TrailerConfig, WorkbookConfig,
};

pub(super) const CSV_KEYS: &[&str] = &["delimiter", "encoding", "header_row", "quote"];
pub(super) const XLSX_KEYS: &[&str] = &["sheet", "header_row", "merged", "password"];
pub(super) const JSON_KEYS: &[&str] = &["records"];
/// What is worth suggesting of the many labels that encodings have.
const USUAL_ENCODINGS: [&str; 17] = [
    "auto",
    "utf-8",
    "utf-16le",
    "utf-16be",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "windows-1257",
    "iso-8859-1",
    "iso-8859-2",
    "iso-8859-15",
    "macintosh",
    "shift_jis",
    "gb18030",
    "big5",
];

/// Reads everything about files but their trailer, which is handed in; the password of workbooks beside it, because only the edge may
/// know of secrets.
pub(super) fn read(
    section: &Section<'_>,
    folder: &Path,
    trailer: Option<TrailerConfig>,
) -> (FormatConfig, Option<SecretRef>) {
    let formats = [("csv", Format::Csv), ("xlsx", Format::Xlsx), ("json", Format::Json)];
    let format = section.get("format").and_then(|field| field.word(&formats));
    let (xlsx, password) =
        section.get("xlsx").and_then(|field| xlsx(&field, folder)).unwrap_or_default();
    let config = FormatConfig {
        format,
        csv: section.get("csv").and_then(|field| csv(&field)).unwrap_or_default(),
        xlsx,
        json: section.get("json").and_then(|field| json(&field)).unwrap_or_default(),
        trailer,
    };
    (config, password)
}

fn csv(field: &Field<'_>) -> Option<CsvConfig> {
    let section = field.part()?;
    section.check_keys(CSV_KEYS);
    let delimiter = section.get("delimiter").and_then(|field| delimiter(&field));
    let quote = section.get("quote").and_then(|field| quote(&field));
    if let (Some(Delimiter::Byte(delimiter)), Some(Quote::Byte(quote))) = (delimiter, quote)
        && delimiter == quote
    {
        section.refuse("`quote` and `delimiter` are the same character".to_owned(), None);
    }
    Some(CsvConfig {
        delimiter: delimiter.unwrap_or_default(),
        quote: quote.unwrap_or_default(),
        encoding: section.get("encoding").and_then(|field| encoding(&field)),
        header_row: section.get("header_row").and_then(|field| field.positive()),
    })
}

fn delimiter(field: &Field<'_>) -> Option<Delimiter> {
    // Not `text`: a tab or a blank is a delimiter, not nothing.
    match field.any_text()?.as_bytes() {
        b"auto" => Some(Delimiter::Auto),
        [byte] if *byte != b'"' && (*byte == b'\t' || (b' '..=b'~').contains(byte)) => {
            Some(Delimiter::Byte(*byte))
        }
        _ => {
            let message = "`delimiter` has to be `auto` or one ASCII character other than a quote";
            let hint = "a tab is written \"\\t\", in double quotes".to_owned();
            field.refuse(message.to_owned(), Some(hint));
            None
        }
    }
}

fn quote(field: &Field<'_>) -> Option<Quote> {
    match field.text()?.as_bytes() {
        b"auto" => Some(Quote::Auto),
        b"none" => Some(Quote::None),
        [byte] if byte.is_ascii_punctuation() => Some(Quote::Byte(*byte)),
        _ => {
            let message = "`quote` has to be `auto`, `none` or one ASCII punctuation mark";
            let hint = "a double quote is written '\"', in single quotes".to_owned();
            field.refuse(message.to_owned(), Some(hint));
            None
        }
    }
}

/// A label of the WHATWG Encoding Standard; the ones that stand for encodings too dangerous to read
/// are no labels here.
fn encoding(field: &Field<'_>) -> Option<String> {
    let label = field.text()?;
    if label == "auto" {
        return None;
    }
    if Encoding::for_label_no_replacement(label.as_bytes()).is_some() {
        return Some(label.to_owned());
    }
    let hint = match nearest(label, USUAL_ENCODINGS) {
        Some(suggestion) => did_you_mean(suggestion),
        None => "write it like `utf-8`, `utf-16le` or `windows-1252`, or `auto`".to_owned(),
    };
    field.refuse("`encoding` is no encoding that is known here".to_owned(), Some(hint));
    None
}

fn xlsx(field: &Field<'_>, folder: &Path) -> Option<(WorkbookConfig, Option<SecretRef>)> {
    let section = field.part()?;
    section.check_keys(XLSX_KEYS);
    let merged = [("reject", Merged::Reject), ("spread", Merged::Spread), ("empty", Merged::Empty)];
    let config = WorkbookConfig {
        sheet: section.get("sheet").and_then(|field| sheet(&field)).unwrap_or_default(),
        header_row: section.get("header_row").and_then(|field| field.positive()),
        merged: section.get("merged").and_then(|field| field.word(&merged)).unwrap_or_default(),
    };
    let password = section.get("password").and_then(|field| secrets::read(&field, folder));
    Some((config, password))
}

/// A name in quotes or a number; a sheet called `2026` is written in quotes.
fn sheet(field: &Field<'_>) -> Option<SheetChoice> {
    match &field.node.value {
        Value::Integer(_) => field.positive().map(SheetChoice::Number),
        Value::Text(_) => field.text().map(|name| SheetChoice::Name(name.to_owned())),
        Value::Boolean(_) | Value::Array(_) | Value::Table(_) | Value::Other(_) => {
            field.wrong_type("a sheet's name in quotes or its number");
            None
        }
    }
}

fn json(field: &Field<'_>) -> Option<JsonConfig> {
    let section = field.part()?;
    section.check_keys(JSON_KEYS);
    let records = section.get("records").and_then(|field| pointer(&field));
    Some(JsonConfig { records, ..JsonConfig::default() })
}

/// A JSON Pointer (RFC 6901); the empty one means the document itself.
pub(super) fn pointer(field: &Field<'_>) -> Option<String> {
    let text = field.any_text()?;
    if !text.is_empty() && !text.starts_with('/') {
        let message = format!("`{}` is no JSON Pointer: it has to begin with `/`", field.key);
        field.refuse(message, Some("write it like `/data/workers`".to_owned()));
        return None;
    }
    if text.split('~').skip(1).any(|rest| !rest.starts_with(['0', '1'])) {
        let message = format!("`{}` is no JSON Pointer: `~` stands before `0` or `1`", field.key);
        let hint = "in a member's name, `~` is written `~0` and `/` is written `~1`".to_owned();
        field.refuse(message, Some(hint));
        return None;
    }
    Some(text.to_owned())
}
