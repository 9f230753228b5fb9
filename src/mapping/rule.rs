//! One compiled line of a mapping: the value it gives for a row.
//!
//! Rules apply in this order, whatever the order in the config: trim, empty words, default /
//! required / null, pad, map and otherwise, date, case, ascii, max, type. `default` and `otherwise`
//! are final. What a `map` gives goes through the rest once, when the mapping is compiled.

use std::ops::Range;

use jiff::Timestamp;

use crate::domain::{CellFault, CellMark, ColumnUse, Row};
use crate::mapping::DateOrder;
use crate::mapping::between::Days;
use crate::mapping::date::{DateRule, Reading};
use crate::mapping::expr::Expression;
use crate::mapping::finish::{Finish, Made, Output, is_integer, padded};
use crate::mapping::forms::{is_exponent, is_placeholder};
use crate::mapping::letters::push_lower;
use crate::mapping::lint::Lint;
use crate::mapping::problem::{Fault, Refused};
use crate::mapping::template::{Part, push_collapsed};
use crate::mapping::value::Value;
use crate::scim::{AttributePath, push_string};

/// A compiled line.
#[expect(clippy::struct_excessive_bools, reason = "each is a rule of its own")]
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
    pub(super) pad: Option<usize>,
    pub(super) lookup: Option<Lookup>,
    pub(super) finish: Finish,
    pub(super) output: Output,
    /// Whether it reads an id or a telephone number, which exponent notation has spoilt.
    pub(super) is_digits: bool,
    pub(super) lint: Lint,
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

impl Role {
    /// Whether it names a person or an account.
    pub(super) const fn is_reference(self) -> bool {
        matches!(self, Self::ExternalId | Self::UserName | Self::Manager)
    }
}

/// Where the text comes from; columns are places in the mapping's own list of columns.
pub(super) enum Source {
    Column(usize),
    Template(Vec<Part<usize>>),
    Const(Fixed),
    Expression(Box<Expression>),
    Between(Box<Days>),
}

/// A value that is known when the mapping is compiled.
pub(super) struct Fixed {
    pub(super) text: String,
    pub(super) json: Vec<u8>,
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

    /// A number, from a text that JSON has as it is.
    pub(super) fn number(text: String) -> Self {
        Self { json: text.clone().into_bytes(), text, boolean: None }
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

/// A row's cells, by the mapping's own list of columns.
#[derive(Clone, Copy)]
pub(super) struct Cells<'a> {
    pub(super) row: Row<'a>,
    /// The mapping's own list of columns.
    pub(super) columns: &'a [ColumnUse],
    /// Where each column is in the file; `None` for an optional one that it does not have.
    pub(super) indexes: &'a [Option<usize>],
    /// Whether no cell holds anything that JSON escapes.
    pub(super) is_plain: bool,
    /// Which of two date formats reads what both can read.
    pub(super) orders: &'a [DateOrder],
    /// As of when `active` is asked.
    pub(super) now: Option<Timestamp>,
}

impl<'a> Cells<'a> {
    /// A cell's text, if it can be known.
    pub(super) fn read(&self, column: usize) -> Result<&'a str, Fault> {
        let text = self.row.text().get(self.place(column)).unwrap_or("");
        match self.unknown(column) {
            Some(fault) if text.is_empty() => Err(Fault::Cell { fault, column }),
            _ => Ok(text),
        }
    }

    /// Why nobody can know what an empty cell holds, where that is so.
    #[inline]
    pub(super) fn unknown(&self, column: usize) -> Option<CellFault> {
        match self.mark(column) {
            Some(CellMark::Unknown(fault)) => Some(fault),
            _ => None,
        }
    }

    /// Whether the source of the file says that the cell is a date.
    pub(super) fn is_date(&self, column: usize) -> bool {
        self.mark(column) == Some(CellMark::Date)
    }

    #[inline]
    fn mark(&self, column: usize) -> Option<CellMark> {
        if self.row.marks().is_empty() {
            return None;
        }
        self.row.mark((*self.indexes.get(column)?)?)
    }

    /// The header of a column, as the mapping names it.
    pub(super) fn name(&self, column: usize) -> Option<&'a str> {
        self.columns.get(column).map(|used| used.name.as_str())
    }

    /// Where a cell stands in the row's text.
    #[inline]
    pub(super) fn place(&self, column: usize) -> Range<usize> {
        match self.indexes.get(column) {
            Some(Some(index)) => self.row.place(*index),
            _ => 0..0,
        }
    }
}

/// Buffers that values are made in.
#[derive(Default)]
pub(super) struct Work {
    joined: String,
    folded: String,
    padded: String,
    made: Made,
}

impl Rule {
    /// The column whose trimmed text is the value whenever there is any.
    pub(super) fn copied_column(&self) -> Option<usize> {
        let Source::Column(column) = self.source else { return None };
        let is_copied = self.role == Role::Other
            && self.output == Output::Text
            && self.trim
            && self.empty_words.is_empty()
            && self.pad.is_none()
            && self.lookup.is_none()
            && self.finish.is_nothing();
        is_copied.then_some(column)
    }

    /// How each of its dates is read.
    pub(super) fn dates_mut(&mut self) -> impl Iterator<Item = &mut DateRule> {
        let days = match &mut self.source {
            Source::Between(days) => Some(days.both_mut()),
            _ => None,
        };
        let days = days.into_iter().flatten().map(|day| &mut day.date);
        self.finish.date.as_mut().into_iter().chain(days)
    }

    /// Whether an empty cell of such a column leaves the attribute out.
    pub(super) fn is_absent_when_empty(&self) -> bool {
        self.default.is_none() && !self.required && !self.null && self.role == Role::Other
    }

