//! The config as a tree of values that know where they come from.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// One value.
///
/// No `Debug`, on purpose: a value may be a secret that somebody pasted.
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) origin: Origin,
    /// The text of the environment variable, so that `1234` can still be meant as text.
    pub(super) raw: Option<Arc<str>>,
}

/// What a value is.
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Boolean(bool),
    Array(Vec<Node>),
    Table(Table),
    /// A value of a kind that no key takes, by its name.
    Other(&'static str),
}

/// The entries of a table in the order of the file.
#[derive(Default)]
pub(super) struct Table(pub(super) Vec<(String, Node)>);

/// Where a value comes from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// The file, as bytes of its text.
    File {
        key: Range<usize>,
        value: Range<usize>,
        /// Whether the value is text, a number, a boolean or a date, so that it can be underlined.
        is_scalar: bool,
    },
    /// The environment variable of this name.
    Variable(Arc<str>),
    /// The file as a whole.
    Whole,
}

impl Value {
    /// What kind of value it is, for messages.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "a whole number",
            Self::Boolean(_) => "a boolean",
            Self::Array(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(kind) => kind,
        }
    }
}

impl Table {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// The value of a key, to be changed.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.0.iter_mut().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// Sets a key, in the place of the old value where there was one.
    pub(super) fn set(&mut self, key: &str, node: Node) {
        match self.get_mut(key) {
            Some(old) => *old = node,
            None => self.0.push((key.to_owned(), node)),
        }
    }

    /// Takes over a parsed document.
    pub(super) fn from_file(parsed: DeTable<'_>) -> Self {
        table(parsed, &Giver::File)
    }
}

impl Node {
    /// Takes over a value that stands in a variable, `raw` being the variable's text.
    pub(super) fn from_variable(parsed: DeValue<'_>, name: &Arc<str>, raw: &Arc<str>) -> Self {
        let value = value(parsed, &Giver::Variable(Arc::clone(name)));
        let raw = (!matches!(value, Value::Array(_) | Value::Table(_))).then(|| Arc::clone(raw));
        Self { value, origin: Origin::Variable(Arc::clone(name)), raw }
    }
}

/// Who gave a value.
enum Giver {
    File,
    Variable(Arc<str>),
}

/// The parser sorts keys; this puts them back as written.
fn table(parsed: DeTable<'_>, giver: &Giver) -> Table {
    let mut entries: Vec<_> = parsed.into_iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let convert = |(key, value): (Spanned<DeString<'_>>, Spanned<DeValue<'_>>)| {
        let span = key.span();
        (key.into_inner().into_owned(), node(value, span, giver))
    };
    Table(entries.into_iter().map(convert).collect())
}

fn node(parsed: Spanned<DeValue<'_>>, key: Range<usize>, giver: &Giver) -> Node {
    let span = parsed.span();
    let value = value(parsed.into_inner(), giver);
    let is_scalar = !matches!(value, Value::Array(_) | Value::Table(_));
    let origin = match giver {
        Giver::File => Origin::File { key, value: span, is_scalar },
        Giver::Variable(name) => Origin::Variable(Arc::clone(name)),
    };
    Node { value, origin, raw: None }
}

fn value(parsed: DeValue<'_>, giver: &Giver) -> Value {
    match parsed {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map_or(Value::Other("an integer of more than 64 bits"), Value::Integer),
        DeValue::Boolean(boolean) => Value::Boolean(boolean),
        DeValue::Array(items) => Value::Array(
            items
                .into_iter()
                .map(|item| {
                    let span = item.span();
                    node(item, span, giver)
                })
                .collect(),
        ),
        DeValue::Table(entries) => Value::Table(table(entries, giver)),
        DeValue::Float(_) => Value::Other("a number with a fraction"),
        DeValue::Datetime(_) => Value::Other("a date"),
    }
}
