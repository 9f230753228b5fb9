//! Alerts: see [`Alerts`] for the promises.

use std::fmt::Display;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::{AlertKind, HeldBy, RunId, SourceName, TargetName};
use crate::store::sqlite::connection::{Failure, SqliteStore};
use crate::store::sqlite::convert::{Cell, limit as most, micros};
use crate::store::sqlite::held_by;
use crate::store::{Alerts, HeldRun, StoreError, TroubledRun};
use crate::telemetry::alerts::{Alert, AlertKey, Facts, Kept, State, Told};

#[async_trait]
impl Alerts for SqliteStore {
    async fn alerts(&self) -> Result<Option<Kept>, StoreError> {
        self.read("look up alerts", |db| {
            let Some((since, looked_until)) = watch(db)? else { return Ok(None) };
            Ok(Some(Kept { since, looked_until, alerts: alerts(db)?, told: told(db)? }))
        })
        .await
    }

    async fn keep_alerts(&self, kept: Kept) -> Result<(), StoreError> {
        self.write("keep alerts", move |db| keep(db, &kept)).await
    }

    async fn held_runs(&self, limit: usize) -> Result<Vec<HeldRun>, StoreError> {
        self.read("list held runs", move |db| {
            let mut statement = db.prepare_cached(
                "-- alerts.held_runs
                SELECT id, source, target, held_by, started_at_us
                FROM runs INDEXED BY runs_unfinished
                WHERE status IN ('planning', 'held', 'delivering', 'tracking')
                    AND status = 'held'
                ORDER BY seq
                LIMIT ?1",
            )?;
            let mut rows = statement.query([most(limit)])?;
            let mut runs = Vec::new();
            while let Some(row) = rows.next()? {
                let id: Box<str> = row.get(0)?;
                runs.push(HeldRun {
                    held_by: guards(row.get(3)?, &id)?,
                    started_at: cell("started_at_us", &id).instant(row.get(4)?)?,
                    source: SourceName::new(row.get::<_, Box<str>>(1)?),
                    target: TargetName::new(row.get::<_, Box<str>>(2)?),
                    id: RunId::new(id),
                });
            }
            Ok(runs)
        })
        .await
    }

