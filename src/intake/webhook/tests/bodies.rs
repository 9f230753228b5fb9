//! Bodies: what is refused, for which reason and where; and whatever bytes may come.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const FORM: &str = "application/x-www-form-urlencoded";

fn limits() -> BodyLimits {
    BodyLimits { bytes: 200, depth: 4 }
}

fn read(body: &str) -> Result<Value, BodyFault> {
    read_body(Some("application/json"), body.as_bytes(), limits())
}

fn form(body: &str) -> Result<Value, BodyFault> {
    read_body(Some(FORM), body.as_bytes(), limits())
}

#[test]
fn a_body_that_is_right_is_read_as_it_stands() {
    let text = r#" {"b": [1, -2, 1.5, true, null, "ä\u00e4"], "a": {"c": {"d": "x"}}, "": 18446744073709551615} "#;
    let read = read(text).unwrap();
    assert_eq!(read, serde_json::from_str::<Value>(text).unwrap());
    let names: Vec<_> = read.as_object().unwrap().keys().collect();
    assert_eq!(names, ["b", "a", ""], "in its order");
}

#[test]
fn each_fault_has_its_reason_and_its_place() {
    use BodyReason::{DuplicateKey, Empty, Syntax, TooDeep, TooLarge, WrongType};
    let long = format!("[{}]", "1,".repeat(200));
    for (body, reason, line, column, pointer) in [
        ("", Empty, 1, 1, ""),
        (" \n ", Empty, 1, 1, ""),
        (long.as_str(), TooLarge, 1, 1, ""),
        ("{\n  \"a\": {\"b\": [1, x]}}", Syntax, 2, 18, "/a/b/1"),
        ("{\"a\": 1", Syntax, 1, 7, ""),
        ("{\"a\": 1} x", Syntax, 1, 10, ""),
        ("{\"a\": 01}", Syntax, 1, 8, "/a"),
        ("{\"a\": 1,}", Syntax, 1, 9, ""),
        ("{a: 1}", Syntax, 1, 2, ""),
        ("{\"a\": \"\\ud800\"}", Syntax, 1, 14, "/a"),
        ("\u{feff}{}", Syntax, 1, 1, ""),
        ("{\"a\": [[[[]]]]}", TooDeep, 1, 11, "/a/0/0/0"),
        ("{\"a\": {\"x\": 1,\n\"x\": 2}}", DuplicateKey, 2, 3, "/a/x"),
        ("{\"a/~\": [0, {\"x\": 1, \"\\u0078\": 1}]}", DuplicateKey, 1, 29, "/a~1~0/1/x"),
        ("5", WrongType, 1, 1, ""),
        ("\"text\"", WrongType, 1, 1, ""),
        ("null", WrongType, 1, 1, ""),
    ] {
        let fault = read(body).unwrap_err();
        assert_eq!(
            (fault.reason, fault.line, fault.column, fault.pointer.as_str()),
            (reason, line, column, pointer),
            "{body}: {fault}"
        );
        let words = fault.to_string();
        assert_eq!(words.matches("line ").count(), 1, "{words}");
    }
}

#[test]
fn the_words_say_place_and_fault_and_no_value() {
    let fault = read("{\"data\": {\"id\": 1, \"name\": \"hunter2\", \"id\": 2}}").unwrap_err();
    let expected = "line 1, column 42, at `/data/id`: this member stands in its object twice";
    assert_eq!(fault.to_string(), expected);
    let fault = read("{\"data\": hunter2}").unwrap_err();
    assert!(!fault.to_string().contains("hunter2"), "{fault}");
    let name = "ä".repeat(3_000);
    let wide = BodyLimits::default();
    let body = format!("{{\"{name}\": x}}");
    let fault = read_body(None, body.as_bytes(), wide).unwrap_err();
    assert!(fault.pointer.len() < 300 && fault.pointer.ends_with('…'));
    let deep = "[".repeat(100_000);
    assert_eq!(read_body(None, deep.as_bytes(), wide).unwrap_err().reason, BodyReason::TooDeep);
}

#[test]
fn the_ceilings_are_the_last_that_is_taken() {
    assert!(read("[[[[1]]]]").is_ok() && read("[[[[[1]]]]]").is_err());
    let full = format!("[\"{}\"]", "x".repeat(196));
    assert_eq!(full.len(), 200);
    assert!(read(&full).is_ok());
    assert_eq!(read(&format!("{full} ")).unwrap_err().reason, BodyReason::TooLarge);
}

