//! Provisioning jobs as they were last seen: see [`Jobs`] for the promises.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::TargetName;
use crate::store::sqlite::connection::{Failure, SqliteStore};
use crate::store::sqlite::convert::{Cell, micros, whole};
use crate::store::sqlite::requests;
use crate::store::sqlite::told::Told;
use crate::store::{JobSeen, Jobs, Resent, ResentWhy, StoreError};

#[async_trait]
impl Jobs for SqliteStore {
    async fn job_seen(&self, target: &TargetName) -> Result<Option<JobSeen>, StoreError> {
        let target = target.clone();
        self.read("look up a job", move |db| seen(db, &target)).await
    }

    async fn note_job(
        &self,
        target: &TargetName,
        job: JobSeen,
    ) -> Result<Option<JobSeen>, StoreError> {
        let target = target.clone();
        self.write("note a job", move |db| {
            let before = seen(db, &target)?;
            db.prepare_cached(
                "-- jobs.note
                UPDATE targets
                SET job_code = ?2,
                    job_quarantine = ?3,
                    delete_threshold = ?4,
                    job_seen_us = ?5
                WHERE target = ?1",
            )?
            .execute(params![
                target.as_str(),
                job.code,
                job.quarantine,
                job.delete_threshold.map(whole),
                micros(job.at)
            ])?;
            Ok(before)
        })
        .await
    }

    async fn resent(&self, target: &TargetName) -> Result<Option<Resent>, StoreError> {
        let target = target.clone();
        self.read("look up what was sent again", move |db| resent(db, &target)).await
    }

    async fn note_resent(&self, target: &TargetName, resent: Resent) -> Result<(), StoreError> {
        let (target, who) = (target.clone(), self.operator());
        self.write("note what is sent again", move |db| {
            db.prepare_cached(
                "-- jobs.note_resent
                UPDATE targets
                SET resent_us = ?2,
                    resent_count = ?3,
                    resent_why = ?4
                WHERE target = ?1",
            )?
            .execute(params![
                target.as_str(),
                micros(resent.at),
                whole(resent.operations),
                resent.why.as_str()
            ])?;
            Told { who: &who, now_us: micros(resent.at) }.resent(db, &target, &resent)
        })
        .await
    }

    async fn queue_open_again(
        &self,
        target: &TargetName,
        sent_before: Timestamp,
        resent_before: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let target = target.clone();
        self.write("queue everything open again", move |db| {
            let open = open_operations(db, &target, sent_before, resent_before)?;
            requests::queue_again(db, &open, micros(now))?;
            Ok(open.len() as u64)
        })
        .await
    }
}

fn seen(db: &Connection, target: &TargetName) -> Result<Option<JobSeen>, Failure> {
    let mut statement = db.prepare_cached(
        "-- jobs.seen
        SELECT job_code, job_quarantine, delete_threshold, job_seen_us
        FROM targets
        WHERE target = ?1
            AND job_code IS NOT NULL
            AND job_seen_us IS NOT NULL",
    )?;
    let found = statement
        .query_row([target.as_str()], |row| {
            let threshold: Option<i64> = row.get(2)?;
            Ok((row.get(0)?, row.get(1)?, threshold, row.get::<_, i64>(3)?))
        })
        .optional()?;
    let Some((code, quarantine, threshold, at_us)) = found else { return Ok(None) };
    let cell = |column| Cell { table: "targets", column, id: target };
    Ok(Some(JobSeen {
        code,
        quarantine,
        delete_threshold: threshold
            .map(|threshold| cell("delete_threshold").count(threshold))
            .transpose()?,
        at: cell("job_seen_us").instant(at_us)?,
    }))
}

fn resent(db: &Connection, target: &TargetName) -> Result<Option<Resent>, Failure> {
    let mut statement = db.prepare_cached(
        "-- jobs.resent
        SELECT resent_us, resent_count, resent_why
        FROM targets
        WHERE target = ?1
            AND resent_us IS NOT NULL",
    )?;
    let found: Option<(i64, i64, Box<str>)> = statement
        .query_row([target.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((at_us, count, why)) = found else { return Ok(None) };
    let cell = |column| Cell { table: "targets", column, id: target };
    let why = ResentWhy::ALL.into_iter().find(|each| each.as_str() == &*why);
    Ok(Some(Resent {
        at: cell("resent_us").instant(at_us)?,
        operations: cell("resent_count").count(count)?,
        why: why.ok_or_else(|| cell("resent_why").inconsistent())?,
    }))
}

fn open_operations(
    db: &Connection,
    target: &TargetName,
    sent_before: Timestamp,
    resent_before: Option<Timestamp>,
) -> Result<Vec<i64>, Failure> {
    let mut statement = db.prepare_cached(
        "-- jobs.open_operations
        SELECT operations.id
        FROM (
            SELECT id, external_id, sent_at_us
            FROM operations INDEXED BY operations_accepted
            WHERE target = ?1
                AND status = 'accepted'
            UNION ALL
            SELECT id, external_id, sent_at_us
            FROM operations INDEXED BY operations_unsettled
            WHERE target = ?1
                AND status IN ('failed', 'unconfirmed')
                AND status = 'unconfirmed') AS operations
        JOIN records
            ON records.target = ?1
            AND records.external_id = operations.external_id
            AND records.last_operation = operations.id
        WHERE operations.sent_at_us < ?2
            AND (?3 IS NULL OR coalesce(records.resent_at_us, 0) < ?3)
        ORDER BY operations.id",
    )?;
    let values = params![target.as_str(), micros(sent_before), resent_before.map(micros)];
    let ids = statement.query_map(values, |row| row.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}
