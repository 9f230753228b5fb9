//! The values that columns, constants and functions know.

use std::borrow::Cow;

/// A value. Numbers with decimals, maps and bytes exist only inside the general language.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(in crate::mapping) enum Value<'v> {
    Null,
    Boolean(bool),
    Integer(i64),
    Text(Cow<'v, str>),
    List(Vec<Value<'v>>),
}

impl Value<'_> {
    /// Whether there is nothing in it. An empty cell is empty text, which to Entra's functions is
    /// the same as null.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::List(list) => list.is_empty(),
            Self::Boolean(_) | Self::Integer(_) => false,
        }
    }

    /// The size that counts against [`MAX_TEXT`].
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::List(list) => {
                list.iter().fold(0, |sum: usize, value| sum.saturating_add(value.size() + 1))
            }
            Self::Null | Self::Boolean(_) | Self::Integer(_) => 0,
        }
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

/// Most bytes of a text (and of the texts of a list) inside an expression. Far more than any
/// attribute takes; without it a few nested replacements could fill the memory.
pub(in crate::mapping) const MAX_TEXT: usize = 65_536;
