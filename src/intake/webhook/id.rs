//! Events that carry only an id: where it stands, and the worker in the answer to it.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::intake::webhook::workers::{member, on_one_line};
use crate::intake::webhook::{RecordsFault, RecordsPointer};

/// A JSON Pointer (RFC 6901) to a worker's id in an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdPointer {
    /// As written.
    text: String,
}

impl IdPointer {
    /// A pointer that the config has checked.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned() }
    }

    /// Whether each event has an id.
    ///
    /// # Errors
    ///
    /// The first that has none: `records` is what found them.
    pub(super) fn check(
        &self,
        records: &RecordsPointer,
        events: &[&Map<String, Value>],
    ) -> Result<(), RecordsFault> {
        for (index, event) in events.iter().enumerate() {
            let event = Value::Object((*event).clone());
            let has_id = match event.pointer(&self.text) {
                Some(Value::String(id)) => !id.trim().is_empty(),
                Some(Value::Number(_)) => true,
                _ => false,
            };
            if !has_id {
                let pointer = if events.len() == 1 {
                    format!("{}{}", records.as_str(), self.text)
                } else {
                    format!("{}/{index}{}", records.as_str(), self.text)
                };
                let what = "has to be the id of a worker: text or a number".to_owned();
                return Err(RecordsFault { pointer, what });
            }
        }
        Ok(())
    }

    /// The id in the JSON text of an event: text as it is, a number with all its digits.
    #[must_use]
    pub fn find(&self, event: &[u8]) -> Option<String> {
        let found = at(event, &RecordsPointer::new(&self.text))?;
        if found.get().starts_with('"') {
            let id: String = serde_json::from_str(found.get()).ok()?;
            return (!id.trim().is_empty()).then_some(id);
        }
        found
            .get()
            .starts_with(|digit: char| digit == '-' || digit.is_ascii_digit())
            .then(|| found.get().to_owned())
    }
}

/// The worker at a pointer of an answer, on one line; `None` when there is no object.
#[must_use]
pub fn worker_at(answer: &[u8], record: &RecordsPointer) -> Option<Vec<u8>> {
    let found = at(answer, record)?;
    found.get().starts_with('{').then(|| on_one_line(found))
}

fn at<'a>(json: &'a [u8], pointer: &RecordsPointer) -> Option<&'a RawValue> {
    let whole: &RawValue = serde_json::from_slice(json).ok()?;
    pointer.names().try_fold(whole, |value, name| member(value, &name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_id_is_text_or_a_number_with_all_its_digits() {
        let id = IdPointer::new("/data/id");
        let find = |event: &str| id.find(event.as_bytes());
        assert_eq!(find(r#"{"data":{"id":"a\u0062"}}"#).as_deref(), Some("ab"));
        let long = r#"{"data":{"id":12345678901234567890123}}"#;
        assert_eq!(find(long).as_deref(), Some("12345678901234567890123"));
        for event in
            [r#"{"data":{"id":null}}"#, r#"{"data":{"id":" "}}"#, r#"{"data":{"id":{}}}"#, "{}"]
        {
            assert_eq!(find(event), None, "{event}");
        }
    }

    #[test]
    fn an_event_without_an_id_is_told_by_its_place() {
        let (id, records) = (IdPointer::new("/id"), RecordsPointer::new("/events"));
        let (good, bad) = (json!({"id": 5}), json!({"id": ["secret"]}));
        let [good, bad] = [good.as_object().unwrap(), bad.as_object().unwrap()];
        assert_eq!(id.check(&records, &[good, good]), Ok(()));
        let fault = id.check(&records, &[good, bad]).unwrap_err().to_string();
        assert!(
            fault.starts_with("`/events/1/id` has to be the id") && !fault.contains("secret"),
            "{fault}"
        );
        let fault = id.check(&records, &[bad]).unwrap_err();
        assert_eq!(fault.pointer, "/events/id");
    }

    #[test]
    fn the_worker_stands_where_record_says() {
        let find = |answer: &str, pointer: &str| {
            worker_at(answer.as_bytes(), &RecordsPointer::new(pointer))
        };
        let answer = "{\"employee\":\n {\"id\": 7,\n \"n\": 1.50}}";
        assert_eq!(find(answer, "/employee").unwrap(), b"{\"id\": 7,  \"n\": 1.50}");
        assert_eq!(find("[{\"a\":1}]", "/0").unwrap(), b"{\"a\":1}");
        for (answer, pointer) in
            [("[]", ""), ("{\"employee\":null}", "/employee"), ("no", ""), (answer, "/x")]
        {
            assert_eq!(find(answer, pointer), None, "{answer}");
        }
    }
}
