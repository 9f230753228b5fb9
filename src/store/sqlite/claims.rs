//! What goes next: the requests that wait, making new ones, and turning a request into a [`Claim`].

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use crate::domain::{BulkRequestId, ExternalId, OperationId, TargetName};
use crate::store::seal::Place;
use crate::store::sqlite::connection::Failure;
use crate::store::sqlite::convert::Cell;
use crate::store::sqlite::seals::Sealer;
use crate::store::{Claim, ClaimedOperation};

/// Most waiting requests whose time has come that are looked at for one that may go.
const DUE_LOOKED_AT: i64 = 64;

/// What waiting requests have their time come.
pub(super) struct DueRequests {
    /// The first that may go.
    pub(super) ready: Option<i64>,
    /// The first that waits for another one that holds the manager of somebody in it.
    pub(super) held_up: Option<i64>,
}

/// Requests that were made to wait later than now were so before the clock went back: they wait as long
/// as they were to, counted from now.
pub(super) fn follow_a_clock_that_went_back(
    db: &Connection,
    target: &TargetName,
    now_us: i64,
) -> Result<(), Failure> {
    db.prepare_cached(
        "-- outbox.follow_clock
        UPDATE bulk_requests
        SET not_before_us = ?2 + max(not_before_us - updated_at_us, 0),
            updated_at_us = ?2
        WHERE target = ?1
            AND status = 'waiting'
            AND updated_at_us > ?2",
    )?
    .execute(params![target.as_str(), now_us])?;
    Ok(())
}

/// The waiting requests whose time has come, the longest waiting first.
pub(super) fn due(
    db: &Connection,
    target: &TargetName,
    now_us: i64,
) -> Result<DueRequests, Failure> {
    let requests: Vec<i64> = {
        let mut statement = db.prepare_cached(
            "-- outbox.due
            SELECT id
            FROM bulk_requests
            WHERE target = ?1
                AND status = 'waiting'
                AND not_before_us <= ?2
            ORDER BY not_before_us, id
            LIMIT ?3",
        )?;
        let ids = statement
            .query_map(params![target.as_str(), now_us, DUE_LOOKED_AT], |row| row.get(0))?;
        ids.collect::<rusqlite::Result<_>>()?
    };
    let mut found = DueRequests { ready: None, held_up: None };
    for request in requests {
        if is_held_up(db, request)? {
            found.held_up.get_or_insert(request);
        } else {
            found.ready = Some(request);
            break;
        }
    }
    Ok(found)
}

/// Whether another request holds the manager of somebody in this one and is not accepted yet: so it
/// is with the parts of one that was too large. A manager of a later class who is known to Entra is
/// not waited for, and neither is one who leaves.
fn is_held_up(db: &Connection, request: i64) -> Result<bool, Failure> {
    let is_held_up = db
        .prepare_cached(
            "-- outbox.is_held_up
            SELECT EXISTS (
                SELECT 1
                FROM operations AS own
                JOIN operations AS above
                    ON above.target = own.target
                    AND above.external_id = own.manager
                WHERE own.bulk_request = ?1
                    AND own.status = 'queued'
                    AND own.change <> 'leaver'
                    AND above.bulk_request <> ?1
                    AND above.change <> 'leaver'
                    AND (above.status = 'sending'
                        OR (above.status = 'queued'
                            AND NOT (above.priority > own.priority
                                AND EXISTS (
                                    SELECT 1
                                    FROM records
                                    WHERE records.target = own.target
                                        AND records.external_id = own.manager
                                        AND (records.arrived = 1
                                            OR records.last_sent_us IS NOT NULL))))))",
        )?
        .query_row([request], |row| row.get(0))?;
    Ok(is_held_up)
}

/// Whether somebody leaves by a request.
pub(super) fn has_leavers(db: &Connection, request: i64) -> Result<bool, Failure> {
    let has_leavers = db
        .prepare_cached(
            "-- outbox.has_leavers
            SELECT EXISTS (
                SELECT 1
                FROM operations
                WHERE bulk_request = ?1
                    AND status = 'queued'
                    AND change = 'leaver')",
        )?
        .query_row([request], |row| row.get(0))?;
    Ok(has_leavers)
}

/// Whether anything of a target is being posted.
pub(super) fn is_anything_sending(db: &Connection, target: &TargetName) -> Result<bool, Failure> {
    let is_sending = db
        .prepare_cached(
            "-- outbox.is_anything_sending
            SELECT EXISTS (
                SELECT 1
                FROM bulk_requests
                WHERE target = ?1
                    AND status = 'sending')",
        )?
        .query_row([target.as_str()], |row| row.get(0))?;
    Ok(is_sending)
}

/// Makes a request that may be posted at once, and puts queued operations into it.
pub(super) fn new_request(
    db: &Connection,
    target: &str,
    operations: &[i64],
    now_us: i64,
) -> Result<i64, Failure> {
    db.prepare_cached(
        "-- outbox.new_request
        INSERT INTO bulk_requests (target, status, attempts, not_before_us, created_at_us, updated_at_us)
        VALUES (?1, 'waiting', 0, ?2, ?2, ?2)",
    )?
    .execute(params![target, now_us])?;
    let request = db.last_insert_rowid();
    let mut statement = db.prepare_cached(
        "-- outbox.join_request
        UPDATE operations
        SET bulk_request = ?2
        WHERE id = ?1",
    )?;
    for operation in operations {
        statement.execute(params![operation, request])?;
    }
    Ok(request)
}

