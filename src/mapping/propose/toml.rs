//! Rules as the config writes them.

use std::fmt::Write as _;

use crate::mapping::{Case, End, Literal, OnEmpty, Otherwise, RuleConfig, ValueSource, ValueType};

/// Most characters of a value that are shown.
const SHOWN: usize = 28;

/// A value for a comment: one line, not too long, nothing that a terminal obeys.
#[must_use]
pub fn shortened(value: &str) -> String {
    let mut letters = value.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let mut shown: String = letters.by_ref().take(SHOWN).collect();
    if letters.next().is_some() {
        shown.pop();
        shown.push('…');
    }
    shown
}

/// Text in TOML's quotes: literal ones where that reads better.
#[must_use]
pub fn quoted(text: &str) -> String {
    let is_plain = |letter: char| !letter.is_control() && letter != '\u{feff}';
    if text.chars().all(is_plain) {
        if !text.contains(['"', '\\']) {
            return format!("\"{text}\"");
        }
        if !text.contains('\'') {
            return format!("'{text}'");
        }
    }
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            letter if is_plain(letter) => quoted.push(letter),
            letter => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(letter));
            }
        }
    }
    quoted.push('"');
    quoted
}

/// The right side of a mapping line.
#[must_use]
pub fn rule_text(rule: &RuleConfig) -> String {
    let mut entries = Vec::new();
    let mut say = |key: &str, value: String| entries.push(format!("{key} = {value}"));
    if !rule.trim {
        say("trim", "false".to_owned());
    }
    if !rule.empty_words.is_empty() {
        say("empty_words", texts(&rule.empty_words));
    }
    if let Some(default) = &rule.default {
        say("default", literal(default));
    }
    if rule.required {
        say("required", "true".to_owned());
    }
    if rule.on_empty == OnEmpty::Null {
        say("on_empty", quoted("null"));
    }
    if let Some(pad) = rule.pad {
        say("pad", pad.to_string());
    }
    if let Some(map) = &rule.map {
        let entries: Vec<String> = map
            .iter()
            .map(|(word, value)| format!("{} = {}", key_text(word), literal(value)))
            .collect();
        say("map", format!("{{ {} }}", entries.join(", ")));
    }
    if let Otherwise::Value(value) = &rule.otherwise {
        say("otherwise", literal(value));
    }
    if !rule.date.is_empty() {
        say("date", texts(&rule.date));
    }
    if let Some(time) = &rule.time {
        say("time", quoted(time));
    }
    if let Some(case) = rule.case {
        say(
            "case",
            quoted(match case {
                Case::Lower => "lower",
                Case::Upper => "upper",
                Case::Title => "title",
            }),
        );
    }
    if rule.ascii {
        say("ascii", "true".to_owned());
    }
    if let Some(max) = rule.max {
        say("max", max.to_string());
    }
    if rule.truncate {
        say("truncate", "true".to_owned());
    }
    if let Some(kind) = rule.kind {
        say(
            "type",
            quoted(match kind {
                ValueType::Integer => "integer",
                ValueType::Boolean => "boolean",
            }),
        );
    }
    if rule.optional {
        say("optional", "true".to_owned());
    }
    let (name, value) = match &rule.value {
        ValueSource::Column(column) if entries.is_empty() && !column.contains('{') => {
            return quoted(column);
        }
        ValueSource::Template(template) if entries.is_empty() => return quoted(template),
        ValueSource::Column(column) => ("from", quoted(column)),
        ValueSource::Template(template) => ("template", quoted(template)),
        ValueSource::Const(value) => ("const", literal(value)),
        ValueSource::Expression(text) => ("expr", quoted(text)),
        ValueSource::Between(between) => {
            if between.end_is == End::Exclusive {
                entries.insert(0, "end = \"exclusive\"".to_owned());
            }
            ("between", texts(&[between.start.clone(), between.end.clone()]))
        }
    };
    entries.insert(0, format!("{name} = {value}"));
    format!("{{ {} }}", entries.join(", "))
}

/// A key, bare where TOML allows it.
#[must_use]
pub fn key_text(text: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !text.is_empty() && text.bytes().all(is_bare) { text.to_owned() } else { quoted(text) }
}

/// "`a`, `b` and `c`".
pub(super) fn list(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

fn texts(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", quoted.join(", "))
}

fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Text(text) => quoted(text),
        Literal::Boolean(boolean) => boolean.to_string(),
        Literal::Integer(integer) => integer.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::Between;

    #[test]
    fn a_rule_is_as_short_as_it_can_be() {
        let column = |name: &str| RuleConfig::new(ValueSource::Column(name.to_owned()));
        assert_eq!(rule_text(&column("Cost Center")), "\"Cost Center\"");
        assert_eq!(rule_text(&column("A {B}")), "{ from = \"A {B}\" }");
        let lower = RuleConfig { case: Some(Case::Lower), ..column("E \"Mail\"") };
        assert_eq!(rule_text(&lower), "{ from = 'E \"Mail\"', case = \"lower\" }");
        let map = vec![
            ("Aktiv".to_owned(), Literal::Boolean(true)),
            ("a b".to_owned(), Literal::Integer(0)),
        ];
        let mapped = RuleConfig { map: Some(map), pad: Some(8), ..column("S") };
        assert_eq!(
            rule_text(&mapped),
            "{ from = \"S\", pad = 8, map = { Aktiv = true, \"a b\" = 0 } }"
        );
        let constant = RuleConfig::new(ValueSource::Const(Literal::Boolean(true)));
        assert_eq!(rule_text(&constant), "{ const = true }");
        let days = |end_is| {
            let (start, end) = ("Hired".to_owned(), "Left \"\"".to_owned());
            RuleConfig::new(ValueSource::Between(Box::new(Between { start, end, end_is })))
        };
        let inclusive = days(End::Inclusive);
        assert_eq!(rule_text(&inclusive), "{ between = [\"Hired\", 'Left \"\"'] }");
        let exclusive = RuleConfig { date: vec!["%F".to_owned()], ..days(End::Exclusive) };
        assert_eq!(
            rule_text(&exclusive),
            "{ between = [\"Hired\", 'Left \"\"'], end = \"exclusive\", date = [\"%F\"] }"
        );
    }

    #[test]
    fn a_value_in_a_comment_stays_on_its_line_and_is_short() {
        assert_eq!(shortened("a\nb\u{1b}[31m"), "a b [31m");
        assert_eq!(shortened(&"x".repeat(40)).chars().count(), SHOWN);
    }

    proptest::proptest! {
        #[test]
        fn what_is_quoted_reads_as_it_was(text: String) {
            let table: ::toml::Table = format!("{} = {}", key_text(&text), quoted(&text)).parse().unwrap();
            let (name, value) = table.iter().next().unwrap();
            assert_eq!((name.as_str(), value.as_str()), (text.as_str(), Some(text.as_str())));
        }
    }
}
