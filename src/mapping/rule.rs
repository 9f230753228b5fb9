//! One compiled line of a mapping: the value it gives for a row.
//!
//! Rules apply in this order, whatever the order in the config: trim, empty words, default /
//! required / null, map and otherwise, date, case, max. `default` and `otherwise` are final. What a
//! `map` gives goes through the rest once, when the mapping is compiled.

use crate::domain::Row;
use crate::mapping::Case;
use crate::mapping::date::DateRule;
use crate::mapping::letters::{push_cased, push_lower};
use crate::mapping::problem::Fault;
use crate::mapping::template::{Part, push_collapsed};
use crate::scim::{AttributePath, push_string};

/// A compiled line.
pub(super) struct Rule {
    pub(super) path: AttributePath,
    pub(super) role: Role,
    /// The one column it reads, for messages; `None` for templates and constants.
    pub(super) column: Option<String>,
    pub(super) source: Source,
    pub(super) trim: bool,
    pub(super) empty_words: Vec<String>,
    pub(super) default: Option<Fixed>,
    pub(super) required: bool,
    pub(super) null: bool,
    pub(super) lookup: Option<Lookup>,
    pub(super) finish: Finish,
}

/// What planning needs to know a value for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    ExternalId,
    UserName,
    Active,
    Manager,
    Other,
}

/// Where the text comes from; columns are places in the mapping's own list of columns.
pub(super) enum Source {
    Column(usize),
    Template(Vec<Part<usize>>),
    Const(Fixed),
}

/// A value that is known when the mapping is compiled.
pub(super) struct Fixed {
    pub(super) text: String,
    json: Vec<u8>,
    pub(super) boolean: Option<bool>,
}

impl Fixed {
    pub(super) fn text(text: String) -> Self {
        let mut json = Vec::new();
        push_string(&mut json, &text);
        Self { text, json, boolean: None }
    }

    pub(super) fn boolean(value: bool) -> Self {
        let text = value.to_string();
        Self { json: text.clone().into_bytes(), text, boolean: Some(value) }
    }
}

/// A lookup table: words in lower case, sorted.
pub(super) struct Lookup {
    pub(super) words: Vec<(String, Fixed)>,
    pub(super) otherwise: Option<Fixed>,
}

impl Lookup {
    fn find(&self, folded: &str) -> Option<&Fixed> {
        match self.words.binary_search_by(|(word, _)| word.as_str().cmp(folded)) {
            Ok(at) => self.words.get(at).map(|(_, value)| value),
            Err(_) => self.otherwise.as_ref(),
        }
    }
}

/// The rules that come last.
#[derive(Default)]
pub(super) struct Finish {
    pub(super) date: Option<DateRule>,
    pub(super) case: Option<Case>,
    pub(super) max: Option<usize>,
}

impl Finish {
    /// The finished text, in `made` where it had to be made.
    pub(super) fn apply<'v>(&self, text: &'v str, made: &'v mut String) -> Result<&'v str, Fault> {
        made.clear();
        let text = match (&self.date, self.case) {
            (Some(date), _) => {
                date.push(made, text)?;
                made.as_str()
            }
            (None, Some(case)) => {
                push_cased(made, text, case);
                made.as_str()
            }
            (None, None) => text,
        };
        if let Some(most) = self.max
            && text.len() > most
        {
            // A character is at least one byte, so short texts need no counting.
            let found = text.chars().count();
            if found > most {
                return Err(Fault::TooLong { found, most });
            }
        }
        Ok(text)
    }
}

/// What a rule gives for a row.
pub(super) enum Value<'v> {
    /// Nothing: the attribute is left out.
    Absent,
    /// An explicit null.
    Null,
    Text(&'v str),
    Fixed(&'v Fixed),
    Boolean(bool),
}

impl Value<'_> {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            Value::Fixed(fixed) => Some(&fixed.text),
            Value::Absent | Value::Null | Value::Boolean(_) => None,
        }
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        match self {
            Value::Boolean(value) => Some(*value),
            Value::Fixed(fixed) => fixed.boolean,
            Value::Absent | Value::Null | Value::Text(_) => None,
        }
    }

    /// Appends the value as JSON; nothing for an absent one.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Value::Absent => {}
            Value::Null => out.extend_from_slice(b"null"),
            Value::Text(text) => push_string(out, text),
            Value::Fixed(fixed) => out.extend_from_slice(&fixed.json),
            Value::Boolean(true) => out.extend_from_slice(b"true"),
            Value::Boolean(false) => out.extend_from_slice(b"false"),
        }
    }
}

