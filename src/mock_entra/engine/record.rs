//! A staged record: a worker's source attributes under the flat names that mappings use.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use serde_json::{Map, Value};

/// The enterprise extension (RFC 7643 section 4.3).
pub(in crate::mock_entra) const ENTERPRISE: &str =
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Source attributes by flat name, such as `name.givenName`, `emails[type eq "work"].value` or
/// `urn:…:User:department`. Null and empty values, and entries of other types than `work`, are
/// ignored.
#[derive(Debug, Default)]
pub(in crate::mock_entra) struct Source(Vec<(Box<str>, Box<str>)>);

impl Source {
    /// Flattens a SCIM user.
    pub(in crate::mock_entra) fn of(data: &Map<String, Value>) -> Self {
        let mut source = Self::default();
        for (name, value) in data.iter().filter(|(name, _)| *name != "schemas") {
            match value {
                Value::Object(parts) => {
                    let joint = if name.starts_with("urn:") { ':' } else { '.' };
                    for (part, value) in parts {
                        // The manager stands for its `value`.
                        let manager = name == ENTERPRISE && part == "manager";
                        let value = if manager { &value["value"] } else { value };
                        source.add(format!("{name}{joint}{part}"), value);
                    }
                }
                Value::Array(entries) => {
                    let is_work =
                        |entry: &&Value| entry.get("type").and_then(Value::as_str) == Some("work");
                    let work = entries.iter().filter(is_work).filter_map(Value::as_object);
                    for (part, value) in work.flatten() {
                        if part != "type" && part != "primary" {
                            source.add(format!("{name}[type eq \"work\"].{part}"), value);
                        }
                    }
                }
                _ => source.add(name.clone(), value),
            }
        }
        source
    }

    /// Adds a value that is not empty, unless there is one of that name already.
    fn add(&mut self, name: String, value: &Value) {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Bool(true) => "True".to_owned(),
            Value::Bool(false) => "False".to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return,
        };
        if !text.is_empty() && self.get(&name).is_none() {
            self.0.push((name.into(), text.into()));
        }
    }

    /// An attribute's text.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| **known == *name).map(|(_, text)| &**text)
    }

    /// All attributes, in the order they were sent.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (&**name, &**text))
    }

    /// The external id of the manager.
    pub(super) fn manager(&self) -> Option<&str> {
        self.iter()
            .find(|(name, _)| name.strip_prefix(ENTERPRISE) == Some(":manager"))
            .map(|(_, text)| text)
    }
}

/// One staged record.
#[derive(Debug, Clone)]
pub(in crate::mock_entra) struct Record {
    pub(in crate::mock_entra) external_id: Arc<str>,
    pub(super) source: Arc<Source>,
    /// Equal for equal source attributes.
    pub(super) digest: u64,
}

impl Record {
    pub(in crate::mock_entra) fn new(external_id: Arc<str>, source: Source) -> Self {
        let mut hasher = DefaultHasher::new();
        source.0.hash(&mut hasher);
        Self { external_id, digest: hasher.finish(), source: Arc::new(source) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_user_is_flattened_to_the_names_that_mappings_use() {
        let user = json!({
            "schemas": ["urn:x"],
            "externalId": "0017",
            "active": false,
            "title": "",
            "nickName": null,
            "name": { "givenName": "Ada" },
            "emails": [
                { "type": "home", "value": "ada@home.example" },
                { "type": "work", "value": "ada@work.example", "primary": true },
                { "type": "work", "value": "second@work.example" },
            ],
            ENTERPRISE: { "department": "Sales", "manager": { "value": "0001" } },
            "urn:contoso:employee": { "Grade": 7, "Remote": true, "Tags": ["a"] },
        });
        let source = Source::of(user.as_object().unwrap());
        let all: Vec<_> = source.iter().collect();
        assert_eq!(
            all,
            [
                ("externalId", "0017"),
                ("active", "False"),
                ("name.givenName", "Ada"),
                ("emails[type eq \"work\"].value", "ada@work.example"),
                ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "Sales"),
                ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", "0001"),
                ("urn:contoso:employee:Grade", "7"),
                ("urn:contoso:employee:Remote", "True"),
            ]
        );
        assert_eq!(source.manager(), Some("0001"));
    }
}
