//! What is asked of all records of a source at once. All of it is answered by one index, without
//! reading a resource.

use std::collections::HashSet;

use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};

use crate::domain::{ExternalId, SourceName, TargetName};
use crate::store::sqlite::connection::Failure;
use crate::store::sqlite::convert::{Cell, limit as most};
use crate::store::sqlite::ledger;
use crate::store::{ActiveRecord, RecordCounts};

pub(super) fn count(
    db: &Connection,
    target: &TargetName,
    source: &SourceName,
) -> Result<RecordCounts, Failure> {
    let (all, active): (i64, i64) = db
        .prepare_cached(
            "-- source_records.count
            SELECT count(*), coalesce(sum(active), 0)
            FROM records INDEXED BY records_known
            WHERE target = ?1
                AND source = ?2",
        )?
        .query_row([target.as_str(), source.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let cell = Cell { table: "records", column: "source", id: source };
    Ok(RecordCounts { all: cell.count(all)?, active: cell.count(active)? })
}

pub(super) fn known_rows(
    db: &Connection,
    target: &TargetName,
    source: &SourceName,
    mapping_fingerprint: [u8; 16],
    now_us: i64,
) -> Result<Vec<[u8; 16]>, Failure> {
    let unsettled = unsettled(db, target)?;
    let mut statement = db.prepare_cached(
        "-- source_records.known_rows
        SELECT row_digest, external_id
        FROM records INDEXED BY records_known
        WHERE target = ?1
            AND source = ?2
            AND mapping_digest = ?3
            AND row_digest IS NOT NULL
            AND (next_effective_at_us IS NULL OR next_effective_at_us > ?4)",
    )?;
    let mapping_digest = ledger::mapping_digest(mapping_fingerprint);
    let mut rows =
        statement.query(params![target.as_str(), source.as_str(), mapping_digest, now_us])?;
    let mut known = Vec::new();
    while let Some(row) = rows.next()? {
        if !unsettled.is_empty() {
            let external_id = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
            if unsettled.contains(external_id) {
                continue;
            }
        }
        known.push(row.get(0)?);
    }
    Ok(known)
}

/// Workers with an operation that failed or is unconfirmed, be it their latest or not.
fn unsettled(db: &Connection, target: &TargetName) -> Result<HashSet<Box<str>>, Failure> {
    let mut statement = db.prepare_cached(
        "-- source_records.unsettled
        SELECT external_id
        FROM operations INDEXED BY operations_unsettled
        WHERE target = ?1
            AND status IN ('failed', 'unconfirmed')
            AND external_id IS NOT NULL",
    )?;
    let ids = statement.query_map([target.as_str()], |row| row.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn active(
    db: &Connection,
    target: &TargetName,
    source: &SourceName,
    after: Option<&ExternalId>,
    limit: usize,
) -> Result<Vec<ActiveRecord>, Failure> {
    let mut statement = db.prepare_cached(
        "-- source_records.active
        SELECT external_id, missing_runs, missing_since_us
        FROM records INDEXED BY records_known
        WHERE target = ?1
            AND source = ?2
            AND external_id > ?3
            AND active = 1
        ORDER BY external_id
        LIMIT ?4",
    )?;
    let after = after.map_or("", ExternalId::as_str);
    let mut rows =
        statement.query(params![target.as_str(), source.as_str(), after, most(limit)])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        let external_id = ExternalId::new(row.get::<_, Box<str>>(0)?);
        let cell = |column| Cell { table: "records", column, id: &external_id };
        let missing_since = cell("missing_since_us").instant_or_none(row.get(2)?)?;
        let missing_runs = row.get(1)?;
        records.push(ActiveRecord { external_id, missing_runs, missing_since });
    }
    Ok(records)
}

pub(super) fn ledger_digest(db: &Connection, target: &TargetName) -> Result<[u8; 32], Failure> {
    let mut statement = db.prepare_cached(
        "-- source_records.ledger
        SELECT external_id, source, active, digest
        FROM records
        WHERE target = ?1
        ORDER BY external_id",
    )?;
    let mut rows = statement.query([target.as_str()])?;
    let mut hash = Sha256::new();
    while let Some(row) = rows.next()? {
        for column in [0, 1] {
            let text = row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?;
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        hash.update([u8::from(row.get::<_, bool>(2)?)]);
        hash.update(row.get::<_, [u8; 16]>(3)?);
    }
    Ok(hash.finalize().into())
}
