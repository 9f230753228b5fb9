//! The right side of a mapping line, where it is a table.

use crate::config::node::Value;
use crate::config::section::{Field, Section};
use crate::mapping::{
    Between, Case, End, Literal, OnEmpty, Otherwise, RuleConfig, ValueSource, ValueType,
};

pub(super) const KEYS: &[&str] = &[
    "from",
    "template",
    "const",
    "expr",
    "between",
    "end",
    "trim",
    "empty_words",
    "default",
    "required",
    "on_empty",
    "pad",
    "map",
    "otherwise",
    "date",
    "time",
    "case",
    "ascii",
    "max",
    "truncate",
    "type",
    "optional",
];
/// Keys that say where a value comes from.
const SOURCES: [&str; 5] = ["from", "template", "const", "expr", "between"];
/// Whether the last day is in.
const ENDS: [(&str, End); 2] = [("inclusive", End::Inclusive), ("exclusive", End::Exclusive)];

/// Reads a table of rules.
pub(super) fn read(section: &Section<'_>) -> Option<RuleConfig> {
    let quotes = "rules and attributes do not mix in a table; an attribute path with a dot in it is \
                  one key in quotes, such as `\"name.givenName\"`";
    section.check_keys_or(KEYS, Some(quotes));
    let value = value_source(section);
    if let Some(end) = section.get("end").filter(|_| !section.has("between")) {
        let message = "`end` says which day is the last of `between`, which is not here";
        end.refuse_key(message.to_owned(), None);
    }
    let flag = |key: &str| section.get(key).and_then(|field| field.boolean());
    let count = |key: &str| {
        let number = section.get(key).and_then(|field| field.positive());
        number.and_then(|number| usize::try_from(number).ok())
    };
    let kinds = [("integer", ValueType::Integer), ("boolean", ValueType::Boolean)];
    let on_empty = [("omit", OnEmpty::Omit), ("null", OnEmpty::Null)];
    let case = [("lower", Case::Lower), ("upper", Case::Upper), ("title", Case::Title)];
    let default = section.get("default").and_then(|field| literal(&field));
    let map = section.get("map").and_then(|field| lookup(&field));
    let otherwise = section.get("otherwise").and_then(|field| otherwise(&field));
    let rule = RuleConfig {
        // Stands in until the problem that is already noted ends the reading.
        value: value.clone().unwrap_or(ValueSource::Const(Literal::Boolean(false))),
        trim: flag("trim").unwrap_or(true),
        empty_words: texts(section, "empty_words"),
        default,
        required: flag("required").unwrap_or(false),
        on_empty: section
            .get("on_empty")
            .and_then(|field| field.word(&on_empty))
            .unwrap_or_default(),
        pad: count("pad"),
        map,
        otherwise: otherwise.unwrap_or_default(),
        date: texts(section, "date"),
        time: section.get("time").and_then(|field| field.text()).map(str::to_owned),
        case: section.get("case").and_then(|field| field.word(&case)),
        ascii: flag("ascii").unwrap_or(false),
        max: count("max"),
        truncate: flag("truncate").unwrap_or(false),
        kind: section.get("type").and_then(|field| field.word(&kinds)),
        optional: flag("optional").unwrap_or(false),
    };
    value.map(|_| rule)
}

fn value_source(section: &Section<'_>) -> Option<ValueSource> {
    let found: Vec<_> = SOURCES.iter().filter_map(|key| section.get(key)).collect();
    match found.as_slice() {
        [field] if field.key == "const" => literal(field).map(ValueSource::Const),
        [field] if field.key == "between" => {
            between(field, section).map(Box::new).map(ValueSource::Between)
        }
        [field] => {
            let text = field.text()?.to_owned();
            Some(match field.key {
                "from" => ValueSource::Column(text),
                "expr" => ValueSource::Expression(text),
                _ => ValueSource::Template(text),
            })
        }
        // What is refused or unknown was probably meant to be the source; that is told already.
        [] if section.fields().any(|field| is_no_source(field.key)) => None,
        [] => {
            let title = section.title();
            let message = format!("{title} needs `from`, `template`, `const`, `expr` or `between`");
            section.refuse(message, None);
            None
        }
        [..] => {
            let title = section.title();
            let message =
                format!("{title} takes one of `from`, `template`, `const`, `expr` and `between`");
            section.refuse(message, None);
            None
        }
    }
}

fn is_no_source(key: &str) -> bool {
    !KEYS.contains(&key)
}

/// The columns with the first and the last day, and whether that day is in.
fn between(field: &Field<'_>, section: &Section<'_>) -> Option<Between> {
    let end_is = section.get("end").and_then(|field| field.word(&ENDS)).unwrap_or_default();
    let columns = field.texts()?;
    let [start, end] = columns.as_slice() else {
        let message = format!("`between` names two columns, not {}", columns.len());
        let hint = "write it like `between = [\"HireDate\", \"TerminationDate\"]`".to_owned();
        field.refuse_key(message, Some(hint));
        return None;
    };
    Some(Between { start: (*start).to_owned(), end: (*end).to_owned(), end_is })
}

fn texts(section: &Section<'_>, key: &str) -> Vec<String> {
    let field = section.get(key);
    let texts = field.as_ref().and_then(Field::texts).unwrap_or_default();
    if let Some(field) = field.filter(Field::is_empty_list) {
        field.refuse_key(format!("`{key}` lists nothing"), None);
    }
    texts.into_iter().map(str::to_owned).collect()
}

/// Text, a boolean or a whole number. Text may be empty here: what it means is the mapping's.
fn literal(field: &Field<'_>) -> Option<Literal> {
    match &field.node.value {
        Value::Text(text) => Some(Literal::Text(text.clone())),
        Value::Boolean(boolean) => Some(Literal::Boolean(*boolean)),
        Value::Integer(integer) => Some(Literal::Integer(*integer)),
        Value::Array(_) | Value::Table(_) | Value::Other(_) => {
            field.wrong_type("text in quotes, a boolean or a whole number");
            None
        }
    }
}

fn lookup(field: &Field<'_>) -> Option<Vec<(String, Literal)>> {
    let section = field.part()?;
    let entries: Vec<_> = section.fields().collect();
    if entries.is_empty() {
        field.refuse_key(format!("`{}` has no entries", field.key), None);
        return None;
    }
    entries.iter().map(|entry| Some((entry.key.to_owned(), literal(entry)?))).collect()
}

fn otherwise(field: &Field<'_>) -> Option<Otherwise> {
    if field.is_text("reject") {
        return Some(Otherwise::Reject);
    }
    literal(field).map(Otherwise::Value)
}