    /// The value for a row.
    pub(super) fn evaluate<'v>(
        &'v self,
        cells: Cells<'v>,
        work: &'v mut Work,
    ) -> Result<Value<'v>, Refused> {
        let Work { joined, folded, padded: zeros, made } = work;
        let text = match &self.source {
            Source::Const(fixed) => return Ok(Value::Fixed(fixed)),
            Source::Column(column) => self.clean(*column, cells)?,
            Source::Template(parts) => self.join(parts, cells, joined)?,
            Source::Expression(expression) => match self.express(expression, cells, joined)? {
                Some(text) => text,
                None => return Ok(self.left_out()?),
            },
            Source::Between(days) => {
                let window = self.window(days, cells)?;
                let now = cells.now.ok_or(Fault::NoInstant)?;
                return Ok(Value::Window(window, window.is_active_at(now)));
            }
        };
        if text.is_empty() {
            return match &self.default {
                Some(default) if !default.text.is_empty() => Ok(Value::Fixed(default)),
                _ => Ok(self.nothing()?),
            };
        }
        let text = self.pad.map_or(text, |digits| padded(text, digits, zeros));
        if let Some(lookup) = &self.lookup {
            folded.clear();
            push_lower(folded, text.trim());
            return match lookup.find(folded) {
                Some(fixed) if fixed.text.is_empty() => Ok(self.nothing()?),
                Some(fixed) => Ok(Value::Fixed(fixed)),
                None => Err(Fault::UnknownWord.into()),
            };
        }
        if self.output == Output::Boolean {
            return match text {
                _ if text.eq_ignore_ascii_case("true") => Ok(Value::Boolean(true)),
                _ if text.eq_ignore_ascii_case("false") => Ok(Value::Boolean(false)),
                _ => Err(Fault::NotBoolean.into()),
            };
        }
        let reading = Reading { typed: self.is_typed_date(cells), orders: cells.orders };
        match self.finish.apply(text, reading, made)? {
            text if self.output == Output::Text => Ok(Value::Text(text)),
            text if is_integer(text) => Ok(Value::Number(text)),
            _ => Err(Fault::NotInteger.into()),
        }
    }

    /// The cleaned text of a row's cells, which is what a date rule learns from; `None` where the
    /// value is not read from cells, or is unknown.
    pub(super) fn written<'v>(&self, cells: Cells<'v>, work: &'v mut Work) -> Option<&'v str> {
        match &self.source {
            Source::Column(column) => self.clean(*column, cells).ok(),
            Source::Template(parts) => self.join(parts, cells, &mut work.joined).ok(),
            Source::Expression(expression) => {
                self.express(expression, cells, &mut work.joined).ok().flatten()
            }
            Source::Const(_) | Source::Between(_) => None,
        }
    }

    /// Whether the source of the file says that the cell is a date.
    pub(super) fn is_typed_date(&self, cells: Cells<'_>) -> bool {
        match &self.source {
            Source::Column(column) => cells.is_date(*column),
            Source::Template(parts) => match parts.as_slice() {
                [Part::Column(column)] => cells.is_date(*column),
                _ => false,
            },
            Source::Expression(expression) => {
                expression.columns().iter().any(|column| cells.is_date(*column))
            }
            Source::Const(_) | Source::Between(_) => false,
        }
    }

    /// The first of its columns whose cell has a word that stands for nothing, unless its `map`
    /// knows what becomes of words.
    pub(super) fn placeholder(&self, cells: Cells<'_>) -> Option<usize> {
        if self.lookup.is_some() {
            return None;
        }
        let is_placeholder = |column: usize| {
            self.clean(column, cells).is_ok_and(|text| is_placeholder(text.as_bytes()))
        };
        match &self.source {
            Source::Column(column) => Some(*column).filter(|column| is_placeholder(*column)),
            Source::Template(parts) => parts.iter().find_map(|part| match part {
                Part::Column(column) => Some(*column).filter(|column| is_placeholder(*column)),
                Part::Text(_) => None,
            }),
            // what an expression makes of such a word is its own affair, and it is no date
            Source::Const(_) | Source::Expression(_) | Source::Between(_) => None,
        }
    }

    /// What an empty value without default becomes.
    pub(super) fn nothing(&self) -> Result<Value<'_>, Fault> {
        match self.role {
            Role::ExternalId => Err(Fault::NoExternalId),
            // An empty status never leaves `active` out.
            Role::Active => Err(Fault::RequiredEmpty),
            _ if self.required => Err(Fault::RequiredEmpty),
            _ if self.null => Ok(Value::Null),
            _ => Ok(Value::Absent),
        }
    }

    pub(super) fn clean<'c>(&self, column: usize, cells: Cells<'c>) -> Result<&'c str, Fault> {
        let cell = cells.read(column)?;
        let text = if self.trim { trimmed(cell) } else { cell };
        if self.is_digits && is_exponent(text.as_bytes()) {
            return Err(Fault::Cell { fault: CellFault::Exponent, column });
        }
        Ok(if self.empty_words.iter().any(|word| word == text) { "" } else { text })
    }

    fn join<'v>(
        &self,
        parts: &[Part<usize>],
        cells: Cells<'_>,
        joined: &'v mut String,
    ) -> Result<&'v str, Fault> {
        joined.clear();
        let mut any = false;
        for part in parts {
            match part {
                Part::Text(text) => push_collapsed(joined, text),
                Part::Column(column) => {
                    let text = self.clean(*column, cells)?;
                    any |= !text.is_empty();
                    push_collapsed(joined, text);
                }
            }
        }
        Ok(if any { joined.trim() } else { "" })
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
