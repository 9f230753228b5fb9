//! The workers of a stored body, as they stand in it: large numbers keep their digits.

use indexmap::IndexMap;
use serde_json::value::RawValue;

use crate::intake::webhook::{BodyFault, BodyReason, RecordsPointer, form};

/// Hands the JSON text of each worker to `each`, on one line, in the order of the body. The body is
/// one that [`Hook::receive`](crate::intake::webhook::Hook::receive) has accepted; the config may have
/// changed since.
///
/// # Errors
///
/// When there are no workers where `records` points to.
pub fn workers(
    body: &[u8],
    is_form: bool,
    records: &RecordsPointer,
    mut each: impl FnMut(&[u8]),
) -> Result<(), BodyFault> {
    let json;
    let body = if is_form {
        json = serde_json::to_vec(&form::read(body)?).unwrap_or_default();
        &json
    } else {
        body
    };
    let nothing = || {
        let message = format!("there is no worker at `{}`", records.as_str());
        BodyFault::whole(BodyReason::WrongType, message)
    };
    let mut found: &RawValue = serde_json::from_slice(body).map_err(|_| nothing())?;
    for name in records.names() {
        found = member(found, &name).ok_or_else(nothing)?;
    }
    if found.get().starts_with('{') {
        each(&on_one_line(found));
        return Ok(());
    }
    let list: Vec<&RawValue> = serde_json::from_str(found.get()).map_err(|_| nothing())?;
    if !list.iter().all(|worker| worker.get().starts_with('{')) {
        return Err(nothing());
    }
    for worker in list {
        each(&on_one_line(worker));
    }
    Ok(())
}

/// A member of an object, or an element of a list by its number (RFC 6901 section 4).
pub(super) fn member<'a>(value: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    if value.get().starts_with('[') {
        let is_number = name == "0" || !name.starts_with(['0', '+']);
        let index = name.parse::<usize>().ok().filter(|_| is_number)?;
        let list: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
        return list.get(index).copied();
    }
    let members: IndexMap<String, &RawValue> = serde_json::from_str(value.get()).ok()?;
    members.get(name).copied()
}

/// Line ends in JSON text stand between values only, and mean nothing.
pub(super) fn on_one_line(value: &RawValue) -> Vec<u8> {
    let blank = |byte: u8| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte };
    value.get().bytes().map(blank).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(body: &str, is_form: bool, pointer: &str) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        let each = |worker: &[u8]| found.push(String::from_utf8(worker.to_vec()).unwrap());
        workers(body.as_bytes(), is_form, &RecordsPointer::new(pointer), each)
            .map_err(|fault| fault.to_string())?;
        Ok(found)
    }

    #[test]
    fn workers_stand_as_they_came() {
        let body =
            "{\"data\":\r\n {\"a/b\": [{\"id\": 12345678901234567890123,\n \"n\": 1.0}, {}]}}";
        let expected = ["{\"id\": 12345678901234567890123,  \"n\": 1.0}", "{}"];
        assert_eq!(found(body, false, "/data/a~1b").unwrap(), expected);
        assert_eq!(found(body, false, "/data/a~1b/1").unwrap(), ["{}"]);
        assert_eq!(found("[]", false, "").unwrap(), [""; 0]);
        assert_eq!(
            found("{\"\\u0061\":{\"x\":\"\\n\"}}", false, "/a").unwrap(),
            ["{\"x\":\"\\n\"}"]
        );
        assert_eq!(
            found("id=7&name=M%C3%BC+B", true, "").unwrap(),
            ["{\"id\":\"7\",\"name\":\"Mü B\"}"]
        );
    }

    #[test]
    fn what_is_no_worker_is_told_without_its_value() {
        for (body, pointer) in [
            ("{\"a\":[{},5]}", "/a"),
            ("{\"a\":\"secret\"}", "/a"),
            ("{\"a\":[{}]}", "/a/00"),
            ("{\"a\":[{}]}", "/a/-"),
            ("{\"a\":[{}]}", "/b"),
            ("nonsense", ""),
        ] {
            let fault = found(body, false, pointer).unwrap_err();
            assert!(fault.contains("there is no worker at"), "{fault}");
            assert!(!fault.contains("secret"), "{fault}");
        }
    }
}
