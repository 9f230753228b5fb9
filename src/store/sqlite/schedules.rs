//! Schedules: see [`Schedules`] for the promises.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use crate::domain::{RunId, SourceName, TargetName};
use crate::store::sqlite::connection::{Failure, SqliteStore};
use crate::store::sqlite::convert::{Cell, micros, whole};
use crate::store::{DueTime, Lease, Leases as _, ScheduleNote, Schedules, StoreError};

#[async_trait]
impl Schedules for SqliteStore {
    async fn schedule(
        &self,
        source: &SourceName,
        name: &str,
    ) -> Result<Option<ScheduleNote>, StoreError> {
        let (source, name) = (source.clone(), name.to_owned());
        self.read("look up a schedule", move |db| {
            let mut statement = db.prepare_cached(
                "-- schedules.find
                SELECT through_us, due_us, run, missed, alarmed_us, came_us
                FROM schedules
                WHERE source = ?1
                    AND name = ?2",
            )?;
            let found = statement
                .query_row(params![source.as_str(), name], |row| Ok(note(row, source.as_str())));
            found.optional()?.transpose()
        })
        .await
    }

    async fn note_schedule(
        &self,
        source: &SourceName,
        name: &str,
        note: &ScheduleNote,
    ) -> Result<(), StoreError> {
        let (source, name, note) = (source.clone(), name.to_owned(), note.clone());
        self.write("note how far a schedule is", move |db| {
            let due = note.due.as_ref();
            db.prepare_cached(
                "-- schedules.note
                INSERT INTO schedules
                    (source, name, through_us, due_us, run, missed, alarmed_us, came_us)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                ON CONFLICT (source, name) DO UPDATE
                SET through_us = excluded.through_us,
                    due_us = excluded.due_us,
                    run = excluded.run,
                    missed = excluded.missed,
                    alarmed_us = excluded.alarmed_us,
                    came_us = excluded.came_us",
            )?
            .execute(params![
                source.as_str(),
                name,
                micros(note.through),
                due.map(|due| micros(due.at)),
                due.map(|due| due.run.as_str()),
                whole(due.map_or(0, |due| due.missed)),
                note.alarmed.map(micros),
                note.came.map(micros)
            ])?;
            Ok(())
        })
        .await
    }

    async fn schedules_lease(
        &self,
        source: &SourceName,
        now: Timestamp,
    ) -> Result<Option<Box<dyn Lease>>, StoreError> {
        // no target is called so: a name has no dot
        let name = TargetName::new(format!("schedules.{source}"));
        self.lease(&name, now).await
    }
}

/// A note from the columns of `schedules.find`.
fn note(row: &Row<'_>, id: &str) -> Result<ScheduleNote, Failure> {
    let cell = |column| Cell { table: "schedules", column, id: &id };
    let due =
        match (cell("due_us").instant_or_none(row.get(1)?)?, row.get::<_, Option<Box<str>>>(2)?) {
            (Some(at), Some(run)) => Some(DueTime {
                at,
                run: RunId::new(run),
                missed: cell("missed").count(row.get(3)?)?,
            }),
            (None, None) => None,
            _ => return Err(cell("run").inconsistent().into()),
        };
    Ok(ScheduleNote {
        through: cell("through_us").instant(row.get(0)?)?,
        due,
        alarmed: cell("alarmed_us").instant_or_none(row.get(4)?)?,
        came: cell("came_us").instant_or_none(row.get(5)?)?,
    })
}
