//! Whole files: what is read from them, and what is refused.

use std::io::Cursor as Bytes;

use super::records::Way;
use super::window::Window;
use super::*;
use crate::domain::{CellMark, ColumnKind, ColumnUse};
use crate::source::{FormatConfig, JsonConfig, Limits, SourceError, SourceRow};

mod properties;

fn columns(names: &[&str]) -> Vec<ColumnUse> {
    let of = |name: &&str| ColumnUse {
        name: (*name).to_owned(),
        optional: false,
        kind: if name.ends_with("ID") { ColumnKind::Id } else { ColumnKind::Text },
    };
    names.iter().map(of).collect()
}

fn config(records: Option<&str>) -> FormatConfig {
    let json = JsonConfig { records: records.map(str::to_owned), ..JsonConfig::default() };
    FormatConfig { json, ..FormatConfig::default() }
}

fn limits() -> Limits {
    Limits { record_bytes: 20_000, field_bytes: 2_000, columns: 200, ..Limits::default() }
}

/// A row as `row:line:cell|cell`, or the code of what is wrong with it.
fn shown(row: &SourceRow<'_>) -> String {
    match row {
        SourceRow::Row(row) => {
            let cell = |index| match row.mark(index) {
                None => row.cell(index).to_owned(),
                Some(CellMark::Unknown(fault)) => format!("<{fault:?}>"),
                Some(CellMark::Date) => panic!("JSON has no dates"),
            };
            let cells: Vec<String> = (0..row.len()).map(cell).collect();
            format!("{}:{}:{}", row.row, row.line.unwrap(), cells.join("|"))
        }
        SourceRow::Bad { row, line, is_ragged, problem } => {
            assert!(!is_ragged);
            format!("{row}:{}:{} {}", line.unwrap(), problem.code, problem.message)
        }
    }
}

fn read_by(
    text: &[u8],
    records: Option<&str>,
    names: &[&str],
    chunk: usize,
) -> Result<(Vec<String>, Vec<String>), SourceError> {
    let columns = columns(names);
    // the way is found by the whole, the rest in pieces
    let shape =
        JsonShape::find(&mut Bytes::new(text), &config(records), &columns, limits(), "hr.json")?;
    let window = || Window::new(text, limits(), "hr.json").with_chunk(chunk);
    let shape = JsonShape::of(window(), shape.way)?;
    let mut reader = JsonReader::of(window(), &shape, &columns)?;
    let headers = reader.headers().to_vec();
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row()? {
        rows.push(shown(&row));
    }
    assert_eq!(reader.rows(), shape.rows());
    assert_eq!(rows.len(), usize::try_from(shape.rows()).unwrap());
    Ok((headers, rows))
}

fn read(text: &str, records: Option<&str>, names: &[&str]) -> (Vec<String>, Vec<String>) {
    read_by(text.as_bytes(), records, names, 4096).unwrap()
}

fn rows(text: &str, names: &[&str]) -> Vec<String> {
    read(text, None, names).1
}

fn refusal(text: impl AsRef<[u8]>, records: Option<&str>) -> (&'static str, String) {
    let columns = columns(&["WorkerID"]);
    let mut input = Bytes::new(text.as_ref());
    match JsonShape::find(&mut input, &config(records), &columns, limits(), "hr.json") {
        Err(SourceError::Refused(problem)) => {
            (problem.code, format!("{}: {}", problem.place, problem.message))
        }
        other => panic!("{other:?}"),
    }
}

fn way(text: &str, names: &[&str]) -> Way {
    let mut input = Bytes::new(text);
    JsonShape::find(&mut input, &config(None), &columns(names), limits(), "hr.json").unwrap().way
}

#[test]
fn a_list_a_line_each_and_a_list_in_an_object_are_the_same_rows() {
    let names = ["WorkerID", "name.first"];
    let one = r#"{"WorkerID": "1", "name": {"first": "A", "last": "x"}}"#;
    let two = r#"{"name": {"first": null}, "WorkerID": 2}"#;
    let headers = ["WorkerID", "name.first", "name.last"].map(str::to_owned).to_vec();
    for (text, records, lines) in [
        (format!("[\n{one},\n{two}]"), None, [2, 3]),
        (format!("\u{feff}[{one},{two}]"), None, [1, 1]),
        (format!("{one}\n{two}\n"), None, [1, 2]),
        (format!("\u{feff}\n{one}\r\n\r\n{two}"), None, [2, 4]),
        (format!("{one}{two}"), None, [1, 1]),
        (format!("{{\"at\": 1, \"rows\": [{one},\n{two}], \"x\": [1]}}"), None, [1, 2]),
        (
            format!("{{\"x\":[{{}}], \"a/b\":[0,{{\"r\":[{one},\n{two}]}},[]] }}"),
            Some("/a~1b/1/r"),
            [1, 2],
        ),
        (format!("[{one},{two}]"), Some(""), [1, 1]),
        (format!("{one}\n{two}"), Some(""), [1, 2]),
    ] {
        let expected = vec![format!("2:{}:1|A|", lines[0]), format!("3:{}:2||", lines[1])];
        assert_eq!(read(&text, records, &names), (headers.clone(), expected), "{text}");
    }
}

