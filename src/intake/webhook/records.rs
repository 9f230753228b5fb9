//! Where the workers stand in a body.

use serde_json::{Map, Value};

/// A JSON Pointer (RFC 6901) to the worker or the list of workers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordsPointer {
    /// As written.
    text: String,
}

/// The pointer leads to no worker. Names places and types, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} {what}", place(.pointer))]
pub struct RecordsFault {
    /// Where.
    pub pointer: String,
    /// What is there instead.
    pub what: String,
}

fn place(pointer: &str) -> String {
    if pointer.is_empty() { "the body".to_owned() } else { format!("`{pointer}`") }
}

impl RecordsPointer {
    /// A pointer that the config has checked; empty for the body itself.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned() }
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names on the way.
    pub(super) fn names(&self) -> impl Iterator<Item = String> + '_ {
        let names = self.text.split('/').skip(1);
        names.map(|name| name.replace("~1", "/").replace("~0", "~"))
    }

    /// The workers of a body, in its order; an empty list has none.
    ///
    /// # Errors
    ///
    /// When there is nothing, or something that is neither an object nor a list of objects.
    pub fn find<'v>(&self, body: &'v Value) -> Result<Vec<&'v Map<String, Value>>, RecordsFault> {
        let fault = |pointer: String, what: String| RecordsFault { pointer, what };
        let Some(found) = body.pointer(&self.text) else {
            let what =
                "is not there: the source's `records` points to the worker or the list of workers";
            return Err(fault(self.text.clone(), what.to_owned()));
        };
        match found {
            Value::Object(worker) => Ok(vec![worker]),
            Value::Array(workers) => {
                let each = workers.iter().enumerate().map(|(index, worker)| {
                    let what = || format!("is {}, and has to be a worker: an object", kind(worker));
                    worker
                        .as_object()
                        .ok_or_else(|| fault(format!("{}/{index}", self.text), what()))
                });
                each.collect()
            }
            other => {
                let kind = kind(other);
                let what =
                    format!("is {kind}, and has to be a worker (an object) or a list of workers");
                Err(fault(self.text.clone(), what))
            }
        }
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_worker_or_a_list_of_them_is_found() {
        let one = json!({"id": 1});
        assert_eq!(RecordsPointer::new("").find(&one).unwrap().len(), 1);
        let many = json!({"data": {"a/b": [{"id": 1}, {"id": 2}], "~": [], "": {"id": 3}}});
        for (pointer, count) in
            [("/data/a~1b", 2), ("/data/a~1b/1", 1), ("/data/~0", 0), ("/data/", 1), ("", 1)]
        {
            let found = RecordsPointer::new(pointer).find(&many).unwrap();
            assert_eq!(found.len(), count, "{pointer}");
        }
        assert_eq!(RecordsPointer::new("").find(&json!([{"a": 1}])).unwrap()[0]["a"], 1);
    }

    #[test]
    fn what_is_no_worker_is_told_by_place_and_type() {
        let body = json!({"a": "secret", "b": [{}, 5], "c": [[]], "d": null});
        for (pointer, words) in [
            ("/a", "`/a` is text, and has to be a worker (an object) or a list of workers"),
            ("/b", "`/b/1` is a number, and has to be a worker: an object"),
            ("/c", "`/c/0` is a list, and has to be a worker: an object"),
            ("/d", "`/d` is null, and has to be a worker (an object) or a list of workers"),
            ("/b/02", "`/b/02` is not there"),
            ("/b/-", "`/b/-` is not there"),
            ("/x/y", "`/x/y` is not there"),
        ] {
            let fault = RecordsPointer::new(pointer).find(&body).unwrap_err().to_string();
            assert!(fault.contains(words), "{fault}");
            assert!(!fault.contains("secret"), "{fault}");
        }
        let fault = RecordsPointer::new("").find(&json!(5)).unwrap_err().to_string();
        assert!(fault.starts_with("the body is a number"), "{fault}");
    }
}
