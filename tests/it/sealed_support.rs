//! What lies in a store of a stage, looked at from outside.

use crate::support::Stage;

/// Two keys of a store.
pub const KEYS: [&str; 2] = [
    "k1bUyIO0b0WnL1TQvZ9yE3mG7cR2hXqA5sDfJpNwVxk=",
    "c3f1a2b4059687d8e9fa0b1c2d3e4f5061728394a5b6c7d8e9f00112233445ff",
];

/// Whether the database or its log has these bytes.
pub fn holds(stage: &Stage, needle: &[u8]) -> bool {
    ["scimport.db", "scimport.db-wal"].iter().any(|name| {
        let bytes = std::fs::read(stage.path(name)).unwrap_or_default();
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}

/// What lies in the ledger of somebody.
pub fn stored(stage: &Stage, id: &str) -> Vec<u8> {
    let raw = rusqlite::Connection::open(stage.path("scimport.db")).unwrap();
    let select = "SELECT resource FROM records WHERE external_id = ?1";
    raw.query_row(select, [id], |row| row.get(0)).unwrap()
}

/// How many people lie in the clear.
pub fn in_the_clear(stage: &Stage) -> i64 {
    let raw = rusqlite::Connection::open(stage.path("scimport.db")).unwrap();
    let select = "SELECT count(*) FROM records WHERE substr(resource, 1, 1) <> x'02'";
    raw.query_row(select, [], |row| row.get(0)).unwrap()
}
