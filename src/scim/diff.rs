//! What differs between two resources, attribute by attribute, for a person to read.
//!
//! Holds personal data by its nature: the result belongs on the asker's terminal and nowhere else,
//! and `Debug` shows paths alone. `schemas` is left out, because it follows from the rest.

use std::fmt;

use serde_json::{Map, Value};

use crate::scim::urns;

/// One attribute that differs.
#[derive(Clone, PartialEq, Eq)]
pub struct AttributeChange {
    /// The path, as `AttributePath` writes it.
    pub path: String,
    /// What it was; `None` where it was absent. An explicit null reads `null`.
    pub old: Option<String>,
    /// What it becomes; `None` where it will be absent.
    pub new: Option<String>,
}

impl fmt::Debug for AttributeChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttributeChange").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Bytes that are no resource.
#[derive(Debug, thiserror::Error)]
#[error("the {which} resource is no JSON object")]
pub struct DiffError {
    which: &'static str,
    source: serde_json::Error,
}

/// The attributes in which two resources differ: those of the old one in its order, then those
/// that only the new one has.
///
/// # Errors
/// When either is no JSON object.
pub fn changed_attributes(old: &[u8], new: &[u8]) -> Result<Vec<AttributeChange>, DiffError> {
    let (old, new) = (flatten("old", old)?, flatten("new", new)?);
    let value = |side: &[(String, String)], path: &str| {
        side.iter().find(|(other, _)| other == path).map(|(_, value)| value.clone())
    };
    let mut changes = Vec::new();
    for (path, before) in &old {
        let after = value(&new, path);
        if after.as_ref() != Some(before) {
            changes.push(AttributeChange {
                path: path.clone(),
                old: Some(before.clone()),
                new: after,
            });
        }
    }
    for (path, after) in new {
        if value(&old, &path).is_none() {
            changes.push(AttributeChange { path, old: None, new: Some(after) });
        }
    }
    Ok(changes)
}

fn flatten(which: &'static str, resource: &[u8]) -> Result<Vec<(String, String)>, DiffError> {
    let members: Map<String, Value> =
        serde_json::from_slice(resource).map_err(|source| DiffError { which, source })?;
    let mut flat = Flat::default();
    for (name, value) in &members {
        match value {
            _ if name == "schemas" => {}
            Value::Object(extension) if name.starts_with(urns::PREFIX) => {
                for (attribute, value) in extension {
                    flat.attribute(&format!("{name}:{attribute}"), value);
                }
            }
            _ => flat.attribute(name, value),
        }
    }
    Ok(flat.values)
}

#[derive(Default)]
struct Flat {
    values: Vec<(String, String)>,
}

impl Flat {
    fn attribute(&mut self, path: &str, value: &Value) {
        match value {
            Value::Object(parts) => self.parts(path, parts, None),
            Value::Array(entries) => {
                for entry in entries {
                    match entry {
                        Value::Object(parts) => match parts.get("type").and_then(Value::as_str) {
                            Some(kind) => {
                                self.parts(
                                    &format!("{path}[type eq \"{kind}\"]"),
                                    parts,
                                    Some("type"),
                                );
                            }
                            None => self.parts(path, parts, None),
                        },
                        simple => self.value(path.to_owned(), simple),
                    }
                }
            }
            simple => self.value(path.to_owned(), simple),
        }
    }

    fn parts(&mut self, path: &str, parts: &Map<String, Value>, but: Option<&str>) {
        for (part, value) in parts {
            if Some(part.as_str()) != but {
                self.value(format!("{path}.{part}"), value);
            }
        }
    }

    /// Two entries of one type share a path; their values are then shown side by side.
    fn value(&mut self, path: String, value: &Value) {
        let shown = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        match self.values.iter_mut().find(|(other, _)| *other == path) {
            Some((_, first)) => {
                first.push_str(", ");
                first.push_str(&shown);
            }
            None => self.values.push((path, shown)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(old: &str, new: &str) -> Vec<(String, Option<String>, Option<String>)> {
        changed_attributes(old.as_bytes(), new.as_bytes())
            .expect("two resources")
            .into_iter()
            .map(|change| (change.path, change.old, change.new))
            .collect()
    }

    #[test]
    fn each_changed_attribute_is_named_as_a_mapping_would_name_it() {
        let old = r#"{"schemas":["a"],"externalId":"E1","title":"Clerk","name":{"givenName":"Ada"},"emails":[{"value":"a@x.example","type":"work"}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales","manager":{"value":"E0"}},"urn:contoso:employee":{"Grade":"7"}}"#;
        let new = r#"{"schemas":["b"],"externalId":"E1","active":true,"name":{"givenName":null},"emails":[{"value":"b@x.example","type":"work"}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales","manager":{"value":"E9"}},"urn:contoso:employee":{"Grade":"8"}}"#;
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            changes(old, new),
            [
                ("title".to_owned(), some("Clerk"), None),
                ("name.givenName".to_owned(), some("Ada"), some("null")),
                (
                    "emails[type eq \"work\"].value".to_owned(),
                    some("a@x.example"),
                    some("b@x.example")
                ),
                (
                    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value"
                        .to_owned(),
                    some("E0"),
                    some("E9")
                ),
                ("urn:contoso:employee:Grade".to_owned(), some("7"), some("8")),
                ("active".to_owned(), None, some("true")),
            ]
        );
    }

    #[test]
    fn equal_resources_differ_in_nothing_whatever_their_order() {
        assert!(changes(r#"{"a":"1","b":true}"#, r#"{"b":true,"a":"1"}"#).is_empty());
    }

    #[test]
    fn what_is_no_object_is_an_error_and_debug_shows_no_value() {
        assert!(changed_attributes(b"[]", b"{}").is_err());
        let change = changed_attributes(b"{}", br#"{"title":"Clerk"}"#).expect("objects");
        assert!(!format!("{change:?}").contains("Clerk"));
    }
}
