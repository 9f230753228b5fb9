//! A look at a file that nobody has described yet: what it is, and what stands in its columns.

use std::fs::File;
use std::path::Path;

use crate::bridge::BridgeError;
use crate::cli::context::{Failed, failed};
use crate::cli::words::{plural, thousands};
use crate::domain::Place;
use crate::mapping::{TableSample, known_headers};
use crate::source::{CsvConfig, CsvReader, Limits, SourceError, SourceRow};

/// Most rows looked at; a column shows what it is long before that.
const MOST_ROWS: u64 = 200_000;
/// How far down a header is looked for.
const DEEPEST_HEADER: u32 = 15;
/// So many known names make a header.
const SURE_HEADER: usize = 3;

/// What a file is.
pub struct Survey {
    /// Its name, without folders.
    pub name: String,
    /// `csv`, `xlsx` or `json`.
    pub format: &'static str,
    /// What was found about it, for people.
    pub found: Vec<String>,
    /// Lines of `[source.hr]` that differ from what is found by itself.
    pub settings: Vec<String>,
    /// Its columns.
    pub table: TableSample,
}

impl Survey {
    /// Reads the file once to find its header and once to see its columns.
    pub fn take(file: &Path) -> Result<Self, Failed> {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        take(file, &name).map_err(|error| {
            failed(BridgeError::Refused(Box::new(error.problem(Place::file(&name)))))
        })
    }
}

fn take(file: &Path, name: &str) -> Result<Survey, SourceError> {
    let header_row = find_header(file, name)?;
    let mut reader = open(file, name, header_row)?;
    let mut table = TableSample::new(reader.headers());
    let mut bad = 0_u64;
    while table.rows() < MOST_ROWS {
        match reader.next_row()? {
            Some(SourceRow::Row(row)) => table.add(&row),
            Some(SourceRow::Bad { .. }) => bad += 1,
            None => break,
        }
    }
    let rows = table.rows();
    let mut found = vec![format!(
        "{name}: CSV, {} row{}, {} columns",
        thousands(rows),
        plural(rows),
        table.columns().len()
    )];
    if bad > 0 {
        found.push(format!("{} row{} could not be read", thousands(bad), plural(bad)));
    }
    Ok(Survey { name: name.to_owned(), format: "csv", found, settings: Vec::new(), table })
}

fn open(file: &Path, name: &str, header_row: Option<u32>) -> Result<CsvReader<File>, SourceError> {
    let config = CsvConfig { header_row, ..CsvConfig::default() };
    CsvReader::open(File::open(file)?, &config, &[], Limits::default(), name)
}

/// The row with the most names that are known, where the first is no header.
fn find_header(file: &Path, name: &str) -> Result<Option<u32>, SourceError> {
    let known = known_headers(open(file, name, None)?.headers());
    let mut best = (known, None);
    if known < SURE_HEADER {
        for row in 2..=DEEPEST_HEADER {
            let Ok(reader) = open(file, name, Some(row)) else { continue };
            let known = known_headers(reader.headers());
            if known > best.0 {
                best = (known, Some(row));
            }
        }
    }
    Ok(best.1)
}
