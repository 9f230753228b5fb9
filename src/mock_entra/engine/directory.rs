//! The stand-in's own directory: users, found by object id, employee id or user principal name.

use std::collections::{BTreeMap, HashMap};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::target::UPN;
use crate::mock_entra::graph::guid;

/// One account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::mock_entra) struct User {
    pub(super) id: String,
    pub(super) enabled: bool,
    /// The manager's object id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) manager: Option<String>,
    /// All other attributes by target name; none is empty.
    pub(super) attributes: BTreeMap<Box<str>, Box<str>>,
}

impl User {
    pub(super) fn get(&self, attribute: &str) -> Option<&str> {
        self.attributes.get(attribute).map(|text| &**text)
    }
}

/// What is kept over restarts.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    users: Vec<User>,
    anchors: BTreeMap<String, String>,
}

/// All accounts.
#[derive(Debug, Default)]
pub(in crate::mock_entra) struct Directory {
    users: IndexMap<String, User>,
    by_employee_id: HashMap<Box<str>, Vec<String>>,
    by_upn: HashMap<String, String>,
    /// The object id of each external id the job has matched or created: only these resolve as
    /// managers.
    anchors: HashMap<Box<str>, String>,
}

impl Directory {
    pub(super) fn len(&self) -> usize {
        self.users.len()
    }

    pub(super) fn get(&self, id: &str) -> Option<&User> {
        self.users.get(id)
    }

    /// Adds an account.
    pub(super) fn add(&mut self, user: User) {
        if let Some(employee_id) = user.attributes.get("employeeId") {
            self.by_employee_id.entry(employee_id.clone()).or_default().push(user.id.clone());
        }
        if let Some(upn) = user.get(UPN) {
            self.by_upn.insert(upn.to_lowercase(), user.id.clone());
        }
        self.users.insert(user.id.clone(), user);
    }

    /// Writes an attribute of an account, and gives the old value.
    pub(super) fn write(&mut self, id: &str, attribute: &str, text: &str) -> Option<Box<str>> {
        let user = self.users.get_mut(id)?;
        let old = user.attributes.insert(attribute.into(), text.into());
        if attribute == UPN {
            if let Some(old) = &old {
                self.by_upn.remove(&old.to_lowercase());
            }
            self.by_upn.insert(text.to_lowercase(), id.to_owned());
        }
        old
    }

    pub(super) fn set_enabled(&mut self, id: &str, enabled: bool) {
        if let Some(user) = self.users.get_mut(id) {
            user.enabled = enabled;
        }
    }

    /// Sets the manager, and gives the old one's object id.
    pub(super) fn set_manager(&mut self, id: &str, manager: &str) -> Option<String> {
        self.users.get_mut(id)?.manager.replace(manager.to_owned())
    }

    /// The accounts with this employee id.
    pub(super) fn with_employee_id(&self, employee_id: &str) -> &[String] {
        self.by_employee_id.get(employee_id).map_or(&[], Vec::as_slice)
    }

    /// The account with this user principal name; case does not matter.
    pub(super) fn with_upn(&self, upn: &str) -> Option<&str> {
        self.by_upn.get(&upn.to_lowercase()).map(String::as_str)
    }

    /// The account the job knows for an external id.
    pub(super) fn anchored(&self, external_id: &str) -> Option<&str> {
        self.anchors.get(external_id).map(String::as_str)
    }

    /// How many people the job knows.
    pub(super) fn known(&self) -> usize {
        self.anchors.len()
    }

    /// Forgets which account belongs to whom: all are matched anew.
    pub(super) fn forget_anchors(&mut self) {
        self.anchors.clear();
    }

    pub(super) fn anchor(&mut self, external_id: &str, id: &str) {
        if self.anchored(external_id) != Some(id) {
            self.anchors.insert(external_id.into(), id.to_owned());
        }
    }

    /// All users as `GET /_mock/directory` shows them.
    pub(in crate::mock_entra) fn json(&self) -> Value {
        let one = |user: &User| {
            let manager = user.manager.as_deref().and_then(|id| self.get(id));
            let mut shown = Map::new();
            shown.insert("id".to_owned(), json!(user.id));
            shown.insert("externalId".to_owned(), json!(user.get("employeeId")));
            shown.insert("accountEnabled".to_owned(), json!(user.enabled));
            shown.insert(
                "manager".to_owned(),
                json!(manager.map(|manager| manager.get("employeeId"))),
            );
            for (name, text) in &user.attributes {
                shown.insert(name.to_string(), json!(text));
            }
            Value::Object(shown)
        };
        self.users.values().map(one).collect()
    }

