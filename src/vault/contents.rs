//! What is in a vault once it is open: a JSON document with a version.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::vault::{SecretName, VaultError};

/// The version that is written, and the newest that is read.
const VERSION: u64 = 1;
/// Most secrets in a vault: a config refers to a few dozen.
pub const MAX_SECRETS: usize = 1000;
/// Longest value, in bytes, as for secrets in files.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;
/// Longest note, in characters.
pub(super) const MAX_NOTE_CHARS: usize = 200;
/// More than the JSON around one value, its note included, takes.
const BYTES_AROUND: usize = 1600;

/// One secret with what is known of it.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) value: SecretString,
    pub(super) set_at: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) note: Option<String>,
}

/// What may be shown of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: SecretName,
    /// When it was set last.
    pub set_at: Timestamp,
    /// When it ends, if that was told.
    pub expires_at: Option<Timestamp>,
    /// What somebody has noted.
    pub note: Option<String>,
}

/// All secrets, by name.
#[derive(Clone, Default)]
pub(super) struct Contents(pub(super) BTreeMap<SecretName, Entry>);

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Why a text is no document of ours.
pub(super) enum NoContents {
    Malformed,
    Version(u64),
}

/// As it stands in the file. Values are borrowed, so that no copy of one is left in memory.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<'a> {
    version: u64,
    #[serde(borrow)]
    secrets: BTreeMap<&'a str, WrittenEntry<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEntry<'a> {
    value: &'a str,
    set_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// What is looked at first: what follows may be anything.
#[derive(Deserialize)]
struct WrittenVersion {
    version: u64,
}

impl Contents {
    /// Reads the document.
    pub(super) fn parse(text: &[u8]) -> Result<Self, NoContents> {
        let WrittenVersion { version } =
            serde_json::from_slice(text).map_err(|_| NoContents::Malformed)?;
        if version != VERSION {
            return Err(NoContents::Version(version));
        }
        let written: Written<'_> =
            serde_json::from_slice(text).map_err(|_| NoContents::Malformed)?;
        let entries = written.secrets.into_iter().map(|(name, entry)| {
            let name = SecretName::new(name).ok()?;
            let mut bytes = Zeroizing::new(vec![0; entry.value.len()]);
            let length = STANDARD.decode_slice(entry.value, &mut bytes).ok()?;
            let value = std::str::from_utf8(bytes.get(..length)?).ok()?;
            let WrittenEntry { set_at, expires_at, note, .. } = entry;
            Some((name, Entry { value: SecretString::from(value), set_at, expires_at, note }))
        });
        entries.collect::<Option<_>>().map(Self).ok_or(NoContents::Malformed)
    }

    /// The document, in a buffer that never grows: growing would leave copies behind.
    pub(super) fn write(&self) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let values: Vec<Zeroizing<String>> = self
            .0
            .values()
            .map(|entry| {
                let value = entry.value.expose_secret();
                let mut text = String::with_capacity(encoded_length(value.len()));
                STANDARD.encode_string(value, &mut text);
                Zeroizing::new(text)
            })
            .collect();
        let secrets = self.0.iter().zip(&values).map(|((name, entry), value)| {
            let Entry { set_at, expires_at, note, .. } = entry;
            let note = note.clone();
            let (set_at, expires_at) = (*set_at, *expires_at);
            (name.as_str(), WrittenEntry { value: value.as_str(), set_at, expires_at, note })
        });
        let written = Written { version: VERSION, secrets: secrets.collect() };
        let length = values.iter().map(|value| value.len() + BYTES_AROUND).sum::<usize>();
        let mut text = Zeroizing::new(Vec::with_capacity(length + BYTES_AROUND));
        serde_json::to_writer(&mut *text, &written).map_err(|_| VaultError::Encrypt)?;
        Ok(text)
    }

    /// A secret by name.
    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        self.0.get(&SecretName::new(name).ok()?)
    }

    /// The name that may have been meant.
    pub(super) fn nearest(&self, name: &str) -> Option<String> {
        let names = self.0.keys().map(SecretName::as_str);
        crate::config::nearest(name, names).map(str::to_owned)
    }

    /// What may be shown, by name.
    pub(super) fn list(&self) -> Vec<Listed> {
        let listed = |(name, entry): (&SecretName, &Entry)| Listed {
            name: name.clone(),
            set_at: entry.set_at,
            expires_at: entry.expires_at,
            note: entry.note.clone(),
        };
        self.0.iter().map(listed).collect()
    }
}

/// How long a text of so many bytes is in Base64.
const fn encoded_length(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents() -> Contents {
        let entry = |value: &str, note: Option<&str>| Entry {
            value: SecretString::from(value),
            set_at: Timestamp::from_second(1_800_000_000).unwrap(),
            expires_at: note.map(|_| Timestamp::from_second(1_900_000_000).unwrap()),
            note: note.map(str::to_owned),
        };
        let name = |name| SecretName::new(name).unwrap();
        let long = "\u{1}".repeat(MAX_NOTE_CHARS);
        Contents(BTreeMap::from([
            (name("a"), entry("-----BEGIN\nhunter2\n", Some(&long))),
            (name("b"), entry("ü", None)),
        ]))
    }

    #[test]
    fn a_document_is_what_it_was() {
        let text = contents().write().unwrap();
        let read = Contents::parse(&text).ok().unwrap();
        assert_eq!(read.list(), contents().list());
        for name in ["a", "b"] {
            let value = |contents: &Contents| {
                contents.entry(name).unwrap().value.expose_secret().to_owned()
            };
            assert_eq!(value(&read), value(&contents()));
        }
        assert!(text.len() < 2 * BYTES_AROUND + 100, "the buffer would grow: {}", text.len());
    }

    #[test]
    fn a_document_of_its_own_kind_is_shown_by_names_alone() {
        assert_eq!(format!("{:?}", contents()), "{SecretName(\"a\"), SecretName(\"b\")}");
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for text in [
            "",
            "{}",
            "[]",
            "{\"version\":1}",
            "{\"version\":1,\"secrets\":{\"A\":{\"value\":\"\",\"set_at\":\"2030-01-01T00:00:00Z\"}}}",
            "{\"version\":1,\"secrets\":{\"a\":{\"value\":\"?\",\"set_at\":\"2030-01-01T00:00:00Z\"}}}",
            "{\"version\":1,\"secrets\":{\"a\":{\"value\":\"/w==\",\"set_at\":\"2030-01-01T00:00:00Z\"}}}",
            "{\"version\":1,\"secrets\":{\"a\":{\"value\":\"\",\"set_at\":\"soon\"}}}",
            "{\"version\":1,\"secrets\":{},\"more\":1}",
        ] {
            assert!(
                matches!(Contents::parse(text.as_bytes()), Err(NoContents::Malformed)),
                "{text}"
            );
        }
        let later = "{\"version\":2,\"secrets\":[]}";
        assert!(matches!(Contents::parse(later.as_bytes()), Err(NoContents::Version(2))));
    }
}
