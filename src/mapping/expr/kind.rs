//! What a part of an expression will be, as far as that can be told beforehand.

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mapping) enum Kind {
    Text,
    Boolean,
    Integer,
    List,
    /// Known only when a row is there.
    Any,
}

impl Kind {
    /// What one of two values is.
    pub(super) fn or(self, other: Self) -> Self {
        if self == other { self } else { Self::Any }
    }

    /// What it is called in messages.
    pub(in crate::mapping) const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Boolean => "true or false",
            Self::Integer => "a number",
            Self::List => "a list",
            Self::Any => "a value",
        }
    }
}
