//! Which sections of a config differ from those of another one: for whoever reads the log after a
//! reload. Only digests of the values are kept.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::config::Config;
use crate::config::node::{Node, Table, Value};

/// Sections with a section for each name.
const BY_NAME: [&str; 2] = ["target", "source"];

/// A digest of each section, by its name.
pub(super) type Digests = BTreeMap<String, [u8; 32]>;

/// The digests of the values as they are in force, the environment laid over them.
pub(super) fn digests(root: &Table) -> Digests {
    let mut digests = Digests::new();
    for (key, node) in &root.0 {
        match &node.value {
            Value::Table(names) if BY_NAME.contains(&key.as_str()) => {
                for (name, node) in &names.0 {
                    digests.insert(format!("{key}.{name}"), digest(node));
                }
            }
            _ => drop(digests.insert(key.clone(), digest(node))),
        }
    }
    digests
}

/// The digests of the values of single keys: of a source's `mapping` those of its attributes, of any
/// other table in a section the table's. What stands deeper may be a cell's value on the left of a `=`.
pub(super) fn key_digests(root: &Table) -> Digests {
    let mut digests = Digests::new();
    add_keys(&mut digests, &[], root);
    digests
}

fn add_keys(digests: &mut Digests, path: &[&str], table: &Table) {
    for (key, node) in &table.0 {
        let path = [path, &[key.as_str()]].concat();
        match (&node.value, path.as_slice()) {
            (Value::Table(table), [_] | ["source" | "target", _] | ["source", _, "mapping"]) => {
                add_keys(digests, &path, table);
            }
            _ => drop(digests.insert(path.join("."), digest(node))),
        }
    }
}

impl Config {
    /// A digest of each value in force, by the name of its key, such as `source.hr.mapping.userName`.
    pub fn key_digests(&self) -> impl Iterator<Item = (&str, [u8; 32])> {
        self.keys.iter().map(|(key, digest)| (key.as_str(), *digest))
    }

    /// The sections that are new, gone, or not what they were in an older config, by name.
    #[must_use]
    pub fn changed_sections(&self, old: &Self) -> Vec<String> {
        let names: std::collections::BTreeSet<&String> =
            self.sections.keys().chain(old.sections.keys()).collect();
        let differs = |name: &&&String| self.sections.get(**name) != old.sections.get(**name);
        names.iter().filter(differs).map(|name| (*name).clone()).collect()
    }
}

fn digest(node: &Node) -> [u8; 32] {
    let mut hash = Sha256::new();
    add(&mut hash, &node.value);
    hash.finalize().into()
}

/// Each value with its kind and length, so that no two are one text.
fn add(hash: &mut Sha256, value: &Value) {
    hash.update(value.kind());
    match value {
        Value::Text(text) => add_text(hash, text),
        Value::Integer(integer) => hash.update(integer.to_be_bytes()),
        Value::Boolean(is_true) => hash.update([u8::from(*is_true)]),
        Value::Array(items) => {
            hash.update(items.len().to_be_bytes());
            for item in items {
                add(hash, &item.value);
            }
        }
        Value::Table(table) => {
            hash.update(table.0.len().to_be_bytes());
            for (key, node) in &table.0 {
                add_text(hash, key);
                add(hash, &node.value);
            }
        }
        Value::Other(_) => {}
    }
}

fn add_text(hash: &mut Sha256, text: &str) {
    hash.update(text.len().to_be_bytes());
    hash.update(text);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Config;

    fn config(text: &str) -> Config {
        let env = [("SCIMPORT__HTTP__TIMEOUT".to_owned(), "9s".to_owned())];
        Config::parse(text, Path::new("."), env).unwrap()
    }

    const OLD: &str = "[store]\nurl = \"sqlite:a.db\"\n[source.hr]\ntarget = \"t\"\n\
        [source.hr.mapping]\nexternalId = \"Id\"\nactive = { const = true }\n\
        [target.t]\ntenant_id = \"11111111-1111-1111-1111-111111111111\"\n\
        client_id = \"11111111-1111-1111-1111-111111111111\"\n\
        service_principal_id = \"11111111-1111-1111-1111-111111111111\"\njob_id = \"j\"\n\
        credential = { client_secret = { env = \"S\" } }\n";

    #[test]
    fn sections_are_named_that_are_new_gone_or_different() {
        let old = config(OLD);
        assert!(
            config(&OLD.replace("[store]", "# a remark\n[store]"))
                .changed_sections(&old)
                .is_empty()
        );
        let new = OLD.replace("a.db", "b.db").replace("\"Id\"", "\"Number\"");
        let new = config(&format!("{new}[server]\nlisten = \"127.0.0.1:1\"\n"));
        let all = ["server", "source.hr", "store"];
        assert_eq!(new.changed_sections(&old), all);
        assert_eq!(old.changed_sections(&new), all);
    }
}
