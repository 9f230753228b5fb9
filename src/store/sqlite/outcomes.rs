//! Outcomes: see [`Outcomes`] for the promises.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::{ExternalId, OperationId, OperationStatus, RunId, TargetName};
use crate::store::sqlite::connection::{Failure, SqliteStore};
use crate::store::sqlite::convert::{Cell, limit as most, micros};
use crate::store::sqlite::requests;
use crate::store::{OpenWindow, Outcomes, Overdue, SentOperation, Settlement, StoreError};

#[async_trait]
impl Outcomes for SqliteStore {
    async fn open_window(&self, target: &TargetName) -> Result<Option<OpenWindow>, StoreError> {
        let target = target.clone();
        self.read("look for operations without an outcome", move |db| {
            let found = db
                .prepare_cached(
                    "-- outcomes.open_window
                    SELECT min(sent_at_us), max(sent_at_us), count(*)
                    FROM operations
                    WHERE target = ?1
                        AND status = 'accepted'",
                )?
                .query_row([target.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            window(&target, found)
        })
        .await
    }

    async fn sent_operations(
        &self,
        target: &TargetName,
        ids: Vec<ExternalId>,
    ) -> Result<Vec<SentOperation>, StoreError> {
        let target = target.clone();
        self.read("look up sent operations", move |db| {
            let mut statement = db.prepare_cached(
                "-- outcomes.sent
                SELECT
                    operations.id, runs.id, operations.external_id, operations.status,
                    operations.code, operations.change_id, operations.event_at_us, operations.sent_at_us,
                    operations.deed
                FROM operations
                JOIN runs ON runs.seq = operations.run
                WHERE operations.target = ?1
                    AND operations.external_id = ?2
                    AND operations.sent_at_us IS NOT NULL
                    AND operations.status IN ('accepted', 'unconfirmed', 'provisioned', 'skipped', 'failed')
                    AND (
                        operations.status IN ('accepted', 'unconfirmed')
                        OR operations.id >= coalesce((
                            SELECT newer.id
                            FROM operations AS newer
                            WHERE newer.target = ?1
                                AND newer.external_id = ?2
                                AND newer.sent_at_us IS NOT NULL
                                AND newer.status IN ('accepted', 'unconfirmed', 'provisioned', 'skipped', 'failed')
                            ORDER BY newer.id DESC
                            LIMIT 1 OFFSET 2), 0))
                ORDER BY operations.id DESC
                LIMIT 100",
            )?;
            let mut sent = Vec::new();
            for id in ids {
                let mut rows = statement.query([target.as_str(), id.as_str()])?;
                while let Some(row) = rows.next()? {
                    sent.push(sent_operation(row)?);
                }
            }
            Ok(sent)
        })
        .await
    }

    async fn settle(&self, outcomes: Vec<Settlement>, now: Timestamp) -> Result<(), StoreError> {
        let now_us = micros(now);
        self.write("write outcomes", move |db| {
            let mut runs = BTreeSet::new();
            for outcome in &outcomes {
                runs.extend(settle_one(db, outcome, now_us)?);
            }
            requests::follow(db, &runs, now_us)
        })
        .await
    }

    async fn unconfirmed_window(
        &self,
        target: &TargetName,
        since: Timestamp,
    ) -> Result<Option<OpenWindow>, StoreError> {
        let (target, since_us) = (target.clone(), micros(since));
        self.read("look for unconfirmed operations", move |db| {
            let found = db
                .prepare_cached(
                    "-- outcomes.unconfirmed_window
                    SELECT min(sent_at_us), max(sent_at_us), count(*)
                    FROM operations INDEXED BY operations_unsettled
                    WHERE target = ?1
                        AND status IN ('failed', 'unconfirmed')
                        AND status = 'unconfirmed'
                        AND sent_at_us >= ?2",
                )?
                .query_row(params![target.as_str(), since_us], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })?;
            window(&target, found)
        })
        .await
    }

    async fn overdue(
        &self,
        target: &TargetName,
        sent_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<Overdue>, StoreError> {
        let (target, sent_before_us) = (target.clone(), micros(sent_before));
        self.read("look for operations without an outcome", move |db| {
            let mut statement = db.prepare_cached(
                "-- outcomes.overdue
                SELECT id, external_id, sent_at_us
                FROM operations INDEXED BY operations_accepted
                WHERE target = ?1
                    AND status = 'accepted'
                    AND sent_at_us < ?2
                ORDER BY sent_at_us
                LIMIT ?3",
            )?;
            let mut rows =
                statement.query(params![target.as_str(), sent_before_us, most(limit)])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let id: i64 = row.get(0)?;
                let cell = Cell { table: "operations", column: "sent_at_us", id: &id };
                found.push(Overdue {
                    id: OperationId(id),
                    external_id: ExternalId::new(row.get::<_, Box<str>>(1)?),
                    sent_at: cell.instant(row.get(2)?)?,
                });
            }
            Ok(found)
        })
        .await
    }

    async fn settled_until(&self, target: &TargetName) -> Result<Option<Timestamp>, StoreError> {
        let target = target.clone();
        self.read("look up what is settled", move |db| {
            let at_us: Option<Option<i64>> = db
                .prepare_cached(
                    "-- outcomes.settled_until
                    SELECT settled_sent_us
                    FROM targets
                    WHERE target = ?1",
                )?
                .query_row([target.as_str()], |row| row.get(0))
                .optional()?;
            let cell = Cell { table: "targets", column: "settled_sent_us", id: &target };
            Ok(cell.instant_or_none(at_us.flatten())?)
        })
        .await
    }

    async fn searched_until(&self, target: &TargetName) -> Result<Option<Timestamp>, StoreError> {
        let target = target.clone();
        self.read("look up the last search of the log", move |db| {
            let at_us: Option<Option<i64>> = db
                .prepare_cached(
                    "-- outcomes.searched_until
                    SELECT looked_back_us
                    FROM targets
                    WHERE target = ?1",
                )?
                .query_row([target.as_str()], |row| row.get(0))
                .optional()?;
            let cell = Cell { table: "targets", column: "looked_back_us", id: &target };
            Ok(cell.instant_or_none(at_us.flatten())?)
        })
        .await
    }

    async fn note_searched(&self, target: &TargetName, until: Timestamp) -> Result<(), StoreError> {
        let target = target.clone();
        self.write("note a search of the log", move |db| {
            db.prepare_cached(
                "-- outcomes.note_searched
                UPDATE targets
                SET looked_back_us = ?2
                WHERE target = ?1",
            )?
            .execute(params![target.as_str(), micros(until)])?;
            Ok(())
        })
        .await
    }

    async fn unconfirm(
        &self,
        target: &TargetName,
        sent_before: Timestamp,
        reason: String,
        advice: String,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let (target, sent_before_us, now_us) = (target.clone(), micros(sent_before), micros(now));
        self.write("give operations up as unconfirmed", move |db| {
            let mut statement = db.prepare_cached(
                "-- outcomes.unconfirm
                UPDATE operations
                SET status = 'unconfirmed',
                    code = NULL,
                    reason = ?3,
                    advice = ?4,
                    updated_at_us = ?5
                WHERE target = ?1
                    AND status = 'accepted'
                    AND sent_at_us < ?2
                RETURNING run",
            )?;
            let values = params![target.as_str(), sent_before_us, reason, advice, now_us];
            let mut rows = statement.query(values)?;
            let (mut count, mut runs) = (0, BTreeSet::new());
            while let Some(row) = rows.next()? {
                count += 1;
                runs.insert(row.get(0)?);
            }
            requests::follow(db, &runs, now_us)?;
            Ok(count)
        })
        .await
    }
}

/// A window from its ends and how many operations are in it.
fn window(
    target: &TargetName,
    (oldest, newest, count): (Option<i64>, Option<i64>, i64),
) -> Result<Option<OpenWindow>, Failure> {
    let (Some(oldest), Some(newest)) = (oldest, newest) else { return Ok(None) };
    let cell = Cell { table: "operations", column: "sent_at_us", id: target };
    Ok(Some(OpenWindow {
        oldest_sent_at: cell.instant(oldest)?,
        newest_sent_at: cell.instant(newest)?,
        accepted: cell.count(count)?,
    }))
}

/// Writes one outcome; gives the run when that changed anything.
fn settle_one(db: &Connection, outcome: &Settlement, now_us: i64) -> Result<Option<i64>, Failure> {
    use OperationStatus::{Failed, Provisioned, Skipped};
    if !matches!(outcome.status, Provisioned | Skipped | Failed) {
        return Err(Failure::other("an outcome is `provisioned`, `skipped` or `failed`"));
    }
    let settled: Option<Settled> = db
        .prepare_cached(
            "-- outcomes.settle
            UPDATE operations
            SET status = ?2,
                code = ?3,
                -- what planning warned of is still true of a person who was provisioned
                reason = coalesce(?4, CASE ?2 WHEN 'provisioned' THEN warning_reason END),
                advice = ?5,
                change_id = ?6,
                event_at_us = ?7,
                updated_at_us = ?8,
                deed = ?9
            WHERE id = ?1
                AND sent_at_us IS NOT NULL
                AND status IN ('accepted', 'unconfirmed', 'provisioned', 'skipped', 'failed')
                AND (status, code, reason, advice, change_id, event_at_us, deed) IS NOT (
                    ?2,
                    ?3,
                    coalesce(?4, CASE ?2 WHEN 'provisioned' THEN warning_reason END),
                    ?5,
                    ?6,
                    ?7,
                    ?9)
            RETURNING run, target, external_id, sent_at_us",
        )?
        .query_row(
            params![
                outcome.operation.0,
                outcome.status.as_str(),
                outcome.code,
                outcome.reason,
                outcome.advice,
                outcome.change_id,
                micros(outcome.event_at),
                now_us,
                outcome.deed,
            ],
            |row| {
                Ok(Settled {
                    run: row.get(0)?,
                    target: row.get(1)?,
                    external_id: row.get(2)?,
                    sent_at_us: row.get(3)?,
                })
            },
        )
        .optional()?;
    let Some(Settled { run, target, external_id, sent_at_us }) = settled else { return Ok(None) };
    db.prepare_cached(
        "-- outcomes.settled_sent
        UPDATE targets
        SET settled_sent_us = ?2
        WHERE target = ?1
            AND coalesce(settled_sent_us, 0) < ?2",
    )?
    .execute(params![target, sent_at_us])?;
    if matches!(outcome.status, Provisioned | Skipped) {
        db.prepare_cached(
            "-- outcomes.arrive
            UPDATE records
            SET arrived = 1
            WHERE target = ?1
                AND external_id = ?2
                AND arrived = 0",
        )?
        .execute([&target, &external_id])?;
    }
    let is_manager_settled = note_manager(db, outcome, &target, &external_id)?;
    if is_manager_settled {
        db.prepare_cached(
            "-- outcomes.manager_found
            UPDATE operations
            SET code = deed,
                reason = warning_reason,
                advice = NULL,
                deed = NULL,
                updated_at_us = ?4
            WHERE target = ?1
                AND external_id = ?2
                AND id < ?3
                AND status = 'provisioned'
                AND deed IS NOT NULL",
        )?
        .execute(params![target, external_id, outcome.operation.0, now_us])?;
    }
    Ok(Some(run))
}

/// An operation that got an outcome.
struct Settled {
    run: i64,
    target: Box<str>,
    external_id: Box<str>,
    sent_at_us: i64,
}

/// Notes whether a worker awaits their manager, where the outcome is that of their latest
/// operation; true when they do not, or no longer.
fn note_manager(
    db: &Connection,
    outcome: &Settlement,
    target: &str,
    external_id: &str,
) -> Result<bool, Failure> {
    use OperationStatus::{Provisioned, Skipped};
    if outcome.awaits_manager {
        db.prepare_cached(
            "-- outcomes.await_manager
            UPDATE records
            SET awaits_manager = 1
            WHERE target = ?1
                AND external_id = ?2
                AND last_operation = ?3
                AND manager IS NOT NULL",
        )?
        .execute(params![target, external_id, outcome.operation.0])?;
        return Ok(false);
    }
    if !matches!(outcome.status, Provisioned | Skipped) {
        return Ok(false);
    }
    // nothing to do says of a manager who was not there yet that they are still open
    let is_settled = db
        .prepare_cached(
            "-- outcomes.manager_settled
            UPDATE records
            SET awaits_manager = 0
            WHERE target = ?1
                AND external_id = ?2
                AND last_operation = ?3
                AND (?4
                    OR manager IS NULL
                    OR EXISTS (
                        SELECT 1
                        FROM records AS above
                        WHERE above.target = records.target
                            AND above.external_id = records.manager
                            AND above.arrived = 1))",
        )?
        .execute(params![
            target,
            external_id,
            outcome.operation.0,
            outcome.status == Provisioned
        ])?;
    Ok(is_settled > 0)
}

fn sent_operation(row: &Row<'_>) -> Result<SentOperation, Failure> {
    let id: i64 = row.get(0)?;
    let cell = |column| Cell { table: "operations", column, id: &id };
    Ok(SentOperation {
        id: OperationId(id),
        run: RunId::new(row.get::<_, Box<str>>(1)?),
        external_id: ExternalId::new(row.get::<_, Box<str>>(2)?),
        status: cell("status").status(row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?)?,
        code: row.get(4)?,
        change_id: row.get(5)?,
        event_at: cell("event_at_us").instant_or_none(row.get(6)?)?,
        sent_at: cell("sent_at_us").instant(row.get(7)?)?,
        deed: row.get(8)?,
    })
}