#[test]
fn values_are_what_is_written() {
    let text = r#"[{"a": "x\n\u00e9\ud83d\ude00\"", "b": 1.0, "c": 9007199254740993, "d": 1e5,
        "e": true, "f": false, "g": null, "h": "", "i": -0}]"#;
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let expected = "2:1:x\né😀\"|1.0|9007199254740993|1e5|true|false|||-0";
    assert_eq!(rows(text, &names), [expected]);
}

#[test]
fn only_mapped_members_are_filled_and_lists_and_objects_are_unknown() {
    let text = r#"{"secret": "s", "WorkerID": "1", "tags": ["a"], "boss": {"id": 7}}
        {"WorkerID": "2", "tags": "none", "boss": {"id": {"x": 1}}}"#;
    let (headers, found) = read(text, None, &["WorkerID", "tags", "/boss/id", "/tags/0"]);
    assert_eq!(headers, ["secret", "WorkerID", "tags", "/tags/0", "/boss/id", "boss.id.x"]);
    assert_eq!(found, ["2:1:|1|<Structure>|a|7|", "3:2:|2|none||<Structure>|"]);
}

#[test]
fn an_id_in_exponent_notation_is_unknown() {
    assert_eq!(
        rows(r#"[{"WorkerID": 1.2E+17}, {"WorkerID": "1.2E+17"}]"#, &["WorkerID"]),
        ["2:1:<Exponent>", "3:1:1.2E+17"]
    );
}

#[test]
fn a_record_with_a_member_twice_is_rejected_alone() {
    let text = r#"[{"a":1,"b":{"c":1,"\u0063":2}},
        {"a":1,"b":{"c":1},"l":[{"c":1},{"c":2}]},
        {"a":1,"a":1},
        7, [{"a":1}], "x", null,
        {"a":2}]"#;
    assert_eq!(
        rows(text, &["a"]),
        [
            "2:1:source.duplicate-key the member `b.c` is in the record more than once",
            "3:2:1|||",
            "4:3:source.duplicate-key the member `a` is in the record more than once",
            "5:4:source.not-a-record the record is no object",
            "6:4:source.not-a-record the record is no object",
            "7:4:source.not-a-record the record is no object",
            "8:4:source.not-a-record the record is no object",
            "9:5:2|||"
        ]
    );
}