    /// Adds accounts that were there before the job: objects with `employeeId` (or `externalId`),
    /// `accountEnabled`, `manager` (an employee id), `anchored`, and any text attributes.
    pub(in crate::mock_entra) fn seed(&mut self, users: &[Value]) -> Result<(), String> {
        let mut made = Vec::new();
        for (index, seed) in users.iter().enumerate() {
            made.push(seeded(seed).ok_or_else(|| {
                format!("entry {index} is no object of text attributes and `accountEnabled`")
            })?);
        }
        for (user, _, anchored) in &made {
            self.add(user.clone());
            if let Some(employee_id) = user.get("employeeId").filter(|_| *anchored) {
                self.anchor(employee_id, &user.id);
            }
        }
        for (user, manager, _) in made {
            let found =
                manager.and_then(|manager| self.with_employee_id(&manager).first().cloned());
            if let Some(manager) = found {
                self.set_manager(&user.id, &manager);
            }
        }
        Ok(())
    }

    /// Everything, as kept over restarts.
    pub(in crate::mock_entra) fn keep(&self) -> serde_json::Result<Vec<u8>> {
        let anchors = self.anchors.iter().map(|(from, to)| (from.to_string(), to.clone()));
        serde_json::to_vec_pretty(&Kept {
            users: self.users.values().cloned().collect(),
            anchors: anchors.collect(),
        })
    }

    /// Reads what was kept.
    pub(in crate::mock_entra) fn read(bytes: &[u8]) -> serde_json::Result<Self> {
        let kept: Kept = serde_json::from_slice(bytes)?;
        let mut directory = Self::default();
        for user in kept.users {
            directory.add(user);
        }
        for (external_id, id) in kept.anchors {
            directory.anchor(&external_id, &id);
        }
        Ok(directory)
    }
}

/// A seeded account, its manager's employee id, and whether the job knows it already.
fn seeded(seed: &Value) -> Option<(User, Option<String>, bool)> {
    let mut user =
        User { id: guid(), enabled: true, manager: None, attributes: BTreeMap::default() };
    let (mut manager, mut anchored) = (None, false);
    for (name, value) in seed.as_object()? {
        match (name.as_str(), value) {
            (_, Value::Null) => {}
            ("accountEnabled", Value::Bool(enabled)) => user.enabled = *enabled,
            ("anchored", Value::Bool(known)) => anchored = *known,
            ("manager", Value::String(employee_id)) => manager = Some(employee_id.clone()),
            ("id", Value::String(id)) => user.id.clone_from(id),
            ("externalId", Value::String(text)) => {
                user.attributes.insert("employeeId".into(), text.as_str().into());
            }
            (_, Value::String(text)) => {
                user.attributes.insert(name.as_str().into(), text.as_str().into());
            }
            _ => return None,
        }
    }
    Some((user, manager, anchored))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Directory {
        let mut directory = Directory::default();
        let seeds = [
            json!({ "employeeId": "1", "userPrincipalName": "Ada@x.example", "manager": "2" }),
            json!({ "externalId": "2", "accountEnabled": false, "anchored": true }),
        ];
        directory.seed(&seeds).unwrap();
        directory
    }

    #[test]
    fn a_kept_directory_reads_back_as_it_was() {
        let directory = two();
        let again = Directory::read(&directory.keep().unwrap()).unwrap();
        assert_eq!(again.json(), directory.json());
        assert_eq!(again.json()[0]["manager"], "2");
        assert!(again.anchored("2").is_some() && again.anchored("1").is_none());
    }

    #[test]
    fn a_new_user_principal_name_frees_the_old_one() {
        let mut directory = two();
        let id = directory.with_upn("ada@X.example").unwrap().to_owned();
        directory.write(&id, UPN, "lovelace@x.example");
        assert_eq!(directory.with_upn("ada@x.example"), None);
        assert_eq!(directory.with_upn("Lovelace@x.example"), Some(&*id));
    }

    #[test]
    fn a_seed_with_a_number_is_refused_whole() {
        let mut directory = Directory::default();
        assert!(directory.seed(&[json!({ "employeeId": "1" }), json!({ "a": 1 })]).is_err());
        assert_eq!(directory.len(), 0);
    }
}
