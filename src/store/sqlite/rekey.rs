//! Bringing everything that lies in the store under the current key, or into the clear.
//!
//! Values are looked for without a lock, a few at a time, and written anew in a short transaction
//! that looks again. What may be left at the end is looked for once more inside the transaction that
//! takes the other keys' names out, so that no value is ever under a key that the store does not name.

use std::fmt::Display;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::store::RekeyPlace;
use crate::store::seal::{Place, SealKeys, prefix};
use crate::store::sqlite::connection::Failure;
use crate::store::sqlite::convert::limit as most;
use crate::store::sqlite::resource;
use crate::store::sqlite::seals::{self, Sealer};

/// The parts of the store, in this order.
pub(super) const RECORDS: u8 = 0;
pub(super) const OPERATIONS: u8 = 1;
pub(super) const CELLS: u8 = 2;
pub(super) const SCHEDULED: u8 = 3;
/// Those, and after them the deliveries.
pub(super) const PARTS: u8 = 5;

/// A value that does not lie as it should: its part, and its row.
pub(super) type Row = RekeyPlace;

/// What the first bytes of a value are when it lies as it should.
pub(super) fn wanted(keys: &SealKeys) -> Vec<u8> {
    keys.current().map_or_else(|| vec![resource::LZ4], prefix)
}

/// Looks for values from a place on; and gives where to go on.
pub(super) fn find(
    db: &Connection,
    keys: &SealKeys,
    from: &RekeyPlace,
    limit: usize,
) -> Result<(Vec<Row>, Option<RekeyPlace>), Failure> {
    let wanted = wanted(keys);
    let rows = match from.part {
        RECORDS => records(db, &wanted, from, limit)?,
        OPERATIONS => by_number(db, OPERATIONS_FROM, &wanted, from, limit)?,
        CELLS => by_number(db, CELLS_FROM, &wanted, from, limit)?,
        SCHEDULED => scheduled(db, &wanted, from, limit)?,
        _ => by_number(db, DELIVERIES_FROM, &wanted, from, limit)?,
    };
    let next = match rows.last() {
        Some(last) if rows.len() >= limit => Some(last.clone()),
        _ => Some(from.part + 1)
            .filter(|part| *part < PARTS)
            .map(|part| RekeyPlace { part, ..RekeyPlace::default() }),
    };
    Ok((rows, next))
}

