//! What is said about mistakes: in a mapping, in the columns of a file, and in a record.
//!
//! Nothing here ever holds the value of a cell; columns, attributes and rules are named instead.

use std::borrow::Cow;
use std::fmt;

use crate::domain::{CellFault, RecordProblem};
use crate::mapping::expr::EvalFault;

/// A mistake in a mapping, or something in it worth a second look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingProblem {
    /// The left side of the line as written, or the attribute that is missing.
    pub path: String,
    /// The key of the right side, where it is one of them.
    pub key: Option<&'static str>,
    /// What was found, and what was expected.
    pub message: String,
    /// The way out.
    pub hint: Option<String>,
}

impl MappingProblem {
    /// Where it stands in the source's section, keys separated by points.
    #[must_use]
    pub fn place(&self) -> String {
        match self.key {
            Some(_) if self.is_of_rows() => self.path.clone(),
            Some(key) => format!("mapping.{}.{key}", self.path),
            None => format!("mapping.{}", self.path),
        }
    }

    /// Whether it is about which rows count, not about an attribute.
    fn is_of_rows(&self) -> bool {
        let key = self.key.unwrap_or_default();
        matches!(
            (self.path.as_str(), key),
            ("scope", "scope") | ("rows.prefer", "prefer") | ("rows.by", "by") | ("as_of", "as_of")
        )
    }
}

impl fmt::Display for MappingProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.path)?;
        if let Some(key) = self.key
            && !self.is_of_rows()
        {
            write!(f, ", `{key}`")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// A mapped column that the file does not have, or has more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnProblem {
    /// No header is equal to it.
    Missing {
        /// The column as the mapping names it.
        column: String,
        /// The header that was probably meant.
        nearest: Option<String>,
    },
    /// More than one header is equal to it, so nobody knows which one counts.
    Repeated {
        /// The column as the mapping names it.
        column: String,
        /// The places of all of them, from 1.
        places: Vec<usize>,
    },
}

impl ColumnProblem {
    /// The column concerned, as the mapping names it.
    #[must_use]
    pub fn column(&self) -> &str {
        match self {
            Self::Missing { column, .. } | Self::Repeated { column, .. } => column,
        }
    }

    /// The way out.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { nearest: Some(nearest), .. } => {
                Some(format!("did you mean `{nearest}`?"))
            }
            Self::Missing { nearest: None, .. } => None,
            Self::Repeated { .. } => Some("rename or remove all but one of them".to_owned()),
        }
    }
}

impl fmt::Display for ColumnProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { column, .. } => write!(f, "column `{column}` is missing"),
            Self::Repeated { column, places } => {
                let places: Vec<_> = places.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "column `{column}` is there {} times, as columns {}",
                    places.len(),
                    places.join(", ")
                )
            }
        }
    }
}

/// Something about a mapped record that does not keep it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordWarning {
    /// Stable and dotted; a metric label.
    pub code: &'static str,
    /// What it is, and the way out; never the value of a cell.
    pub message: Cow<'static, str>,
}

/// The manager of a record is the record itself.
pub(super) const OWN_MANAGER: RecordWarning = RecordWarning {
    code: "mapping.own-manager",
    message: Cow::Borrowed(
        "the worker is named as their own manager and is sent without a manager",
    ),
};

/// Why a value cannot be used. What the reader of a message needs beside it, column and attribute,
/// the rule adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    RequiredEmpty,
    UnknownWord,
    NotBoolean,
    NotInteger,
    BadDate,
    ShortYear,
    AmbiguousDate,
    TooLong {
        found: usize,
        most: usize,
    },
    NoExternalId,
    ControlCharacter,
    /// The first day is missing; `end` is the column of the last, by its place in the mapping's list.
    NoStart {
        end: usize,
    },
    /// The last day is before the first, whose column is `start`.
    EndBeforeStart {
        start: usize,
    },
    /// Nobody has said as of when `active` is asked, which is a mistake of the program.
    NoInstant,
    /// The value of a column, by its place in the mapping's list, is unknown.
    Cell {
        fault: CellFault,
        column: usize,
    },
    Expression(EvalFault),
}

