//! What can be typed. Every command's help has an example.

mod audit;
mod files;
mod key;
mod schema;
mod secret;
mod store;

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::domain::{KeyId, KeyRole};
use crate::intake::key_id;

pub use audit::{AuditArgs, AuditCommand, AuditExportArgs, AuditVerifyArgs};
pub use files::{ApplyArgs, ConvertArgs, ImportMappingArgs, InitArgs, PlanArgs, Wait};
pub use key::{KeyCreateArgs, KeyListArgs, KeyRevokeArgs, KeyRotateArgs};
pub use schema::{SchemaArgs, SchemaCommand, SchemaDiffArgs, SchemaPushArgs, SchemaRestoreArgs};
pub use secret::{
    Expires, SecretArgs, SecretCommand, SecretListArgs, SecretRemoveArgs, SecretRotateArgs,
    SecretSetArgs, expires,
};
pub use store::{ForgetArgs, RekeyArgs, StoreArgs, StoreCommand};

/// HR exports in, Entra accounts out, and for every worker an answer to "what happened to them?"
#[derive(Debug, Parser)]
#[command(name = "scimport", version, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    /// The config [default: `$SCIMPORT_CONFIG`, then `./scimport.toml`]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How log lines look
    #[arg(long, global = true, value_enum, default_value_t = Format::Pretty)]
    pub log_format: Format,
    /// Say more (twice: everything)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Say only what is wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the whole journey on sample data, against a stand-in Entra in this process
    #[command(after_help = "Example:\n  scimport demo\n  scimport demo --records 1000")]
    Demo(DemoArgs),
    /// Write a config to start from; with a file, propose the mapping from its header and values
    #[command(after_help = "Example:\n  scimport init\n  scimport init --from exports/workers.csv")]
    Init(InitArgs),
    /// Check the config, the mappings and the secret references; nothing is sent
    #[command(after_help = "Example:\n  scimport check --config scimport.toml")]
    Check,
    /// Try the live side of a target step by step, from the network to the log; changes nothing
    #[command(
        after_help = "Example:\n  scimport doctor\n  scimport doctor entra --json\n\nEach step says what was found and what to do. Nothing is uploaded, and no job is started. Exit codes:\n0 all well, warnings too; 1 something has to be mended; 2 wrong usage or config, a credential that is not there\nincluded; 6 only the other side stands still (the job is paused or in quarantine, the service is busy)"
    )]
    Doctor(DoctorArgs),
    /// Write the bulk requests of a file into a folder; no store, no network
    #[command(
        after_help = "Example:\n  scimport convert workers.csv --source hr -o bodies\n  scimport convert workers.csv --source hr -o - | head -n 1"
    )]
    Convert(ConvertArgs),
    /// Say what applying a file would do; changes nothing
    #[command(
        after_help = "Example:\n  scimport plan workers.csv --source hr --diff\n  scimport plan workers.csv --source hr --json\n  scimport plan workers.csv --source hr --out tonight.plan"
    )]
    Plan(PlanArgs),
    /// Apply a file: plan it, commit the run, send it, follow it
    #[command(
        after_help = "Example:\n  scimport apply workers.csv --source hr --wait outcome\n  scimport apply workers.csv --source hr --limit 5      # a pilot\n  scimport apply --plan tonight.plan\n\nExit codes: 0 all well, 1 error, 2 wrong usage or config, 3 some rows were rejected,\n4 held, 5 some operations failed or are unconfirmed, 6 the other side is unavailable"
    )]
    Apply(ApplyArgs),
    /// Do everything that is due, then exit: send what is queued, follow what was sent
    #[command(
        after_help = "Example:\n  scimport work                    # once, as a scheduler calls it\n  scimport work --until settled    # until every operation has ended or is unconfirmed"
    )]
    Work(WorkArgs),
    /// Run as a daemon: take files from watched folders, send them, follow them
    #[command(
        after_help = "Example:\n  scimport serve --config scimport.toml\n  scimport serve --log-format json        # under a service manager\n\nEnds with exit code 0 on Ctrl-C and SIGTERM: what is under way is finished, what is queued is kept"
    )]
    Serve,
    /// Let a held run go
    #[command(
        after_help = "Example:\n  scimport approve latest\n\nWhat is approved goes out with the next `scimport work`, or with the daemon. Exit codes: 0 stored,\n1 the run is not held (any more)"
    )]
    Approve(DecideArgs),
    /// Stop a run: what of it was not sent is not sent
    #[command(after_help = "Example:\n  scimport cancel latest")]
    Cancel(DecideArgs),
    /// Send operations of a run again that failed or were never confirmed
    #[command(
        after_help = "Example:\n  scimport retry latest\n  scimport retry latest --status failed\n  scimport retry --unsettled       # after a restart of the job: everything that is open"
    )]
    Retry(RetryArgs),
    /// List the runs, newest first
    #[command(after_help = "Example:\n  scimport runs --limit 5")]
    Runs(RunsArgs),
    /// Show one run, or everything at a glance
    #[command(
        after_help = "Example:\n  scimport status\n  scimport status latest\n  scimport status latest --json --operations"
    )]
    Status(StatusArgs),
    /// Show what happened to one person
    #[command(after_help = "Example:\n  scimport record E1001")]
    Record(RecordArgs),
    /// Write a line for every row that is not unchanged, to hand back to HR
    #[command(
        after_help = "Example:\n  scimport report latest --format csv -o report.csv\n  scimport report latest --format xlsx -o correct.xlsx    # the rows to correct, marked"
    )]
    Report(ReportArgs),
    /// Make, list, rotate and revoke the keys with which others call the bridge
    #[command(
        after_help = "Example:\n  scimport key create --source hr --expires 90d\n  scimport key list"
    )]
    Key(KeyArgs),
    /// Verify or export the audit trail: who did what, when and from where
    #[command(
        after_help = "Example:\n  scimport audit verify\n  scimport audit export --since 2026-11-01 -o audit.jsonl"
    )]
    Audit(AuditArgs),
    /// Compare the custom attributes of the mappings with the job's schema, and add what it lacks
    #[command(
        after_help = "Example:\n  scimport schema diff entra\n  scimport schema push entra --dry-run"
    )]
    Schema(SchemaArgs),
    /// Keep the secrets that the config refers to in an encrypted file of our own
    #[command(
        after_help = "Example:\n  scimport secret set hr-token --expires 2027-01-31\n  scimport secret list\n  scimport secret rotate --key"
    )]
    Secret(SecretArgs),
    /// Erase everything that is known of a person; Entra is not touched
    #[command(
        after_help = "Example:\n  scimport forget E1001\n  scimport forget E1001 --target entra --yes --json\n\nRuns go on counting what happened, without saying to whom. Files that still name the person are\nlisted. Exit codes: 0 erased, 1 not (it says why),\n5 erased, and what is left in the store's file is still to be wiped: the same command goes on"
    )]
    Forget(ForgetArgs),
    /// Encrypt the store, or bring it under another key
    #[command(after_help = "Example:\n  scimport store rekey")]
    Store(StoreArgs),
    /// Try whether alerts arrive
    #[command(after_help = "Example:\n  scimport alerts test")]
    Alerts(AlertsArgs),
    /// Translate a mapping of CSV2SCIM (AttributeMapping.psd1) into a mapping of the config
    #[command(
        after_help = "Example:\n  scimport import-mapping AttributeMapping.psd1\n  scimport import-mapping AttributeMapping.psd1 --source hr -o mapping.toml\n\nThe file is read, never run. Exit codes: 0 everything was translated, 1 the file is refused,\n2 wrong usage, 3 some lines have to be written by hand: they are listed, and marked in the output"
    )]
    ImportMapping(ImportMappingArgs),
    /// Run the stand-in Entra on its own, to rehearse against
    #[command(
        after_help = "Example:\n  scimport mock-entra --listen 127.0.0.1:8999\n  scimport mock-entra --listen 127.0.0.1:8999 --print-config >> scimport.toml\n  scimport mock-entra --fault throttle:7 --fault reset-after:11"
    )]
    MockEntra(MockArgs),
}

