//! The order of managers within a run: how many of the managers above a worker are sent with them.

use rusqlite::{Connection, params};

use crate::store::sqlite::connection::Failure;

/// Notes whose manager is neither in the ledger of the target nor sent with the same run.
pub(super) fn note_unknown_managers(db: &Connection, target: &str) -> Result<(), Failure> {
    db.prepare_cached(
        "-- levels.unknown_managers
        UPDATE temp.draft_rows
        SET manager_unknown = 1
        WHERE status = 'queued'
            AND manager IS NOT NULL
            AND NOT EXISTS (
                SELECT 1
                FROM records
                WHERE records.target = ?1
                    AND records.external_id = draft_rows.manager)
            AND NOT EXISTS (
                SELECT 1
                FROM temp.draft_rows AS above INDEXED BY draft_workers
                WHERE above.external_id = draft_rows.manager
                    AND above.sends = 1)",
    )?
    .execute([target])?;
    Ok(())
}

/// Gives every row that is to be sent its level: 0 where nobody above is sent with it, else one more
/// than the manager's. A leaver waits for nobody. Whoever is in a ring that the file did not show
/// stays without, and goes as if nobody were above.
pub(super) fn assign(db: &Connection) -> Result<(), Failure> {
    db.prepare_cached(
        "-- levels.top
        UPDATE temp.draft_rows
        SET level = 0
        WHERE status = 'queued'
            AND (manager IS NULL
                OR change = 'leaver'
                OR NOT EXISTS (
                    SELECT 1
                    FROM temp.draft_rows AS above INDEXED BY draft_workers
                    WHERE above.external_id = draft_rows.manager
                        AND above.sends = 1
                        AND above.change <> 'leaver'))",
    )?
    .execute([])?;
    for level in 0_i64.. {
        let below = db
            .prepare_cached(
                "-- levels.below
                UPDATE temp.draft_rows
                SET level = ?1 + 1
                WHERE status = 'queued'
                    AND level IS NULL
                    AND manager IN (
                        SELECT above.external_id
                        FROM temp.draft_rows AS above INDEXED BY draft_levels
                        WHERE above.level = ?1
                            AND above.status = 'queued'
                            AND above.level IS NOT NULL)",
            )?
            .execute(params![level])?;
        if below == 0 {
            return Ok(());
        }
    }
    Ok(())
}
