//! What can be typed behind `schema diff`, `push` and `restore`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `schema`
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct SchemaArgs {
    /// What to do
    #[command(subcommand)]
    pub command: SchemaCommand,
}

/// What to do with a schema.
#[derive(Debug, Subcommand)]
pub enum SchemaCommand {
    /// Say which custom attributes of the mappings the job does not know; changes nothing
    #[command(
        after_help = "Example:\n  scimport schema diff entra\n  scimport schema diff entra --json\n\nExit codes: 0 everything that the mappings write arrives, 3 something does not\n(an attribute of the job that no mapping writes is listed, and is no fault)"
    )]
    Diff(SchemaDiffArgs),
    /// Add the custom attributes that the job does not know; nothing else of its schema is touched
    #[command(
        after_help = "Example:\n  scimport schema push entra --dry-run\n  scimport schema push entra\n  scimport schema push entra --yes --backup before.json    # from a script\n\nExit codes: 0 everything that the mappings write arrives now, 3 something is left for a person,\n1 not done"
    )]
    Push(SchemaPushArgs),
    /// Put back a schema that `push` or `restore` wrote away
    #[command(
        after_help = "Example:\n  scimport schema restore entra --from schema-entra-20260901T100000Z.json"
    )]
    Restore(SchemaRestoreArgs),
}

/// `schema diff`
#[derive(Debug, Args)]
pub struct SchemaDiffArgs {
    /// The target in the config
    pub target: String,
    /// The source directory, where the job's rules name several
    #[arg(long, value_name = "NAME")]
    pub directory: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// `schema push`
#[derive(Debug, Args)]
pub struct SchemaPushArgs {
    /// The source directory, where the job's rules name several
    #[arg(long, value_name = "NAME")]
    pub directory: Option<String>,
    /// Say what would be added, and change nothing
    #[arg(long, conflicts_with_all = ["yes", "backup"])]
    pub dry_run: bool,
    /// What every change has
    #[command(flatten)]
    pub change: SchemaChangeArgs,
}

/// `schema restore`
#[derive(Debug, Args)]
pub struct SchemaRestoreArgs {
    /// The backup to put back
    #[arg(long, value_name = "FILE")]
    pub from: PathBuf,
    /// What every change has
    #[command(flatten)]
    pub change: SchemaChangeArgs,
}

/// What is typed to change a schema, whichever way.
#[derive(Debug, Args)]
pub struct SchemaChangeArgs {
    /// The target in the config
    pub target: String,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// A new file for the schema as it is before [default: `schema-TARGET-TIME.json`]
    #[arg(long, value_name = "FILE")]
    pub backup: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}
