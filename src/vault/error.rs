//! What can be wrong with a vault, and the way out.

use std::io;
use std::path::PathBuf;

use crate::config::SecretError;
use crate::vault::contents::{MAX_NOTE_CHARS, MAX_SECRETS, MAX_VALUE_BYTES};
use crate::vault::file::MAX_FILE_BYTES;
use crate::vault::key::{MAX_WORK, MIN_PASSPHRASE_CHARS};
use crate::vault::key_file::MAX_KEY_FILE_BYTES;

/// Why a vault cannot be read or written. Names files and secrets, never a value.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// There is no such file.
    #[error("there is no vault at `{}`", .0.display())]
    Missing(PathBuf),
    /// The file cannot be read.
    #[error("`{}` cannot be read", path.display())]
    Read {
        /// The vault, or the file of its key.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("`{}` cannot be written", path.display())]
    Write {
        /// The vault, or the file of its key.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Somebody else writes, and does not end.
    #[error("another command has been writing `{}` for too long", .0.display())]
    Locked(PathBuf),
    /// The lock is there and cannot be used.
    #[error("the lock `{}` cannot be opened", path.display())]
    Lock {
        /// The file of the lock.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The vault, or the file of its key, is a link, and what it leads to is not there.
    #[error("`{}` is a link that leads nowhere; nothing was changed", .0.display())]
    LinkToNowhere(PathBuf),
    /// It is too large.
    #[error("the vault `{}` is larger than {MAX_FILE_BYTES} bytes", .0.display())]
    TooLarge(PathBuf),
    /// It is no file of age.
    #[error("`{}` is not a vault: it is no age file", .0.display())]
    Foreign(PathBuf),
    /// It was damaged or cut.
    #[error("the vault `{}` is damaged: it is not as it was written", .0.display())]
    Damaged(PathBuf),
    /// No key opens it.
    #[error("{key} does not open the vault `{}`", path.display())]
    WrongKey {
        /// The vault.
        path: PathBuf,
        /// Where the key is, in words.
        key: String,
    },
    /// It is a vault for a passphrase, and the key is an identity, or the other way round.
    #[error("the vault `{}` is opened by {wanted}, not by {found}", path.display())]
    OtherKind {
        /// The vault.
        path: PathBuf,
        /// What opens it.
        wanted: &'static str,
        /// What the config has.
        found: &'static str,
    },
    /// To derive the key would take more memory and time than any real vault needs.
    #[error(
        "the vault `{}` asks for a scrypt work factor of {work}, which is more than {MAX_WORK}",
        path.display()
    )]
    TooMuchWork {
        /// The vault.
        path: PathBuf,
        /// What it asks for.
        work: u8,
    },
    /// What is in it was not written by us.
    #[error("the vault `{}` opens, but what is in it is no list of secrets", .0.display())]
    Contents(PathBuf),
    /// It was written by a later version.
    #[error("the vault `{}` is of version {version}; this program knows version 1", path.display())]
    Version {
        /// The vault.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
    /// Nothing says what opens it.
    #[error("nothing says what opens the vault: `[vault]` has neither `key` nor `passphrase`")]
    NoKey,
    /// The key cannot be had.
    #[error("the key of the vault cannot be had")]
    Key(#[source] SecretError),
    /// What is in the place of the key is none.
    #[error("{0} holds no identity of age: a line `AGE-SECRET-KEY-1…`")]
    NoIdentity(String),
    /// There is no passphrase.
    #[error("{0} holds no passphrase")]
    NoPassphrase(String),
    /// A new passphrase can be guessed.
    #[error(
        "a passphrase of fewer than {MIN_PASSPHRASE_CHARS} characters can be guessed by whoever has the \
         vault; nothing was changed"
    )]
    ShortPassphrase,
    /// The key file has no room for another key.
    #[error(
        "the key file `{}` would have more than {MAX_KEY_FILE_BYTES} bytes; nothing was changed",
        .0.display()
    )]
    KeyFileFull(PathBuf),
    /// With a line more or less the key file would hold other keys than it should.
    #[error("the lines of the key file `{}` cannot be told apart", .0.display())]
    KeyFileLines(PathBuf),
    /// A secret has no such name.
    #[error(
        "that is no name for a secret: a name has `a` to `z`, digits and `-`, begins with a letter and has at most 64 characters"
    )]
    Name,
    /// There is no such secret.
    #[error("there is no secret `{name}` in the vault")]
    Unknown {
        /// The name.
        name: String,
        /// The name that may have been meant.
        nearest: Option<String>,
    },
    /// The value is empty.
    #[error("the value is empty; nothing was changed")]
    EmptyValue,
    /// The value is too long.
    #[error("the value has more than {MAX_VALUE_BYTES} bytes; nothing was changed")]
    LongValue,
    /// The note is too long, or has control characters.
    #[error("the note has more than {MAX_NOTE_CHARS} characters, or one that is no text")]
    Note,
    /// There are too many.
    #[error("there are {MAX_SECRETS} secrets in the vault already, and there can be no more")]
    Full,
    /// The key is where this program cannot write.
    #[error("{0} cannot be replaced by this command: it is in no file")]
    KeyNotInFile(String),
    /// The new passphrase is the old one.
    #[error("the new passphrase is the old one; nothing was changed")]
    SameKey,
    /// The system gives no random bytes.
    #[error("the vault cannot be encrypted")]
    Encrypt,
}

