//! What is wrong, where, and what to do: with a whole file, or with one record.

use crate::domain::Place;

/// What is wrong with a file (or another whole input), so that none of it is used.
///
/// `message` is a fragment without personal data: it names columns and numbers, never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Stable and dotted, such as `source.unclosed-quote`; a metric label.
    pub code: &'static str,
    /// Where it is.
    pub place: Place,
    /// What was found, and what was expected.
    pub message: String,
    /// The way out.
    pub hint: Option<String>,
}

/// What is wrong with one record; the run goes on without it.
///
/// Like [`Problem`], it never holds the value of a cell. External ids may appear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordProblem {
    /// Stable and dotted, such as `mapping.required-empty`; a metric label.
    pub code: &'static str,
    /// The SCIM attribute concerned, in the notation of RFC 7644 section 3.5.2.
    pub attribute: Option<String>,
    /// The column concerned.
    pub column: Option<String>,
    /// What was found, and what was expected; it names the column itself.
    pub message: String,
    /// The way out.
    pub hint: Option<String>,
}

impl std::fmt::Display for RecordProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
