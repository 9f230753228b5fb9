//! Calls: see [`Calls`] for the promises.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::TargetName;
use crate::store::sqlite::connection::{Failure, SqliteStore};
use crate::store::sqlite::convert::{Cell, micros};
use crate::store::{CallId, CallLimits, CallPermit, Calls, StoreError};

/// The daily quota rolls: a call counts for 24 hours from its start. Microseconds.
const DAY_US: i64 = 24 * 3_600 * 1_000_000;

/// Calls older than this count nowhere and are removed. Microseconds.
const KEPT_US: i64 = 25 * 3_600 * 1_000_000;

/// Two processes look at the clock and then at the store: so much the later one may seem to be
/// earlier. Microseconds.
const TWO_CLOCKS_US: i64 = 1_000_000;

/// When only an unanswered call can free a slot, which it may do at any moment: how soon to ask
/// again. Microseconds.
const ASK_AGAIN_US: i64 = 100_000;

#[async_trait]
impl Calls for SqliteStore {
    async fn begin_call(
        &self,
        tenant: &str,
        target: &TargetName,
        limits: CallLimits,
        now: Timestamp,
    ) -> Result<CallPermit, StoreError> {
        let (tenant, target) = (tenant.to_owned(), target.clone());
        self.write("note a call", move |db| begin(db, &tenant, &target, limits, micros(now))).await
    }

    async fn end_call(&self, id: CallId, now: Timestamp) -> Result<(), StoreError> {
        self.write("note a call's answer", move |db| {
            db.prepare_cached(
                "-- calls.end
                UPDATE calls
                SET answered_us = ?2
                WHERE id = ?1
                    AND answered_us IS NULL",
            )?
            .execute(params![id.0, micros(now)])?;
            Ok(())
        })
        .await
    }

    async fn forget_call(&self, id: CallId) -> Result<(), StoreError> {
        self.write("take back a call", move |db| {
            db.prepare_cached(
                "-- calls.forget
                DELETE FROM calls
                WHERE id = ?1",
            )?
            .execute([id.0])?;
            Ok(())
        })
        .await
    }

    async fn call_starts(
        &self,
        tenant: &str,
        since: Timestamp,
    ) -> Result<Vec<Timestamp>, StoreError> {
        let tenant = tenant.to_owned();
        self.read("list calls", move |db| {
            let mut statement = db.prepare_cached(
                "-- calls.starts
                SELECT started_us
                FROM calls
                WHERE tenant = ?1
                    AND started_us >= ?2
                ORDER BY started_us",
            )?;
            let mut rows = statement.query(params![tenant, micros(since)])?;
            let mut starts = Vec::new();
            while let Some(row) = rows.next()? {
                let cell = Cell { table: "calls", column: "started_us", id: &tenant };
                starts.push(cell.instant(row.get(0)?)?);
            }
            Ok(starts)
        })
        .await
    }

    async fn calls_since(&self, tenant: &str, since: Timestamp) -> Result<u64, StoreError> {
        let tenant = tenant.to_owned();
        self.read("count calls", move |db| {
            let count = db
                .prepare_cached(
                    "-- calls.since
                    SELECT count(*)
                    FROM calls
                    WHERE tenant = ?1
                        AND started_us >= ?2",
                )?
                .query_row(params![tenant, micros(since)], |row| row.get(0))?;
            Ok(Cell { table: "calls", column: "id", id: &tenant }.count(count)?)
        })
        .await
    }
}

/// Ends a target's calls that have no answer: whoever made them is gone.
pub(super) fn end_all(db: &Connection, target: &TargetName, now_us: i64) -> Result<(), Failure> {
    db.prepare_cached(
        "-- calls.end_all
        UPDATE calls
        SET answered_us = ?2
        WHERE target = ?1
            AND answered_us IS NULL",
    )?
    .execute(params![target.as_str(), now_us])?;
    Ok(())
}

