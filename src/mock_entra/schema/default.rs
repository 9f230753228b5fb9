//! The schema that a new job has. The full list of the service's own is not documented; this one has
//! the attributes that the Entra docs name, and the mappings of its tables.

use serde_json::{Value, json};

use crate::mock_entra::config::JOB_ID;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Attributes of the source, in the flat notation of a schema.
const SOURCE: [&str; 22] = [
    "userName",
    "active",
    "displayName",
    "name.formatted",
    "name.givenName",
    "name.familyName",
    "name.middleName",
    "name.honorificPrefix",
    "name.honorificSuffix",
    "nickName",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "emails[type eq \"work\"].value",
    "phoneNumbers[type eq \"work\"].value",
    "addresses[type eq \"work\"].formatted",
    "addresses[type eq \"work\"].streetAddress",
    "addresses[type eq \"work\"].locality",
    "addresses[type eq \"work\"].postalCode",
    "addresses[type eq \"work\"].country",
];

/// Attributes of the source's enterprise extension.
const SOURCE_ENTERPRISE: [&str; 5] =
    ["employeeNumber", "costCenter", "organization", "division", "department"];

/// Attributes of the target, beside those that are mapped.
const TARGET: [&str; 3] = ["mail", "employeeHireDate", "employeeLeaveDateTime"];

/// What flows where: target, source.
const MAPPINGS: [(&str, &str); 12] = [
    ("employeeId", "externalId"),
    ("userPrincipalName", "userName"),
    ("accountEnabled", "active"),
    ("displayName", "displayName"),
    ("givenName", "name.givenName"),
    ("surname", "name.familyName"),
    ("jobTitle", "title"),
    ("city", "addresses[type eq \"work\"].locality"),
    ("country", "addresses[type eq \"work\"].country"),
    ("telephoneNumber", "phoneNumbers[type eq \"work\"].value"),
    ("department", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"),
    ("manager", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"),
];

/// The whole schema.
pub(super) fn schema() -> Value {
    json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#servicePrincipals/synchronization/jobs/schema/$entity",
        "id": JOB_ID,
        "version": "Date:2026-08-01T08:00:00Z, Major:1, Minor:0",
        "directories": [
            directory("7a7a7a7a-0000-4000-8000-000000000001", "API", &source()),
            directory("7a7a7a7a-0000-4000-8000-000000000002", "Microsoft Entra ID", &target()),
        ],
        "synchronizationRules": [{
            "id": "7a7a7a7a-0000-4000-8000-000000000003",
            "name": "API to Microsoft Entra ID",
            "priority": 1,
            "editable": true,
            "containerFilter": null,
            "groupFilter": null,
            "metadata": [],
            "sourceDirectoryName": "API",
            "targetDirectoryName": "Microsoft Entra ID",
            "objectMappings": [{
                "enabled": true,
                "flowTypes": "Add,Update,Delete",
                "metadata": [{ "key": "IsSoftDeletePrevented", "value": "false" }],
                "name": "Provision API Users to Microsoft Entra ID",
                "scope": null,
                "sourceObjectName": "User",
                "targetObjectName": "User",
                "attributeMappings": MAPPINGS.map(|(target, source)| mapping(target, source)),
            }],
        }],
    })
}

fn directory(id: &str, name: &str, attributes: &[Value]) -> Value {
    json!({
        "id": id,
        "name": name,
        "version": "v1.0",
        "readOnly": false,
        "discoverabilities": "None",
        "discoveryDateTime": null,
        "objects": [{ "name": "User", "metadata": [], "attributes": attributes }],
    })
}

fn source() -> Vec<Value> {
    let mut attributes = vec![anchor("externalId")];
    for name in SOURCE {
        let kind = if name == "active" { "Boolean" } else { "String" };
        attributes.push(attribute(name, kind));
    }
    for name in SOURCE_ENTERPRISE {
        attributes.push(attribute(&format!("{ENTERPRISE}:{name}"), "String"));
    }
    let mut manager = attribute(&format!("{ENTERPRISE}:manager"), "Reference");
    set(&mut manager, "referencedObjects", json!([{ "referencedObjectName": "User" }]));
    attributes.push(manager);
    attributes
}

fn target() -> Vec<Value> {
    let mut attributes = vec![anchor("objectId")];
    for (name, _) in MAPPINGS {
        let kind = match name {
            "accountEnabled" => "Boolean",
            "manager" => "Reference",
            _ => "String",
        };
        attributes.push(attribute(name, kind));
    }
    for name in TARGET {
        let kind = if name == "mail" { "String" } else { "DateTime" };
        attributes.push(attribute(name, kind));
    }
    attributes
}

fn anchor(name: &str) -> Value {
    let mut anchor = attribute(name, "String");
    set(&mut anchor, "anchor", json!(true));
    set(&mut anchor, "required", json!(true));
    anchor
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// The definition of a plain attribute.
pub(super) fn attribute(name: &str, kind: &str) -> Value {
    json!({
        "anchor": false,
        "caseExact": false,
        "defaultValue": null,
        "flowNullValues": false,
        "multivalued": false,
        "mutability": "ReadWrite",
        "name": name,
        "required": false,
        "type": kind,
        "apiExpressions": [],
        "metadata": [],
        "referencedObjects": [],
    })
}

fn mapping(target: &str, source: &str) -> Value {
    json!({
        "defaultValue": "",
        "exportMissingReferences": false,
        "flowBehavior": "FlowWhenChanged",
        "flowType": "Always",
        "matchingPriority": i32::from(target == "employeeId"),
        "targetAttributeName": target,
        "source": { "expression": format!("[{source}]"), "name": source, "type": "Attribute", "parameters": [] },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_passes_the_check() {
        assert_eq!(super::super::check::check(&schema().to_string()), Ok(()));
    }
}
