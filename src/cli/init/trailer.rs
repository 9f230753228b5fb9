//! A last line that says how many rows there should be: `TRL;0000024`.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use crate::cli::init::survey::Looked;
use crate::source::{Completeness, FormatConfig, Shape, SourceRow, TrailerConfig};

/// So much of the file's end is looked at.
const TAIL_BYTES: u64 = 4096;
/// A trailer has few fields.
const MOST_FIELDS: usize = 12;

/// The trailer of a text file, if reading the file with it proves that the file is whole.
pub fn find(looked: &Looked<'_>, config: &FormatConfig, rows: u64) -> Option<TrailerConfig> {
    let opened = looked.open(config, &[]).ok()?;
    let Shape::Csv(shape) = &opened.shape else { return None };
    let line = last_line(looked, shape.encoding())?;
    let delimiter = char::from(shape.delimiter());
    let fields: Vec<&str> =
        line.split(delimiter).map(|field| field.trim_matches(['"', ' '])).collect();
    let starts_with: String =
        fields.first()?.chars().take_while(|letter| letter.is_alphabetic()).collect();
    if starts_with.is_empty() || fields.len() > MOST_FIELDS {
        return None;
    }
    // the trailer itself may have been counted
    let counts = |field: &str| {
        let digits: String = field.chars().filter(char::is_ascii_digit).collect();
        digits.parse::<u64>().is_ok_and(|count| count > 0 && count.abs_diff(rows) <= 1)
    };
    let at = fields.iter().position(|field| counts(field))?;
    let count = u32::try_from(at + 1).ok();
    let trailer = TrailerConfig { starts_with, count, total: None };
    proves(looked, config, &trailer).then_some(trailer)
}

fn last_line(looked: &Looked<'_>, encoding: &str) -> Option<String> {
    let mut file = File::open(looked.path).ok()?;
    let length = file.metadata().ok()?.len();
    // an even place, for letters of two bytes
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES) & !1)).ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES + 1).read_to_end(&mut bytes).ok()?;
    let encoding = encoding_rs::Encoding::for_label(encoding.as_bytes())?;
    let (text, _) = encoding.decode_without_bom_handling(&bytes);
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

fn proves(looked: &Looked<'_>, config: &FormatConfig, trailer: &TrailerConfig) -> bool {
    let config = FormatConfig { trailer: Some(trailer.clone()), ..config.clone() };
    let read = || {
        let opened = looked.open(&config, &[]).ok()?;
        let mut table = looked.table(&opened, &config, &[]).ok()?;
        while let Some(SourceRow::Row(_) | SourceRow::Bad { .. }) = table.next_row().ok()? {}
        Some(table.completeness() == Completeness::Proven)
    };
    read().unwrap_or(false)
}
