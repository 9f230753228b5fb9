//! What can be typed behind `secret set`, `list`, `rotate` and `remove`. A value never can.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// `secret`
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct SecretArgs {
    /// What to do
    #[command(subcommand)]
    pub command: SecretCommand,
}

/// What to do with secrets.
#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Put a secret into the vault; the value comes from standard input, or is asked for
    #[command(
        after_help = "Example:\n  scimport secret set entra-secret --expires 2027-01-31\n  scimport secret set hr-token < token.txt\n\nThe first one makes the vault, and the file of its key where the config names one that does not exist"
    )]
    Set(SecretSetArgs),
    /// List the secrets of the vault and who refers to them; never a value
    #[command(after_help = "Example:\n  scimport secret list\n  scimport secret list --json")]
    List(SecretListArgs),
    /// Put a new value in the place of an old one; with --key, give the vault a new key
    #[command(
        after_help = "Example:\n  scimport secret rotate hr-token < token.txt\n  scimport secret rotate entra-secret --expires 2028-01-31\n  scimport secret rotate --key\n\nA daemon that runs uses the new one at once, and opens the vault at every instant in between.\n\nAfter --key the old key does not open the vault any more. Its line stays in the key file, as another vault may need it; with --drop-old it is taken out, and with it those that earlier rotations have replaced. Lines that somebody else has put there stay in any case. To do it again after it was cut off finishes it"
    )]
    Rotate(SecretRotateArgs),
    /// Take a secret out of the vault
    #[command(after_help = "Example:\n  scimport secret remove hr-token")]
    Remove(SecretRemoveArgs),
}

/// Until when a secret is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expires {
    /// Nobody knows of an end.
    Never,
    /// From then on it is not.
    At(Timestamp),
}

impl Expires {
    /// The instant, if there is one.
    pub const fn at(self) -> Option<Timestamp> {
        match self {
            Self::Never => None,
            Self::At(at) => Some(at),
        }
    }
}

/// `secret set`
#[derive(Debug, Args)]
pub struct SecretSetArgs {
    /// The name, as the config has it in `{ vault = "NAME" }`
    pub name: String,
    /// The day on which it ends (UTC), or `never`; shown by `secret list`
    #[arg(long, value_name = "DATE", value_parser = expires)]
    pub expires: Option<Expires>,
    /// What to remember of it; no secret [default: the note that is there]
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

/// `secret list`
#[derive(Debug, Args)]
pub struct SecretListArgs {
    /// Print one JSON array
    #[arg(long)]
    pub json: bool,
}

/// `secret rotate`
#[derive(Debug, Args)]
pub struct SecretRotateArgs {
    /// The name of a secret that is there
    #[arg(required_unless_present = "key")]
    pub name: Option<String>,
    /// Encrypt the whole vault for a new identity or passphrase
    #[arg(long, conflicts_with_all = ["name", "expires"])]
    pub key: bool,
    /// Take the old key out of the key file: no other vault needs it
    #[arg(long, requires = "key", conflicts_with_all = ["name", "expires"])]
    pub drop_old: bool,
    /// The day on which the new value ends (UTC), or `never`; needed where the old one had an end
    #[arg(long, value_name = "DATE", value_parser = expires)]
    pub expires: Option<Expires>,
}

/// `secret remove`
#[derive(Debug, Args)]
pub struct SecretRemoveArgs {
    /// The name of a secret that is there
    pub name: String,
    /// Even if the config refers to it
    #[arg(long)]
    pub force: bool,
}

/// A day such as `2027-01-31`, an instant, or `never`.
pub fn expires(text: &str) -> Result<Expires, String> {
    if text == "never" {
        return Ok(Expires::Never);
    }
    let day = text.parse::<Date>().ok().filter(|_| !text.contains(['T', 't', ' ']));
    let begins = day.and_then(|day| day.to_zoned(TimeZone::UTC).ok()).map(|day| day.timestamp());
    let at = begins.or_else(|| text.parse().ok());
    at.map(Expires::At).ok_or_else(|| "expected a day such as `2027-01-31`, or `never`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_in_utc() {
        let at = |text: &str| expires(text).unwrap().at().map(|at| at.to_string());
        assert_eq!(at("2027-01-31").as_deref(), Some("2027-01-31T00:00:00Z"));
        assert_eq!(at("2027-01-31T12:00:00+01:00").as_deref(), Some("2027-01-31T11:00:00Z"));
        assert_eq!(at("never"), None);
        for bad in ["", "90d", "31.01.2027", "2027-02-30", "2027-01-31T12:00:00"] {
            assert!(expires(bad).is_err(), "{bad}");
        }
    }
}
