//! The keys of userNames in a ledger from before there were any.

use rusqlite::{Connection, params};
use serde::Deserialize;

use crate::scim::user_name_key;
use crate::store::sqlite::connection::Failure;
use crate::store::sqlite::convert::limit;
use crate::store::sqlite::resource;

/// Records looked at a time.
const PAGE: usize = 500;

/// As much of a resource as is needed here.
#[derive(Deserialize)]
struct Named {
    #[serde(rename = "userName")]
    user_name: Option<String>,
}

/// Gives every record the key of its resource's userName. A resource that cannot be read is passed
/// over: whoever needs it says so.
pub(super) fn fill_in(db: &Connection) -> Result<(), Failure> {
    let (mut target, mut external_id) = (String::new(), String::new());
    loop {
        let page = page_after(db, &target, &external_id)?;
        let Some(last) = page.last() else { return Ok(()) };
        (target, external_id) = (last.0.clone(), last.1.clone());
        let mut statement = db.prepare_cached(
            "-- user_names.fill_in
            UPDATE records
            SET user_name_key = ?3
            WHERE target = ?1
                AND external_id = ?2",
        )?;
        for (target, external_id, packed) in &page {
            if let Some(key) = key_of(packed) {
                statement.execute(params![target, external_id, key])?;
            }
        }
    }
}

fn page_after(
    db: &Connection,
    target: &str,
    external_id: &str,
) -> Result<Vec<(String, String, Vec<u8>)>, Failure> {
    let mut statement = db.prepare_cached(
        "-- user_names.page
        SELECT target, external_id, resource
        FROM records
        WHERE (target, external_id) > (?1, ?2)
        ORDER BY target, external_id
        LIMIT ?3",
    )?;
    let rows = statement.query_map(params![target, external_id, limit(PAGE)], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn key_of(packed: &[u8]) -> Option<i64> {
    let resource = resource::unpack(packed)?;
    let named: Named = serde_json::from_slice(&resource).ok()?;
    named.user_name.as_deref().map(user_name_key)
}
