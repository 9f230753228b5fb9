//! `convert`: a file to bulk request bodies, offline.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::bridge::BridgeError;
use crate::cli::args::ConvertArgs;
use crate::cli::context::{Context, Failed, failed};
use crate::cli::exit::Exit;
use crate::cli::files::{create_private, create_private_folder};
use crate::cli::findings;
use crate::cli::terminal::{remark, tell};
use crate::cli::words::{plural, thousands};
use crate::domain::{Clock as _, Place, SystemClock};
use crate::intake::{
    ConvertError, RejectedRow, RejectsWriter, RequestSink, SourceFile, Strictness, convert,
};
use crate::scim::Validator;
use crate::source::{Finding, SourceError};

/// Converts a file.
pub async fn run(context: &Context, args: ConvertArgs) -> Result<Exit, Failed> {
    let setup = context.setup()?;
    let feed = setup.feed(&args.source).map_err(failed)?;
    let to_stdout =
        args.output.as_deref() == Some(Path::new("-")) || (args.ndjson && args.output.is_none());
    let folder =
        (!to_stdout).then(|| args.output.clone().unwrap_or_else(|| default_folder(&args.file)));
    if let Some(folder) = &folder {
        refuse_non_empty(folder)?;
    }
    let validator = args.strict.then(Validator::new);
    let file = args.file.clone();
    let (ndjson, shown) = (args.ndjson, folder.clone());
    // reading and writing files blocks, so it has a thread of its own
    let converted = tokio::task::spawn_blocking(move || {
        let place = || Place::file(file.file_name().unwrap_or_default().to_string_lossy());
        let mut source = SourceFile::open(&file).map_err(|error| {
            failed(BridgeError::Refused(Box::new(SourceError::Read(error).problem(place()))))
        })?;
        let mut sink = Output {
            folder,
            ndjson,
            columns: Vec::new(),
            lines: None,
            rejects: None,
            warnings_told: 0,
        };
        let strictness = validator.as_ref().map_or(Strictness::Direct, Strictness::Schemas);
        let max = crate::entra::MAX_OPERATIONS;
        let converted = convert(&mut source, &feed, SystemClock.now(), max, &strictness, &mut sink);
        converted
            .and_then(|done| sink.finish().map_err(ConvertError::Write).map(|()| done))
            .map_err(|error| match error {
                ConvertError::Source(error) => {
                    failed(BridgeError::Refused(Box::new(error.problem(place()))))
                }
                ConvertError::Write(error) => {
                    if error.kind() == std::io::ErrorKind::BrokenPipe {
                        return Failed(Exit::Success);
                    }
                    tell(format!("error: the output cannot be written\n  because {error}"));
                    Failed(Exit::Error)
                }
            })
    });
    let done = match converted.await {
        Ok(done) => done?,
        Err(error) => {
            tell(format!("error: the conversion stopped unexpectedly: {error}"));
            return Ok(Exit::Error);
        }
    };
    let place = shown
        .map_or_else(|| "standard output".to_owned(), |folder| format!("`{}`", folder.display()));
    remark(format!(
        "{} row{}: {} user{} in {} bulk request{} to {place}, {} rejected{}{}{}",
        thousands(done.rows),
        plural(done.rows),
        thousands(done.users),
        plural(done.users),
        thousands(done.requests),
        plural(done.requests),
        thousands(done.rejected),
        match done.superseded {
            0 => String::new(),
            count => format!(", {} superseded by another row", thousands(count)),
        },
        match done.out_of_scope {
            0 => String::new(),
            count => format!(", {} out of scope", thousands(count)),
        },
        match done.warned {
            0 => String::new(),
            count => format!(", {} with a warning", thousands(count)),
        }
    ));
    Ok(if done.rejected > 0 { Exit::Rejected } else { Exit::Success })
}

fn default_folder(file: &Path) -> PathBuf {
    let stem = file.file_stem().unwrap_or(file.as_os_str()).to_string_lossy();
    PathBuf::from(format!("{stem}-bulk"))
}