fn begin(
    db: &Connection,
    tenant: &str,
    target: &TargetName,
    limits: CallLimits,
    now_us: i64,
) -> Result<CallPermit, Failure> {
    let instant =
        |micros| Cell { table: "calls", column: "started_us", id: &tenant }.instant(micros);
    forget_the_future(db, tenant, now_us)?;
    if let Some(free_us) = day_is_full(db, tenant, limits, now_us)? {
        return Ok(CallPermit::Exhausted(instant(free_us)?));
    }
    if let Some(free_us) = burst_is_full(db, tenant, limits, now_us)? {
        return Ok(CallPermit::Wait(instant(free_us)?));
    }
    db.prepare_cached(
        "-- calls.prune
        DELETE FROM calls
        WHERE tenant = ?1
            AND started_us < ?2",
    )?
    .execute(params![tenant, now_us.saturating_sub(KEPT_US)])?;
    db.prepare_cached(
        "-- calls.begin
        INSERT INTO calls (tenant, target, started_us)
        VALUES (?1, ?2, ?3)",
    )?
    .execute(params![tenant, target.as_str(), now_us])?;
    Ok(CallPermit::Granted(CallId(db.last_insert_rowid())))
}

/// Calls that were made later than now were made before the clock went back: they count as made now,
/// which is never too little, and not until the clock is where it was.
fn forget_the_future(db: &Connection, tenant: &str, now_us: i64) -> Result<(), Failure> {
    db.prepare_cached(
        "-- calls.forget_the_future
        UPDATE calls
        SET started_us = ?2,
            answered_us = min(answered_us, ?2)
        WHERE tenant = ?1
            AND started_us > ?2 + ?3",
    )?
    .execute(params![tenant, now_us, TWO_CLOCKS_US])?;
    Ok(())
}

/// When the day's calls are used up: the instant at which one comes free.
fn day_is_full(
    db: &Connection,
    tenant: &str,
    limits: CallLimits,
    now_us: i64,
) -> Result<Option<i64>, Failure> {
    let Some(others) = limits.daily.checked_sub(1) else {
        return Ok(Some(now_us.saturating_add(DAY_US)));
    };
    let started_us: Option<i64> = db
        .prepare_cached(
            "-- calls.day
            SELECT started_us
            FROM calls
            WHERE tenant = ?1
                AND started_us > ?2
            ORDER BY started_us DESC
            LIMIT 1 OFFSET ?3",
        )?
        .query_row(params![tenant, now_us.saturating_sub(DAY_US), others], |row| row.get(0))
        .optional()?;
    Ok(started_us.map(|started_us| started_us.saturating_add(DAY_US)))
}

/// When the burst window is full: the earliest instant at which it may no longer be.
///
/// `may_free_us` is, for each call that counts now, when it may stop to. The window has room as
/// soon as all but `burst - 1` of them have.
fn burst_is_full(
    db: &Connection,
    tenant: &str,
    limits: CallLimits,
    now_us: i64,
) -> Result<Option<i64>, Failure> {
    let window_us = i64::try_from(limits.window.as_micros()).unwrap_or(i64::MAX);
    let margin_us = i64::try_from(limits.margin.as_micros()).unwrap_or(i64::MAX);
    let longest_us = window_us.saturating_add(margin_us);
    let lost_us = i64::try_from(limits.lost_after.as_micros()).unwrap_or(i64::MAX);
    let Some(others) = limits.burst.checked_sub(1) else {
        return Ok(Some(now_us.saturating_add(window_us)));
    };
    let free_us = db
        .prepare_cached(
            "-- calls.burst
            SELECT may_free_us
            FROM (
                SELECT CASE
                    WHEN answered_us IS NULL AND started_us + ?4 > ?2
                        THEN min(max(?2 + ?5, started_us + ?3), started_us + ?4)
                    WHEN min(answered_us + ?7, started_us + ?3) > ?2
                        THEN min(answered_us + ?7, started_us + ?3)
                END AS may_free_us
                FROM calls
                WHERE tenant = ?1
                    AND started_us > ?2 - max(?3, ?4))
            WHERE may_free_us IS NOT NULL
            ORDER BY may_free_us DESC
            LIMIT 1 OFFSET ?6",
        )?
        .query_row(
            params![tenant, now_us, longest_us, lost_us, ASK_AGAIN_US, others, window_us],
            |row| row.get(0),
        )
        .optional()?;
    Ok(free_us)
}
