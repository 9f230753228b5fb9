//! Records that change by themselves: a window begins or ends, a row applies from now on, a manager
//! has arrived.

use rusqlite::{Connection, Row, params};

use crate::domain::{ActiveWindow, ExternalId, SourceName, TargetName};
use crate::store::seal::Place;
use crate::store::sqlite::connection::Failure;
use crate::store::sqlite::convert::{Cell, limit as most};
use crate::store::sqlite::seals::Sealer;
use crate::store::{Due, DueRecord, LastPlanned};

/// A record is sent again for its manager's sake no more often than this, in microseconds.
const MANAGER_PACE_US: i64 = 24 * 3_600 * 1_000_000;

pub(super) fn due_sources(
    db: &Connection,
    target: &TargetName,
    now_us: i64,
) -> Result<Vec<SourceName>, Failure> {
    let mut statement = db.prepare_cached(
        "-- due.sources
        SELECT source
        FROM records INDEXED BY records_due
        WHERE target = ?1
            AND next_effective_at_us <= ?2
        UNION
        SELECT scheduled.source
        FROM scheduled INDEXED BY scheduled_due
        JOIN runs ON runs.seq = scheduled.run
        WHERE scheduled.target = ?1
            AND scheduled.effective_at_us <= ?2
            AND runs.applied = 1
        UNION
        SELECT waiting.source
        FROM records AS waiting INDEXED BY records_awaiting
        JOIN records AS manager
            ON manager.target = waiting.target
            AND manager.external_id = waiting.manager
        WHERE waiting.target = ?1
            AND waiting.awaits_manager = 1
            AND manager.arrived = 1
            AND coalesce(waiting.resent_at_us, 0) <= ?2 - ?3
        ORDER BY 1",
    )?;
    let sources = statement
        .query_map(params![target.as_str(), now_us, MANAGER_PACE_US], |row| {
            row.get::<_, Box<str>>(0)
        })?;
    Ok(sources.map(|source| source.map(SourceName::new)).collect::<rusqlite::Result<_>>()?)
}

/// Of several reasons of one worker the gravest: a row that applies now, then the window, then the
/// manager.
pub(super) fn due_records(
    db: &Connection,
    sealer: &Sealer<'_>,
    target: &TargetName,
    source: &SourceName,
    after: Option<&ExternalId>,
    limit: usize,
    now_us: i64,
) -> Result<Vec<DueRecord>, Failure> {
    let mut statement = db.prepare_cached(
        "-- due.records
        WITH due (external_id, why, row_at_us) AS (
            SELECT external_id, min(why), max(row_at_us)
            FROM (
                SELECT external_id, 1 AS why, NULL AS row_at_us
                FROM records INDEXED BY records_due
                WHERE target = ?1
                    AND source = ?2
                    AND next_effective_at_us <= ?5
                UNION ALL
                SELECT scheduled.external_id, 0, scheduled.effective_at_us
                FROM scheduled INDEXED BY scheduled_due
                JOIN runs ON runs.seq = scheduled.run
                WHERE scheduled.target = ?1
                    AND scheduled.source = ?2
                    AND scheduled.effective_at_us <= ?5
                    AND runs.applied = 1
                UNION ALL
                SELECT waiting.external_id, 2, NULL
                FROM records AS waiting INDEXED BY records_awaiting
                JOIN records AS manager
                    ON manager.target = waiting.target
                    AND manager.external_id = waiting.manager
                WHERE waiting.target = ?1
                    AND waiting.source = ?2
                    AND waiting.awaits_manager = 1
                    AND manager.arrived = 1
                    AND coalesce(waiting.resent_at_us, 0) <= ?5 - ?6)
            GROUP BY external_id)
        SELECT
            due.external_id, due.why, records.active,
            coalesce(scheduled.resource, records.resource),
            CASE due.why WHEN 0 THEN scheduled.active_from_us ELSE records.active_from_us END,
            CASE due.why WHEN 0 THEN scheduled.active_until_us ELSE records.active_until_us END,
            CASE due.why WHEN 0 THEN scheduled.manager ELSE records.manager END,
            CASE due.why WHEN 0 THEN scheduled.user_name_key ELSE records.user_name_key END,
            CASE due.why WHEN 0 THEN NULL ELSE records.row_digest END
        FROM due
        LEFT JOIN records
            ON records.target = ?1
            AND records.external_id = due.external_id
        LEFT JOIN scheduled
            ON due.why = 0
            AND scheduled.target = ?1
            AND scheduled.external_id = due.external_id
            AND scheduled.effective_at_us = due.row_at_us
        WHERE due.external_id > ?3
            AND (records.source IS NULL OR records.source = ?2)
            AND NOT EXISTS (
                SELECT 1
                FROM operations INDEXED BY operations_held
                JOIN runs ON runs.seq = operations.run
                WHERE operations.target = ?1
                    AND operations.external_id = due.external_id
                    AND operations.status = 'held'
                    AND runs.kind = 'due')
        ORDER BY due.external_id
        LIMIT ?4",
    )?;
    let after = after.map_or("", ExternalId::as_str);
    let mut rows = statement.query(params![
        target.as_str(),
        source.as_str(),
        after,
        most(limit),
        now_us,
        MANAGER_PACE_US
    ])?;
    let mut found: Vec<DueRecord> = Vec::new();
    while let Some(row) = rows.next()? {
        let record = due_record(sealer, target, row)?;
        // two runs may have scheduled the same day
        if found.last().is_none_or(|last| last.external_id != record.external_id) {
            found.push(record);
        }
    }
    Ok(found)
}

