//! Runs: see [`Runs`] for the promises. Drafts stand in `draft.rs`.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use crate::domain::{
    ExternalId, OperationId, OperationStatus, RunId, RunKind, SourceName, TargetName, Who,
};
use crate::store::sqlite::connection::{Failure, SqliteStore};
use crate::store::sqlite::convert::{Cell, limit as most, micros};
use crate::store::sqlite::draft::SqliteDraft;
use crate::store::sqlite::{decide, deliveries, faulty, held_by, run_lists, told};
use crate::store::{
    ChangeCounts, FileHistory, Outcome, RefusedRun, Run, RunDraft, Runs, SmallRuns, StatusCounts,
    StoreError, StoredProblem,
};

#[async_trait]
impl Runs for SqliteStore {
    async fn draft(&self, target: &TargetName) -> Result<Box<dyn RunDraft>, StoreError> {
        let draft = SqliteDraft::begin(self, target.clone()).await?;
        Ok(Box::new(draft))
    }

    async fn bound_job(&self, target: &TargetName) -> Result<Option<String>, StoreError> {
        let target = target.clone();
        self.read("look up a target", move |db| {
            Ok(db
                .prepare_cached(
                    "-- runs.bound_job
                    SELECT job
                    FROM targets
                    WHERE target = ?1
                        AND EXISTS (
                            SELECT 1
                            FROM records
                            WHERE records.target = targets.target
                                AND last_sent_us IS NOT NULL)",
                )?
                .query_row([target.as_str()], |row| row.get(0))
                .optional()?)
        })
        .await
    }

    async fn bind_job(
        &self,
        target: &TargetName,
        job: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (target, job, who) = (target.clone(), job.to_owned(), self.operator());
        self.write("bind a target", move |db| {
            let bound = db
                .prepare_cached(
                    "-- runs.bind_job
                UPDATE targets
                SET job = ?2
                WHERE target = ?1
                    AND job <> ?2
                    AND NOT EXISTS (
                        SELECT 1
                        FROM records
                        WHERE records.target = targets.target
                            AND last_sent_us IS NOT NULL)",
                )?
                .execute([target.as_str(), &job])?;
            if bound > 0 {
                told::Told { who: &who, now_us: micros(now) }.bound(db, &target, &job)?;
            }
            Ok(())
        })
        .await
    }

    async fn store_refused(&self, run: RefusedRun) -> Result<(), StoreError> {
        self.write("store a refused file", move |db| {
            refuse(db, &run)?;
            told::refused(db, &run)
        })
        .await
    }