impl VaultError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing(_) => {
                "`scimport secret set NAME` makes it; if there was one, put it back from a backup"
                    .to_owned()
            }
            Self::Read { .. } => {
                "look at who may read the file: it has to be readable for the user of the daemon"
                    .to_owned()
            }
            Self::Write { .. } => {
                "look at who may write in its folder, and at the space on the disk; the old file is \
                 as it was"
                    .to_owned()
            }
            Self::Lock { .. } => {
                "it belongs to whoever was the first to write: give it to the owner of the file beside \
                 it, then do this again; nothing was changed"
                    .to_owned()
            }
            Self::LinkToNowhere(_) => {
                "make what it leads to, such as a mount, or remove the link".to_owned()
            }
            Self::Locked(_) => "wait for it, or end it; nothing was changed".to_owned(),
            Self::TooLarge(_) | Self::Foreign(_) => {
                "look at `path` of `[vault]`; no vault of ours looks like this file".to_owned()
            }
            Self::Damaged(_) | Self::Contents(_) => {
                "put it back from a backup, or remove it and set each secret anew: `scimport secret \
                 list` needs a vault that opens"
                    .to_owned()
            }
            Self::WrongKey { .. } => {
                "put the key back with which it was written; without it nobody can open the vault"
                    .to_owned()
            }
            Self::OtherKind { .. } => {
                "write `key = { file = … }` for an identity, `passphrase = { … }` for a passphrase"
                    .to_owned()
            }
            Self::TooMuchWork { .. } => {
                "this program writes smaller ones; look where the file comes from".to_owned()
            }
            Self::Version { .. } => "install the version of scimport that wrote it".to_owned(),
            Self::NoKey => {
                "add `[vault]` with `key = { file = \"vault.key\" }` to the config; `scimport secret \
                 set` makes that file"
                    .to_owned()
            }
            Self::Key(_) => "put it there; without it nobody can open the vault".to_owned(),
            Self::NoIdentity(_) => {
                "`age-keygen` makes one, and so does the first `scimport secret set` where the file \
                 does not exist"
                    .to_owned()
            }
            Self::NoPassphrase(_) => "put one there, alone on its line".to_owned(),
            Self::ShortPassphrase => {
                "take several words, or a key instead: `key = { file = \"vault.key\" }` in `[vault]`"
                    .to_owned()
            }
            Self::KeyFileFull(_) => {
                "take out the lines that no vault needs any more: above each new key stands which one \
                 it replaces"
                    .to_owned()
            }
            Self::KeyFileLines(_) => {
                "look at its last line: it has to end as lines do; no key was taken out".to_owned()
            }
            Self::Unknown { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::Unknown { nearest: None, .. } => {
                "`scimport secret list` shows those that are there".to_owned()
            }
            Self::KeyNotInFile(_) => {
                "add the new one there as a line of its own below the old one, restart the daemon, and \
                 repeat this command: it writes the vault for the last line; then take the old line out"
                    .to_owned()
            }
            Self::Full => "`scimport secret remove NAME` takes one out".to_owned(),
            Self::Name
            | Self::EmptyValue
            | Self::LongValue
            | Self::Note
            | Self::SameKey
            | Self::Encrypt => return None,
        })
    }
}