#[test]
fn the_media_type_decides_how_a_body_is_read() {
    let json = br#"{"a":1}"#;
    for kind in [
        None,
        Some("application/json"),
        Some("Application/JSON; charset=UTF-8"),
        Some("application/json;charset=\"utf-8\""),
        Some("application/vnd.hr+json"),
        Some("text/json"),
    ] {
        assert!(read_body(kind, json, limits()).is_ok(), "{kind:?}");
    }
    for kind in
        ["text/plain", "application/xml", "multipart/form-data", "application/json; charset=utf-16"]
    {
        let fault = read_body(Some(kind), json, limits()).unwrap_err();
        assert_eq!(fault.reason, BodyReason::UnsupportedType, "{kind}");
    }
    let fault = read_body(None, b"{\"a\":\"\xff\"}", limits()).unwrap_err();
    assert_eq!(fault.reason, BodyReason::Syntax);
}

#[test]
fn a_form_becomes_an_object_of_texts() {
    let read = form("event_name=employee.hired&company_id=c%2F1&name=Ann+M%C3%BCller&empty=&flag&")
        .unwrap();
    let expected = json!({
        "event_name": "employee.hired", "company_id": "c/1", "name": "Ann Müller", "empty": "", "flag": ""
    });
    assert_eq!(read, expected);
    assert_eq!(form("a%5B%5D=1&a[]=2").unwrap(), json!({"a": ["1", "2"]}));
    assert_eq!(form("a=b=c\n").unwrap(), json!({"a": "b=c"}));
}

/// `curl -d` calls everything a form.
#[test]
fn what_is_called_a_form_and_begins_like_json_is_json() {
    assert_eq!(form(" {\"a\": 1}").unwrap(), json!({"a": 1}));
    assert_eq!(form("[{}]").unwrap(), json!([{}]));
    assert_eq!(form("{\"a\":").unwrap_err().reason, BodyReason::Syntax);
    assert_eq!(form("%7Ba=1").unwrap(), json!({"{a": "1"}));
}

#[test]
fn a_form_with_a_fault_is_refused_where_it_is() {
    for (body, reason, column) in [
        ("a=1&b=2&a=3", BodyReason::DuplicateKey, 9),
        ("a[]=1&a=3", BodyReason::DuplicateKey, 7),
        ("a=1&a[]=3", BodyReason::DuplicateKey, 5),
        ("a=1&b=x%2", BodyReason::Syntax, 8),
        ("%zz=1", BodyReason::Syntax, 1),
        ("a=1&b=%FF", BodyReason::Syntax, 7),
        ("", BodyReason::Empty, 1),
    ] {
        let fault = form(body).unwrap_err();
        assert_eq!((fault.reason, fault.column), (reason, column), "{body}: {fault}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        for kind in ["application/json", FORM] {
            let _ = read_body(Some(kind), &body, BodyLimits::default());
        }
    }

    #[test]
    fn what_is_read_is_what_another_reader_reads(
        text in "([\\[\\]{}:, \n]|\"[ab]\"|\"\\\\u006[1-2]\"|0|-1.5e3|1e999|true|null){0,14}"
    ) {
        let other = serde_json::from_str::<Value>(&text);
        match read_body(None, text.as_bytes(), BodyLimits::default()) {
            Ok(value) => prop_assert_eq!(value, other.unwrap()),
            Err(fault) => match fault.reason {
                BodyReason::Syntax | BodyReason::Empty => prop_assert!(other.is_err(), "{}", fault),
                BodyReason::WrongType => prop_assert!(!other.unwrap().is_object()),
                BodyReason::DuplicateKey => {}
                reason => prop_assert!(false, "{:?}", reason),
            },
        }
    }

    #[test]
    fn a_form_is_read_as_it_was_written(
        pairs in prop::collection::btree_map("\\PC{1,8}", "\\PC{0,12}", 1..5)
    ) {
        prop_assume!(pairs.keys().all(|name| !name.ends_with("[]")));
        let text: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        let expected: Value = pairs.into_iter().map(|(name, value)| (name, Value::from(value))).collect();
        prop_assert_eq!(read_body(Some(FORM), text.as_bytes(), BodyLimits::default()).unwrap(), expected);
    }
}
