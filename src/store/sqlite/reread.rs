//! Reading every value of people that lies in the store, to find those that cannot be read any more.

use rusqlite::{Connection, Params, Row, params};

use crate::store::RekeyPlace;
use crate::store::seal::{Place, SealKeys};
use crate::store::sqlite::connection::Failure;
use crate::store::sqlite::convert::limit as most;
use crate::store::sqlite::rekey::{CELLS, OPERATIONS, PARTS, RECORDS, SCHEDULED};
use crate::store::sqlite::seals::Sealer;

/// Reads values from a place on, at most `limit` rows; gives how many, and where to go on.
pub(super) fn read(
    db: &Connection,
    keys: &SealKeys,
    from: &RekeyPlace,
    limit: usize,
) -> Result<(u64, Option<RekeyPlace>), Failure> {
    let reading = Reading { db, sealer: Sealer::reading(db, keys)?, from };
    let (target, external_id) = &from.text;
    let (number, most) = (from.number.0, most(limit));
    let (read, last) = match from.part {
        RECORDS => reading.each(RECORDS_FROM, params![target, external_id, most], Reading::record),
        OPERATIONS => reading.each(OPERATIONS_FROM, params![number, most], Reading::operation),
        CELLS => reading.each(CELLS_FROM, params![number, most], Reading::cells),
        SCHEDULED => {
            let (at, run) = if target.is_empty() { (i64::MIN, 0) } else { from.number };
            let after = params![target, external_id, at, run, most];
            reading.each(SCHEDULED_FROM, after, Reading::scheduled)
        }
        _ => reading.each(DELIVERIES_FROM, params![number, most], Reading::delivery),
    }?;
    let next = match last {
        Some(last) if read >= u64::try_from(limit).unwrap_or(u64::MAX) => Some(last),
        _ => Some(from.part + 1)
            .filter(|part| *part < PARTS)
            .map(|part| RekeyPlace { part, ..RekeyPlace::default() }),
    };
    Ok((read, next))
}

const RECORDS_FROM: &str = "-- reread.records
    SELECT resource, target, external_id
    FROM records
    WHERE (target, external_id) > (?1, ?2)
    ORDER BY target, external_id
    LIMIT ?3";

const OPERATIONS_FROM: &str = "-- reread.operations
    SELECT resource, id, target, external_id
    FROM operations
    WHERE id > ?1
        AND resource IS NOT NULL
    ORDER BY id
    LIMIT ?2";

const CELLS_FROM: &str = "-- reread.cells
    SELECT cells, id
    FROM operations
    WHERE id > ?1
        AND cells IS NOT NULL
    ORDER BY id
    LIMIT ?2";

const SCHEDULED_FROM: &str = "-- reread.scheduled
    SELECT resource, target, external_id, effective_at_us, run
    FROM scheduled
    WHERE (target, external_id, effective_at_us, run) > (?1, ?2, ?3, ?4)
    ORDER BY target, external_id, effective_at_us, run
    LIMIT ?5";

const DELIVERIES_FROM: &str = "-- reread.deliveries
    SELECT body, seq, id
    FROM deliveries
    WHERE seq > ?1
        AND processed_at_us IS NULL
    ORDER BY seq
    LIMIT ?2";

/// One look at a few values.
struct Reading<'a> {
    db: &'a Connection,
    sealer: Sealer<'a>,
    from: &'a RekeyPlace,
}

impl Reading<'_> {
    fn each(
        &self,
        sql: &'static str,
        after: impl Params,
        read: fn(&Self, &Row<'_>) -> Result<RekeyPlace, Failure>,
    ) -> Result<(u64, Option<RekeyPlace>), Failure> {
        let mut statement = self.db.prepare_cached(sql)?;
        let mut rows = statement.query(after)?;
        let (mut count, mut last) = (0, None);
        while let Some(row) = rows.next()? {
            last = Some(read(self, row)?);
            count += 1;
        }
        Ok((count, last))
    }

    fn value(
        &self,
        row: &Row<'_>,
        place: Place<'_>,
        (table, column): (&'static str, &'static str),
        id: &dyn std::fmt::Display,
    ) -> Result<(), Failure> {
        let stored: Vec<u8> = row.get(0)?;
        let read = self.sealer.unpack(place, &stored);
        Ok(read.map(drop).map_err(|why| why.at(table, column, id))?)
    }

    fn at(&self, text: (String, String), number: (i64, i64)) -> RekeyPlace {
        RekeyPlace { part: self.from.part, text, number }
    }

    fn record(&self, row: &Row<'_>) -> Result<RekeyPlace, Failure> {
        let (target, external_id): (String, String) = (row.get(1)?, row.get(2)?);
        let place = Place::Resource { target: &target, external_id: &external_id };
        self.value(row, place, ("records", "resource"), &external_id)?;
        Ok(self.at((target, external_id), (0, 0)))
    }

    fn operation(&self, row: &Row<'_>) -> Result<RekeyPlace, Failure> {
        let (id, target, external_id): (i64, String, String) =
            (row.get(1)?, row.get(2)?, row.get(3)?);
        let place = Place::Resource { target: &target, external_id: &external_id };
        self.value(row, place, ("operations", "resource"), &id)?;
        Ok(self.at(<_>::default(), (id, 0)))
    }

    fn cells(&self, row: &Row<'_>) -> Result<RekeyPlace, Failure> {
        let id = row.get(1)?;
        self.value(row, Place::Cells { operation: id }, ("operations", "cells"), &id)?;
        Ok(self.at(<_>::default(), (id, 0)))
    }

    fn scheduled(&self, row: &Row<'_>) -> Result<RekeyPlace, Failure> {
        let (target, external_id): (String, String) = (row.get(1)?, row.get(2)?);
        let place = Place::Resource { target: &target, external_id: &external_id };
        self.value(row, place, ("scheduled", "resource"), &external_id)?;
        Ok(self.at((target, external_id), (row.get(3)?, row.get(4)?)))
    }

    fn delivery(&self, row: &Row<'_>) -> Result<RekeyPlace, Failure> {
        let (seq, id): (i64, String) = (row.get(1)?, row.get(2)?);
        self.value(row, Place::Delivery { id: &id }, ("deliveries", "body"), &id)?;
        Ok(self.at(<_>::default(), (seq, 0)))
    }
}
