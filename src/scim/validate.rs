//! The JSON Schemas of `schemas/`, for `convert --strict` and as an oracle in tests.
//!
//! Not on the path of a record: a schema check needs a JSON tree, and costs about sixty times the
//! direct checks. The schemas are built in and refer to each other only; nothing is fetched.
//! Messages never quote a value of the checked document.

use std::collections::BTreeSet;

use jsonschema::Registry;
use serde_json::Value;

const USER: (&str, &str) =
    ("https://scimport.example/schemas/user.json", include_str!("../../schemas/user.json"));
const ENTERPRISE: (&str, &str) = (
    "https://scimport.example/schemas/enterprise-user.json",
    include_str!("../../schemas/enterprise-user.json"),
);
const BULK: (&str, &str) = (
    "https://scimport.example/schemas/bulk-request.json",
    include_str!("../../schemas/bulk-request.json"),
);

/// Checks users and bulk requests against the JSON Schemas. Building one costs as much as checking
/// fifty users, so it is built once.
pub struct Validator {
    user: jsonschema::Validator,
    bulk: jsonschema::Validator,
}

impl Validator {
    /// Builds both checks from the schemas in the program.
    ///
    /// # Panics
    /// Never in a program whose tests pass: the schemas are part of it.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the schemas are built in, and a test builds them")]
    pub fn new() -> Self {
        let parse =
            |text: &str| -> Value { serde_json::from_str(text).expect("a schema of ours is JSON") };
        let mut registry = Registry::new();
        for (uri, text) in [USER, ENTERPRISE, BULK] {
            registry = registry.add(uri, parse(text)).expect("a schema of ours has a valid URI");
        }
        let registry = registry.prepare().expect("the schemas refer only to each other");
        let build = |text: &str| {
            jsonschema::draft202012::options()
                .with_registry(&registry)
                .build(&parse(text))
                .expect("a schema of ours compiles")
        };
        Self { user: build(USER.1), bulk: build(BULK.1) }
    }

    /// What is wrong with a user; each message starts with the JSON pointer of the place.
    #[must_use]
    pub fn check_user(&self, resource: &[u8]) -> Vec<String> {
        check(&self.user, resource).1
    }

    /// What is wrong with a bulk request; each message starts with the JSON pointer of the place.
    /// A repeated `bulkId`, which a schema cannot tell, is found too.
    #[must_use]
    pub fn check_bulk(&self, request: &[u8]) -> Vec<String> {
        let (document, mut faults) = check(&self.bulk, request);
        let operations = document.get("Operations").and_then(Value::as_array);
        let mut seen = BTreeSet::new();
        for (index, operation) in operations.into_iter().flatten().enumerate() {
            let id = operation.get("bulkId").and_then(Value::as_str);
            if id.is_some_and(|id| !seen.insert(id)) {
                faults.push(format!("/Operations/{index}/bulkId: repeats an earlier one"));
            }
        }
        faults
    }
}

impl Default for Validator {
    fn default() -> Self {
        Self::new()
    }
}

fn check(validator: &jsonschema::Validator, bytes: &[u8]) -> (Value, Vec<String>) {
    let document: Value = match serde_json::from_slice(bytes) {
        Ok(document) => document,
        Err(error) => {
            let place = format!("line {}, column {}", error.line(), error.column());
            return (Value::Null, vec![format!("(root): not JSON at {place}")]);
        }
    };
    let faults = validator
        .iter_errors(&document)
        .map(|error| {
            let pointer = error.instance_path().to_string();
            let pointer = if pointer.is_empty() { "(root)" } else { &pointer };
            format!("{pointer}: {}", error.masked())
        })
        .collect();
    (document, faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"externalId":"E1","active":true}"#;

    #[test]
    fn a_small_user_is_valid_and_alone_in_a_request_too() {
        let validator = Validator::new();
        assert_eq!(validator.check_user(USER.as_bytes()), Vec::<String>::new());
        let mut writer = crate::scim::BulkWriter::new(2);
        writer.push("E1", USER.as_bytes()).expect("room");
        assert_eq!(validator.check_bulk(writer.finish()), Vec::<String>::new());
        writer.begin();
        writer.push("E1", USER.as_bytes()).expect("room");
        writer.push("E1", USER.as_bytes()).expect("room");
        assert_eq!(
            validator.check_bulk(writer.finish()),
            ["/Operations/1/bulkId: repeats an earlier one"]
        );
    }

    #[test]
    fn messages_name_the_place_and_never_the_value() {
        let validator = Validator::new();
        for (from, to, place) in [
            (r#""active":true"#, r#""active":"Confidential""#, "/active: "),
            (r#""active":true"#, r#""active":true,"title":["Confidential"]"#, "/title: "),
            (
                r#""active":true"#,
                r#""active":true,"emails":[{"value":{"a":"Confidential"}}]"#,
                "/emails/0/value: ",
            ),
            (r#""E1""#, r#""Confidential\u0007""#, "/externalId: "),
            (r#""active":true"#, r#""active":true,"nickname":"Confidential""#, "(root): "),
            (r#","active":true"#, "", "(root): "),
        ] {
            let faults = validator.check_user(USER.replace(from, to).as_bytes());
            assert!(!faults.is_empty(), "{to} passed");
            for fault in faults {
                assert!(fault.starts_with(place) && !fault.contains("Confidential"), "{fault}");
            }
        }
        assert_eq!(validator.check_user(b"{"), ["(root): not JSON at line 1, column 1"]);
    }

    #[test]
    fn the_direct_check_of_an_external_id_agrees_with_the_schema() {
        let validator = Validator::new();
        for id in
            ["", "a", "a\tb", "a\u{7f}b", "a\u{9f}", "\u{a0}", &"é".repeat(256), &"é".repeat(257)]
        {
            let user = USER.replace("\"E1\"", &serde_json::to_string(id).expect("JSON"));
            assert_eq!(
                validator.check_user(user.as_bytes()).is_empty(),
                crate::scim::check_external_id(id).is_ok(),
                "for {id:?}"
            );
        }
    }
}
