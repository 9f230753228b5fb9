//! `report`: a line for every row that is not unchanged, to hand back to HR.

use std::io::{BufWriter, Write};

use crate::cli::args::{ReportArgs, ReportFormat};
use crate::cli::context::{Context, Failed};
use crate::cli::exit::Exit;
use crate::cli::files::create_private;
use crate::cli::json;
use crate::cli::status::{each_operation, find};
use crate::cli::terminal::{remark, tell};
use crate::domain::ExternalId;
use crate::intake::formula_safe;
use crate::store::Operation;

/// Writes a report.
pub async fn run(context: &Context, args: ReportArgs) -> Result<Exit, Failed> {
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
    let mut writer = Writer::new(args.format, BufWriter::new(output));
    let mut written = writer.begin();
    each_operation(&bridge, &run, &mut |operation| {
        if written.is_ok() {
            written = writer.operation(operation);
        }
    })
    .await?;
    written.and_then(|()| writer.finish()).map_err(|error| cannot_write(&error))?;
    if let Some(path) = &args.output {
        remark(format!("wrote `{}`", path.display()));
    }
    Ok(Exit::Success)
}

fn cannot_write(error: &std::io::Error) -> Failed {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        return Failed(Exit::Success);
    }
    tell(format!("error: the report cannot be written\n  because {error}"));
    Failed(Exit::Error)
}

enum Writer<W: Write> {
    Csv(Box<csv::Writer<W>>),
    Json { output: W, is_first: bool },
}

impl<W: Write> Writer<W> {
    fn new(format: ReportFormat, output: W) -> Self {
        match format {
            ReportFormat::Csv => Self::Csv(Box::new(csv::Writer::from_writer(output))),
            ReportFormat::Json => Self::Json { output, is_first: true },
        }
    }

    fn begin(&mut self) -> std::io::Result<()> {
        match self {
            Self::Csv(csv) => Ok(csv.write_record([
                "row",
                "line",
                "externalId",
                "change",
                "status",
                "code",
                "reason",
                "advice",
            ])?),
            Self::Json { output, .. } => output.write_all(b"["),
        }
    }

    fn operation(&mut self, operation: &Operation) -> std::io::Result<()> {
        match self {
            Self::Csv(csv) => {
                let number =
                    |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
                let text = |text: Option<&str>| formula_safe(text.unwrap_or_default()).into_owned();
                csv.write_record([
                    number(operation.row),
                    number(operation.line),
                    text(operation.external_id.as_ref().map(ExternalId::as_str)),
                    text(operation.change.map(crate::domain::Change::as_str)),
                    operation.status.to_string(),
                    text(operation.code.as_deref()),
                    text(operation.reason.as_deref()),
                    text(operation.advice.as_deref()),
                ])?;
                Ok(())
            }
            Self::Json { output, is_first } => {
                output.write_all(if *is_first { b"\n" } else { b",\n" })?;
                *is_first = false;
                write!(output, "{}", json::operation(operation))
            }
        }
    }

    fn finish(self) -> std::io::Result<()> {
        match self {
            Self::Csv(mut csv) => csv.flush(),
            Self::Json { mut output, .. } => {
                output.write_all(b"\n]\n")?;
                output.flush()
            }
        }
    }
}
