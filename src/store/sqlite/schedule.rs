//! Rows that apply from a later day on: kept until the day comes, or until a newer file says
//! something else.

use rusqlite::{Connection, params};

use crate::store::sqlite::connection::Failure;
use crate::store::sqlite::ledger::Applied;

/// Keeps the later rows of a draft. They count once the run is in the ledger.
pub(super) fn enter(db: &Connection, applied: &Applied<'_>) -> Result<(), Failure> {
    db.prepare_cached(
        "-- schedule.enter
        INSERT OR REPLACE INTO scheduled (
            target, external_id, effective_at_us, run, source, active, digest, resource,
            user_name_key, manager, active_from_us, active_until_us)
        SELECT
            ?1, external_id, effective_at_us, ?2, ?3, active, digest, resource,
            user_name_key, manager, active_from_us, active_until_us
        FROM temp.draft_rows INDEXED BY draft_later
        WHERE status = 'later'
        ORDER BY seq",
    )?
    .execute(params![applied.target, applied.seq, applied.source])?;
    Ok(())
}

/// Forgets what earlier runs have scheduled and this one takes the place of: everything of its
/// source when its file names everybody, the people of its file, or what is due by now when there
/// is no file.
pub(super) fn clear(
    db: &Connection,
    applied: &Applied<'_>,
    is_full: bool,
    has_file: bool,
) -> Result<(), Failure> {
    if is_full {
        db.prepare_cached(
            "-- schedule.clear_source
            DELETE FROM scheduled
            WHERE target = ?1
                AND source = ?2
                AND run <> ?3
                AND run IN (SELECT seq FROM runs WHERE applied = 1)",
        )?
        .execute(params![applied.target, applied.source, applied.seq])?;
        return Ok(());
    }
    db.prepare_cached(
        "-- schedule.clear_people
        DELETE FROM scheduled
        WHERE target = ?1
            AND external_id IN (
                SELECT external_id
                FROM temp.draft_rows
                WHERE status <> 'rejected')
            AND run <> ?2
            AND run IN (SELECT seq FROM runs WHERE applied = 1)
            AND (?3 OR effective_at_us <= ?4)",
    )?
    .execute(params![applied.target, applied.seq, has_file, applied.now_us])?;
    Ok(())
}
