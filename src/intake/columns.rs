//! A feed's columns, found in a file's header.

use crate::domain::{Place, Row, fold_header};
use crate::intake::{Feed, KeptColumns};
use crate::mapping::{Bound, ColumnProblem};
use crate::source::SourceError;

/// A feed's mapping bound to a file's header.
pub(super) struct Columns<'a> {
    pub(super) bound: Bound<'a>,
    /// The index of the column that tells workers apart, where that is not the externalId.
    pub(super) per: Option<usize>,
    /// The columns that somebody reads.
    pub(super) kept: KeptColumns,
    headers: Vec<String>,
}

impl<'a> Columns<'a> {
    /// Finds the columns.
    ///
    /// # Errors
    ///
    /// When a column is missing that is not optional, or a mapped one is there more than once.
    pub(super) fn bind(
        feed: &'a Feed,
        headers: &[String],
        place: &Place,
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
            let wanted = fold_header(column);
            let same = |header: &String| fold_header(header) == wanted;
            let mut found = (0..).zip(headers).filter(|(_, header)| same(header));
            match (found.next(), found.next()) {
                (None, _) if !missing.contains(column) => missing.push(column.clone()),
                (Some(_), Some(_)) if !repeated.contains(column) => repeated.push(column.clone()),
                (Some((at, _)), None) => per = Some(at),
                _ => {}
            }
        }
        match bound {
            Ok(bound) if missing.is_empty() && repeated.is_empty() => {
                let kept = KeptColumns::new(&feed.columns(), headers);
                Ok(Self { bound, per, kept, headers: headers.to_vec() })
            }
            _ if missing.is_empty() => Err(SourceError::refused(
                "source.repeated-columns",
                place.clone(),
                format!("the header names the mapped column {} more than once", names(&repeated)),
                "rename or leave out one of them in the export; blanks, case and width do not tell \
                 columns apart",
            )),
            _ => Err(SourceError::refused(
                "source.missing-columns",
                place.clone(),
                format!("the header has no column {}", names(&missing)),
                missing_hint(headers, &nearest),
            )),
        }
    }

    /// Where a column is in the file, from 0, by the name that the mapping has for it.
    pub(super) fn index(&self, column: &str) -> Option<usize> {
        let wanted = fold_header(column);
        self.headers.iter().position(|header| fold_header(header) == wanted)
    }

    /// What tells the row's worker apart; empty when the row does not say.
    pub(super) fn key<'r>(&self, row: &Row<'r>, external_id: &'r str) -> &'r str {
        match self.per {
            Some(column) => row.cell(column).trim(),
            None => external_id,
        }
    }
}

fn names(columns: &[String]) -> String {
    let quoted: Vec<String> = columns.iter().map(|column| format!("`{}`", short(column))).collect();
    quoted.join(", ")
}

/// Letters of a header that are shown.
const LETTERS_SHOWN: usize = 60;

fn short(header: &str) -> String {
    match header.char_indices().nth(LETTERS_SHOWN) {
        Some((end, _)) => format!("{}…", header.get(..end).unwrap_or_default()),
        None => header.to_owned(),
    }
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
