//! The outbox: see [`Outbox`] for the promises.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::domain::{BulkRequestId, TargetName};
use crate::store::sqlite::connection::{Failure, SqliteStore};
use crate::store::sqlite::convert::{Cell, micros};
use crate::store::sqlite::seals::Sealer;
use crate::store::sqlite::told::Told;
use crate::store::sqlite::{calls, claims, gather, requests};
use crate::store::{Claim, Outbox, OutboxState, StoreError};

#[async_trait]
impl Outbox for SqliteStore {
    async fn recover(&self, target: &TargetName, now: Timestamp) -> Result<u64, StoreError> {
        let (target, now_us) = (target.clone(), micros(now));
        self.write("recover the outbox", move |db| {
            let in_doubt: Vec<i64> = {
                let mut statement = db.prepare_cached(
                    "-- outbox.in_doubt
                    SELECT id
                    FROM bulk_requests
                    WHERE target = ?1
                        AND status = 'sending'
                    ORDER BY id",
                )?;
                let ids = statement.query_map([target.as_str()], |row| row.get(0))?;
                ids.collect::<rusqlite::Result<_>>()?
            };
            calls::end_all(db, &target, now_us)?;
            let mut operations = 0;
            for request in in_doubt {
                doubt(db, request)?;
                operations += requests::put_back(db, request, now_us, None, now_us)?;
            }
            Ok(operations)
        })
        .await
    }

    async fn claim(
        &self,
        target: &TargetName,
        max: usize,
        client_request_id: String,
        now: Timestamp,
    ) -> Result<Option<Claim>, StoreError> {
        let (target, now_us, keys) = (target.clone(), micros(now), self.keys());
        self.write("claim a bulk request", move |db| match next(db, &target, max, now_us)? {
            Some(request) => {
                let sealer = Sealer::reading(db, &keys)?;
                claims::send(db, &sealer, request, client_request_id, now_us).map(Some)
            }
            None => Ok(None),
        })
        .await
    }

    async fn accepted(
        &self,
        id: BulkRequestId,
        request_id: Option<String>,
        sent_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (request, sent_at_us, now_us) = (id.0, micros(sent_at), micros(now));
        let who = self.operator();
        self.write("note an accepted bulk request", move |db| {
            if !requests::is_sending(db, request)? {
                return Ok(());
            }
            note_accepted(db, request, request_id.as_deref(), sent_at_us, now_us)?;
            Told { who: &who, now_us }.answered(db, request, request_id.as_deref(), None)?;
            let runs = requests::runs_of_request(db, request)?;
            requests::follow(db, &runs, now_us)
        })
        .await
    }

    async fn postpone(
        &self,
        id: BulkRequestId,
        not_before: Timestamp,
        code: String,
        in_doubt: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (request, not_before_us, now_us) = (id.0, micros(not_before), micros(now));
        self.write("postpone a bulk request", move |db| {
            if requests::is_sending(db, request)? {
                if in_doubt {
                    doubt(db, request)?;
                }
                requests::put_back(db, request, not_before_us, Some(&code), now_us)?;
            }
            Ok(())
        })
        .await
    }

    async fn release(&self, id: BulkRequestId, now: Timestamp) -> Result<(), StoreError> {
        let (request, now_us) = (id.0, micros(now));
        self.write("release a bulk request", move |db| {
            if requests::is_sending(db, request)? {
                forget_attempt(db, request)?;
                requests::put_back(db, request, now_us, None, now_us)?;
            }
            Ok(())
        })
        .await
    }

    async fn split(&self, id: BulkRequestId, max: usize, now: Timestamp) -> Result<(), StoreError> {
        let (request, now_us) = (id.0, micros(now));
        self.write("split a bulk request", move |db| {
            if requests::is_sending(db, request)? {
                requests::put_back(db, request, now_us, None, now_us)?;
                claims::divide(db, request, max.max(1), now_us)?;
                requests::close(db, request, now_us)?;
            }
            Ok(())
        })
        .await
    }

    async fn refuse(
        &self,
        id: BulkRequestId,
        code: String,
        reason: String,
        advice: String,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (request, now_us, who) = (id.0, micros(now), self.operator());
        self.write("note a refused bulk request", move |db| {
            if !requests::is_sending(db, request)? {
                return Ok(());
            }
            db.prepare_cached(
                "-- outbox.refuse
                UPDATE operations
                SET status = 'failed',
                    code = ?2,
                    reason = ?3,
                    advice = ?4,
                    warning_code = NULL,
                    warning_reason = NULL,
                    resource = NULL,
                    updated_at_us = ?5
                WHERE bulk_request = ?1
                    AND status = 'sending'",
            )?
            .execute(params![request, code, reason, advice, now_us])?;
            db.prepare_cached(
                "-- outbox.refuse_request
                UPDATE bulk_requests
                SET status = 'refused',
                    updated_at_us = ?2
                WHERE id = ?1",
            )?
            .execute(params![request, now_us])?;
            Told { who: &who, now_us }.answered(db, request, None, Some(&code))?;
            let runs = requests::runs_of_request(db, request)?;
            requests::follow(db, &runs, now_us)
        })
        .await
    }

