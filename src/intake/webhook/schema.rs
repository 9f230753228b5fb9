//! A JSON Schema that a source's payload has to fit.

use jsonschema::Validator;
use serde_json::Value;

/// A schema, ready to be held against bodies. References to other documents are not followed.
#[derive(Debug)]
pub struct BodySchema(Validator);

/// A file that holds no JSON Schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no JSON Schema: {0}")]
pub struct NoSchema(String);

/// A body does not fit the schema. Names places and keywords, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} does not fit the schema of this source: `{keyword}`", place(.pointer))]
pub struct SchemaFault {
    /// JSON Pointer to what does not fit.
    pub pointer: String,
    /// Where in the schema that is said.
    pub keyword: String,
}

fn place(pointer: &str) -> String {
    if pointer.is_empty() { "the body".to_owned() } else { format!("`{pointer}`") }
}

impl BodySchema {
    /// Reads a schema. Formats such as `date` are checked.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn new(text: &str) -> Result<Self, NoSchema> {
        let schema: Value =
            serde_json::from_str(text).map_err(|error| NoSchema(error.to_string()))?;
        let options = jsonschema::options().should_validate_formats(true);
        options.build(&schema).map(Self).map_err(|error| {
            let pointer = error.instance_path().to_string();
            NoSchema(format!("see `{}` in it", if pointer.is_empty() { "/" } else { &pointer }))
        })
    }

    /// Holds a body against it.
    ///
    /// # Errors
    ///
    /// The first fault.
    pub fn check(&self, body: &Value) -> Result<(), SchemaFault> {
        self.0.validate(body).map_err(|error| SchemaFault {
            pointer: error.instance_path().to_string(),
            keyword: error.schema_path().to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fault_is_told_by_its_place_and_never_by_its_value() {
        let schema = BodySchema::new(
            r#"{"type":"object","properties":{"data":{"type":"array","items":{
                "required":["id"],"properties":{"id":{"type":"string"},"born":{"format":"date"}}}}}}"#,
        )
        .unwrap();
        assert_eq!(schema.check(&json!({"data":[{"id":"E1","born":"2000-02-29"}]})), Ok(()));
        for (body, words) in [
            (json!({"data":[{"id":"E1"},{"id":4711}]}), "`/data/1/id` does not fit"),
            (json!({"data":[{"id":"E1","born":"2001-02-29"}]}), "`/data/0/born` does not fit"),
            (json!({"data":[{}]}), "`/properties/data/items/required`"),
            (json!([]), "the body does not fit"),
        ] {
            let words_told = schema.check(&body).unwrap_err().to_string();
            assert!(words_told.contains(words), "{words_told}");
            assert!(!words_told.contains("4711") && !words_told.contains("2001"), "{words_told}");
        }
    }

    #[test]
    fn what_is_no_schema_is_told() {
        for text in ["", "{", r#"{"type":"nonsense"}"#, r#"{"$ref":"http://127.0.0.1:1/x"}"#] {
            assert!(BodySchema::new(text).is_err(), "{text}");
        }
    }
}