    async fn latest_run_of(
        &self,
        source: &SourceName,
        file_digest: [u8; 32],
        mapping_fingerprint: [u8; 16],
    ) -> Result<Option<Run>, StoreError> {
        let source = source.clone();
        self.read("look up the latest run", move |db| {
            let latest: Option<(i64, bool)> = db
                .prepare_cached(
                    "-- runs.latest
                    SELECT seq, file_digest = ?2 AND mapping_fingerprint = ?3
                    FROM runs
                    WHERE source = ?1
                        AND kind = 'file'
                        AND status NOT IN ('cancelled', 'failed')
                    ORDER BY seq DESC
                    LIMIT 1",
                )?
                .query_row(params![source.as_str(), file_digest, mapping_fingerprint], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            let same = latest.filter(|(_, is_same)| *is_same);
            same.map(|(seq, _)| load(db, seq)).transpose()
        })
        .await
    }

    async fn file_history(
        &self,
        source: &SourceName,
        digest: [u8; 32],
    ) -> Result<FileHistory, StoreError> {
        let source = source.clone();
        self.read("look up earlier files", move |db| run_lists::file_history(db, &source, digest))
            .await
    }

    async fn small_runs_since(
        &self,
        source: &SourceName,
        since: Timestamp,
    ) -> Result<SmallRuns, StoreError> {
        let source = source.clone();
        self.read("sum up small runs", move |db| {
            run_lists::small_runs_since(db, &source, micros(since))
        })
        .await
    }

    async fn held_operations(
        &self,
        source: &SourceName,
    ) -> Result<Vec<(OperationId, ExternalId)>, StoreError> {
        let source = source.clone();
        self.read("list held operations", move |db| run_lists::held_operations(db, &source)).await
    }

    async fn approve(
        &self,
        run: &RunId,
        by: &Who,
        now: Timestamp,
    ) -> Result<Option<Outcome>, StoreError> {
        let (run, by) = (run.clone(), by.clone());
        self.write("approve a run", move |db| decide::approve(db, &run, &by, now)).await
    }

    async fn cancel(
        &self,
        run: &RunId,
        by: &Who,
        now: Timestamp,
    ) -> Result<Option<Outcome>, StoreError> {
        let (run, by) = (run.clone(), by.clone());
        self.write("cancel a run", move |db| decide::cancel(db, &run, &by, now)).await
    }

    async fn retry(
        &self,
        run: &RunId,
        statuses: &[OperationStatus],
        by: &Who,
        now: Timestamp,
    ) -> Result<Option<Outcome>, StoreError> {
        let (run, statuses, by) = (run.clone(), statuses.to_vec(), by.clone());
        self.write("retry a run", move |db| decide::retry(db, &run, &statuses, &by, now)).await
    }

    async fn missing(
        &self,
        run: &RunId,
        after: Option<&ExternalId>,
        limit: usize,
    ) -> Result<Vec<(ExternalId, bool)>, StoreError> {
        let (run, after) = (run.clone(), after.cloned());
        self.read("list missing people", move |db| {
            run_lists::missing(db, &run, after.as_ref(), limit)
        })
        .await
    }

    async fn run(&self, id: &RunId) -> Result<Option<Run>, StoreError> {
        let id = id.clone();
        self.read("look up a run", move |db| {
            let seq: Option<i64> = db
                .prepare_cached(
                    "-- runs.find
                    SELECT seq
                    FROM runs
                    WHERE id = ?1",
                )?
                .query_row([id.as_str()], |row| row.get(0))
                .optional()?;
            seq.map(|seq| load(db, seq)).transpose()
        })
        .await
    }

    async fn runs(&self, limit: usize) -> Result<Vec<Run>, StoreError> {
        self.read("list runs", move |db| {
            let newest: Vec<i64> = {
                let mut statement = db.prepare_cached(
                    "-- runs.newest
                    SELECT seq
                    FROM runs
                    ORDER BY seq DESC
                    LIMIT ?1",
                )?;
                let rows = statement.query_map([most(limit)], |row| row.get(0))?;
                rows.collect::<rusqlite::Result<_>>()?
            };
            newest.into_iter().map(|seq| load(db, seq)).collect()
        })
        .await
    }

    async fn unfinished_runs(&self, target: &TargetName) -> Result<Vec<RunId>, StoreError> {
        let target = target.clone();
        self.read("list unfinished runs", move |db| {
            let mut statement = db.prepare_cached(
                "-- runs.unfinished
                SELECT id
                FROM runs
                WHERE target = ?1
                    AND (status IN ('planning', 'delivering', 'tracking')
                        OR (status = 'cancelled'
                            AND EXISTS (
                                SELECT 1
                                FROM operations
                                WHERE operations.run = runs.seq
                                    AND operations.status IN ('queued', 'sending', 'accepted'))))
                ORDER BY seq",
            )?;
            let ids = statement.query_map([target.as_str()], |row| row.get::<_, Box<str>>(0))?;
            Ok(ids.map(|id| id.map(RunId::new)).collect::<rusqlite::Result<_>>()?)
        })
        .await
    }
}

fn refuse(db: &Connection, run: &RefusedRun) -> Result<(), Failure> {
    db.prepare_cached(
        "-- runs.refuse
        INSERT INTO runs (
            id, source, target, kind, file, file_digest, mapping_fingerprint, status,
            row_count, without_row, unchanged, out_of_scope,
            joiner, joiner_inactive, mover, leaver, rehire, missing,
            problem_code, problem_place, problem_message, problem_hint, started_at_us, ended_at_us)
        VALUES (
            :id, :source, :target, :kind, :file, :file_digest, :mapping_fingerprint, 'failed',
            0, 0, 0, 0,
            0, 0, 0, 0, 0, 0,
            :code, :place, :message, :hint, :started_at_us, :ended_at_us)",
    )?
    .execute(named_params! {
        ":id": run.id.as_str(),
        ":source": run.source.as_str(),
        ":target": run.target.as_str(),
        ":kind": run.kind.as_str(),
        ":file": run.file,
        ":file_digest": run.file_digest,
        ":mapping_fingerprint": run.mapping_fingerprint,
        ":code": run.problem.code,
        ":place": run.problem.place,
        ":message": run.problem.message,
        ":hint": run.problem.hint,
        ":started_at_us": micros(run.started_at),
        ":ended_at_us": micros(run.ended_at),
    })?;
    deliveries::take(db, &run.deliveries, &run.id, micros(run.ended_at))
}

/// One run with its counts.
pub(super) fn load(db: &Connection, seq: i64) -> Result<Run, Failure> {
    let mut run = {
        let mut statement = db.prepare_cached(
            "-- runs.load
            SELECT
                id, source, target, file, file_digest, mapping_fingerprint, status,
                row_count, without_row, unchanged, out_of_scope,
                joiner, joiner_inactive, mover, leaver, rehire, missing,
                problem_code, problem_place, problem_message, problem_hint,
                started_at_us, ended_at_us, columns,
                kind, is_full, is_complete, as_of_us, held_by, note, superseded_by, removed_requests
            FROM runs
            WHERE seq = ?1",
        )?;
        let mut rows = statement.query([seq])?;
        let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        from_row(row)?
    };
    run.decisions = decide::decisions(db, seq)?;
    count_operations(db, seq, &mut run)?;
    run.bulk_requests += count_requests(db, seq)?;
    Ok(run)
}

/// A run from the columns of `runs.load`; operations are not counted yet.
fn from_row(row: &Row<'_>) -> Result<Run, Failure> {
    let id: Box<str> = row.get(0)?;
    let cell = |column| Cell { table: "runs", column, id: &id };
    let count =
        |index, column| -> Result<u64, Failure> { Ok(cell(column).count(row.get(index)?)?) };
    let mut counts = StatusCounts::default();
    counts.add(OperationStatus::Unchanged, count(9, "unchanged")?);
    counts.add(OperationStatus::OutOfScope, count(10, "out_of_scope")?);
    Ok(Run {
        source: SourceName::new(row.get::<_, Box<str>>(1)?),
        target: TargetName::new(row.get::<_, Box<str>>(2)?),
        file: row.get(3)?,
        kind: RunKind::parse(row.get_ref(24)?.as_str().map_err(rusqlite::Error::from)?)
            .ok_or_else(|| cell("kind").inconsistent())?,
        is_full: row.get(25)?,
        is_complete: row.get(26)?,
        as_of: cell("as_of_us").instant_or_none(row.get(27)?)?,
        held_by: held_by::read(row.get(28)?).ok_or_else(|| cell("held_by").inconsistent())?,
        decisions: Vec::new(),
        note: row.get(29)?,
        superseded_by: row.get::<_, Option<Box<str>>>(30)?.map(RunId::new),
        file_digest: row.get(4)?,
        mapping_fingerprint: row.get(5)?,
        columns: faulty::read_columns(row.get(23)?)
            .ok_or_else(|| cell("columns").inconsistent())?,
        status: cell("status")
            .run_status(row.get_ref(6)?.as_str().map_err(rusqlite::Error::from)?)?,
        rows: count(7, "row_count")?,
        without_row: count(8, "without_row")?,
        counts,
        changes: ChangeCounts {
            joiner: count(11, "joiner")?,
            joiner_inactive: count(12, "joiner_inactive")?,
            mover: count(13, "mover")?,
            leaver: count(14, "leaver")?,
            rehire: count(15, "rehire")?,
            missing: count(16, "missing")?,
        },
        bulk_requests: count(31, "removed_requests")?,
        problem: problem(row)?,
        started_at: cell("started_at_us").instant(row.get(21)?)?,
        ended_at: cell("ended_at_us").instant_or_none(row.get(22)?)?,
        id: RunId::new(id),
    })
}

fn problem(row: &Row<'_>) -> Result<Option<StoredProblem>, Failure> {
    let code: Option<String> = row.get(17)?;
    let Some(code) = code else { return Ok(None) };
    Ok(Some(StoredProblem { code, place: row.get(18)?, message: row.get(19)?, hint: row.get(20)? }))
}

fn count_operations(db: &Connection, seq: i64, run: &mut Run) -> Result<(), Failure> {
    let mut statement = db.prepare_cached(
        "-- runs.counts
        SELECT status, count(*)
        FROM operations
        WHERE run = ?1
        GROUP BY status
        UNION ALL
        SELECT status, operations
        FROM removed
        WHERE run = ?1",
    )?;
    let mut rows = statement.query([seq])?;
    while let Some(row) = rows.next()? {
        let cell = Cell { table: "operations", column: "status", id: &run.id };
        let status = cell.status(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?;
        let count = cell.count(row.get(1)?)?;
        run.counts.add(status, count);
    }
    Ok(())
}

/// Requests that were posted with operations of the run. One that was broken up carries none any
/// more, and the parts count from their first post.
pub(super) fn count_requests(db: &Connection, seq: i64) -> Result<u64, Failure> {
    let count: i64 = db
        .prepare_cached(
            "-- runs.bulk_requests
            SELECT count(*)
            FROM (
                SELECT DISTINCT bulk_request
                FROM operations
                WHERE run = ?1
                    AND bulk_request IS NOT NULL) AS carried
            JOIN bulk_requests ON bulk_requests.id = carried.bulk_request
            WHERE bulk_requests.attempts > 0",
        )?
        .query_row(params![seq], |row| row.get(0))?;
    Ok(Cell { table: "bulk_requests", column: "id", id: &seq }.count(count)?)
}