/// Why a rule gives no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) fault: Fault,
    /// The column it is about, by its place in the mapping's list, where it is not the rule's own.
    pub(super) column: Option<usize>,
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        let column = match fault {
            Fault::Cell { column, .. } => Some(column),
            _ => None,
        };
        Self { fault, column }
    }
}

impl Fault {
    /// The same, about this column of the mapping's list.
    pub(super) const fn of(self, column: usize) -> Refused {
        Refused { fault: self, column: Some(column) }
    }

    /// The other column it is about.
    pub(super) const fn other_column(self) -> Option<usize> {
        match self {
            Self::NoStart { end } => Some(end),
            Self::EndBeforeStart { start } => Some(start),
            _ => None,
        }
    }

    /// What is said of it; `other` is the name of [`Self::other_column`].
    pub(super) fn record(
        self,
        attribute: &str,
        column: Option<&str>,
        other: Option<&str>,
    ) -> RecordProblem {
        let from = column.map_or_else(|| "the value".to_owned(), |name| format!("column `{name}`"));
        let other = other.unwrap_or_default();
        let (code, message, hint) = match self {
            Self::RequiredEmpty => (
                "mapping.required-empty",
                format!("{from} is empty, but `{attribute}` needs it"),
                "correct the export, or map it without `required` where that is possible",
            ),
            Self::UnknownWord => (
                "mapping.unknown-word",
                format!("{from} holds a word that the `map` of `{attribute}` does not know"),
                "add the word to `map`, or say in `otherwise` what becomes of unknown words",
            ),
            Self::NotBoolean => (
                "mapping.not-boolean",
                format!("{from} is neither `true` nor `false`, but `{attribute}` is a boolean"),
                "translate the words of the export with `map`",
            ),
            Self::NotInteger => (
                "mapping.not-integer",
                format!("{from} is no whole number, but `{attribute}` is sent as one"),
                "digits alone, with a `-` before them at most: no `+`, leading zeros, blanks or \
                 decimal point, and no more than 64 bits hold; or leave out `type`",
            ),
            Self::ShortYear => (
                "mapping.two-digit-year",
                format!(
                    "{from} has a year of two digits, which leaves the century of `{attribute}` \
                     to a guess"
                ),
                "export the column with years of four digits",
            ),
            Self::Cell { fault, .. } => (
                fault.code(),
                format!("{from} {}, but `{attribute}` needs it", fault.words()),
                fault.hint(),
            ),
            Self::Expression(fault) => (
                "mapping.expression",
                format!("the expression of `{attribute}` has no value for this row: {fault}"),
                "correct the row at the source, or let the expression ask first",
            ),
            Self::BadDate => (
                "mapping.bad-date",
                format!("{from} is no date in the formats of `{attribute}`"),
                "correct the export, or add its format to `date`",
            ),
            Self::AmbiguousDate => (
                "mapping.ambiguous-date",
                format!("{from} is a different date in two formats of `{attribute}`"),
                "leave in `date` only the format that the export really uses",
            ),
            Self::TooLong { found, most } => (
                "mapping.too-long",
                format!("{from} has {found} characters, but `{attribute}` takes at most {most}"),
                "shorten it at the source, or raise `max`",
            ),
            Self::NoExternalId => (
                "mapping.no-external-id",
                format!("{from} is empty, so nobody can say whose row this is"),
                "correct the export: every row needs its worker's id",
            ),
            Self::NoStart { .. } => (
                "mapping.no-start",
                format!(
                    "{from} is empty, so nobody can say from when on `{attribute}` is true, \
                     whatever column `{other}` says"
                ),
                "correct the export: everybody needs a first day",
            ),
            Self::EndBeforeStart { .. } => (
                "mapping.end-before-start",
                format!("the day in {from} is before the one in column `{other}`"),
                "correct the export; of somebody who came back, it has to give the latest days",
            ),
            Self::NoInstant => (
                "mapping.no-instant",
                format!("nobody has said as of when `{attribute}` is asked"),
                "this is a mistake in scimport: report it",
            ),
            Self::ControlCharacter => (
                "mapping.control-character",
                format!("{from} has a control character in it, which `{attribute}` must not have"),
                "correct the export: the id holds a tab, a line end or the like",
            ),
        };
        RecordProblem {
            code,
            attribute: Some(attribute.to_owned()),
            column: column.map(ToOwned::to_owned),
            message,
            hint: Some(hint.to_owned()),
        }
    }
}