fn records(
    db: &Connection,
    wanted: &[u8],
    from: &RekeyPlace,
    limit: usize,
) -> Result<Vec<Row>, Failure> {
    let mut statement = db.prepare_cached(
        "-- rekey.records
        SELECT target, external_id
        FROM records
        WHERE (target, external_id) > (?1, ?2)
            AND substr(resource, 1, length(?3)) <> ?3
        ORDER BY target, external_id
        LIMIT ?4",
    )?;
    let (target, external_id) = &from.text;
    let rows = statement.query_map(params![target, external_id, wanted, most(limit)], |row| {
        Ok(Row { part: RECORDS, text: (row.get(0)?, row.get(1)?), number: (0, 0) })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn scheduled(
    db: &Connection,
    wanted: &[u8],
    from: &RekeyPlace,
    limit: usize,
) -> Result<Vec<Row>, Failure> {
    let mut statement = db.prepare_cached(
        "-- rekey.scheduled
        SELECT target, external_id, effective_at_us, run
        FROM scheduled
        WHERE (target, external_id, effective_at_us, run) > (?1, ?2, ?3, ?4)
            AND substr(resource, 1, length(?5)) <> ?5
        ORDER BY target, external_id, effective_at_us, run
        LIMIT ?6",
    )?;
    let (target, external_id) = &from.text;
    // no instant is before this one: whoever is named is passed over with all their rows otherwise
    let (at, run) = if target.is_empty() { (i64::MIN, 0) } else { from.number };
    let rows =
        statement.query_map(params![target, external_id, at, run, wanted, most(limit)], |row| {
            Ok(Row {
                part: SCHEDULED,
                text: (row.get(0)?, row.get(1)?),
                number: (row.get(2)?, row.get(3)?),
            })
        })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

const OPERATIONS_FROM: &str = "-- rekey.operations
    SELECT id
    FROM operations
    WHERE id > ?1
        AND resource IS NOT NULL
        AND substr(resource, 1, length(?2)) <> ?2
    ORDER BY id
    LIMIT ?3";

const CELLS_FROM: &str = "-- rekey.cells
    SELECT id
    FROM operations
    WHERE id > ?1
        AND cells IS NOT NULL
        AND substr(cells, 1, length(?2)) <> ?2
    ORDER BY id
    LIMIT ?3";

const DELIVERIES_FROM: &str = "-- rekey.deliveries
    SELECT seq
    FROM deliveries
    WHERE seq > ?1
        AND processed_at_us IS NULL
        AND substr(body, 1, length(?2)) <> ?2
    ORDER BY seq
    LIMIT ?3";

/// Looks by such a statement for values whose rows have one number.
fn by_number(
    db: &Connection,
    sql: &'static str,
    wanted: &[u8],
    from: &RekeyPlace,
    limit: usize,
) -> Result<Vec<Row>, Failure> {
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(params![from.number.0, wanted, most(limit)], |row| {
        Ok(Row { part: from.part, text: <_>::default(), number: (row.get(0)?, 0) })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Writes values anew; gives how many.
pub(super) fn rewrite(db: &Connection, keys: &SealKeys, rows: &[Row]) -> Result<u64, Failure> {
    let rekeying = Rekeying { sealer: Sealer::writing(db, keys)?, wanted: wanted(keys) };
    let mut rewritten = 0;
    for row in rows {
        rewritten += u64::from(match row.part {
            RECORDS => rewrite_record(db, &rekeying, row)?,
            OPERATIONS => rewrite_operation(db, &rekeying, row)?,
            CELLS => rewrite_cells(db, &rekeying, row)?,
            SCHEDULED => rewrite_scheduled(db, &rekeying, row)?,
            _ => rewrite_delivery(db, &rekeying, row)?,
        });
    }
    Ok(rewritten)
}

/// Makes of a value what it is to be.
struct Rekeying<'a> {
    sealer: Sealer<'a>,
    wanted: Vec<u8>,
}

impl Rekeying<'_> {
    /// The value as it is to lie in that place; `None` where it does already. `column` is that of its
    /// table, and `id` names its row, for whoever reads that it cannot be opened.
    fn anew(
        &self,
        place: Place<'_>,
        stored: &[u8],
        (table, column): (&'static str, &'static str),
        id: &dyn Display,
    ) -> Result<Option<Vec<u8>>, Failure> {
        if stored.starts_with(&self.wanted) {
            return Ok(None);
        }
        let packed = self.sealer.unwrap(place, stored);
        let packed = packed.map_err(|why| why.at(table, column, id))?;
        self.sealer.wrap(place, packed).map(Some)
    }
}

fn rewrite_record(db: &Connection, rekeying: &Rekeying<'_>, row: &Row) -> Result<bool, Failure> {
    let (target, external_id) = (row.text.0.as_str(), row.text.1.as_str());
    let stored: Option<Vec<u8>> = db
        .prepare_cached(
            "-- rekey.record
            SELECT resource
            FROM records
            WHERE target = ?1
                AND external_id = ?2",
        )?
        .query_row([target, external_id], |row| row.get(0))
        .optional()?;
    let Some(stored) = stored else { return Ok(false) };
    let place = Place::Resource { target, external_id };
    let value = rekeying.anew(place, &stored, ("records", "resource"), &external_id)?;
    let Some(value) = value else { return Ok(false) };
    db.prepare_cached(
        "-- rekey.rewrite_record
        UPDATE records
        SET resource = ?3
        WHERE target = ?1
            AND external_id = ?2",
    )?
    .execute(params![target, external_id, value])?;
    Ok(true)
}

fn rewrite_operation(db: &Connection, rekeying: &Rekeying<'_>, row: &Row) -> Result<bool, Failure> {
    let id = row.number.0;
    let found: Option<(String, String, Vec<u8>)> = db
        .prepare_cached(
            "-- rekey.operation
            SELECT target, external_id, resource
            FROM operations
            WHERE id = ?1
                AND resource IS NOT NULL",
        )?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((target, external_id, stored)) = found else { return Ok(false) };
    let place = Place::Resource { target: &target, external_id: &external_id };
    let value = rekeying.anew(place, &stored, ("operations", "resource"), &id)?;
    let Some(value) = value else { return Ok(false) };
    db.prepare_cached(
        "-- rekey.rewrite_operation
        UPDATE operations
        SET resource = ?2
        WHERE id = ?1",
    )?
    .execute(params![id, value])?;
    Ok(true)
}

fn rewrite_cells(db: &Connection, rekeying: &Rekeying<'_>, row: &Row) -> Result<bool, Failure> {
    let id = row.number.0;
    let stored: Option<Vec<u8>> = db
        .prepare_cached(
            "-- rekey.row
            SELECT cells
            FROM operations
            WHERE id = ?1
                AND cells IS NOT NULL",
        )?
        .query_row([id], |row| row.get(0))
        .optional()?;
    let Some(stored) = stored else { return Ok(false) };
    let place = Place::Cells { operation: id };
    let value = rekeying.anew(place, &stored, ("operations", "cells"), &id)?;
    let Some(value) = value else { return Ok(false) };
    db.prepare_cached(
        "-- rekey.rewrite_row
        UPDATE operations
        SET cells = ?2
        WHERE id = ?1",
    )?
    .execute(params![id, value])?;
    Ok(true)
}

fn rewrite_scheduled(db: &Connection, rekeying: &Rekeying<'_>, row: &Row) -> Result<bool, Failure> {
    let (target, external_id) = (row.text.0.as_str(), row.text.1.as_str());
    let (at, run) = row.number;
    let stored: Option<Vec<u8>> = db
        .prepare_cached(
            "-- rekey.later
            SELECT resource
            FROM scheduled
            WHERE target = ?1
                AND external_id = ?2
                AND effective_at_us = ?3
                AND run = ?4",
        )?
        .query_row(params![target, external_id, at, run], |row| row.get(0))
        .optional()?;
    let Some(stored) = stored else { return Ok(false) };
    let place = Place::Resource { target, external_id };
    let value = rekeying.anew(place, &stored, ("scheduled", "resource"), &external_id)?;
    let Some(value) = value else { return Ok(false) };
    db.prepare_cached(
        "-- rekey.rewrite_later
        UPDATE scheduled
        SET resource = ?5
        WHERE target = ?1
            AND external_id = ?2
            AND effective_at_us = ?3
            AND run = ?4",
    )?
    .execute(params![target, external_id, at, run, value])?;
    Ok(true)
}

fn rewrite_delivery(db: &Connection, rekeying: &Rekeying<'_>, row: &Row) -> Result<bool, Failure> {
    let seq = row.number.0;
    let found: Option<(String, Vec<u8>)> = db
        .prepare_cached(
            "-- rekey.delivery
            SELECT id, body
            FROM deliveries
            WHERE seq = ?1
                AND body IS NOT NULL",
        )?
        .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((id, stored)) = found else { return Ok(false) };
    let value = rekeying.anew(Place::Delivery { id: &id }, &stored, ("deliveries", "body"), &id)?;
    let Some(value) = value else { return Ok(false) };
    db.prepare_cached(
        "-- rekey.rewrite_delivery
        UPDATE deliveries
        SET body = ?2
        WHERE seq = ?1",
    )?
    .execute(params![seq, value])?;
    Ok(true)
}

/// Lets values lie in the clear where they are about to, which needs every key that is named.
pub(super) fn begin(db: &Connection, keys: &SealKeys) -> Result<(), Failure> {
    if keys.current().is_some() {
        return Sealer::writing(db, keys).map(drop);
    }
    for seal in seals::all(db, keys)? {
        if let Some(key) = keys.find(seal.key) {
            seals::enter(db, key, false)?;
        }
    }
    Ok(())
}

/// Ends a rekeying; gives how many values do not lie as they should, and does nothing if there are
/// any.
///
/// A resource stands beside an operation only while it is held, queued or sent, and cells beside a
/// rejected row; so these are found by their statuses.
pub(super) fn end(db: &Connection, keys: &SealKeys) -> Result<u64, Failure> {
    let left: i64 = db
        .prepare_cached(
            "-- rekey.left
            SELECT
                (SELECT count(*)
                    FROM records
                    WHERE substr(resource, 1, length(?1)) <> ?1)
                + (SELECT count(*)
                    FROM scheduled
                    WHERE substr(resource, 1, length(?1)) <> ?1)
                + (SELECT count(*)
                    FROM deliveries
                    WHERE processed_at_us IS NULL
                        AND substr(body, 1, length(?1)) <> ?1)
                + (SELECT count(*)
                    FROM runs
                    CROSS JOIN operations INDEXED BY operations_by_run_status
                        ON operations.run = runs.seq
                    WHERE operations.status IN ('held', 'queued', 'sending', 'rejected')
                        AND ((resource IS NOT NULL AND substr(resource, 1, length(?1)) <> ?1)
                            OR (cells IS NOT NULL AND substr(cells, 1, length(?1)) <> ?1)))",
        )?
        .query_row([wanted(keys)], |row| row.get(0))?;
    if left == 0 {
        if let Some(key) = keys.current() {
            seals::enter(db, key, true)?;
        }
        seals::leave_only(db, keys.current().map(crate::store::SealKey::id))?;
    }
    Ok(u64::try_from(left).unwrap_or(0))
}
