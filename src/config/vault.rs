//! `[vault]`: our own file of encrypted secrets, what opens it, and who refers to what in it.

use std::path::{Path, PathBuf};

use crate::config::node::Origin;
use crate::config::secrets::{self, SecretRef};
use crate::config::section::{Field, Section};
use crate::config::{Config, ConfigProblem};

pub(super) const KEYS: &[&str] = &["path", "key", "passphrase"];
/// The vault where nothing else is said.
const DEFAULT_FILE: &str = "scimport.vault";

/// `[vault]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultConfig {
    /// The vault, its folder being the config's where it was relative.
    pub path: PathBuf,
    /// What opens it; none where a person is to be asked.
    pub key: Option<VaultKeyRef>,
}

/// Where that is with which the vault is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VaultKeyRef {
    /// Identities of age, one a line.
    Identity(SecretRef),
    /// Passphrases, one a line.
    Passphrase(SecretRef),
}

impl VaultKeyRef {
    /// Where it is.
    #[must_use]
    pub const fn reference(&self) -> &SecretRef {
        match self {
            Self::Identity(reference) | Self::Passphrase(reference) => reference,
        }
    }
}

/// A key of the config whose value is in the vault.
#[derive(Debug, Clone)]
pub struct VaultUse {
    /// The key with its sections, such as `target.entra.credential.client_secret`.
    pub key: String,
    /// The name of the secret.
    pub name: String,
    pub(super) origin: Origin,
}

impl Config {
    /// The keys whose values are in the vault, in the order in which they were read.
    #[must_use]
    pub fn vault_uses(&self) -> &[VaultUse] {
        &self.vault_uses
    }

    /// A problem with a reference to the vault, with its line.
    #[must_use]
    pub fn vault_problem(
        &self,
        found: &VaultUse,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> ConfigProblem {
        self.problem_of(&found.origin, &found.key, message.into(), hint)
    }
}

pub(super) fn read(section: Option<&Section<'_>>, folder: &Path) -> VaultConfig {
    let mut config = VaultConfig { path: folder.join(DEFAULT_FILE), key: None };
    let Some(section) = section else { return config };
    section.check_keys(KEYS);
    if let Some(path) = section.get("path").and_then(|field| field.text().map(Path::new)) {
        config.path = folder.join(path);
    }
    let key = section.get("key");
    let passphrase = section.get("passphrase");
    if key.is_some() && passphrase.is_some() {
        section.refuse("`[vault]` takes one of `key` and `passphrase`".to_owned(), None);
    }
    let key = key.and_then(|field| elsewhere(&field, folder)).map(VaultKeyRef::Identity);
    let passphrase =
        passphrase.and_then(|field| elsewhere(&field, folder)).map(VaultKeyRef::Passphrase);
    config.key = key.or(passphrase);
    config
}

/// A reference that does not lead into the vault itself.
fn elsewhere(field: &Field<'_>, folder: &Path) -> Option<SecretRef> {
    match secrets::read(field, folder)? {
        SecretRef::Vault(_) => {
            let message = format!("`{}` cannot be in the vault that it opens", field.key);
            let hint = "name a file, a variable of the environment or a command".to_owned();
            field.refuse_key(message, Some(hint));
            None
        }
        reference => Some(reference),
    }
}
