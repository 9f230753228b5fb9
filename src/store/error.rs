//! What can go wrong with the store.

use crate::store::SealProblem;

/// The store could not do what was asked. Nothing of it has happened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database could not be opened.
    #[error("the store `{path}` cannot be opened")]
    Open {
        /// Where it is.
        path: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database was made by a newer version of the program.
    #[error("the store `{path}` has schema version {found}, this program knows up to {known}")]
    TooNew {
        /// Where it is.
        path: String,
        /// Its version.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// A statement failed: disk full, read-only, locked for too long.
    #[error("the store failed while it tried to {attempt}")]
    Statement {
        /// What was attempted, such as `commit the run`.
        attempt: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What is stored is sealed, and something is wrong with that.
    #[error("the encryption of the store stands in the way")]
    Seal(#[from] SealProblem),
    /// What is stored makes no sense.
    #[error("the store holds an inconsistent value in `{table}.{column}` of {id}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's id.
        id: String,
    },
}