/// A row's cells, by the mapping's own list of columns.
#[derive(Clone, Copy)]
pub(super) struct Cells<'a> {
    pub(super) row: Row<'a>,
    /// Where each column is in the file; `None` for an optional one that it does not have.
    pub(super) indexes: &'a [Option<usize>],
    /// Whether no cell holds anything that JSON escapes.
    pub(super) is_plain: bool,
}

impl<'a> Cells<'a> {
    #[inline]
    pub(super) fn get(&self, column: usize) -> &'a str {
        match self.indexes.get(column) {
            Some(Some(index)) => self.row.cell(*index),
            _ => "",
        }
    }
}

/// Buffers that values are made in.
#[derive(Default)]
pub(super) struct Work {
    joined: String,
    folded: String,
    made: String,
}

impl Rule {
    /// The column whose trimmed text is the value whenever there is any.
    pub(super) fn copied_column(&self) -> Option<usize> {
        let Source::Column(column) = self.source else { return None };
        let Finish { date: None, case: None, max: None } = self.finish else { return None };
        let is_copied = self.role == Role::Other
            && !self.path.is_boolean()
            && self.trim
            && self.empty_words.is_empty()
            && self.lookup.is_none();
        is_copied.then_some(column)
    }

    /// The value for a row.
    pub(super) fn evaluate<'v>(
        &'v self,
        cells: Cells<'v>,
        work: &'v mut Work,
    ) -> Result<Value<'v>, Fault> {
        let Work { joined, folded, made } = work;
        let text = match &self.source {
            Source::Const(fixed) => return Ok(Value::Fixed(fixed)),
            Source::Column(column) => self.clean(cells.get(*column)),
            Source::Template(parts) => self.join(parts, cells, joined),
        };
        if text.is_empty() {
            return match &self.default {
                Some(default) if !default.text.is_empty() => Ok(Value::Fixed(default)),
                _ => self.nothing(),
            };
        }
        if let Some(lookup) = &self.lookup {
            folded.clear();
            push_lower(folded, text.trim());
            return match lookup.find(folded) {
                Some(fixed) if fixed.text.is_empty() => self.nothing(),
                Some(fixed) => Ok(Value::Fixed(fixed)),
                None => Err(Fault::UnknownWord),
            };
        }
        if self.path.is_boolean() {
            return match text {
                _ if text.eq_ignore_ascii_case("true") => Ok(Value::Boolean(true)),
                _ if text.eq_ignore_ascii_case("false") => Ok(Value::Boolean(false)),
                _ => Err(Fault::NotBoolean),
            };
        }
        self.finish.apply(text, made).map(Value::Text)
    }

    /// What an empty value without default becomes.
    fn nothing(&self) -> Result<Value<'_>, Fault> {
        match self.role {
            Role::ExternalId => Err(Fault::NoExternalId),
            // An empty status never leaves `active` out.
            Role::Active => Err(Fault::RequiredEmpty),
            _ if self.required => Err(Fault::RequiredEmpty),
            _ if self.null => Ok(Value::Null),
            _ => Ok(Value::Absent),
        }
    }

    fn clean<'c>(&self, cell: &'c str) -> &'c str {
        let text = if self.trim { trimmed(cell) } else { cell };
        if self.empty_words.iter().any(|word| word == text) { "" } else { text }
    }

    fn join<'v>(&self, parts: &[Part<usize>], cells: Cells<'_>, joined: &'v mut String) -> &'v str {
        joined.clear();
        let mut any = false;
        for part in parts {
            match part {
                Part::Text(text) => push_collapsed(joined, text),
                Part::Column(column) => {
                    let text = self.clean(cells.get(*column));
                    any |= !text.is_empty();
                    push_collapsed(joined, text);
                }
            }
        }
        if any { joined.trim() } else { "" }
    }
}

/// `str::trim`, for which most cells need no more than a look at both ends.
#[inline]
pub(super) fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        [] | [b'!'..=b'~'] | [b'!'..=b'~', .., b'!'..=b'~'] => text,
        _ => text.trim(),
    }
}
