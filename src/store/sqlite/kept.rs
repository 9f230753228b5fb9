//! What is kept no longer than it was to be: old operations, and resources of people who left.

use rusqlite::{Connection, params};
use serde_json::Value;

use crate::domain::{AuditAction, AuditDetails, AuditEntry, AuditSubject, Who};
use crate::store::seal::{Place, SealKeys};
use crate::store::sqlite::audit::append;
use crate::store::sqlite::connection::Failure;
use crate::store::sqlite::convert::{Cell, limit as most};
use crate::store::sqlite::removed;
use crate::store::sqlite::seals::Sealer;

/// Attributes that say who it was, and what Entra needs to keep them disabled.
const KEPT: [&str; 3] = ["schemas", "externalId", "active"];
/// The one schema that these are of.
const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// Operations and rejected rows of runs that ended before an instant. Not the last of a worker, with
/// which the next file is compared; not what has not ended; not what a held run takes the place of;
/// and of somebody of whom nothing is known to have arrived not what was posted, for it may have.
pub(super) fn find_operations(
    db: &Connection,
    ended_before_us: i64,
    limit: usize,
) -> Result<Vec<i64>, Failure> {
    let mut statement = db.prepare_cached(
        "-- kept.find
        SELECT operations.id
        FROM runs INDEXED BY runs_kept
        CROSS JOIN operations INDEXED BY operations_by_run_status ON operations.run = runs.seq
        WHERE runs.ended_at_us < ?1
            AND runs.ended_at_us IS NOT NULL
            AND runs.reduced = 0
            AND operations.status IN ('rejected', 'provisioned', 'skipped', 'failed', 'superseded', 'cancelled')
            AND operations.updated_at_us < ?1
            AND NOT EXISTS (
                SELECT 1
                FROM records
                WHERE records.target = operations.target
                    AND records.external_id = operations.external_id
                    AND (records.last_operation = operations.id
                        OR (operations.attempts > 0
                            AND records.arrived = 0
                            AND records.last_sent_us IS NULL)))
            AND NOT EXISTS (
                SELECT 1
                FROM takes_place_of
                WHERE takes_place_of.operation = operations.id)
        LIMIT ?2",
    )?;
    let ids = statement.query_map(params![ended_before_us, most(limit)], |row| row.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// Removes what was found, as far as that still holds; gives how many.
pub(super) fn remove_operations(db: &Connection, found: &[i64]) -> Result<u64, Failure> {
    let mut removable = Vec::with_capacity(found.len());
    let mut statement = db.prepare_cached(
        "-- kept.is_removable
        SELECT EXISTS (
            SELECT 1
            FROM operations
            WHERE id = ?1
                AND status IN ('rejected', 'provisioned', 'skipped', 'failed', 'superseded', 'cancelled')
                AND NOT EXISTS (
                    SELECT 1
                    FROM records
                    WHERE records.target = operations.target
                        AND records.external_id = operations.external_id
                        AND records.last_operation = operations.id)
                AND NOT EXISTS (
                    SELECT 1
                    FROM takes_place_of
                    WHERE takes_place_of.operation = operations.id))",
    )?;
    for operation in found {
        if statement.query_row([operation], |row| row.get(0))? {
            removable.push(*operation);
        }
    }
    removed::remove(db, &removable)?;
    note(db, removable.len(), 0)?;
    Ok(removable.len() as u64)
}

/// Notes what was let go, to be told once it has come to its end.
fn note(db: &Connection, operations: usize, people: usize) -> Result<(), Failure> {
    db.prepare_cached(
        "-- kept.note
        UPDATE let_go
        SET operations = operations + ?1,
            people = people + ?2
        WHERE id = 1",
    )?
    .execute(params![most(operations), most(people)])?;
    Ok(())
}

/// Tells in the audit trail what was let go and is not told yet, also by whoever did not come to the end.
pub(super) fn tell(db: &Connection, who: &Who, now_us: i64) -> Result<(), Failure> {
    let noted: (i64, i64) = db
        .prepare_cached(
            "-- kept.noted
            SELECT operations, people
            FROM let_go
            WHERE id = 1",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if noted == (0, 0) {
        return Ok(());
    }
    let count = |column, count| Cell { table: "let_go", column, id: &1 }.count(count);
    let entry = AuditEntry {
        action: AuditAction::RetentionApplied,
        subject: AuditSubject::Store,
        details: AuditDetails::none()
            .with("operations", count("operations", noted.0)?)
            .with("people", count("people", noted.1)?),
        who: who.clone(),
    };
    append(db, &entry, now_us)?;
    db.prepare_cached(
        "-- kept.told
        UPDATE let_go
        SET operations = 0,
            people = 0
        WHERE id = 1",
    )?
    .execute([])?;
    Ok(())
}

/// Of runs that ended before an instant and of which no operation is left: who was missing is not
/// needed any more, and they need not be looked at again.
pub(super) fn end_runs(db: &Connection, ended_before_us: i64) -> Result<(), Failure> {
    db.prepare_cached(
        "-- kept.forget_missing
        DELETE FROM missing
        WHERE run IN (
            SELECT seq
            FROM runs INDEXED BY runs_kept
            WHERE ended_at_us < ?1
                AND ended_at_us IS NOT NULL
                AND reduced = 0)",
    )?
    .execute([ended_before_us])?;
    db.prepare_cached(
        "-- kept.end_runs
        UPDATE runs INDEXED BY runs_kept
        SET reduced = 1
        WHERE ended_at_us < ?1
            AND ended_at_us IS NOT NULL
            AND reduced = 0
            AND NOT EXISTS (SELECT 1 FROM operations WHERE operations.run = runs.seq)",
    )?
    .execute([ended_before_us])?;
    Ok(())
}

/// Reduces resources of people who left; gives how many.
pub(super) fn reduce_leavers(
    db: &Connection,
    keys: &SealKeys,
    left_before_us: i64,
    limit: usize,
) -> Result<u64, Failure> {
    let found = find_leavers(db, left_before_us, limit)?;
    if found.is_empty() {
        return Ok(0);
    }
    let sealer = Sealer::writing(db, keys)?;
    for (target, external_id, stored) in &found {
        let place = Place::Resource { target, external_id };
        let unreadable = |why: crate::store::sqlite::seals::Unreadable| {
            why.at("records", "resource", external_id)
        };
        let resource = sealer.unpack(place, stored).map_err(unreadable)?;
        let reduced = reduced(&resource).map_err(Failure::other)?;
        db.prepare_cached(
            "-- kept.reduce
            UPDATE records
            SET resource = ?3,
                manager = NULL,
                is_reduced = 1
            WHERE target = ?1
                AND external_id = ?2",
        )?
        .execute(params![target, external_id, sealer.pack(place, &reduced)?])?;
    }
    note(db, 0, found.len())?;
    Ok(found.len() as u64)
}

type Leaver = (String, String, Vec<u8>);

/// People who left, of whom nothing is due and nothing can be sent again.
fn find_leavers(
    db: &Connection,
    left_before_us: i64,
    limit: usize,
) -> Result<Vec<Leaver>, Failure> {
    let mut statement = db.prepare_cached(
        "-- kept.leavers
        SELECT records.target, records.external_id, records.resource
        FROM records INDEXED BY records_left
        JOIN operations ON operations.id = records.last_operation
        WHERE records.active = 0
            AND records.is_reduced = 0
            AND records.next_effective_at_us IS NULL
            AND records.awaits_manager = 0
            AND operations.status IN ('provisioned', 'skipped', 'superseded')
            AND operations.updated_at_us < ?1
            AND NOT EXISTS (
                SELECT 1
                FROM scheduled
                WHERE scheduled.target = records.target
                    AND scheduled.external_id = records.external_id)
            AND NOT EXISTS (
                SELECT 1
                FROM operations AS others
                WHERE others.target = records.target
                    AND others.external_id = records.external_id
                    AND others.status IN ('held', 'queued', 'sending', 'accepted', 'unconfirmed'))
        LIMIT ?2",
    )?;
    let rows = statement.query_map(params![left_before_us, most(limit)], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// As much of a resource as says who it was.
fn reduced(resource: &[u8]) -> serde_json::Result<Vec<u8>> {
    let mut user: serde_json::Map<String, Value> = serde_json::from_slice(resource)?;
    user.retain(|attribute, _| KEPT.contains(&attribute.as_str()));
    if let Some(schemas) = user.get_mut("schemas") {
        *schemas = Value::from(vec![CORE]);
    }
    serde_json::to_vec(&user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_somebody_who_left_nothing_is_kept_but_who_it_was() {
        let user = br#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:x"],"externalId":"E1","userName":"ada","active":false,"name":{"familyName":"Lovelace"}}"#;
        assert_eq!(
            String::from_utf8(reduced(user).unwrap()).unwrap(),
            r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"externalId":"E1","active":false}"#
        );
    }
}
