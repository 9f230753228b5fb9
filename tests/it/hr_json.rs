//! JSON and NDJSON files: nothing is lost on the way from a digit to a digit, and what two readers
//! could read differently is refused.

use crate::hr_support::{Hr, PEOPLE, people, source, utf_16};

const NAME: &str = "displayName = \"Name\"\n";

fn hr(text: impl AsRef<[u8]>) -> Hr {
    Hr::new(&people(NAME), "hr.json", text)
}

/// One person, with these members more.
fn person(id: &str, more: &str) -> String {
    format!("{{\"ID\": {id}, \"User\": \"u\", \"Status\": \"Active\", \"Name\": \"Ann\"{more}}}")
}

/// hr-files, its last paragraph.
#[test]
fn numbers_beyond_two_to_the_53_keep_their_digits() {
    for digits in ["9007199254740993", "1234567890123456789", "18446744073709551617"] {
        let read = hr(format!("[{}]", person(digits, ""))).read(0);
        assert_eq!(read.ids(), [digits]);
    }
    for number in ["1.23457E+18", "1e400", "1E2"] {
        let hr = hr(format!("[{}, {}]", person(number, ""), person("\"007\"", ""))
            .replace("\"u\"", "\"v\""));
        hr.never_but(|id, _| id == "007");
    }
}

/// hr-files, its last paragraph.
#[test]
fn a_member_that_stands_twice_never_decides_by_chance() {
    let twice = person("\"007\"", ", \"Status\": \"Inactive\"");
    let ran = hr(format!("[{twice}, {}]", person("\"008\"", "").replace("\"u\"", "\"v\"")))
        .never_but(|id, _| id == "008");
    assert_ne!(ran.code, 0, "{}", ran.err);
    // the same name written with an escape
    let twice = person("\"007\"", ", \"\\u0053tatus\": \"Inactive\"");
    assert_ne!(hr(format!("[{twice}]")).never_but(|_, _| false).code, 0);
}

/// hr-files, its last paragraph.
#[test]
fn nesting_ten_thousand_deep_is_refused_with_the_ceiling() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
        let ran = hr(format!("[{}]", person("\"1\"", &format!(", \"More\": {deep}"))))
            .refused("source.", &[]);
        assert!(ran.err.chars().any(|letter| letter.is_ascii_digit()), "{}", ran.err);
        hr(&deep).refused("source.", &[]);
        hr(open.repeat(10_000)).refused("source.", &[]);
        hr(open.repeat(2_000_000)).refused("source.", &[]);
    }
}

/// hr-files 12.
#[test]
fn json_without_people_or_cut_off_is_refused() {
    for text in
        ["", " \n", "[]", "{}", "null", "[{}]", "{\"workers\": []}", "42", "\"ID\"", "[1, 2]"]
    {
        hr(text).refused("source.", &[]);
    }
    let whole = format!("[{}, {}]", person("\"1\"", ""), person("\"2\"", ""));
    for end in [whole.len() - 1, whole.len() - 2, whole.len() / 2 + 3, 20] {
        hr(&whole[..end]).refused("source.", &[]);
    }
    let lines = format!("{}\n{}\n", person("\"1\"", ""), person("\"2\"", ""));
    hr(&lines[..lines.len() - 10]).refused("source.", &["2"]);
    hr(format!("{whole} [")).refused("source.", &[]);
    hr(whole.replacen("\"Active\"", "\"Act\u{1}ive\"", 1)).refused("source.", &[]);
}

/// hr-files 1, 2, 3. JSON is UTF-8, with or without its mark.
#[test]
fn json_in_another_encoding_never_yields_another_letter() {
    let text = format!("[{}]", person("\"1\"", "").replace("Ann", "Müller"));
    let read = hr(format!("\u{feff}{text}")).read(0);
    assert_eq!(read.user("1")["displayName"], "Müller");
    let right = |_: &str, user: &serde_json::Value| user["displayName"] == "Müller";
    hr(utf_16(&text)).never_but(right);
    hr(crate::hr_support::windows_1252(&text)).never_but(right);
    // half of a pair, written as an escape
    hr(text.replace("Müller", "M\\ud83d")).never_but(|_, _| false);
    assert_eq!(hr(text.replace("Müller", "\\ud83d\\ude42")).read(0).user("1")["displayName"], "🙂");
}

/// The records may stand anywhere.
#[test]
fn records_are_found_where_the_config_says_or_where_only_one_list_is() {
    let inner = format!("[{}]", person("\"007\"", ", \"Job\": {\"Title\": \"Clerk\"}"));
    let mapping = format!("{PEOPLE}{NAME}title = \"/Job/Title\"\n");
    for text in [
        inner.clone(),
        inner[1..inner.len() - 1].to_owned(),
        format!("{{\"count\": 1, \"workers\": {inner}}}"),
    ] {
        let read = Hr::new(&source("", &mapping), "hr.json", text).read(0);
        assert_eq!(read.user("007")["title"], "Clerk");
    }
    let text = format!("{{\"data\": {{\"workers\": {inner}, \"former\": {inner}}}}}");
    let pointed = source("json = { records = \"/data/workers\" }", &mapping);
    assert_eq!(Hr::new(&pointed, "hr.json", &text).read(0).ids(), ["007"]);
    let astray = source("json = { records = \"/data/people\" }", &mapping);
    Hr::new(&astray, "hr.json", &text).refused("source.", &["`/data`", "people"]);
}

/// hr-files 23. An explicit null, a missing member and an empty text are all empty.
#[test]
fn null_missing_and_empty_are_one() {
    let base = "{\"ID\": \"1\", \"User\": \"a\", \"Status\": \"Active\", \"Name\": \"Ann\"}";
    let rows = [
        base.to_owned(),
        base.replace("\"1\"", "\"2\"").replace("\"a\"", "\"b\"").replace("\"Ann\"", "null"),
        base.replace("\"1\"", "\"3\"").replace("\"a\"", "\"c\"").replace(", \"Name\": \"Ann\"", ""),
        base.replace("\"1\"", "\"4\"").replace("\"a\"", "\"d\"").replace("\"Ann\"", "\"\""),
        base.replace("\"1\"", "\"5\"").replace("\"a\"", "\"e\"").replace("\"Active\"", "null"),
        base.replace("\"1\"", "null").replace("\"a\"", "\"f\""),
    ];
    let read = Hr::new(&people(NAME), "hr.json", format!("[{}]", rows.join(","))).read(3);
    assert_eq!(read.ids(), ["1", "2", "3", "4"]);
    for id in ["2", "3", "4"] {
        assert!(read.user(id).get("displayName").is_none());
    }
    assert_eq!(read.rejects.len(), 2, "empty status, empty id");
}

/// A list or an object is no text.
#[test]
fn a_list_where_a_value_is_mapped_rejects_its_row() {
    let listed = person("\"1\"", "").replace("\"Ann\"", "[\"Ann\", \"Bea\"]");
    let text = format!("[{listed}, {}]", person("\"2\"", "").replace("\"u\"", "\"v\""));
    let read = Hr::new(&people(NAME), "hr.json", text).read(3);
    assert_eq!(read.ids(), ["2"]);
    assert_eq!(read.rejects[0].code, "source.cell-structure");
}
