//! What can be wrong with the seals of a store, and the way out.

use std::error::Error;
use std::fmt;

use crate::store::SealKeyId;
use crate::store::trouble::among_causes;

/// Something is wrong with what is sealed in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealProblem {
    /// Something is sealed with these keys, and they are not here.
    NoKey(Vec<SealKeyId>),
    /// Nothing lies in the clear in this store, and there is no key to seal with. It holds what is
    /// sealed with this one.
    WouldLieOpen(SealKeyId),
    /// A value is not what was sealed for its place.
    Altered {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's id.
        id: String,
    },
    /// A value lies in the clear in a store where nothing does.
    Plain {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's id.
        id: String,
    },
}

impl SealProblem {
    /// The problem among the causes of an error, if there is one.
    #[must_use]
    pub fn among_causes<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        among_causes(error)
    }

    /// What to do about it.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::NoKey(_) => {
                "name the key in `key` of `[store]`, or among `old_keys` when another one has taken its \
                 place; `serve` takes other keys when it is started or reads its config again. Without the key nobody can read \
                 what it sealed: put back a store that you can read, or move this one away, and the \
                 next file sends everybody once more"
            }
            Self::WouldLieOpen(_) => {
                "name the key in `key` of `[store]`. To take the encryption off, name it among \
                 `old_keys` and run `scimport store rekey --plain`"
            }
            Self::Altered { .. } | Self::Plain { .. } => {
                "somebody or something has changed the file: put back the last good copy of the store. \
                 Without one, move the file away: the next file then sends everybody once more, which \
                 changes nobody who is as the file says"
            }
        }
    }
}

impl fmt::Display for SealProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey(ids) => {
                let plural = if ids.len() == 1 { "key" } else { "keys" };
                write!(f, "the store is encrypted with {plural} ")?;
                for (at, id) in ids.iter().enumerate() {
                    write!(f, "{}`{id}`", if at == 0 { "" } else { ", " })?;
                }
                write!(f, ", which the config does not name")
            }
            Self::WouldLieOpen(id) => write!(
                f,
                "nothing may lie in the clear in this store, which is encrypted with key `{id}`, and \
                 the config names no `key` to encrypt with"
            ),
            Self::Altered { table, column, id } => {
                write!(f, "`{table}.{column}` of {id} is not what was encrypted there")
            }
            Self::Plain { table, column, id } => {
                write!(f, "`{table}.{column}` of {id} lies in the clear in an encrypted store")
            }
        }
    }
}

impl Error for SealProblem {}
