//! What is asked of all records of a source at once. All of it is answered by one index, without
//! reading a resource.

use std::collections::HashSet;

use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};

use crate::domain::{SourceName, TargetName};
use crate::store::sqlite::connection::Failure;
use crate::store::sqlite::convert::Cell;
use crate::store::sqlite::ledger;
use crate::store::{KnownPeople, RecordCounts};

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

/// One walk over all people of a source.
pub(super) fn known(
    db: &Connection,
    target: &TargetName,
    source: &SourceName,
    mapping_fingerprint: [u8; 16],
    now_us: i64,
) -> Result<KnownPeople, Failure> {
    let unsettled = unsettled(db, target)?;
    let mut statement = db.prepare_cached(
        "-- source_records.known
        SELECT
            external_id,
            active,
            iif(mapping_digest = ?3
                AND (next_effective_at_us IS NULL OR next_effective_at_us > ?4),
                row_digest, NULL),
            missing_runs,
            missing_since_us
        FROM records INDEXED BY records_known
        WHERE target = ?1
            AND source = ?2
        ORDER BY external_id",
    )?;
    let mapping_digest = ledger::mapping_digest(mapping_fingerprint);
    let mut rows =
        statement.query(params![target.as_str(), source.as_str(), mapping_digest, now_us])?;
    let mut people = KnownPeople::default();
    while let Some(row) = rows.next()? {
        let external_id = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        let digest = row.get_ref(2)?.as_blob_or_null().map_err(rusqlite::Error::from)?;
        let digest = digest.map(<[u8; 16]>::try_from).transpose().map_err(Failure::other)?;
        let digest = digest.filter(|_| unsettled.is_empty() || !unsettled.contains(external_id));
        let missing_runs = row.get(3)?;
        let mut missing_since = None;
        if missing_runs > 0 {
            let cell = Cell { table: "records", column: "missing_since_us", id: &external_id };
            missing_since = cell.instant_or_none(row.get(4)?)?;
        }
        people.push(external_id, row.get(1)?, digest, (missing_runs, missing_since));
    }
    Ok(people)
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
