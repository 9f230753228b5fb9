//! What refuses a workbook, said where it is found, before the file's name is at hand.

use crate::domain::Place;
use crate::source::SourceError;

/// A workbook that cannot be used, and why.
#[derive(Debug)]
pub(in crate::source) struct Fault(Box<Inner>);

#[derive(Debug)]
enum Inner {
    Read(std::io::Error),
    Refused { code: &'static str, message: String, hint: String, row: Option<u64> },
}

impl Fault {
    /// A refusal with a way out.
    pub(super) fn refused(
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let (message, hint) = (message.into(), hint.into());
        Self(Box::new(Inner::Refused { code, message, hint, row: None }))
    }

    /// A ceiling that was passed, in words such as `more than 5 sheets`.
    pub(super) fn ceiling(what: impl Into<String>) -> Self {
        let message = format!("the workbook has {}", what.into());
        Self::refused(
            "source.workbook-too-large",
            message,
            "export fewer rows and columns, or export as CSV",
        )
    }

    /// A workbook that breaks the rules of its format.
    pub(super) fn broken(what: impl Into<String>) -> Self {
        let message = format!("the workbook is broken: {}", what.into());
        Self::refused(
            "source.workbook-broken",
            message,
            "the file may be cut off: export it again, or open and save it in a spreadsheet program",
        )
    }

    /// The same, at a sheet row.
    pub(super) fn at_row(mut self, at: u64) -> Self {
        if let Inner::Refused { row, .. } = &mut *self.0 {
            row.get_or_insert(at);
        }
        self
    }

    /// The same, with its place.
    pub(super) fn within(self, file: &str, sheet: Option<&str>) -> SourceError {
        match *self.0 {
            Inner::Read(error) => error.into(),
            Inner::Refused { code, message, hint, row } => {
                let mut place = Place::file(file);
                place.sheet = sheet.map(ToOwned::to_owned);
                place.row = row;
                SourceError::refused(code, place, message, hint)
            }
        }
    }
}

impl From<std::io::Error> for Fault {
    /// What the inflater dislikes is the file's fault, anything else the disk's.
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::InvalidData
            | std::io::ErrorKind::InvalidInput
            | std::io::ErrorKind::UnexpectedEof => Self::broken("a part of it cannot be unpacked"),
            _ => Self(Box::new(Inner::Read(error))),
        }
    }
}
