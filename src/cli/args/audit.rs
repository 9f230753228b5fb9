//! What can be typed behind `audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use crate::cli::audit::instant;
use crate::store::AuditHead;

/// `audit`
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// What to do
    #[command(subcommand)]
    pub command: AuditCommand,
}

/// What to do with the audit trail.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Look whether anything was edited, removed, moved or cut off
    #[command(
        after_help = "Example:\n  scimport audit verify\n  scimport audit verify --json\n  scimport audit verify --file audit.jsonl\n\nWhoever can write the database can also compute a whole new trail. A head that was noted elsewhere\nfinds that out: note the one that is printed, and give it with `--head` the next time.\n\nExit codes: 0 the trail is sound, 1 it is not, or cannot be read"
    )]
    Verify(AuditVerifyArgs),
    /// Write the records as JSON Lines, oldest first
    #[command(
        after_help = "Example:\n  scimport audit export -o audit.jsonl\n  scimport audit export --since 2026-11-01 --until 2026-12-01T00:00:00Z\n\nA line has `seq`, `at`, `actor`, `origin`, `action`, `subject`, `details`, `previous` and `hash`.\nThe last line has `records`, how many there are, and `head`, where the last of them ends.\n`scimport audit verify --file` looks at what was written; no store is needed for that."
    )]
    Export(AuditExportArgs),
}

/// `audit verify`
#[derive(Debug, Args)]
pub struct AuditVerifyArgs {
    /// A head that was noted elsewhere, which has to be in the trail
    #[arg(long, value_name = "SEQ:HASH")]
    pub head: Option<AuditHead>,
    /// Look at a file that `audit export` wrote, instead of the store
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// `audit export`
#[derive(Debug, Args)]
pub struct AuditExportArgs {
    /// From this instant or day (UTC) on
    #[arg(long, value_name = "T", value_parser = instant)]
    pub since: Option<Timestamp>,
    /// Until before this instant or day (UTC)
    #[arg(long, value_name = "T", value_parser = instant)]
    pub until: Option<Timestamp>,
    /// Write to this file [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}
