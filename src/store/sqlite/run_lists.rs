//! What is asked of many runs of a source at once.

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::{ExternalId, OperationId, RunId, RunKind, SourceName};
use crate::store::sqlite::connection::Failure;
use crate::store::sqlite::convert::{Cell, limit as most};
use crate::store::{FileHistory, SmallRuns};

pub(super) fn file_history(
    db: &Connection,
    source: &SourceName,
    digest: [u8; 32],
) -> Result<FileHistory, Failure> {
    let cell = |column| Cell { table: "runs", column, id: source };
    let rows: Option<i64> = db
        .prepare_cached(
            "-- run_lists.last_complete
            SELECT row_count
            FROM runs
            WHERE source = ?1
                AND kind = 'file'
                AND is_complete = 1
                AND applied = 1
                AND status NOT IN ('cancelled', 'failed')
            ORDER BY seq DESC
            LIMIT 1",
        )?
        .query_row([source.as_str()], |row| row.get(0))
        .optional()?;
    let as_of_us: Option<i64> = db
        .prepare_cached(
            "-- run_lists.latest_as_of
            SELECT max(as_of_us)
            FROM runs
            WHERE source = ?1
                AND kind = 'file'
                AND applied = 1
                AND status NOT IN ('cancelled', 'failed')",
        )?
        .query_row([source.as_str()], |row| row.get(0))?;
    let same: Option<Box<str>> = db
        .prepare_cached(
            "-- run_lists.same_bytes
            SELECT id
            FROM runs
            WHERE source = ?1
                AND file_digest = ?2
                AND kind = 'file'
                AND status NOT IN ('cancelled', 'failed')
                AND seq < (
                    SELECT max(seq)
                    FROM runs
                    WHERE source = ?1
                        AND kind = 'file'
                        AND status NOT IN ('cancelled', 'failed'))
            ORDER BY seq DESC
            LIMIT 1",
        )?
        .query_row(params![source.as_str(), digest], |row| row.get(0))
        .optional()?;
    Ok(FileHistory {
        last_complete_rows: rows.map(|rows| cell("row_count").count(rows)).transpose()?,
        latest_as_of: cell("as_of_us").instant_or_none(as_of_us)?,
        same_bytes: same.map(RunId::new),
    })
}

pub(super) fn small_runs_since(
    db: &Connection,
    source: &SourceName,
    since_us: i64,
) -> Result<SmallRuns, Failure> {
    let mut sum = SmallRuns::default();
    let count = |count: i64| Cell { table: "runs", column: "joiner", id: source }.count(count);
    for kind in RunKind::SMALL {
        let counts: [i64; 6] = db
            .prepare_cached(
                "-- run_lists.small_runs_since
                SELECT
                    coalesce(sum(joiner), 0), coalesce(sum(joiner_inactive), 0),
                    coalesce(sum(mover), 0), coalesce(sum(leaver), 0), coalesce(sum(rehire), 0),
                    coalesce(sum(row_count - out_of_scope), 0)
                FROM runs
                WHERE source = ?1
                    AND kind = ?2
                    AND applied = 1
                    AND status <> 'cancelled'
                    AND started_at_us > ?3
                    AND NOT EXISTS (
                        SELECT 1
                        FROM decisions
                        WHERE decisions.run = runs.seq
                            AND decisions.decision = 'approved')",
            )?
            .query_row(params![source.as_str(), kind.as_str(), since_us], |row| {
                Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?])
            })?;
        let [joiner, joiner_inactive, mover, leaver, rehire, rows] = counts;
        sum.changes.joiner += count(joiner)?;
        sum.changes.joiner_inactive += count(joiner_inactive)?;
        sum.changes.mover += count(mover)?;
        sum.changes.leaver += count(leaver)?;
        sum.changes.rehire += count(rehire)?;
        sum.rows_in_scope += count(rows)?;
        let rejected: i64 = db
            .prepare_cached(
                "-- run_lists.rejected_since
                SELECT count(*)
                FROM runs
                JOIN operations ON operations.run = runs.seq
                WHERE runs.source = ?1
                    AND runs.kind = ?2
                    AND runs.applied = 1
                    AND runs.status <> 'cancelled'
                    AND runs.started_at_us > ?3
                    AND operations.status = 'rejected'
                    AND NOT EXISTS (
                        SELECT 1
                        FROM decisions
                        WHERE decisions.run = runs.seq
                            AND decisions.decision = 'approved')",
            )?
            .query_row(params![source.as_str(), kind.as_str(), since_us], |row| row.get(0))?;
        sum.rejected += count(rejected)?;
    }
    Ok(sum)
}

pub(super) fn held_operations(
    db: &Connection,
    source: &SourceName,
) -> Result<Vec<(OperationId, ExternalId)>, Failure> {
    let mut statement = db.prepare_cached(
        "-- run_lists.held
        SELECT operations.id, operations.external_id
        FROM runs INDEXED BY runs_by_source
        JOIN operations ON operations.run = runs.seq
        WHERE runs.source = ?1
            AND runs.status = 'held'
            AND operations.status = 'held'
        ORDER BY operations.id",
    )?;
    let held = statement.query_map([source.as_str()], |row| {
        Ok((OperationId(row.get(0)?), ExternalId::new(row.get::<_, Box<str>>(1)?)))
    })?;
    Ok(held.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn missing(
    db: &Connection,
    run: &RunId,
    after: Option<&ExternalId>,
    limit: usize,
) -> Result<Vec<(ExternalId, bool)>, Failure> {
    let mut statement = db.prepare_cached(
        "-- run_lists.missing
        SELECT missing.external_id, missing.leaves
        FROM runs
        JOIN missing ON missing.run = runs.seq
        WHERE runs.id = ?1
            AND missing.external_id > ?2
        ORDER BY missing.external_id
        LIMIT ?3",
    )?;
    let after = after.map_or("", ExternalId::as_str);
    let people = statement.query_map(params![run.as_str(), after, most(limit)], |row| {
        Ok((ExternalId::new(row.get::<_, Box<str>>(0)?), row.get(1)?))
    })?;
    Ok(people.collect::<rusqlite::Result<_>>()?)
}
