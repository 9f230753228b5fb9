//! What can be typed after `store`, and for forgetting somebody.

use clap::{Args, Subcommand};

/// `store`
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct StoreArgs {
    /// What to do
    #[command(subcommand)]
    pub command: StoreCommand,
}

/// What to do with the store.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Encrypt everything in the store with the key of the config, also what is encrypted with an older one
    #[command(
        after_help = "Example:\n  openssl rand -base64 32 > store.key     # then in `[store]`: key = { file = \"store.key\" }\n  scimport store rekey\n  scimport store rekey --json\n\nA daemon may run meanwhile, once it knows the keys of the config. Another key: the old one goes\nfrom `key` to `old_keys`, the new one into `key`; after this command the old one is not needed\nany more, but for backups. Exit codes: 0 everything lies under the key, 1 something does not yet, or cannot be read,\n5 everything does, and what was there before is still to be wiped from the file"
    )]
    Rekey(RekeyArgs),
}

/// `store rekey`
#[derive(Debug, Args)]
pub struct RekeyArgs {
    /// Take the encryption off: the key has to stand among `old_keys`, and nothing in `key`
    #[arg(long)]
    pub plain: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// `forget`
#[derive(Debug, Args)]
pub struct ForgetArgs {
    /// The worker's externalId
    pub external_id: String,
    /// In this target [default: the only one]
    #[arg(long, value_name = "T", conflicts_with = "source")]
    pub target: Option<String>,
    /// In the target of this source
    #[arg(long, value_name = "S")]
    pub source: Option<String>,
    /// Also when they are active: the next file that names them brings them back
    #[arg(long)]
    pub even_active: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}
