//! `report`: a line for every row that is not unchanged, to hand back to HR.

use std::io::{BufWriter, IsTerminal, Write};

use crate::bridge::Bridge;
use crate::cli::args::{ReportArgs, ReportFormat};
use crate::cli::context::{Context, Failed, failed};
use crate::cli::exit::Exit;
use crate::cli::files::create_private;
use crate::cli::status::find;
use crate::cli::terminal::{remark, tell};
use crate::domain::OperationStatus;
use crate::store::{FaultyRow, Operation, Run, StoreError};

mod text;
mod workbook;

/// Operations read from the store at a time; each may have 64 KiB of cells.
const PAGE: usize = 250;

/// A report in one of its formats.
trait Report: Send {
    /// Takes the next operation or rejected row, in the order of the file.
    fn row(&mut self, operation: &Operation, faulty: Option<&FaultyRow>) -> std::io::Result<()>;

    /// Writes out what is left.
    fn finish(self: Box<Self>) -> std::io::Result<()>;
}

/// Writes a report.
pub async fn run(context: &Context, args: ReportArgs) -> Result<Exit, Failed> {
    if args.format == ReportFormat::Xlsx && args.output.is_none() && std::io::stdout().is_terminal()
    {
        tell(
            "error: a workbook is no text for a terminal\nhint: name a file with `-o report.xlsx`",
        );
        return Err(Failed(Exit::Usage));
    }
    let bridge = context.bridge_read_only()?;
    let run = find(&bridge, &args.run).await?;
    if let Some(problem) = &run.problem {
        tell(format!(
            "the file of this run was refused, so it has no rows: {}: {}",
            problem.place, problem.message
        ));
    }
    let output: Box<dyn Write + Send> = match &args.output {
        None => Box::new(std::io::stdout()),
        Some(path) => Box::new(create_private(path).map_err(|error| cannot_write(&error))?),
    };
    match write(&bridge, &run, args.format, output).await {
        Ok(()) => {}
        Err(WriteError::Store(error)) => return Err(failed(error)),
        Err(WriteError::Output(error)) => return Err(cannot_write(&error)),
    }
    if let Some(path) = &args.output {
        remark(format!("wrote `{}`", path.display()));
    }
    Ok(Exit::Success)
}

/// Why a report was not written.
pub enum WriteError {
    /// The store could not be read.
    Store(StoreError),
    /// The report could not be written.
    Output(std::io::Error),
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<std::io::Error> for WriteError {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<WriteError> for std::io::Error {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Store(error) => Self::other(error),
            WriteError::Output(error) => error,
        }
    }
}

/// Writes the report of a run.
pub async fn write(
    bridge: &Bridge,
    run: &Run,
    format: ReportFormat,
    output: Box<dyn Write + Send>,
) -> Result<(), WriteError> {
    let output = BufWriter::new(output);
    let mut report = match format {
        ReportFormat::Csv => text::csv(output, &run.columns)?,
        ReportFormat::Json => text::json(output, &run.columns)?,
        ReportFormat::Xlsx => workbook::xlsx(output, run)?,
    };
    write_rows(bridge, run, &mut *report).await?;
    Ok(report.finish()?)
}

/// Every operation of the run, the rejected ones with their cells.
async fn write_rows(bridge: &Bridge, run: &Run, report: &mut dyn Report) -> Result<(), WriteError> {
    let mut after = None;
    loop {
        let page = bridge.store.operations(&run.id, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.id);
        let is_rejected = |each: &&Operation| each.status == OperationStatus::Rejected;
        let rejected = page.iter().filter(is_rejected).map(|each| each.id).collect();
        let mut faulty = bridge.store.faulty_rows(rejected).await?.into_iter();
        for operation in &page {
            let row = if is_rejected(&operation) { faulty.next().flatten() } else { None };
            report.row(operation, row.as_ref())?;
        }
    }
}

fn cannot_write(error: &std::io::Error) -> Failed {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        return Failed(Exit::Success);
    }
    tell(format!("error: the report cannot be written\n  because {error}"));
    Failed(Exit::Error)
}