fn due_record(
    sealer: &Sealer<'_>,
    target: &TargetName,
    row: &Row<'_>,
) -> Result<DueRecord, Failure> {
    let external_id = ExternalId::new(row.get::<_, Box<str>>(0)?);
    Ok(DueRecord {
        due: match row.get::<_, i64>(1)? {
            0 => Due::Row,
            1 => Due::Window,
            _ => Due::Manager,
        },
        planned: planned(sealer, row, (target, &external_id), 2)?,
        external_id,
    })
}

/// What was planned, from the columns from `at` on: active, resource, begin and end of the window,
/// manager, key of the userName, digest of the row.
fn planned(
    sealer: &Sealer<'_>,
    row: &Row<'_>,
    (target, external_id): (&TargetName, &ExternalId),
    at: usize,
) -> Result<LastPlanned, Failure> {
    let place = Place::Resource { target: target.as_str(), external_id: external_id.as_str() };
    let cell = |column| Cell { table: "records", column, id: external_id };
    let packed = row.get_ref(at + 1)?.as_blob().map_err(rusqlite::Error::from)?;
    let from = cell("active_from_us").instant_or_none(row.get(at + 2)?)?;
    let until = cell("active_until_us").instant_or_none(row.get(at + 3)?)?;
    Ok(LastPlanned {
        // a worker who has only future rows is not in the ledger yet
        active: row.get::<_, Option<bool>>(at)?.unwrap_or(false),
        resource: sealer
            .unpack(place, packed)
            .map_err(|why| why.at("records", "resource", external_id))?,
        window: from.map(|from| ActiveWindow { from, until }),
        manager: row.get::<_, Option<Box<str>>>(at + 4)?.map(ExternalId::new),
        user_name_key: row.get(at + 5)?,
        row_digest: row.get(at + 6)?,
    })
}

pub(super) fn last_planned(
    db: &Connection,
    sealer: &Sealer<'_>,
    target: &TargetName,
    ids: &[ExternalId],
) -> Result<Vec<Option<LastPlanned>>, Failure> {
    let mut statement = db.prepare_cached(
        "-- due.last_planned
        SELECT
            active, resource, active_from_us, active_until_us, manager, user_name_key, row_digest
        FROM records
        WHERE target = ?1
            AND external_id = ?2",
    )?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let mut rows = statement.query([target.as_str(), id.as_str()])?;
        found.push(rows.next()?.map(|row| planned(sealer, row, (target, id), 0)).transpose()?);
    }
    Ok(found)
}
