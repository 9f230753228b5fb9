//! What a row means for a person, held against the ledger.

use std::fmt;

/// A row held against its record: what happens to the person.
///
/// The rules stand in `README.md`, "What a run does to people"; the function that applies them is
/// `plan::change`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// Not in the ledger yet (also when inactive: sent, so that an existing account is disabled).
    Joiner,
    /// Known and different, with the same `active`.
    Mover,
    /// Active in the ledger, inactive now.
    Leaver,
    /// Inactive in the ledger, active now.
    Rehire,
}

impl Change {
    /// All changes, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Joiner, Self::Mover, Self::Leaver, Self::Rehire];

    /// The word used in JSON, SQL and on the terminal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Joiner => "joiner",
            Self::Mover => "mover",
            Self::Leaver => "leaver",
            Self::Rehire => "rehire",
        }
    }

    /// Reads the word back; `None` for any other word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.as_str() == word)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