    async fn troubled_runs(
        &self,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<TroubledRun>, StoreError> {
        self.read("list runs in trouble", move |db| {
            let mut statement = db.prepare_cached(
                "-- alerts.troubled_runs
                SELECT
                    id, source, target, problem_code, held_by, row_count + without_row, out_of_scope,
                    rejected, failed, started_at_us, ended_at_us
                FROM (
                    SELECT
                        runs.*,
                        (
                            SELECT count(*)
                            FROM operations INDEXED BY operations_by_run_status
                            WHERE operations.run = runs.seq
                                AND operations.status = 'rejected') AS rejected,
                        (
                            SELECT count(*)
                            FROM operations INDEXED BY operations_by_run_status
                            WHERE operations.run = runs.seq
                                AND operations.status = 'failed') AS failed
                    FROM runs
                    WHERE seq IN (
                        SELECT seq
                        FROM runs INDEXED BY runs_started
                        WHERE started_at_us >= ?1
                        UNION
                        SELECT seq
                        FROM runs INDEXED BY runs_ended
                        WHERE ended_at_us >= ?1))
                WHERE status = 'failed'
                    OR rejected > 0
                    OR failed > 0
                ORDER BY seq DESC
                LIMIT ?2",
            )?;
            let mut rows = statement.query([micros(since), most(limit)])?;
            let mut runs = Vec::new();
            while let Some(row) = rows.next()? {
                runs.push(troubled(row)?);
            }
            Ok(runs)
        })
        .await
    }
}

fn troubled(row: &Row<'_>) -> Result<TroubledRun, Failure> {
    let id: Box<str> = row.get(0)?;
    let count =
        |index, column| -> Result<u64, Failure> { Ok(cell(column, &id).count(row.get(index)?)?) };
    Ok(TroubledRun {
        source: SourceName::new(row.get::<_, Box<str>>(1)?),
        target: TargetName::new(row.get::<_, Box<str>>(2)?),
        refused: row.get(3)?,
        held_by: guards(row.get(4)?, &id)?,
        rows: count(5, "row_count")?,
        out_of_scope: count(6, "out_of_scope")?,
        rejected: count(7, "status")?,
        failed: count(8, "status")?,
        started_at: cell("started_at_us", &id).instant(row.get(9)?)?,
        ended_at: cell("ended_at_us", &id).instant_or_none(row.get(10)?)?,
        id: RunId::new(id.clone()),
    })
}

fn cell<'a>(column: &'static str, id: &'a dyn Display) -> Cell<'a> {
    Cell { table: "runs", column, id }
}

fn guards(stored: Option<String>, id: &dyn Display) -> Result<Vec<HeldBy>, StoreError> {
    held_by::read(stored).ok_or_else(|| cell("held_by", id).inconsistent())
}

fn watch(db: &Connection) -> Result<Option<(Timestamp, Timestamp)>, Failure> {
    let found: Option<(i64, i64)> = db
        .prepare_cached(
            "-- alerts.watch
            SELECT since_us, looked_us
            FROM alert_watch",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((since_us, looked_us)) = found else { return Ok(None) };
    let cell = |column| Cell { table: "alert_watch", column, id: &1 };
    Ok(Some((cell("since_us").instant(since_us)?, cell("looked_us").instant(looked_us)?)))
}

fn alerts(db: &Connection) -> Result<Vec<Alert>, Failure> {
    let mut statement = db.prepare_cached(
        "-- alerts.all
        SELECT subject, facts, level, since_us, seen_us, ended_us
        FROM alerts
        ORDER BY kind, subject",
    )?;
    let mut rows = statement.query([])?;
    let mut alerts = Vec::new();
    while let Some(row) = rows.next()? {
        let subject: Box<str> = row.get(0)?;
        let cell = |column| Cell { table: "alerts", column, id: &subject };
        let text = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        // written by another version: raised anew if it holds
        let Ok(facts) = serde_json::from_str::<Facts>(text) else { continue };
        alerts.push(Alert {
            facts,
            level: row.get(2)?,
            since: cell("since_us").instant(row.get(3)?)?,
            seen_at: cell("seen_us").instant(row.get(4)?)?,
            ended_at: cell("ended_us").instant_or_none(row.get(5)?)?,
        });
    }
    Ok(alerts)
}

fn told(db: &Connection) -> Result<Vec<(String, AlertKey, Told)>, Failure> {
    let mut statement = db.prepare_cached(
        "-- alerts.told
        SELECT channel, kind, subject, state, level, at_us
        FROM alerts_told
        ORDER BY channel, kind, subject",
    )?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let subject: String = row.get(2)?;
        let cell = |column| Cell { table: "alerts_told", column, id: &subject };
        let word = |index| -> Result<&str, rusqlite::Error> { Ok(row.get_ref(index)?.as_str()?) };
        let kind = AlertKind::parse(word(1)?).ok_or_else(|| cell("kind").inconsistent())?;
        let state = State::parse(word(3)?).ok_or_else(|| cell("state").inconsistent())?;
        let (level, at) = (row.get(4)?, cell("at_us").instant(row.get(5)?)?);
        all.push((row.get(0)?, (kind, subject.clone()), Told { state, level, at }));
    }
    Ok(all)
}

fn keep(db: &Connection, kept: &Kept) -> Result<(), Failure> {
    db.prepare_cached(
        "-- alerts.keep_watch
        INSERT OR REPLACE INTO alert_watch (id, since_us, looked_us)
        VALUES (1, ?1, ?2)",
    )?
    .execute([micros(kept.since), micros(kept.looked_until)])?;
    db.prepare_cached(
        "-- alerts.forget_told
        DELETE FROM alerts_told",
    )?
    .execute([])?;
    db.prepare_cached(
        "-- alerts.forget
        DELETE FROM alerts",
    )?
    .execute([])?;
    let mut add = db.prepare_cached(
        "-- alerts.add
        INSERT INTO alerts (kind, subject, facts, level, since_us, seen_us, ended_us)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for alert in &kept.alerts {
        let (kind, subject) = alert.key();
        add.execute(params![
            kind.as_str(),
            subject,
            serde_json::to_string(&alert.facts).map_err(Failure::other)?,
            alert.level,
            micros(alert.since),
            micros(alert.seen_at),
            alert.ended_at.map(micros)
        ])?;
    }
    let mut add_told = db.prepare_cached(
        "-- alerts.add_told
        INSERT INTO alerts_told (channel, kind, subject, state, level, at_us)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for (channel, (kind, subject), told) in &kept.told {
        add_told.execute(params![
            channel,
            kind.as_str(),
            subject,
            told.state.as_str(),
            told.level,
            micros(told.at)
        ])?;
    }
    Ok(())
}
