//! What can be typed behind `key create`, `list`, `rotate` and `revoke`.

use clap::Args;
use jiff::SignedDuration;

use crate::cli::args::{id_of_key, role};
use crate::cli::key::{lifetime, some_lifetime};
use crate::domain::{KeyId, KeyRole};

/// `key create`
#[derive(Debug, Args)]
pub struct KeyCreateArgs {
    /// The source in the config whose webhook the key opens
    #[arg(long, required_unless_present = "scope", required_if_eq("scope", "webhook"))]
    pub source: Option<String>,
    /// What the key is for: the webhook of --source, reading, or reading and deciding
    /// [default: webhook]
    #[arg(long, value_name = "webhook|reader|admin", value_parser = role)]
    pub scope: Option<KeyRole>,
    /// How long it is valid, such as `90d`
    #[arg(long, value_name = "T", value_parser = some_lifetime)]
    pub expires: SignedDuration,
    /// Print one JSON document, with the key in it
    #[arg(long)]
    pub json: bool,
}

/// `key list`
#[derive(Debug, Args)]
pub struct KeyListArgs {
    /// Print one JSON array
    #[arg(long)]
    pub json: bool,
}

/// `key rotate`
#[derive(Debug, Args)]
pub struct KeyRotateArgs {
    /// The id of the key, as `key list` shows it
    #[arg(value_parser = id_of_key)]
    pub id: KeyId,
    /// How long the old key is still valid
    #[arg(long, value_name = "T", default_value = "24h", value_parser = lifetime)]
    pub overlap: SignedDuration,
    /// How long the new key is valid [default: as long as the old one was meant to be]
    #[arg(long, value_name = "T", value_parser = some_lifetime)]
    pub expires: Option<SignedDuration>,
    /// Print one JSON document, with the new key in it
    #[arg(long)]
    pub json: bool,
}

/// `key revoke`
#[derive(Debug, Args)]
pub struct KeyRevokeArgs {
    /// The id of the key, as `key list` shows it
    #[arg(value_parser = id_of_key)]
    pub id: KeyId,
    /// Print the key's line of `key list` as one JSON document
    #[arg(long)]
    pub json: bool,
}
