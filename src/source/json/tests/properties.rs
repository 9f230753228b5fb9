//! Any value, written in any way, changed anywhere: held against another reader of JSON.

use std::fmt::Write as _;
use std::io::Cursor as Bytes;

use proptest::prelude::*;

use super::{config, limits, read_by};
use crate::source::SourceError;
use crate::source::json::JsonShape;

/// A value whose numbers keep their digits.
#[derive(Debug, Clone)]
enum Json {
    Null,
    Boolean(bool),
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    fn write(&self, style: usize, out: &mut String) {
        let blank = ["", " ", "\n", "\r\n\t"][style % 4];
        out.push_str(blank);
        match self {
            Self::Null => out.push_str("null"),
            Self::Boolean(value) => out.push_str(&value.to_string()),
            Self::Number(digits) => out.push_str(digits),
            Self::Text(text) => write_text(text, style, out),
            Self::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    item.write(style, out);
                }
                out.push_str(blank);
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (at, (name, value)) in members.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    out.push_str(blank);
                    write_text(name, style, out);
                    out.push_str(blank);
                    out.push(':');
                    value.write(style, out);
                }
                out.push_str(blank);
                out.push('}');
            }
        }
        out.push_str(blank);
    }
}

fn write_text(text: &str, style: usize, out: &mut String) {
    if style.is_multiple_of(3) {
        out.push_str(&serde_json::to_string(text).unwrap());
        return;
    }
    out.push('"');
    for unit in text.encode_utf16() {
        write!(out, "\\u{unit:04x}").unwrap();
    }
    out.push('"');
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Boolean),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?".prop_map(Json::Number),
        "[a-c\"\\\\/\n\u{e9}\u{1f600}\u{0}]{0,8}".prop_map(Json::Text),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::List),
            prop::collection::vec(("[ab.\u{e9}]{1,2}", inner), 0..5).prop_map(Json::Object),
        ]
    })
}

/// The members of a record that are mapped.
const PROBED: [&str; 4] = ["a", "b", "\u{e9}", "aa"];

fn has_repeats(value: &Json) -> bool {
    match value {
        Json::List(items) => items.iter().any(has_repeats),
        Json::Object(members) => members.iter().enumerate().any(|(at, (name, value))| {
            has_repeats(value) || members[..at].iter().any(|(other, _)| other == name)
        }),
        _ => false,
    }
}

fn expected(record: &Json, headers: &[String]) -> Option<Vec<String>> {
    let Json::Object(members) = record else { return None };
    if has_repeats(record) {
        return None;
    }
    let cell = |header: &String| {
        if !PROBED.contains(&header.as_str()) {
            return String::new();
        }
        match members.iter().find(|(name, _)| name == header) {
            None | Some((_, Json::Null)) => String::new(),
            Some((_, Json::Boolean(value))) => value.to_string(),
            Some((_, Json::Number(text) | Json::Text(text))) => text.clone(),
            Some((_, Json::List(_) | Json::Object(_))) => "<Structure>".into(),
        }
    };
    Some(headers.iter().map(cell).collect())
}

proptest! {
    #[test]
    fn values_are_read_as_they_were_written(
        records in prop::collection::vec(json(), 1..6),
        style in 0_usize..12,
    ) {
        let mut text = String::new();
        Json::List(records.clone()).write(style, &mut text);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
        let (headers, rows) = read_by(text.as_bytes(), None, &PROBED, 4096).unwrap();
        for (record, row) in records.iter().zip(rows) {
            let cells = row.splitn(3, ':').nth(2).unwrap();
            match expected(record, &headers) {
                Some(expected) => prop_assert_eq!(cells, expected.join("|")),
                None => prop_assert!(cells.starts_with("source."), "{}", cells),
            }
        }
    }

    #[test]
    fn what_is_taken_is_json_and_the_other_way_round(
        records in prop::collection::vec(json(), 1..4),
        style in 0_usize..12,
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..3, prop::sample::select(
            b"{}[]\",:\\u019.-+eEtfn \n\0\xC3\xA9d8".to_vec())), 0..3),
    ) {
        let mut text = String::new();
        Json::List(records).write(style, &mut text);
        let mut bytes = text.into_bytes();
        for (at, what, byte) in changes {
            let at = at.index(bytes.len().max(1)).min(bytes.len());
            match what {
                0 if at < bytes.len() => { bytes.remove(at); }
                1 if at < bytes.len() => bytes[at] = byte,
                _ => bytes.insert(at, byte),
            }
        }
        let ours = JsonShape::find(&mut Bytes::new(&bytes), &config(Some("")), &[], limits(), "f");
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace()).copied();
        let theirs: Vec<Result<serde_json::Value, _>> = if first == Some(b'{') {
            serde_json::Deserializer::from_slice(&bytes).into_iter().collect()
        } else {
            vec![serde_json::from_slice(&bytes)]
        };
        // we never turn digits into a number, so none is out of range
        let is_json = theirs.iter().all(|value| match value {
            Ok(_) => true,
            Err(error) => error.to_string().contains("out of range"),
        });
        match ours {
            Ok(_) => prop_assert!(is_json, "{}", String::from_utf8_lossy(&bytes)),
            Err(SourceError::Refused(problem)) => {
                let is_no_list = matches!(problem.code, "source.no-records" | "source.no-rows");
                let is_range = theirs.iter().any(Result::is_err);
                prop_assert!(
                    !is_json || is_no_list || is_range,
                    "{}: {}", problem.message, String::from_utf8_lossy(&bytes)
                );
            }
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn no_bytes_panic_and_pieces_make_no_difference(
        bytes in prop::collection::vec(prop_oneof![
            8 => prop::sample::select(b"{}[]\",:\\ua01-.e\n ".to_vec()),
            1 => any::<u8>(),
        ], 0..200),
        begin in prop::sample::select(vec!["", "[", "[{\"a\":", "{\"a\":1}\n{", "{\"a\":[{\"b\":"]),
        records in prop::sample::select(vec![None, Some(""), Some("/a"), Some("/0/a")]),
        chunk in 1_usize..40,
    ) {
        let text = [begin.as_bytes(), &bytes].concat();
        let show = |read: Result<_, SourceError>| format!("{read:?}");
        let whole = show(read_by(&text, records, &["a", "b.0"], 4096));
        prop_assert_eq!(whole, show(read_by(&text, records, &["a", "b.0"], chunk)));
    }

    #[test]
    fn good_records_are_the_same_in_any_pieces(
        records in prop::collection::vec(json(), 1..4),
        style in 0_usize..12,
        chunk in 1_usize..40,
    ) {
        let mut text = String::new();
        Json::List(records).write(style, &mut text);
        let read = |chunk| read_by(text.as_bytes(), None, &PROBED, chunk).unwrap();
        prop_assert_eq!(read(4096), read(chunk));
    }
}
