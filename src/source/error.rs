//! What can be wrong with a whole file.

use crate::domain::{Place, Problem};

/// The file cannot be used: nothing of it is applied.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The bytes could not be read.
    #[error("the file cannot be read")]
    Read(#[from] std::io::Error),
    /// The bytes were read and refused.
    #[error("{}: {}", .0.place, .0.message)]
    Refused(Box<Problem>),
}

impl SourceError {
    /// A refusal with a way out.
    pub(crate) fn refused(
        code: &'static str,
        place: Place,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self::Refused(Box::new(Problem {
            code,
            place,
            message: message.into(),
            hint: Some(hint.into()),
        }))
    }

    /// The same, as it is stored and shown.
    #[must_use]
    pub fn problem(&self, place: Place) -> Problem {
        match self {
            Self::Read(error) => Problem {
                code: "source.unreadable",
                place,
                message: format!("the file cannot be read: {error}"),
                hint: Some("check that it exists, is a file and may be read".to_owned()),
            },
            Self::Refused(problem) => (**problem).clone(),
        }
    }
}
