//! Which row of which sheet holds the headers: the first with the most names that are known.

use std::io::{Cursor, Read};

use crate::cli::init::survey::{Looked, with_header};
use crate::mapping::known_headers;
use crate::source::{
    CsvReader, CsvShape, Format, FormatConfig, Limits, Shape, SheetChoice, SourceError,
};

/// How far down a header is looked for.
const DEEPEST: u32 = 15;
/// How many sheets are looked at.
const SHEETS: u32 = 12;
/// So many known names are a header, without a look at the rows below.
const SURE: usize = 4;
/// So much of a text file is looked at.
const SAMPLE_BYTES: u64 = 256 * 1024;

/// Writes into the config where the headers stand.
pub fn find(looked: &Looked<'_>, config: &mut FormatConfig) -> Result<(), SourceError> {
    match config.format {
        Some(Format::Csv) => in_text(looked, config),
        Some(Format::Xlsx) => in_workbook(looked, config),
        Some(Format::Json) | None => Ok(()),
    }
}

fn in_text(looked: &Looked<'_>, config: &mut FormatConfig) -> Result<(), SourceError> {
    let opened = looked.open(config, &[])?;
    let Shape::Csv(shape) = &opened.shape else { return Ok(()) };
    let mut sample = Vec::new();
    std::fs::File::open(looked.path)?.take(SAMPLE_BYTES).read_to_end(&mut sample)?;
    // what is read of the beginning must not be taken for something else than the whole
    let mut plain = config.clone();
    plain.csv.encoding = Some(shape.encoding().to_owned());
    let mut best = (0, 1);
    for row in 1..=DEEPEST {
        let config = with_header(&plain, row);
        let Ok(headers) = headers_of(&sample, &config, looked.name) else { continue };
        let known = known_headers(&headers);
        if known > best.0 {
            best = (known, row);
        }
        if is_header(known, &headers) {
            break;
        }
    }
    config.csv.header_row = Some(best.1);
    Ok(())
}

fn headers_of(
    sample: &[u8],
    config: &FormatConfig,
    name: &str,
) -> Result<Vec<String>, SourceError> {
    let limits = Limits::default();
    let shape = CsvShape::find(&mut Cursor::new(sample), config, &[], limits, name)?;
    let reader = CsvReader::open(Cursor::new(sample), &shape, &[], limits, name)?;
    Ok(reader.headers().to_vec())
}

fn in_workbook(looked: &Looked<'_>, config: &mut FormatConfig) -> Result<(), SourceError> {
    let mut best: Option<(usize, u32, u32)> = None;
    let mut first_error = None;
    'sheets: for sheet in 1..=SHEETS {
        for row in 1..=DEEPEST {
            let mut tried = config.clone();
            tried.xlsx.sheet = SheetChoice::Number(sheet);
            tried.xlsx.header_row = Some(row);
            let headers = match looked.headers(&tried) {
                Ok(headers) => headers,
                Err(SourceError::Refused(problem)) if problem.code == "source.no-such-sheet" => {
                    break 'sheets;
                }
                // the row is empty, or nothing stands below it
                Err(error) => {
                    first_error.get_or_insert(error);
                    continue;
                }
            };
            let known = known_headers(&headers);
            if best.is_none_or(|(most, _, _)| known > most) {
                best = Some((known, sheet, row));
            }
            if is_header(known, &headers) {
                break 'sheets;
            }
        }
    }
    match (best, first_error) {
        (Some((_, sheet, row)), _) => {
            config.xlsx.sheet = SheetChoice::Number(sheet);
            config.xlsx.header_row = Some(row);
            Ok(())
        }
        (None, Some(error)) => Err(error),
        (None, None) => Ok(()),
    }
}

/// Whether nobody could take this for anything but headers.
fn is_header(known: usize, headers: &[String]) -> bool {
    let named = headers.iter().filter(|header| !header.trim().is_empty()).count();
    known >= SURE && known * 2 >= named
}
