//! The SQLite backend.

/// The store in a SQLite database.
#[derive(Debug)]
pub struct SqliteStore {}