#[test]
fn an_object_is_a_record_where_its_members_are_mapped() {
    let wrapped = r#"{"status": "ok", "workers": [{"WorkerID": 1, "Status": "A"}]}"#;
    let single = r#"{"WorkerID": 1, "Status": "A", "emails": [{"value": "x"}]}"#;
    let names = ["WorkerID", "Status"];
    assert_eq!(way(wrapped, &names), Way::Within(vec!["workers".into()]));
    assert_eq!(way(single, &names), Way::Sequence);
    assert_eq!(
        way(r#"{"d": [], "w": [{"WorkerID": 1}], "n": [1]}"#, &names),
        Way::Within(vec!["w".into()])
    );
    assert_eq!(way(&format!("{wrapped}\n{single}"), &names), Way::Sequence);
    assert_eq!(way(r#"{"a": {"b": [{}]}}"#, &[]), Way::Sequence);
    assert_eq!(rows(r#"{"data":{"WorkerID":1}}"#, &["/data/WorkerID"]), ["2:1:1"]);
    assert_eq!(read(r#"{"data":{"WorkerID":1}}"#, Some("/data"), &["WorkerID"]).1, ["2:1:1"]);
}

#[test]
fn where_the_records_could_be_is_told() {
    for (text, records, expected) in [
        (
            r#"{"staff": [{"a":1}], "leavers": [{"a":1}]}"#,
            None,
            "hr.json: the file is an object with several lists of objects; there are `staff`, `leavers`",
        ),
        (
            r#"{"error": "unauthorised", "code": 401}"#,
            None,
            "hr.json: the file is an object without a list of objects; there are `error`, `code`",
        ),
        (
            "{\n\"data\": {\"people\": [], \"more\": 1}}",
            Some("/data/workers"),
            "hr.json, line 2: `/data` has no member `workers`; there are `people`, `more`",
        ),
        (r#"{"data": [1]}"#, Some("/data/3"), "hr.json, line 1: `/data` has no element `3`"),
        (r#"{"data": 1}"#, Some("/data"), "hr.json, line 1: `/data` is no list of records"),
        (
            r#"{"data": 1}"#,
            Some("/data/x"),
            "hr.json, line 1: `/data` is neither an object nor a list",
        ),
        ("\"text\"", None, "hr.json: the file begins with neither a list nor an object"),
        ("[]", Some("data"), "hr.json: `data` is no JSON Pointer to a list of records"),
    ] {
        assert_eq!(refusal(text, records), ("source.no-records", expected.into()), "{text}");
    }
    let twice = r#"{"data": [{"a":1}], "data": []}"#;
    assert_eq!(refusal(twice, Some("/data")).0, "source.duplicate-key");
}

#[test]
fn a_file_without_records_is_refused() {
    for (text, code) in [
        ("", "source.empty-file"),
        (" \n\u{feff}", "source.json"),
        ("\u{feff} \n", "source.empty-file"),
        ("[]", "source.no-rows"),
        (r#"{"workers": []}"#, "source.no-rows"),
    ] {
        assert_eq!(refusal(text, None).0, code, "{text:?}");
    }
}

#[test]
fn other_encodings_are_named() {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let with_mark = [&[0xFF, 0xFE][..], &utf16("[{}]")].concat();
    assert_eq!(
        refusal(with_mark, None).1,
        "hr.json: the file is UTF-16 by its byte-order mark; JSON is UTF-8"
    );
    assert_eq!(
        refusal(utf16("[{}]"), None).1,
        "hr.json: the file begins with NUL bytes, as UTF-16 does; JSON is UTF-8"
    );
    let latin = b"[\n{\"n\": \"M\xFCller\"}]";
    assert_eq!(
        refusal(latin, None),
        ("source.encoding", "hr.json, line 2: the bytes at column 9 are not UTF-8".into())
    );
    for text in
        [&b"[{\"\xFC\": 1}]"[..], b"[\"\xFC\"]", b"{\"x\":\"\xFC\",\"l\":[{}]}", b"{\"\xFC\":1}"]
    {
        assert_eq!(refusal(text, None).0, "source.encoding", "{text:?}");
    }
}

#[test]
fn a_mistake_is_told_with_line_and_column() {
    for (text, expected) in [
        ("[{\"é\":1}\n, {\"a\" 2}]", "line 2: not JSON at column 8: expected a colon"),
        ("[{\"é\":1 x}]", "line 1: not JSON at column 9: expected a comma or `}`"),
        (
            "[{\"a\":01}]",
            "line 1: not JSON at column 7: a number is written in a way that JSON does not know",
        ),
        (
            "[{\"a\":\"\t\"}]",
            "line 1: not JSON at column 8: a string holds a control character that is not escaped",
        ),
        (
            "[{\"a\":\"\\ud800\"}]",
            "line 1: not JSON at column 8: an escape is half of a surrogate pair",
        ),
        ("[{\"a\":'x'}]", "line 1: not JSON at column 7: expected a value"),
        ("[{\"a\":NaN}]", "line 1: not JSON at column 7: expected a value"),
        ("[{\"a\":1},]", "line 1: not JSON at column 10: expected a value"),
        ("[{\"a\":1}] []", "line 1: not JSON at column 11: expected the end of the file"),
        ("[{\"a\":1}]\0", "line 1: not JSON at column 10: expected the end of the file"),
        ("{\"a\":1}\n}", "line 2: not JSON at column 1: expected a value"),
        ("// x\n[]", "line 1: not JSON at column 1: expected a list or an object"),
    ] {
        assert_eq!(refusal(text, None), ("source.json", format!("hr.json, {expected}")), "{text}");
    }
}

#[test]
fn a_cut_off_file_is_told_as_one() {
    let whole = r#"{"at": [1, "x"], "rows": [{"WorkerID": "1\n", "n": {"a": -1.5e3, "b": true}}, {"a": null}], "z": 1}"#;
    for end in 1..whole.len() {
        let (code, message) = refusal(&whole[..end], None);
        assert_eq!(code, "source.cut-off", "{message}: {}", &whole[..end]);
        assert!(message.contains("the file ends at column"), "{message}");
        let (code, message) = refusal(&whole[..end], Some("/rows"));
        assert_eq!(code, "source.cut-off", "{message}: {}", &whole[..end]);
    }
    let lines = "{\"WorkerID\": 1}\n{\"WorkerID\": 2, \"n";
    assert_eq!(
        refusal(lines, None),
        ("source.cut-off", "hr.json, line 2: the file ends at column 19 inside an object".into())
    );
}

#[test]
fn every_size_has_a_ceiling() {
    let deep = format!("[{}", r#"{"a":"#.repeat(10_000));
    assert_eq!(
        refusal(&deep, None),
        (
            "source.too-deep",
            "hr.json, line 1: at column 317 the nesting is deeper than 64 levels".into()
        )
    );
    for text in [format!("[{}", "[".repeat(10_000)), format!("{{\"a\":{}", "[".repeat(10_000))] {
        assert_eq!(refusal(&text, None).0, "source.too-deep");
    }
    let long = |length: usize| format!(r#"[{{"a": "{}"}}]"#, "x".repeat(length));
    assert_eq!(
        refusal(long(2_001), None),
        (
            "source.too-large",
            "hr.json, line 1: the string at column 8 is larger than 2000 bytes".into()
        )
    );
    assert_eq!(rows(&long(2_000), &["a"]).len(), 1);
    assert_eq!(refusal(format!("[{{\"a\": {}", "1".repeat(257)), None).0, "source.too-large");
    let large = format!("[\n{{{}\"b\":1}}]", "\"a\":\"xxxxxxx\",".repeat(2_000));
    assert_eq!(
        refusal(&large, None),
        (
            "source.too-large",
            "hr.json, line 2: the record that starts here is larger than 20000 bytes".into()
        )
    );
    // outside of the records nothing is kept, so nothing is too large
    let beside = format!(r#"{{"big": [{}1], "rows": [{{"a":1}}]}}"#, "\"xxxxxxx\",".repeat(9_000));
    assert_eq!(rows(&beside, &["a"]), ["2:1:1"]);
    let wide: Vec<String> = (0..201).map(|number| format!("{{\"m{number}\": 1}}")).collect();
    assert_eq!(refusal(wide.join("\n"), None).0, "source.too-many-columns");
    let names = format!("[{{\"{}\":1}}]", "x".repeat(1_999));
    let mut input = Bytes::new(&names);
    let small = Limits { record_bytes: 1_500, ..limits() };
    assert!(JsonShape::find(&mut input, &config(None), &[], small, "hr.json").is_err());
    let small = Limits { rows: 1, ..limits() };
    let mut input = Bytes::new("{}{}");
    assert!(JsonShape::find(&mut input, &config(None), &[], small, "hr.json").is_err());
    let small = Limits { file_bytes: 3, ..limits() };
    let mut input = Bytes::new("[{}]");
    assert!(JsonShape::find(&mut input, &config(None), &[], small, "hr.json").is_err());
}

#[test]
fn a_file_that_changed_is_refused() {
    let columns = columns(&["a"]);
    let shape =
        JsonShape::find(&mut Bytes::new("[{\"a\":1}]"), &config(None), &columns, limits(), "f")
            .unwrap();
    let mut reader =
        JsonReader::open(Bytes::new("[{\"a\":1},{\"b\":1}]"), &shape, &columns, limits(), "f")
            .unwrap();
    assert!(reader.next_row().unwrap().is_some());
    let error = reader.next_row().map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("changed"), "{error}");
}

#[test]
fn what_was_decided_is_told() {
    let columns = columns(&["workerid"]);
    let text = r#"{"d": [{"WorkerID": 1}]}"#;
    let shape =
        JsonShape::find(&mut Bytes::new(text), &config(None), &columns, limits(), "f").unwrap();
    let reader = JsonReader::open(Bytes::new(text), &shape, &columns, limits(), "f").unwrap();
    let told: Vec<&str> = reader.findings().iter().map(|found| found.message.as_str()).collect();
    assert_eq!(
        told,
        ["the records are those at `/d`", "the column `workerid` is the member `WorkerID`"]
    );
}

/// As webhooks are read: what is not there is not known, and null is empty.
#[test]
fn where_each_record_has_all_members_a_missing_one_is_unknown() {
    let mut columns = columns(&["a", "b.c", "d", "e"]);
    columns[3].optional = true;
    let json = JsonConfig { records: None, has_all_members: true };
    let config = FormatConfig { json, ..FormatConfig::default() };
    let text = r#"[{"a": 1, "b": {"c": null}}, {"a": null, "b": {}, "x": 2}]"#;
    let shape = JsonShape::find(&mut Bytes::new(text), &config, &columns, limits(), "f").unwrap();
    let mut reader = JsonReader::open(Bytes::new(text), &shape, &columns, limits(), "f").unwrap();
    // `d` is in no record and is a column all the same; `e` may be missing
    assert_eq!(reader.headers(), ["a", "b.c", "x", "d"]);
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row().unwrap() {
        rows.push(shown(&row));
    }
    assert_eq!(rows, ["2:1:1|||<Missing>", "3:1:|<Missing>||<Missing>"]);
}