    async fn outbox(&self, target: &TargetName) -> Result<OutboxState, StoreError> {
        let target = target.clone();
        self.read("look into the outbox", move |db| state(db, &target)).await
    }
}

/// The request that goes next.
fn next(
    db: &Connection,
    target: &TargetName,
    max: usize,
    now_us: i64,
) -> Result<Option<i64>, Failure> {
    claims::follow_a_clock_that_went_back(db, target, now_us)?;
    let due = claims::due(db, target, now_us)?;
    if let Some(request) = due.ready {
        // the day may have few calls left: who leaves does not wait behind who moves
        let leaver_waits =
            max > 0 && !claims::has_leavers(db, request)? && gather::has_leavers(db, target)?;
        if leaver_waits && let Some(request) = gather::gather(db, target, max, now_us)? {
            return Ok(Some(request));
        }
        return Ok(Some(request));
    }
    if let Some(request) = gather::gather(db, target, max, now_us)? {
        return Ok(Some(request));
    }
    // two that wait for each other, and no answer will ever free one of them
    match due.held_up {
        Some(request) if !claims::is_anything_sending(db, target)? => Ok(Some(request)),
        _ => Ok(None),
    }
}

/// Allowed for two clocks that differ, and for a server that cuts its times to the second.
const CLOCK_MARGIN_US: i64 = 5_000_000;

/// Notes that Entra may have a request that is being posted: its events may be as old as this
/// attempt.
fn doubt(db: &Connection, request: i64) -> Result<(), Failure> {
    db.prepare_cached(
        "-- outbox.doubt
        UPDATE bulk_requests
        SET doubt_since_us = updated_at_us - ?2
        WHERE id = ?1
            AND doubt_since_us IS NULL",
    )?
    .execute(params![request, CLOCK_MARGIN_US])?;
    Ok(())
}

/// Takes back the counting of an attempt that was not made.
fn forget_attempt(db: &Connection, request: i64) -> Result<(), Failure> {
    db.prepare_cached(
        "-- outbox.forget_attempt
        UPDATE bulk_requests
        SET attempts = attempts - 1
        WHERE id = ?1",
    )?
    .execute([request])?;
    db.prepare_cached(
        "-- outbox.forget_attempts
        UPDATE operations
        SET attempts = attempts - 1
        WHERE bulk_request = ?1
            AND status = 'sending'",
    )?
    .execute([request])?;
    Ok(())
}

fn note_accepted(
    db: &Connection,
    request: i64,
    request_id: Option<&str>,
    sent_at_us: i64,
    now_us: i64,
) -> Result<(), Failure> {
    let doubt_since_us: Option<i64> = db
        .prepare_cached(
            "-- outbox.doubt_since
            SELECT doubt_since_us
            FROM bulk_requests
            WHERE id = ?1",
        )?
        .query_row([request], |row| row.get(0))?;
    let sent_at_us = doubt_since_us.map_or(sent_at_us, |since| since.min(sent_at_us));
    db.prepare_cached(
        "-- outbox.accept_records
        UPDATE records
        SET last_sent_us = ?2
        FROM operations
        WHERE operations.bulk_request = ?1
            AND operations.status = 'sending'
            AND records.target = operations.target
            AND records.external_id = operations.external_id",
    )?
    .execute(params![request, sent_at_us])?;
    db.prepare_cached(
        "-- outbox.accept
        UPDATE operations
        SET status = 'accepted',
            sent_at_us = ?2,
            resource = NULL,
            updated_at_us = ?3
        WHERE bulk_request = ?1
            AND status = 'sending'",
    )?
    .execute(params![request, sent_at_us, now_us])?;
    db.prepare_cached(
        "-- outbox.accept_request
        UPDATE bulk_requests
        SET status = 'accepted',
            request_id = ?2,
            updated_at_us = ?3
        WHERE id = ?1",
    )?
    .execute(params![request, request_id, now_us])?;
    Ok(())
}

fn state(db: &Connection, target: &TargetName) -> Result<OutboxState, Failure> {
    let cell = |column| Cell { table: "operations", column, id: target };
    let (queued, sending): (i64, i64) = db
        .prepare_cached(
            "-- outbox.state
            SELECT
                (SELECT count(*) FROM operations WHERE target = ?1 AND status = 'queued'),
                (SELECT count(*) FROM operations WHERE target = ?1 AND status = 'sending')",
        )?
        .query_row([target.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let next_at: Option<i64> = db
        .prepare_cached(
            "-- outbox.next_at
            SELECT min(not_before_us)
            FROM bulk_requests
            WHERE target = ?1
                AND status = 'waiting'
                AND NOT EXISTS (
                    SELECT 1
                    FROM operations AS waiting INDEXED BY operations_outbox
                    WHERE waiting.target = ?1
                        AND waiting.status = 'queued'
                        AND waiting.bulk_request IS NULL
                        AND NOT EXISTS (
                            SELECT 1
                            FROM operations AS other
                            WHERE other.target = waiting.target
                                AND other.external_id = waiting.external_id
                                AND other.status = 'sending'))",
        )?
        .query_row([target.as_str()], |row| row.get(0))?;
    Ok(OutboxState {
        queued: cell("status").count(queued)?,
        sending: cell("status").count(sending)?,
        next_at: cell("not_before_us").instant_or_none(next_at)?,
    })
}
