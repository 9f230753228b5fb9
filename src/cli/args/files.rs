//! What can be typed behind the commands that read a file.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::cli::args::{duration, source_name};

/// `init`
#[derive(Debug, Args)]
pub struct InitArgs {
    /// An HR file to propose the mapping from
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Do not ask about the lines that are a guess
    #[arg(short, long)]
    pub yes: bool,
    /// The config to write, `-` for standard output; never overwritten [default: `--config`, else `scimport.toml`]
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,
}

/// `convert`
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// The HR file
    pub file: PathBuf,
    /// The source in the config
    #[arg(long)]
    pub source: String,
    /// A new folder; `-` for one request a line on standard output [default: FILE's name with `-bulk`]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// One request a line: on standard output, or in DIR/bulk.ndjson
    #[arg(long)]
    pub ndjson: bool,
    /// Check every user against the JSON Schemas as well
    #[arg(long)]
    pub strict: bool,
}

/// `plan`
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The HR file
    pub file: PathBuf,
    /// The source in the config
    #[arg(long)]
    pub source: String,
    /// Show each changed attribute (values on a terminal only)
    #[arg(long)]
    pub diff: bool,
    /// With --diff: show values also where output is no terminal
    #[arg(long, requires = "diff")]
    pub show_values: bool,
    /// Print one JSON document
    #[arg(long, conflicts_with = "diff")]
    pub json: bool,
    /// Seal the plan into this new file, for `apply --plan`
    #[arg(long, value_name = "PLAN")]
    pub out: Option<PathBuf>,
}

/// How long `apply` waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Wait {
    /// Not at all: the run is committed, `work` sends it.
    None,
    /// Until Entra has accepted every operation.
    Accepted,
    /// Until every operation has an outcome.
    Outcome,
}

/// `apply`
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The HR file
    #[arg(required_unless_present = "plan")]
    pub file: Option<PathBuf>,
    /// The source in the config
    #[arg(long, required_unless_present = "plan")]
    pub source: Option<String>,
    /// Apply exactly what `plan --out` has sealed; refused once file, config or ledger have changed
    #[arg(long, value_name = "PLAN", conflicts_with_all = ["file", "source", "only", "limit"])]
    pub plan: Option<PathBuf>,
    /// A pilot: only the changes of these workers
    #[arg(long, value_name = "ID,…", value_delimiter = ',', conflicts_with = "limit")]
    pub only: Vec<String>,
    /// A pilot: only the first N changes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// What to wait for
    #[arg(long, value_enum, default_value_t = Wait::Accepted)]
    pub wait: Wait,
    /// How long to wait, such as `90s` or `1h 30m` [default: 30m for accepted, 3h for outcome]
    #[arg(long, value_name = "T", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Print the run as one JSON document
    #[arg(long)]
    pub json: bool,
}

/// `import-mapping`
#[derive(Debug, Args)]
pub struct ImportMappingArgs {
    /// The mapping file
    pub file: PathBuf,
    /// The source in the config that the mapping is for
    #[arg(long, value_name = "NAME", default_value = "hr", value_parser = source_name)]
    pub source: String,
    /// A new file; `-` or nothing for standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}
