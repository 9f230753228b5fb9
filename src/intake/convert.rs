//! Offline: a file to bulk request bodies, without a store or a network.

use std::ops::ControlFlow;

use jiff::Timestamp;

use crate::domain::RecordProblem;
use crate::intake::scan::scan_undigested;
use crate::intake::{Feed, RowCells, RowResult, SourceFile, Verdict, read_rows};
use crate::scim::{BulkWriter, Validator};
use crate::source::{Finding, SourceError};

/// Where converted requests and rejected rows go.
pub trait RequestSink {
    /// Is told, before anything else, the headers of the mapped columns in file order, and what was
    /// found out about the file.
    ///
    /// # Errors
    ///
    /// When something of it cannot be written.
    fn begin(&mut self, _columns: &[String], _findings: &[Finding]) -> std::io::Result<()> {
        Ok(())
    }

    /// Takes a finished bulk request, numbered from 1.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    fn request(&mut self, number: u64, body: &[u8]) -> std::io::Result<()>;

    /// Is told of a row that is written with a warning.
    fn warned(&mut self, _row: u64, _line: Option<u64>, _code: &str, _message: &str) {}

    /// Takes a rejected row.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    fn rejected(&mut self, row: &RejectedRow<'_>) -> std::io::Result<()>;
}

/// A row that goes back to whoever exported it.
#[derive(Debug, Clone, Copy)]
pub struct RejectedRow<'a> {
    /// The record's number, the header being 1.
    pub row: u64,
    /// The physical line.
    pub line: Option<u64>,
    /// The worker, where the id could be read.
    pub external_id: Option<&'a str>,
    /// Why.
    pub problem: &'a RecordProblem,
    /// Its mapped cells, in the order of the columns that the sink was told.
    pub cells: RowCells<'a>,
}

/// How closely the resources are checked.
pub enum Strictness<'a> {
    /// By the direct checks of the mapping.
    Direct,
    /// By the JSON Schemas as well.
    Schemas(&'a Validator),
}

/// What a conversion came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Converted {
    /// Data rows read.
    pub rows: u64,
    /// Users written.
    pub users: u64,
    /// Users written with a warning, such as: without a manager, because it was their own id.
    pub warned: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// Rows that the scoping filter left out, or that apply from a later day on.
    pub out_of_scope: u64,
    /// Rows that gave way to another row of the same worker.
    pub superseded: u64,
    /// Bulk requests written.
    pub requests: u64,
}

/// Why a conversion stopped.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// The file was refused; when this comes from the first pass, nothing was written.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The output could not be written.
    #[error("the output cannot be written")]
    Write(#[source] std::io::Error),
}

/// Converts a file; `now` is the instant as of which its rows count, `max_operations` the most users in
/// one request.
///
/// # Errors
///
/// When the file is refused or the output cannot be written.
pub fn convert(
    file: &mut SourceFile,
    feed: &Feed,
    now: Timestamp,
    max_operations: usize,
    strictness: &Strictness<'_>,
    sink: &mut dyn RequestSink,
) -> Result<Converted, ConvertError> {
    let scan = scan_undigested(file, feed, now)?;
    let mut done = Converted { rows: scan.rows, ..Converted::default() };
    let mut bulk = BulkWriter::new(max_operations);
    bulk.begin();
    let mut failed = None;
    sink.begin(&scan.columns, &scan.findings).map_err(ConvertError::Write)?;
    read_rows(file, feed, &scan, None, |result| {
        let RowResult { row, line, cells, verdict } = result;
        let written = match verdict {
            Verdict::Superseded { .. } => {
                done.superseded += 1;
                Ok(())
            }
            // nothing is known to a conversion, and what applies later is not sent now
            Verdict::OutOfScope | Verdict::Known => {
                done.out_of_scope += 1;
                Ok(())
            }
            Verdict::Mapped { applies_from: Some(_), instead, .. } => {
                *if instead.is_some() { &mut done.superseded } else { &mut done.out_of_scope } += 1;
                Ok(())
            }
            Verdict::Rejected { external_id, problem, .. } => {
                done.rejected += 1;
                sink.rejected(&RejectedRow { row, line, external_id, problem: &problem, cells })
            }
            Verdict::Mapped { user, resource, warning, .. } => {
                if let Some(problem) = strictness.check(resource) {
                    done.rejected += 1;
                    let external_id = Some(user.external_id);
                    sink.rejected(&RejectedRow { row, line, external_id, problem: &problem, cells })
                } else {
                    done.users += 1;
                    done.warned += u64::from(warning.is_some() || !user.warnings.is_empty());
                    if let Some(problem) = &warning {
                        sink.warned(row, line, problem.code, &problem.message);
                    }
                    for warning in user.warnings {
                        sink.warned(row, line, warning.code, &warning.message);
                    }
                    // never full here: a full request is flushed at once
                    let _ = bulk.push(user.external_id, resource);
                    if bulk.is_full() { flush(&mut bulk, &mut done, sink) } else { Ok(()) }
                }
            }
        };
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    if let Some(error) = failed {
        return Err(ConvertError::Write(error));
    }
    if !bulk.is_empty() {
        flush(&mut bulk, &mut done, sink).map_err(ConvertError::Write)?;
    }
    Ok(done)
}

fn flush(
    bulk: &mut BulkWriter,
    done: &mut Converted,
    sink: &mut dyn RequestSink,
) -> std::io::Result<()> {
    done.requests += 1;
    let written = sink.request(done.requests, bulk.finish());
    bulk.begin();
    written
}

impl Strictness<'_> {
    fn check(&self, resource: &[u8]) -> Option<RecordProblem> {
        let Self::Schemas(validator) = self else {
            return None;
        };
        let faults = validator.check_user(resource);
        (!faults.is_empty()).then(|| RecordProblem {
            code: "scim.schema",
            attribute: None,
            column: None,
            message: faults.join("; "),
            hint: Some(
                "correct the mapping so that the resource fits `schemas/user.json`".to_owned(),
            ),
        })
    }
}