/// `demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Use this many generated workers instead of the samples
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(10..=100_000))]
    pub records: Option<u32>,
}

/// `doctor`
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// The target [default: all]
    #[arg(value_name = "TARGET")]
    pub target: Option<String>,
    /// Print what was found as JSON: one document of TARGET, an array where none is named
    #[arg(long)]
    pub json: bool,
}

/// `approve`, `cancel`
#[derive(Debug, Args)]
pub struct DecideArgs {
    /// A run's id, the beginning of one that no other run shares, or `latest`
    pub run: String,
    /// Print the run as one JSON document
    #[arg(long)]
    pub json: bool,
}

/// Which operations are sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RetryStatus {
    /// Those that failed.
    Failed,
    /// Those that were never confirmed.
    Unconfirmed,
}

/// `retry`
#[derive(Debug, Args)]
pub struct RetryArgs {
    /// A run's id, the beginning of one that no other run shares, or `latest`
    #[arg(required_unless_present = "unsettled")]
    pub run: Option<String>,
    /// Which operations [default: both]
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "STATUS",
        conflicts_with = "unsettled"
    )]
    pub status: Vec<RetryStatus>,
    /// Everything of every target that was sent and has no outcome yet, whatever its run
    #[arg(long, conflicts_with = "run")]
    pub unsettled: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What `work` works towards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Until {
    /// Nothing more can be done now.
    Idle,
    /// Every operation has ended or is unconfirmed.
    Settled,
}

/// `work`
#[derive(Debug, Args)]
pub struct WorkArgs {
    /// When to stop
    #[arg(long, value_enum, default_value_t = Until::Idle)]
    pub until: Until,
    /// Print the runs it touched as one JSON array
    #[arg(long)]
    pub json: bool,
}

/// `runs`
#[derive(Debug, Args)]
pub struct RunsArgs {
    /// At most so many
    #[arg(long, default_value_t = 20)]
    pub limit: usize,
    /// Print one JSON array
    #[arg(long)]
    pub json: bool,
}

