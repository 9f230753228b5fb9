//! Refuses a schema that breaks what the reference pages say of one. Unknown members pass: the
//! samples of Microsoft's own have some.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The types of "attributeDefinition resource type"; the pages' own examples write them in lower
/// case too.
const TYPES: [&str; 6] = ["String", "Integer", "Reference", "Binary", "Boolean", "DateTime"];
const MUTABILITIES: [&str; 4] = ["ReadWrite", "ReadOnly", "Immutable", "WriteOnly"];
/// Members of a definition that are booleans.
const FLAGS: [&str; 5] = ["anchor", "caseExact", "flowNullValues", "multivalued", "required"];
/// Members of a definition that are lists.
const LISTS: [&str; 3] = ["apiExpressions", "metadata", "referencedObjects"];

/// Checks the text of a schema; the words say where it is wrong.
pub(super) fn check(text: &str) -> Result<(), String> {
    let schema: Value = serde_json::from_str(text)
        .map_err(|error| format!("no JSON at line {}, column {}", error.line(), error.column()))?;
    let schema = schema.as_object().ok_or("the schema is no object")?;
    let mut names = BTreeSet::new();
    for directory in list(schema, "directories", "the schema")? {
        let directory = directory.as_object().ok_or("a directory is no object")?;
        let name = text_of(directory, "name", "a directory")?;
        if !names.insert(name) {
            return Err(format!("there are two directories {name}"));
        }
        if present(directory, "objects").is_some() {
            for object in list(directory, "objects", name)? {
                check_object(object, name)?;
            }
        }
    }
    for rule in list(schema, "synchronizationRules", "the schema")? {
        let rule = rule.as_object().ok_or("a rule is no object")?;
        for end in ["sourceDirectoryName", "targetDirectoryName"] {
            let directory = text_of(rule, end, "a rule")?;
            if !names.contains(directory) {
                return Err(format!("{end} names no directory: {directory}"));
            }
        }
    }
    Ok(())
}

fn check_object(object: &Value, directory: &str) -> Result<(), String> {
    let object = object.as_object().ok_or_else(|| format!("an object of {directory} is none"))?;
    let at = format!("{directory}.{}", text_of(object, "name", directory)?);
    if present(object, "attributes").is_none() {
        return Ok(());
    }
    let (mut names, mut anchors) = (BTreeSet::new(), 0);
    let attributes = list(object, "attributes", &at)?;
    for attribute in attributes {
        let attribute = attribute.as_object().ok_or_else(|| format!("{at}: no attribute"))?;
        let name = text_of(attribute, "name", &at)?;
        if name.is_empty() || !names.insert(name.to_lowercase()) {
            return Err(format!("{at}: the name {name} is empty or not unique"));
        }
        check_attribute(attribute, &format!("{at}.{name}"))?;
        anchors += usize::from(attribute.get("anchor") == Some(&Value::Bool(true)));
    }
    if attributes.is_empty() || anchors == 1 {
        Ok(())
    } else {
        Err(format!("{at}: {anchors} attributes are anchors, not one"))
    }
}

fn check_attribute(attribute: &Map<String, Value>, at: &str) -> Result<(), String> {
    let one_of = |name: &str, known: &[&str]| match present(attribute, name) {
        None => Ok(()),
        Some(value) => {
            let word = value.as_str().unwrap_or_default();
            if known.iter().any(|known| known.eq_ignore_ascii_case(word)) {
                Ok(())
            } else {
                Err(format!("{at}: {name} is none of {}", known.join(", ")))
            }
        }
    };
    one_of("type", &TYPES)?;
    one_of("mutability", &MUTABILITIES)?;
    if let Some(name) =
        FLAGS.iter().find(|name| present(attribute, name).is_some_and(|value| !value.is_boolean()))
    {
        return Err(format!("{at}: {name} is no boolean"));
    }
    match LISTS.iter().find(|name| present(attribute, name).is_some_and(|value| !value.is_array()))
    {
        Some(name) => Err(format!("{at}: {name} is no array")),
        None => Ok(()),
    }
}

fn present<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}

fn list<'a>(
    object: &'a Map<String, Value>,
    name: &str,
    at: &str,
) -> Result<&'a Vec<Value>, String> {
    object.get(name).and_then(Value::as_array).ok_or_else(|| format!("{at}: {name} is no array"))
}

fn text_of<'a>(object: &'a Map<String, Value>, name: &str, at: &str) -> Result<&'a str, String> {
    object.get(name).and_then(Value::as_str).ok_or_else(|| format!("{at}: {name} is no text"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mock_entra::schema::default::schema;

    fn refused(change: impl FnOnce(&mut Value)) -> String {
        let mut schema = schema();
        change(&mut schema);
        check(&schema.to_string()).unwrap_err()
    }

    #[test]
    fn what_the_pages_rule_out_is_refused() {
        let at = "/directories/0/objects/0/attributes";
        let told = refused(|schema| {
            let attributes = schema.pointer_mut(at).unwrap().as_array_mut().unwrap();
            attributes.push(json!({ "name": "DISPLAYNAME" }));
        });
        assert!(told.contains("not unique"), "{told}");
        let told = refused(|schema| {
            schema["directories"][0]["objects"][0]["attributes"][1]["type"] = json!("Text");
        });
        assert!(told.contains("type is none of String"), "{told}");
        let told =
            refused(|schema| schema["synchronizationRules"][0]["sourceDirectoryName"] = json!("X"));
        assert!(told.contains("names no directory"), "{told}");
        let told = refused(|schema| drop(schema.as_object_mut().unwrap().remove("directories")));
        assert!(told.contains("directories is no array"), "{told}");
        let told = refused(|schema| schema.pointer_mut(at).unwrap()[1]["anchor"] = json!(true));
        assert!(told.contains("2 attributes are anchors"), "{told}");
        assert!(check("{").unwrap_err().contains("line 1"));
    }
}
