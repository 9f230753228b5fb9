//! `rejects.csv`: what goes back to HR, one line a rejected row.

use std::borrow::Cow;
use std::io::Write;

use crate::domain::fold_header;
use crate::intake::RejectedRow;

/// Our columns; those of the file follow.
const COLUMNS: [&str; 7] = ["row", "line", "externalId", "code", "reason", "advice", "column"];

/// Before a header of the file that is also one of ours.
const PREFIX: &str = "file: ";

/// Writes rejected rows as CSV that a spreadsheet opens without running anything in it.
pub struct RejectsWriter<W: Write> {
    csv: csv::Writer<W>,
    columns: usize,
}

impl<W: Write> RejectsWriter<W> {
    /// Begins with the header; `columns` are the mapped headers of the file, in its order.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub fn new(output: W, columns: &[String]) -> std::io::Result<Self> {
        let mut csv = csv::Writer::from_writer(output);
        let theirs = beside(&COLUMNS, columns);
        let theirs = theirs.iter().map(|header| formula_safe(header));
        csv.write_record(COLUMNS.map(Cow::Borrowed).into_iter().chain(theirs).map(bytes))?;
        Ok(Self { csv, columns: columns.len() })
    }

    /// Writes one rejected row.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub fn write(&mut self, rejected: &RejectedRow<'_>) -> std::io::Result<()> {
        let RejectedRow { row, line, external_id, problem, cells } = rejected;
        let ours = [
            Cow::Owned(row.to_string()),
            Cow::Owned(line.map(|line| line.to_string()).unwrap_or_default()),
            formula_safe(external_id.unwrap_or_default()),
            Cow::Borrowed(problem.code),
            formula_safe(&problem.message),
            formula_safe(problem.hint.as_deref().unwrap_or_default()),
            formula_safe(problem.column.as_deref().unwrap_or_default()),
        ];
        let cells = cells.iter().chain(std::iter::repeat("")).take(self.columns);
        self.csv.write_record(ours.into_iter().chain(cells.map(formula_safe)).map(bytes))?;
        Ok(())
    }

    /// Writes out what is buffered.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub fn finish(mut self) -> std::io::Result<()> {
        self.csv.flush()
    }
}

fn bytes(text: Cow<'_, str>) -> Vec<u8> {
    text.into_owned().into_bytes()
}

/// Headers that stand beside others in one table: one that is there already, but for letter case,
/// blanks and the like, gets `file: ` in front, so that each column has a name of its own.
#[must_use]
pub fn beside(ours: &[&str], headers: &[String]) -> Vec<String> {
    let mut taken: std::collections::BTreeSet<String> =
        ours.iter().map(|name| fold_header(name).into_owned()).collect();
    let mut named = Vec::with_capacity(headers.len());
    for header in headers {
        let mut name = header.clone();
        while !taken.insert(fold_header(&name).into_owned()) {
            name.insert_str(0, PREFIX);
        }
        named.push(name);
    }
    named
}

/// The text, kept from being read as a formula: a spreadsheet runs cells that begin with `=`, `+`,
/// `-`, `@`, a tab or a carriage return, so those get an apostrophe in front.
#[must_use]
pub fn formula_safe(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ColumnKind, ColumnUse, RecordProblem, Row};
    use crate::intake::{KeptColumns, RowCells};

    #[test]
    fn a_cell_that_begins_like_a_formula_is_made_harmless() {
        assert_eq!(formula_safe("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(formula_safe("E1001"), "E1001");
    }

    #[test]
    fn a_header_that_is_one_of_ours_gets_a_prefix() {
        let headers = ["WorkerID", "Status", "file: status", "status"].map(String::from);
        assert_eq!(
            beside(&["row", "status"], &headers),
            ["WorkerID", "file: Status", "file: file: status", "file: file: file: status"]
        );
    }

    #[test]
    fn the_cells_follow_under_their_headers_and_are_made_harmless_too() {
        let problem = RecordProblem {
            code: "mapping.unknown-word",
            attribute: None,
            column: Some("Status".to_owned()),
            message: "why".to_owned(),
            hint: None,
        };
        let used = ["Line", "Status"].map(|name| ColumnUse {
            name: name.to_owned(),
            optional: false,
            kind: ColumnKind::Text,
        });
        let kept = KeptColumns::new(&used, &["Line", "Status"]);
        let mut out = Vec::new();
        let mut writer = RejectsWriter::new(&mut out, kept.headers()).unwrap();
        let row = Row::new("=1+1Gone", &[4, 8], 2, Some(2));
        for cells in [kept.of(row), RowCells::none()] {
            let external_id = Some("E1");
            let rejected =
                RejectedRow { row: 2, line: Some(2), external_id, problem: &problem, cells };
            writer.write(&rejected).unwrap();
        }
        writer.finish().unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "row,line,externalId,code,reason,advice,column,file: Line,Status\n\
             2,2,E1,mapping.unknown-word,why,,Status,'=1+1,Gone\n\
             2,2,E1,mapping.unknown-word,why,,Status,,\n"
        );
    }
}