/// `status`
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// A run's id, the beginning of one that no other run shares, or `latest`
    pub run: Option<String>,
    /// Every operation and rejected row of the run
    #[arg(long, requires = "run")]
    pub operations: bool,
    /// Print JSON (with --operations: one object a line)
    #[arg(long)]
    pub json: bool,
}

/// `record`
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// The worker's externalId
    pub external_id: String,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For a spreadsheet.
    Csv,
    /// One JSON array.
    Json,
    /// A workbook with the rows to correct.
    Xlsx,
}

/// `report`
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// A run's id, the beginning of one that no other run shares, or `latest`
    pub run: String,
    /// How it is written
    #[arg(long, value_enum, default_value_t = ReportFormat::Csv)]
    pub format: ReportFormat,
    /// A file; standard output where absent
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `alerts`
#[derive(Debug, Args)]
pub struct AlertsArgs {
    /// What to do
    #[command(subcommand)]
    pub command: AlertsCommand,
}

/// What to do with alerts.
#[derive(Debug, Subcommand)]
pub enum AlertsCommand {
    /// Send a test over every webhook and mail of the config, and say what each answered
    #[command(
        after_help = "Example:\n  scimport alerts test\n\nExit codes: 0 every one has taken it, 1 one has not, 2 the config has none"
    )]
    Test,
}

/// `key`
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct KeyArgs {
    /// What to do
    #[command(subcommand)]
    pub command: KeyCommand,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key and print it, this once
    #[command(
        after_help = "Example:\n  scimport key create --source hr --expires 90d\n  scimport key create --scope reader --expires 30d\n  scimport key create --source hr --expires 90d > hr.key\n\nThe key alone goes to standard output. Of it the store keeps a digest only: a lost key is rotated."
    )]
    Create(KeyCreateArgs),
    /// List the keys (never what opens anything), oldest first
    #[command(after_help = "Example:\n  scimport key list\n  scimport key list --json")]
    List(KeyListArgs),
    /// Make a key in the place of another one, which stays valid until the overlap is over
    #[command(
        after_help = "Example:\n  scimport key rotate abcdefgh2345\n  scimport key rotate abcdefgh2345 --overlap 7d"
    )]
    Rotate(KeyRotateArgs),
    /// End a key at once
    #[command(after_help = "Example:\n  scimport key revoke abcdefgh2345")]
    Revoke(KeyRevokeArgs),
}

/// `mock-entra`
#[derive(Debug, Args)]
pub struct MockArgs {
    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8999", value_parser = address)]
    pub listen: std::net::SocketAddr,
    /// Keep the directory in this file over restarts
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// How fast cycles and the log are
    #[arg(long, value_name = "fast|real", default_value = "fast")]
    pub profile: String,
    /// A verified domain, the first being the default one; may be repeated [default: contoso.example]
    #[arg(long, value_name = "D")]
    pub domain: Vec<String>,
    /// Answer uploads only after this long, such as `300ms`
    #[arg(long, value_name = "T", value_parser = duration)]
    pub latency: Option<Duration>,
    /// Misbehave on every Nth request, such as `throttle:7`; may be repeated (kinds: README.md)
    #[arg(long, value_name = "KIND:EVERY")]
    pub fault: Vec<String>,
    /// Print a `[target]` that fits, and exit
    #[arg(long)]
    pub print_config: bool,
}

/// The names that people type for this machine are known without asking anybody.
fn address(text: &str) -> Result<std::net::SocketAddr, String> {
    let numeric = text
        .strip_prefix("localhost:")
        .map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    numeric
        .parse()
        .map_err(|_| "expected an address and a port such as `127.0.0.1:8999`".to_owned())
}

fn source_name(text: &str) -> Result<String, String> {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(is_letter) {
        return Ok(text.to_owned());
    }
    Err("a name is a lower-case letter, then lower-case letters, digits and `-`".to_owned())
}

fn role(text: &str) -> Result<KeyRole, String> {
    KeyRole::parse(text).ok_or_else(|| "expected `webhook`, `reader` or `admin`".to_owned())
}

/// The id of a key, also out of a whole key: that is what somebody has at hand who found one where
/// it should not be.
fn id_of_key(text: &str) -> Result<KeyId, String> {
    KeyId::parse(text)
        .or_else(|| key_id(&text.to_owned().into()))
        .ok_or_else(|| "expected an id as `scimport key list` shows it".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed: jiff::SignedDuration =
        text.parse().map_err(|_| "expected a duration such as `90s` or `1h 30m`".to_owned())?;
    Duration::try_from(parsed).map_err(|_| "a duration cannot be negative".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_written_with_localhost_and_needs_a_port() {
        assert_eq!(address("localhost:8999").map(|a| a.to_string()), Ok("127.0.0.1:8999".into()));
        assert_eq!(address("[::1]:1").map(|a| a.to_string()), Ok("[::1]:1".into()));
        assert!(address("8999").is_err_and(|words| words.contains("127.0.0.1:8999")));
    }
}
