//! Pages and counts: see [`Pages`] for the promises.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension};

use crate::domain::{OperationId, OperationStatus, RunId, TargetName};
use crate::store::sqlite::connection::{Failure, SqliteStore};
use crate::store::sqlite::convert::{Cell, limit as most};
use crate::store::sqlite::operations::list;
use crate::store::sqlite::runs::load;
use crate::store::{Operation, Pages, Run, StoreError, Tally};

#[async_trait]
impl Pages for SqliteStore {
    async fn runs_before(
        &self,
        before: Option<&RunId>,
        limit: usize,
    ) -> Result<Vec<Run>, StoreError> {
        let before = before.cloned();
        self.read("list runs", move |db| {
            let before = match &before {
                None => i64::MAX,
                // nothing is before a run that there is not
                Some(id) => seq(db, id)?.unwrap_or(0),
            };
            let page: Vec<i64> = {
                let mut statement = db.prepare_cached(
                    "-- pages.runs
                    SELECT seq
                    FROM runs
                    WHERE seq < ?1
                    ORDER BY seq DESC
                    LIMIT ?2",
                )?;
                let rows = statement.query_map([before, most(limit)], |row| row.get(0))?;
                rows.collect::<rusqlite::Result<_>>()?
            };
            page.into_iter().map(|seq| load(db, seq)).collect()
        })
        .await
    }

    async fn operations_with(
        &self,
        run: &RunId,
        statuses: &[OperationStatus],
        after: Option<OperationId>,
        limit: usize,
    ) -> Result<Vec<Operation>, StoreError> {
        let words: Vec<&str> = statuses.iter().map(|status| status.as_str()).collect();
        let (run, words) = (run.clone(), serde_json::Value::from(words).to_string());
        self.read("list operations", move |db| list(db, &run, Some(&words), after, limit)).await
    }

    async fn tally(&self) -> Result<Tally, StoreError> {
        self.read("count everything", |db| {
            let mut tally = Tally::default();
            count_runs(db, &mut tally)?;
            count_operations(db, &mut tally)?;
            Ok(tally)
        })
        .await
    }
}

fn seq(db: &Connection, id: &RunId) -> Result<Option<i64>, Failure> {
    Ok(db
        .prepare_cached(
            "-- pages.seq
            SELECT seq
            FROM runs
            WHERE id = ?1",
        )?
        .query_row([id.as_str()], |row| row.get(0))
        .optional()?)
}

/// Runs by status, and the rows that are counted with their run alone.
fn count_runs(db: &Connection, tally: &mut Tally) -> Result<(), Failure> {
    let mut statement = db.prepare_cached(
        "-- pages.count_runs
        SELECT target, status, count(*), sum(unchanged), sum(out_of_scope)
        FROM runs
        GROUP BY target, status",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let target: Box<str> = row.get(0)?;
        let cell = |column| Cell { table: "runs", column, id: &target };
        let word = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        let status = cell("status").run_status(word)?;
        let count = cell("seq").count(row.get(2)?)?;
        let unchanged = cell("unchanged").count(row.get(3)?)?;
        let out_of_scope = cell("out_of_scope").count(row.get(4)?)?;
        let target = TargetName::new(target.clone());
        let counts = tally.operations.entry(target.clone()).or_default();
        counts.add(OperationStatus::Unchanged, unchanged);
        counts.add(OperationStatus::OutOfScope, out_of_scope);
        tally.runs.insert((target, status), count);
    }
    Ok(())
}

fn count_operations(db: &Connection, tally: &mut Tally) -> Result<(), Failure> {
    let mut statement = db.prepare_cached(
        "-- pages.count_operations
        SELECT runs.target, counted.status, sum(counted.operations)
        FROM (
            SELECT run, status, count(*) AS operations
            FROM operations INDEXED BY operations_by_run_status
            GROUP BY run, status
            UNION ALL
            SELECT run, status, operations
            FROM removed) AS counted
        JOIN runs ON runs.seq = counted.run
        GROUP BY runs.target, counted.status",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let target: Box<str> = row.get(0)?;
        let cell = |column| Cell { table: "operations", column, id: &target };
        let word = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        let status = cell("status").status(word)?;
        let count = cell("run").count(row.get(2)?)?;
        tally.operations.entry(TargetName::new(target.clone())).or_default().add(status, count);
    }
    Ok(())
}
