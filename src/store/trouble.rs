//! What is the matter with a store, for whoever looks after the machine.

use std::error::Error;
use std::fmt;

/// Why a store could not do what was asked, where that can be mended from outside. It is among the
/// causes of a [`StoreError`](crate::store::StoreError).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreTrouble {
    /// What is the matter.
    pub kind: StoreTroubleKind,
    /// The code of the database, for those who look closer.
    pub code: i32,
}

/// What can be the matter with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreTroubleKind {
    /// No room is left.
    DiskFull,
    /// A file cannot be read or written, or may not grow any more.
    DiskFault,
    /// The file or its folder may not be written to.
    ReadOnly,
    /// The file is not what was written to it.
    Damaged,
    /// The file, or one beside it, cannot be opened or made.
    CannotOpen,
    /// Somebody else keeps it locked.
    Busy,
}

/// The first of this kind among an error and its causes.
pub(super) fn among_causes<'a, T: Error + 'static>(
    error: &'a (dyn Error + 'static),
) -> Option<&'a T> {
    std::iter::successors(Some(error), |&error| error.source())
        .find_map(|cause| cause.downcast_ref())
}

/// What to mend, where that can be said in a line.
macro_rules! remedy {
    (full) => {
        "make room on the disk of the store and of the temporary folder"
    };
    (fault) => {
        "look whether the disk of the store or of the temporary folder is full, over a quota or failing"
    };
    (rights) => {
        "give the user who runs this the right to write the store and to make files beside it (its log \
         lies there too)"
    };
    (busy) => {
        "look what else has the store open (a backup?)"
    };
    (carries on) => {
        "; nothing of this step was stored, and the same command carries on"
    };
}

impl StoreTrouble {
    /// The trouble among the causes of an error, if there is one.
    #[must_use]
    pub fn among_causes<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        among_causes(error)
    }

    /// What to do about it where a command has ended early.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        use StoreTroubleKind as K;
        match self.kind {
            K::DiskFull => concat!(remedy!(full), remedy!(carries on)),
            K::DiskFault => concat!(remedy!(fault), remedy!(carries on)),
            K::ReadOnly | K::CannotOpen => {
                concat!(remedy!(rights), "; nothing of this step was changed")
            }
            K::Damaged => {
                "put back the last good copy of the store. Without one, move the file away: the next \
                 file then sends everybody once more, which changes nobody who is as the file says"
            }
            K::Busy => concat!(remedy!(busy), ", and try again"),
        }
    }

    /// What to mend, where something was done and something else is left to do.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        use StoreTroubleKind as K;
        match self.kind {
            K::DiskFull => remedy!(full),
            K::DiskFault => remedy!(fault),
            K::ReadOnly | K::CannotOpen => remedy!(rights),
            K::Damaged => self.advice(),
            K::Busy => remedy!(busy),
        }
    }
}

impl fmt::Display for StoreTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use StoreTroubleKind as K;
        let words = match self.kind {
            K::DiskFull => "the disk is full",
            K::DiskFault => "the disk does not read or write as asked",
            K::ReadOnly => "the file or its folder may not be written to",
            K::Damaged => "the file is damaged, or is no store",
            K::CannotOpen => "the file, or one beside it, cannot be opened or made",
            K::Busy => "another program keeps it locked",
        };
        write!(f, "{words} (error {} of the database)", self.code)
    }
}

impl Error for StoreTrouble {}
