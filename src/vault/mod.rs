//! The vault: our own secrets, encrypted in one file.
//!
//! The file is an age file (<https://age-encryption.org/v1>), for one X25519 identity or for one
//! passphrase, so that `age -d` or `rage -d` opens it where this program is not at hand. What it holds
//! is a small JSON document with a version: for each name the value (in Base64, so that a PEM file with
//! its line breaks is not taken apart by a parser that leaves pieces of it in memory), when it was set,
//! and if told so when it ends and a note.
//!
//! Start from [`Vault`]. It reads the file whenever a secret is asked for, so that what somebody sets is
//! used at once; what was decrypted is kept for as long as the bytes of the file and its key stay the
//! same, and no longer than somebody asks for it. It is written under a lock, beside itself, and then
//! renamed: whoever reads has the old one or the new one. So is the file of its key, which has a lock of
//! its own: it may open other vaults too.
//!
//! The vault's key is a list, one a line; any of them opens it, and it is written for the last. That is
//! how the key is replaced while a daemon reads: the new one is added, the vault is written for it, and
//! where somebody says that no other vault needs the old one it is taken out, each in one step; after
//! each of them there is a key for the vault.
//!
//! age authenticates the header and the contents: a changed, cut or foreign file is refused, never half
//! believed. What it cannot tell is that somebody has put an older vault in the place of a newer one.
//!
//! Values are held in [`SecretString`](secrecy::SecretString) and wiped from memory after use; none
//! stands in a message, in `Debug` or in the log.
//!
//! Layer 3; knows `domain` and `config`.

mod change;
mod contents;
mod error;
mod file;
mod kept;
mod key;
mod key_file;
mod lock;
mod name;
mod open;
mod rekey;
mod seal;
#[cfg(test)]
mod tests;

pub use change::{Change, NewSecret};
pub use contents::{Listed, MAX_SECRETS, MAX_VALUE_BYTES};
pub use error::VaultError;
pub use key::{MIN_PASSPHRASE_CHARS, VaultKeys, new_identity};
pub use name::SecretName;
pub use open::Vault;
pub use rekey::{OldKey, Rekeyed};