fn refuse_non_empty(folder: &Path) -> Result<(), Failed> {
    match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Ok(entries) => {
            if entries.count() == 0 {
                return Ok(());
            }
            tell(format!(
                "error: the folder `{}` is not empty\nhint: name a new one with `-o`",
                folder.display()
            ));
            Err(Failed(Exit::Usage))
        }
        Err(error) => {
            tell(format!("error: `{}` is no folder to write into: {error}", folder.display()));
            Err(Failed(Exit::Usage))
        }
    }
}

/// Where requests and rejects go. Nothing is created before there is something to write, so a
/// refused file leaves nothing behind.
struct Output {
    folder: Option<PathBuf>,
    ndjson: bool,
    /// The mapped headers of the file.
    columns: Vec<String>,
    lines: Option<BufWriter<Box<dyn Write>>>,
    rejects: Option<RejectsWriter<BufWriter<File>>>,
    warnings_told: usize,
}

/// Warnings that are told one by one.
const WARNINGS_TOLD: usize = 20;

impl Output {
    fn create(&self, name: &str) -> std::io::Result<File> {
        let folder = self.folder.as_deref().unwrap_or(Path::new("."));
        create_private_folder(folder)?;
        create_private(&folder.join(name))
    }

    fn rejects(&mut self) -> std::io::Result<&mut RejectsWriter<BufWriter<File>>> {
        let rejects = if let Some(rejects) = self.rejects.take() {
            rejects
        } else {
            let file = BufWriter::new(self.create("rejects.csv")?);
            RejectsWriter::new(file, &self.columns)?
        };
        Ok(self.rejects.insert(rejects))
    }

    /// `rejects.csv` is written also when it says that nothing was rejected.
    fn finish(mut self) -> std::io::Result<()> {
        if let Some(mut lines) = self.lines.take() {
            lines.flush()?;
        }
        if self.folder.is_some() {
            self.rejects()?;
        }
        match self.rejects {
            Some(rejects) => rejects.finish(),
            None => Ok(()),
        }
    }
}

impl RequestSink for Output {
    fn begin(&mut self, columns: &[String], findings: &[Finding]) -> std::io::Result<()> {
        self.columns = columns.to_vec();
        findings::tell_of(findings);
        Ok(())
    }

    fn request(&mut self, number: u64, body: &[u8]) -> std::io::Result<()> {
        if self.folder.is_some() && !self.ndjson {
            return self.create(&format!("bulk-{number:05}.json"))?.write_all(body);
        }
        if self.lines.is_none() {
            let output: Box<dyn Write> = match self.folder {
                Some(_) => Box::new(self.create("bulk.ndjson")?),
                None => Box::new(std::io::stdout()),
            };
            self.lines = Some(BufWriter::new(output));
        }
        if let Some(lines) = &mut self.lines {
            lines.write_all(body)?;
            lines.write_all(b"\n")?;
        }
        Ok(())
    }

    fn warned(&mut self, row: u64, line: Option<u64>, code: &str, message: &str) {
        self.warnings_told += 1;
        let place = place(row, line);
        match self.warnings_told.cmp(&(WARNINGS_TOLD + 1)) {
            std::cmp::Ordering::Less => tell(format!("{place}: warning: {message}  [{code}]")),
            std::cmp::Ordering::Equal => tell("… and more warnings like these"),
            std::cmp::Ordering::Greater => {}
        }
    }

    fn rejected(&mut self, row: &RejectedRow<'_>) -> std::io::Result<()> {
        if self.folder.is_some() {
            return self.rejects()?.write(row);
        }
        // no folder, so no rejects.csv: the words hold no value of the row, but for the id
        let place = place(row.row, row.line);
        tell(format!("{place}: rejected: {}  [{}]", row.problem, row.problem.code));
        Ok(())
    }
}

/// Where a row is, as a person looks it up.
fn place(row: u64, line: Option<u64>) -> String {
    line.map_or_else(|| format!("row {row}"), |line| format!("line {line}"))
}
