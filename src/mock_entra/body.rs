//! Reads a bulk request's body, and refuses whatever breaks the bulk schema.
//!
//! Follows the reference page "synchronizationJob: bulkUpload" and the resource "bulkUpload". Where
//! the pages leave a mistake unjudged (an unknown member, a wrong type), it is refused: a client
//! had better hear of it here.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::engine::{ENTERPRISE, Record, Source};

const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// Most operations in one bulk request.
/// <https://learn.microsoft.com/graph/api/synchronization-synchronizationjob-post-bulkupload>
const MAX_OPERATIONS: usize = 50;

/// Core attributes that are text (RFC 7643 section 4.1.1).
const TEXTS: [&str; 10] = [
    "userName",
    "displayName",
    "nickName",
    "profileUrl",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "password",
];

/// Core attributes that are lists of objects (RFC 7643 section 4.1.2).
const LISTS: [&str; 9] = [
    "emails",
    "phoneNumbers",
    "addresses",
    "ims",
    "photos",
    "groups",
    "entitlements",
    "roles",
    "x509Certificates",
];

/// Text attributes of the enterprise extension (RFC 7643 section 4.3).
const ENTERPRISE_TEXTS: [&str; 5] =
    ["employeeNumber", "costCenter", "organization", "division", "department"];

/// A body that was read.
#[derive(Debug)]
pub(super) struct Body {
    /// Every external id that could be found, also in a refused body.
    pub(super) external_ids: Vec<Arc<str>>,
    /// The records, or what is wrong.
    pub(super) records: Result<Vec<Record>, String>,
}

/// Reads a body.
pub(super) fn read(bytes: &[u8]) -> Body {
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(error) => {
            let place = format!("line {}, column {}", error.line(), error.column());
            return Body { external_ids: Vec::new(), records: Err(format!("no JSON at {place}")) };
        }
    };
    let operations = value.get("Operations").and_then(Value::as_array);
    let external_ids = operations
        .into_iter()
        .flatten()
        .filter_map(|operation| operation.pointer("/data/externalId")?.as_str())
        .map(Arc::from)
        .collect();
    Body { external_ids, records: records(&value) }
}

fn records(value: &Value) -> Result<Vec<Record>, String> {
    let bulk = value.as_object().ok_or("the body is no object")?;
    only(bulk, &["schemas", "Operations", "failOnErrors"], "")?;
    let schemas = texts(bulk.get("schemas"), "schemas")?;
    if schemas != [BULK] {
        return Err(format!("schemas does not hold exactly {BULK}"));
    }
    if !bulk.get("failOnErrors").is_none_or(|value| value.is_null() || value.is_u64()) {
        return Err("failOnErrors is neither null nor a number".to_owned());
    }
    let operations =
        bulk.get("Operations").and_then(Value::as_array).ok_or("Operations is no array")?;
    if operations.is_empty() || operations.len() > MAX_OPERATIONS {
        return Err(format!("Operations has {} entries, not 1 to 50", operations.len()));
    }
    operations
        .iter()
        .enumerate()
        .map(|(index, operation)| record(operation, &format!("Operations[{index}]")))
        .collect()
}

fn record(operation: &Value, at: &str) -> Result<Record, String> {
    let operation = operation.as_object().ok_or_else(|| format!("{at} is no object"))?;
    only(operation, &["method", "bulkId", "path", "data"], at)?;
    let text = |name: &str| operation.get(name).and_then(Value::as_str);
    if text("method") != Some("POST") {
        return Err(format!("{at}.method is not POST"));
    }
    // A sample of Microsoft's own has the lower-case path.
    if !matches!(text("path"), Some("/Users" | "/users")) {
        return Err(format!("{at}.path is not /Users"));
    }
    if text("bulkId").is_none_or(str::is_empty) {
        return Err(format!("{at}.bulkId is missing or empty"));
    }
    let at = format!("{at}.data");
    let data = operation
        .get("data")
        .and_then(Value::as_object)
        .ok_or_else(|| format!("{at} is no object"))?;
    check_schemas(data, &at)?;
    check_core(data, &at)?;
    if let Some(enterprise) = data.get(ENTERPRISE).and_then(Value::as_object) {
        check_enterprise(enterprise, &at)?;
    }
    let external_id = data
        .get("externalId")
        .and_then(Value::as_str)
        .filter(|id| !id.is_empty())
        .ok_or_else(|| format!("{at}.externalId is missing, empty or no string"))?;
    Ok(Record::new(Arc::from(external_id), Source::of(data)))
}

fn check_schemas(data: &Map<String, Value>, at: &str) -> Result<(), String> {
    let at = format!("{at}.schemas");
    let schemas = texts(data.get("schemas"), &at)?;
    let used = data.iter().filter(|(name, _)| name.starts_with("urn:"));
    for urn in [CORE, ENTERPRISE].into_iter().chain(used.clone().map(|(name, _)| name.as_str())) {
        if !schemas.contains(&urn) {
            return Err(format!("{at} does not list {urn}"));
        }
    }
    for (name, value) in used {
        if !value.is_object() && !value.is_null() {
            return Err(format!("{name} is no object"));
        }
    }
    Ok(())
}

fn check_core(data: &Map<String, Value>, at: &str) -> Result<(), String> {
    check_texts(data, &TEXTS, at)?;
    if !data.get("active").is_none_or(Value::is_boolean) {
        return Err(format!("{at}.active is no boolean"));
    }
    if let Some(name) = present(data, "name") {
        let name = name.as_object().ok_or_else(|| format!("{at}.name is no object"))?;
        let parts: Vec<_> = name.keys().map(String::as_str).collect();
        check_texts(name, &parts, &format!("{at}.name"))?;
    }
    for list in LISTS {
        if let Some(entries) = present(data, list) {
            let entries = entries.as_array();
            if !entries.is_some_and(|entries| entries.iter().all(Value::is_object)) {
                return Err(format!("{at}.{list} is no array of objects"));
            }
        }
    }
    Ok(())
}

fn check_enterprise(enterprise: &Map<String, Value>, at: &str) -> Result<(), String> {
    let at = format!("{at}.{ENTERPRISE}");
    check_texts(enterprise, &ENTERPRISE_TEXTS, &at)?;
    if let Some(manager) = present(enterprise, "manager") {
        let manager = manager.as_object().ok_or_else(|| format!("{at}.manager is no object"))?;
        check_texts(manager, &["value", "displayName", "$ref"], &format!("{at}.manager"))?;
    }
    Ok(())
}

fn present<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}

fn check_texts(object: &Map<String, Value>, names: &[&str], at: &str) -> Result<(), String> {
    match names.iter().find(|name| present(object, name).is_some_and(|value| !value.is_string())) {
        Some(name) => Err(format!("{at}.{name} is no string")),
        None => Ok(()),
    }
}

fn texts<'a>(value: Option<&'a Value>, at: &str) -> Result<Vec<&'a str>, String> {
    value
        .and_then(Value::as_array)
        .and_then(|entries| entries.iter().map(Value::as_str).collect())
        .ok_or_else(|| format!("{at} is no array of strings"))
}

fn only(object: &Map<String, Value>, known: &[&str], at: &str) -> Result<(), String> {
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(format!("{at} has an unknown member {name}").trim_start().to_owned()),
        None => Ok(()),
    }
}
