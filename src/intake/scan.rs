//! The first pass: is the file whole, what are its columns, which of its rows count?

use crate::domain::{Place, fold_header};
use crate::intake::file::Proof;
use crate::intake::{Feed, KeptColumns, SourceFile};
use crate::mapping::{Bound, ColumnProblem, Scratch};
use crate::source::{
    CsvReader, RowIndex, RowIndexBuilder, SourceError, SourceRow, too_many_ragged,
};

/// Ragged rows named in the message that refuses a file for them.
const RAGGED_NAMED: usize = 5;

/// What the first pass learnt.
#[derive(Debug)]
pub struct Scan {
    /// SHA-256 of the file.
    pub digest: [u8; 32],
    /// What the second pass has to read.
    pub(super) proof: Proof,
    /// The headers of the mapped columns in file order, spelled as in the file.
    pub columns: Vec<String>,
    /// Data rows, ragged ones too.
    pub rows: u64,
    /// Which rows count.
    pub index: RowIndex,
}

/// Reads a file once, from beginning to end, and refuses it when it cannot be trusted.
///
/// # Errors
///
/// When the file is refused: encoding, structure, ceilings, missing columns, no rows, too many
/// ragged rows.
pub fn scan(file: &mut SourceFile, feed: &Feed) -> Result<Scan, SourceError> {
    file.begin(true)?;
    pass(file, feed)
}

/// The same for whoever has no use for the digest, which is zero then.
pub(super) fn scan_undigested(file: &mut SourceFile, feed: &Feed) -> Result<Scan, SourceError> {
    file.begin(false)?;
    pass(file, feed)
}

fn pass(file: &mut SourceFile, feed: &Feed) -> Result<Scan, SourceError> {
    let name = file.name().to_owned();
    let mut reader =
        CsvReader::open(&mut *file, &feed.format.csv, &feed.columns(), feed.limits, &name)?;
    let columns = Columns::bind(feed, reader.headers(), &name)?;
    let kept = KeptColumns::new(&feed.columns(), reader.headers());
    let mut index = RowIndexBuilder::new(feed.rows.pick, columns.per.is_some());
    let mut scratch = Scratch::default();
    let mut ragged: Vec<u64> = Vec::new();
    let mut ragged_rows = 0;
    while let Some(row) = reader.next_row()? {
        match row {
            SourceRow::Bad { row, line, is_ragged, .. } => {
                ragged_rows += u64::from(is_ragged);
                if is_ragged && ragged.len() < RAGGED_NAMED {
                    ragged.push(line.unwrap_or(row));
                }
            }
            SourceRow::Row(row) => {
                // a row without a readable id is rejected in the second pass
                let Ok(id) = columns.bound.external_id(&row, &mut scratch) else {
                    continue;
                };
                let key = columns.key(&row, id);
                if !key.is_empty() {
                    index.push(key, id, row.row, row.line.unwrap_or(row.row));
                }
            }
        }
    }
    let rows = reader.rows();
    drop(reader);
    if rows == 0 {
        return Err(SourceError::refused(
            "source.no-rows",
            Place::file(&name),
            "the file has a header and no rows",
            "export it again; a file without people never changes anybody",
        ));
    }
    if too_many_ragged(ragged_rows, rows) {
        let lines: Vec<String> = ragged.iter().map(ToString::to_string).collect();
        return Err(SourceError::refused(
            "source.too-many-ragged-rows",
            Place::file(&name),
            format!(
                "{ragged_rows} of {rows} rows have more or fewer fields than the header, \
                 the first on lines {}",
                lines.join(", ")
            ),
            "check the delimiter and the quotes of the export",
        ));
    }
    let (digest, proof, index) = (file.digest()?, file.proof()?, index.finish());
    Ok(Scan { digest, proof, columns: kept.headers().to_vec(), rows, index })
}

/// A feed's mapping bound to a file's header.
pub(super) struct Columns<'a> {
    pub(super) bound: Bound<'a>,
    /// The index of the column that tells workers apart, where that is not the externalId.
    pub(super) per: Option<usize>,
}

impl<'a> Columns<'a> {
    pub(super) fn bind(
        feed: &'a Feed,
        headers: &[String],
        file: &str,
    ) -> Result<Self, SourceError> {
        let bound = feed.mapping.bind(headers);
        let mut missing = Vec::new();
        let mut repeated = Vec::new();
        let mut nearest = Vec::new();
        for problem in bound.as_ref().err().into_iter().flatten() {
            let column = problem.column().to_owned();
            match problem {
                ColumnProblem::Missing { nearest: near, .. } => {
                    nearest.extend(near.as_ref().map(|near| format!("`{near}` for `{column}`")));
                    missing.push(column);
                }
                ColumnProblem::Repeated { .. } => repeated.push(column),
            }
        }
        let mut per = None;
        if let Some(column) = &feed.rows.per {
            let mut found =
                (0..).zip(headers).filter(|(_, header)| fold_header(header) == fold_header(column));
            match (found.next(), found.next()) {
                (None, _) if !missing.contains(column) => missing.push(column.clone()),
                (Some(_), Some(_)) if !repeated.contains(column) => repeated.push(column.clone()),
                (Some((at, _)), None) => per = Some(at),
                _ => {}
            }
        }
        match bound {
            Ok(bound) if missing.is_empty() && repeated.is_empty() => Ok(Self { bound, per }),
            _ if missing.is_empty() => Err(SourceError::refused(
                "source.repeated-columns",
                Place::file(file),
                format!("the header names the mapped column {} more than once", names(&repeated)),
                "rename or leave out one of them in the export",
            )),
            _ => Err(SourceError::refused(
                "source.missing-columns",
                Place::file(file),
                format!("the header has no column {}", names(&missing)),
                missing_hint(headers, &nearest),
            )),
        }
    }

    /// What tells the row's worker apart; empty when the row does not say.
    pub(super) fn key<'r>(&self, row: &crate::domain::Row<'r>, external_id: &'r str) -> &'r str {
        match self.per {
            Some(column) => row.cell(column).trim(),
            None => external_id,
        }
    }
}

fn names(columns: &[String]) -> String {
    let quoted: Vec<String> = columns.iter().map(|column| format!("`{column}`")).collect();
    quoted.join(", ")
}

/// Headers named in a hint.
const HEADERS_NAMED: usize = 40;

fn missing_hint(headers: &[String], nearest: &[String]) -> String {
    let named: Vec<String> = headers.iter().take(HEADERS_NAMED).cloned().collect();
    let more = if headers.len() > named.len() { ", …" } else { "" };
    let meant = match nearest {
        [] => String::new(),
        _ => format!("did you mean {}? ", nearest.join(", ")),
    };
    format!(
        "{meant}the file has {}{more}; correct the names in the mapping, or set `optional = true` \
         for a column that may be missing",
        names(&named)
    )
}
