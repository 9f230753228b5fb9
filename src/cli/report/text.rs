//! Reports as text: CSV and JSON. Columns and members are only ever added, at the end.

use std::io::{Result, Write};

use serde_json::{Map, Value, json};

use crate::cli::json;
use crate::cli::report::Report;
use crate::domain::{Change, ExternalId};
use crate::intake::{beside, formula_safe};
use crate::store::{FaultyRow, Operation};

/// Our columns; those of the file follow.
const COLUMNS: [&str; 9] =
    ["row", "line", "externalId", "change", "status", "code", "reason", "advice", "column"];

/// A report as CSV, whose cells no spreadsheet runs.
pub(super) fn csv(
    output: impl Write + Send + 'static,
    columns: &[String],
) -> Result<Box<dyn Report>> {
    let mut csv = csv::Writer::from_writer(output);
    let theirs = beside(&COLUMNS, columns);
    let theirs = theirs.iter().map(|header| formula_safe(header).into_owned());
    csv.write_record(COLUMNS.map(String::from).into_iter().chain(theirs))?;
    Ok(Box::new(Csv { csv, columns: columns.len() }))
}

struct Csv<W: Write + Send> {
    csv: csv::Writer<W>,
    columns: usize,
}

impl<W: Write + Send> Report for Csv<W> {
    fn row(&mut self, operation: &Operation, faulty: Option<&FaultyRow>) -> Result<()> {
        let number = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
        let text = |text: Option<&str>| formula_safe(text.unwrap_or_default()).into_owned();
        let ours = [
            number(operation.row),
            number(operation.line),
            text(operation.external_id.as_ref().map(ExternalId::as_str)),
            text(operation.change.map(Change::as_str)),
            operation.status.to_string(),
            text(operation.code.as_deref()),
            text(operation.reason.as_deref()),
            text(operation.advice.as_deref()),
            text(faulty.and_then(|faulty| faulty.column.as_deref())),
        ];
        let cells = faulty.map_or(&[][..], |faulty| &faulty.cells);
        let cells = (0..self.columns).map(|at| text(cells.get(at).map(String::as_str)));
        self.csv.write_record(ours.into_iter().chain(cells))?;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.csv.flush()
    }
}

/// A report as one JSON array.
pub(super) fn json(
    mut output: impl Write + Send + 'static,
    columns: &[String],
) -> Result<Box<dyn Report>> {
    output.write_all(b"[")?;
    Ok(Box::new(Json { output, columns: beside(&[], columns), is_first: true }))
}

struct Json<W: Write + Send> {
    output: W,
    columns: Vec<String>,
    is_first: bool,
}

impl<W: Write + Send> Report for Json<W> {
    fn row(&mut self, operation: &Operation, faulty: Option<&FaultyRow>) -> Result<()> {
        self.output.write_all(if self.is_first { b"\n" } else { b",\n" })?;
        self.is_first = false;
        let mut document = json::operation(operation);
        if let Some(members) = document.as_object_mut() {
            let column = faulty.and_then(|faulty| faulty.column.as_deref());
            members.insert("column".to_owned(), json!(column));
            members.insert("cells".to_owned(), self.cells(faulty));
        }
        write!(self.output, "{document}")
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.output.write_all(b"\n]\n")?;
        self.output.flush()
    }
}

impl<W: Write + Send> Json<W> {
    /// The cells under their headers; null where none were kept.
    fn cells(&self, faulty: Option<&FaultyRow>) -> Value {
        let cells = faulty.map_or(&[][..], |faulty| &faulty.cells);
        if cells.is_empty() {
            return Value::Null;
        }
        let members = self.columns.iter().cloned().zip(cells.iter().map(|cell| json!(cell)));
        Value::Object(members.collect::<Map<_, _>>())
    }
}