/// Turns a waiting request into a claim.
pub(super) fn send(
    db: &Connection,
    sealer: &Sealer<'_>,
    request: i64,
    client_request_id: String,
    now_us: i64,
) -> Result<Claim, Failure> {
    let attempt = db
        .prepare_cached(
            "-- outbox.send_request
            UPDATE bulk_requests
            SET status = 'sending',
                attempts = attempts + 1,
                client_request_id = ?2,
                not_before_us = NULL,
                updated_at_us = ?3
            WHERE id = ?1
            RETURNING attempts",
        )?
        .query_row(params![request, client_request_id, now_us], |row| row.get(0))?;
    db.prepare_cached(
        "-- outbox.send
        UPDATE operations
        SET status = 'sending',
            attempts = attempts + 1,
            code = NULL,
            updated_at_us = ?2
        WHERE bulk_request = ?1
            AND status = 'queued'",
    )?
    .execute(params![request, now_us])?;
    let mut operations = Vec::new();
    for id in members(db, request, "sending")? {
        operations.push(claimed(db, sealer, id)?);
    }
    if operations.is_empty() {
        let cell = Cell { table: "bulk_requests", column: "status", id: &request };
        return Err(cell.inconsistent().into());
    }
    Ok(Claim { id: BulkRequestId(request), attempt, client_request_id, operations })
}

fn claimed(db: &Connection, sealer: &Sealer<'_>, id: i64) -> Result<ClaimedOperation, Failure> {
    let mut statement = db.prepare_cached(
        "-- outbox.claimed
        SELECT external_id, resource, target
        FROM operations
        WHERE id = ?1",
    )?;
    let operation = statement.query_row([id], |row| {
        let packed = row.get_ref(1)?.as_blob()?;
        let external_id: Box<str> = row.get(0)?;
        let target = row.get_ref(2)?.as_str()?;
        let place = Place::Resource { target, external_id: &external_id };
        let resource = sealer.unpack(place, packed);
        Ok((external_id, resource))
    })?;
    Ok(ClaimedOperation {
        id: OperationId(id),
        external_id: ExternalId::new(operation.0),
        resource: operation.1.map_err(|why| why.at("operations", "resource", &id))?,
    })
}

/// The operations of a request that have a status, in the order of sending.
fn members(db: &Connection, request: i64, status: &str) -> Result<Vec<i64>, Failure> {
    let mut statement = db.prepare_cached(
        "-- outbox.members
        SELECT id, external_id, CASE WHEN change <> 'leaver' THEN manager END
        FROM operations
        WHERE bulk_request = ?1
            AND status = ?2
        ORDER BY priority, level, id",
    )?;
    let members = statement.query_map(params![request, status], |row| {
        Ok(Member { id: row.get(0)?, external_id: row.get(1)?, manager: row.get(2)? })
    })?;
    Ok(managers_first(&members.collect::<rusqlite::Result<Vec<_>>>()?))
}

/// Somebody in a request.
struct Member {
    id: i64,
    external_id: Box<str>,
    manager: Option<Box<str>>,
}

/// The same order, but for managers who would stand behind somebody who reports to them: they come
/// right before the first who does.
fn managers_first(members: &[Member]) -> Vec<i64> {
    let places: BTreeMap<&str, usize> =
        members.iter().enumerate().map(|(at, member)| (&*member.external_id, at)).collect();
    let mut is_placed = vec![false; members.len()];
    let mut ordered = Vec::with_capacity(members.len());
    for first in 0..members.len() {
        let mut chain = Vec::new();
        let mut next = Some(first);
        while let Some(at) = next {
            match is_placed.get_mut(at) {
                Some(is_there) if !*is_there => *is_there = true,
                // ordered already, or a ring
                _ => break,
            }
            let Some(member) = members.get(at) else { break };
            chain.push(member.id);
            next = member.manager.as_deref().and_then(|manager| places.get(manager)).copied();
        }
        ordered.extend(chain.into_iter().rev());
    }
    ordered
}

/// Deals a request's queued operations out to new requests of at most `max`, which may go at once.
pub(super) fn divide(
    db: &Connection,
    request: i64,
    max: usize,
    now_us: i64,
) -> Result<(), Failure> {
    let target: Box<str> = db
        .prepare_cached(
            "-- outbox.request_target
            SELECT target
            FROM bulk_requests
            WHERE id = ?1",
        )?
        .query_row([request], |row| row.get(0))?;
    let operations = members(db, request, "queued")?;
    for part in operations.chunks(max) {
        new_request(db, &target, part, now_us)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(members: &[(i64, &str, Option<&str>)]) -> Vec<i64> {
        let member = |&(id, worker, manager): &(i64, &str, Option<&str>)| Member {
            id,
            external_id: worker.into(),
            manager: manager.map(Into::into),
        };
        managers_first(&members.iter().map(member).collect::<Vec<_>>())
    }

    #[test]
    fn a_manager_stands_before_everybody_who_reports_to_them() {
        let members = [(1, "A", Some("C")), (2, "B", None), (3, "C", Some("D")), (4, "D", None)];
        assert_eq!(ordered(&members), [4, 3, 1, 2]);
    }

    #[test]
    fn who_stands_in_a_ring_is_there_once() {
        let members = [(1, "A", Some("B")), (2, "B", Some("A")), (3, "C", Some("C"))];
        assert_eq!(ordered(&members), [2, 1, 3]);
    }
}
