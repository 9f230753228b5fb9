//! `[store]`: where the ledger and the outbox are kept.

use std::path::{Path, PathBuf};

use crate::config::node::Value;
use crate::config::secrets::{self, SecretRef};
use crate::config::section::{Field, Section};

pub(super) const KEYS: &[&str] = &["url", "key", "old_keys"];
/// The store where nothing else is said: no set-up needed.
const DEFAULT_FILE: &str = "scimport.db";

/// `[store]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// The database file, its folder being the config's where it was relative.
    pub path: PathBuf,
    /// The key that what is stored of people is encrypted with.
    pub key: Option<SecretRef>,
    /// Keys that something may still be encrypted with.
    pub old_keys: Vec<SecretRef>,
}

pub(super) fn read(section: Option<&Section<'_>>, folder: &Path) -> StoreConfig {
    let path = section.and_then(|section| {
        section.check_keys(KEYS);
        sqlite_path(&section.get("url")?)
    });
    let key = section.and_then(|section| secrets::read(&section.get("key")?, folder));
    let old_keys = section.and_then(|section| old_keys(&section.get("old_keys")?, folder));
    StoreConfig {
        path: folder.join(path.unwrap_or(DEFAULT_FILE)),
        key,
        old_keys: old_keys.unwrap_or_default(),
    }
}

fn old_keys(field: &Field<'_>, folder: &Path) -> Option<Vec<SecretRef>> {
    if !matches!(field.node.value, Value::Array(_)) {
        let hint = "write it like `[{ file = \"old.key\" }]`".to_owned();
        field.refuse_key("`old_keys` has to be a list of references".to_owned(), Some(hint));
        return None;
    }
    let read: Vec<_> = field.items()?.iter().map(|item| secrets::read(item, folder)).collect();
    read.into_iter().collect()
}

/// The path in `sqlite:PATH`. The value is never shown: a database URL often holds a password.
fn sqlite_path<'d>(field: &Field<'d>) -> Option<&'d str> {
    let text = field.text()?;
    let example = Some("write it like `sqlite:scimport.db`".to_owned());
    if text.starts_with("postgres:") || text.starts_with("postgresql:") {
        let message = "PostgreSQL cannot be used until that backend exists".to_owned();
        field.refuse_key(message, example);
        return None;
    }
    let Some(path) = text.strip_prefix("sqlite:") else {
        field.refuse_key("`url` has to begin with `sqlite:`".to_owned(), example);
        return None;
    };
    let problem = if path.trim().is_empty() {
        "`url` names no file"
    } else if path.starts_with("//") {
        "`url` takes a path right after `sqlite:`, without `//`"
    } else if path.starts_with(':') || path.starts_with("file:") {
        "`url` has to name a file on disk: the ledger must outlive the program"
    } else {
        return Some(path);
    };
    field.refuse_key(problem.to_owned(), example);
    None
}
