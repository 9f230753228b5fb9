//! Forgetting a person: see [`Upkeep::forget`](crate::store::Upkeep::forget).

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::domain::{
    AuditAction, AuditDetails, AuditEntry, AuditSubject, ExternalId, OperationStatus, TargetName,
    Who,
};
use crate::store::sqlite::connection::Failure;
use crate::store::sqlite::convert::Cell;
use crate::store::sqlite::removed;
use crate::store::{Forgetting, Forgotten};

/// What stands where somebody was named who is forgotten.
const SOMEBODY: &str = "`(forgotten)`";

/// Removes all of a person, in the transaction it is in.
pub(super) fn forget(
    db: &Connection,
    target: &TargetName,
    id: &ExternalId,
    even_active: bool,
) -> Result<Forgetting, Failure> {
    let person = [target.as_str(), id.as_str()];
    if let Some(status) = on_the_way(db, id, person)? {
        return Ok(Forgetting::OnTheWay(status));
    }
    let active: Option<bool> = db
        .prepare_cached(
            "-- forget.record
            SELECT active
            FROM records
            WHERE target = ?1
                AND external_id = ?2",
        )?
        .query_row(person, |row| row.get(0))
        .optional()?;
    if active == Some(true) && !even_active {
        return Ok(Forgetting::Active);
    }
    let operations = operations(db, person)?;
    let delete = |sql: &'static str| -> Result<usize, Failure> {
        Ok(db.prepare_cached(sql)?.execute(person)?)
    };
    let record = delete(
        "-- forget.forget_record
        DELETE FROM records
        WHERE target = ?1
            AND external_id = ?2",
    )?;
    let scheduled = delete(
        "-- forget.scheduled
        DELETE FROM scheduled
        WHERE target = ?1
            AND external_id = ?2",
    )?;
    let missing = delete(
        "-- forget.missing
        DELETE FROM missing
        WHERE external_id = ?2
            AND run IN (SELECT seq FROM runs WHERE target = ?1)",
    )?;
    if operations.is_empty() && record + scheduled + missing == 0 {
        return Ok(Forgetting::Nobody);
    }
    for operation in &operations {
        db.prepare_cached(
            "-- forget.takes_place_of
            DELETE FROM takes_place_of
            WHERE operation = ?1",
        )?
        .execute([operation])?;
    }
    let runs = removed::remove(db, &operations)?;
    unname(db, person)?;
    db.prepare_cached(
        "-- forget.move_ledger
        UPDATE targets
        SET ledger_version = ledger_version + 1
        WHERE target = ?1",
    )?
    .execute([target.as_str()])?;
    Ok(Forgetting::Done(Forgotten {
        record: record > 0,
        operations: operations.len() as u64,
        scheduled: scheduled as u64,
        runs,
    }))
}

/// What the audit trail says of it: not of whom.
pub(super) fn entry(target: &TargetName, done: Forgotten, who: Who) -> AuditEntry {
    AuditEntry {
        action: AuditAction::RecordForgotten,
        subject: AuditSubject::Target(target.clone()),
        details: AuditDetails::none()
            .with("record", done.record)
            .with("operations", done.operations)
            .with("runs", done.runs),
        who,
    }
}

fn on_the_way(
    db: &Connection,
    id: &ExternalId,
    person: [&str; 2],
) -> Result<Option<OperationStatus>, Failure> {
    let word: Option<Box<str>> = db
        .prepare_cached(
            "-- forget.on_the_way
            SELECT status
            FROM operations
            WHERE target = ?1
                AND external_id = ?2
                AND status IN ('held', 'queued', 'sending', 'accepted')
            ORDER BY id DESC
            LIMIT 1",
        )?
        .query_row(person, |row| row.get(0))
        .optional()?;
    let cell = Cell { table: "operations", column: "status", id };
    Ok(word.map(|word| cell.status(&word)).transpose()?)
}

fn operations(db: &Connection, person: [&str; 2]) -> Result<Vec<i64>, Failure> {
    let mut statement = db.prepare_cached(
        "-- forget.operations
        SELECT id
        FROM operations
        WHERE target = ?1
            AND external_id = ?2
        ORDER BY id",
    )?;
    let ids = statement.query_map(person, |row| row.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// Takes the person out of what is said of others: whose manager they were, and who was told about
/// them. The resources of others go on naming their manager until a file says otherwise.
fn unname(db: &Connection, person: [&str; 2]) -> Result<(), Failure> {
    let [target, id] = person;
    db.prepare_cached(
        "-- forget.reports
        UPDATE records
        SET manager = NULL,
            awaits_manager = 0
        WHERE target = ?1
            AND manager = ?2",
    )?
    .execute(person)?;
    let named = format!("`{id}`");
    db.prepare_cached(
        "-- forget.unname
        UPDATE operations
        SET manager = nullif(manager, ?2),
            reason = replace(reason, ?3, ?4),
            advice = replace(advice, ?3, ?4),
            warning_reason = replace(warning_reason, ?3, ?4)
        WHERE target = ?1
            AND (manager = ?2
                OR instr(reason, ?3) > 0
                OR instr(advice, ?3) > 0
                OR instr(warning_reason, ?3) > 0)",
    )?
    .execute(params![target, id, named, SOMEBODY])?;
    Ok(())
}
