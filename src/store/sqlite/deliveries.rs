//! Webhook deliveries: see [`Deliveries`] for the promises.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::{DeliveryId, Origin, RunId, SourceName, Who};
use crate::store::seal::Place;
use crate::store::sqlite::connection::{Failure, SqliteStore};
use crate::store::sqlite::convert::{Cell, limit as most, micros, whole};
use crate::store::sqlite::seals::Sealer;
use crate::store::sqlite::told::Told;
use crate::store::{
    Backlog, Deliveries, Delivery, KeptDelivery, NewDelivery, StoreError, TakenDelivery,
    WaitingDelivery,
};

#[async_trait]
impl Deliveries for SqliteStore {
    async fn keep_deliveries(
        &self,
        deliveries: Vec<NewDelivery>,
    ) -> Result<Vec<KeptDelivery>, StoreError> {
        let keys = self.keys();
        self.write("store deliveries", move |db| {
            let sealer = Sealer::writing(db, &keys)?;
            deliveries.iter().map(|delivery| keep(db, &sealer, delivery)).collect()
        })
        .await
    }

    async fn waiting_deliveries(
        &self,
        source: &SourceName,
        limit: usize,
        bytes: usize,
        now: Timestamp,
    ) -> Result<Vec<WaitingDelivery>, StoreError> {
        let source = source.clone();
        let keys = self.keys();
        self.read("read deliveries", move |db| {
            let sealer = Sealer::reading(db, &keys)?;
            waiting(db, &sealer, &source, limit, bytes, now)
        })
        .await
    }

    async fn backlog(&self, source: &SourceName) -> Result<Backlog, StoreError> {
        let source = source.clone();
        self.read("count deliveries", move |db| backlog(db, &source)).await
    }

    async fn delivery(&self, id: &DeliveryId) -> Result<Option<Delivery>, StoreError> {
        let id = id.clone();
        self.read("look up a delivery", move |db| find(db, &id)).await
    }

    async fn begin_deliveries(&self, deliveries: Vec<DeliveryId>) -> Result<(), StoreError> {
        self.write("begin deliveries", move |db| begin(db, &deliveries)).await
    }

    async fn waiting_sources(&self) -> Result<Vec<(SourceName, u64)>, StoreError> {
        self.read("count deliveries", |db| {
            let mut statement = db.prepare_cached(
                "-- deliveries.waiting_sources
                SELECT source, count(*)
                FROM deliveries
                WHERE processed_at_us IS NULL
                GROUP BY source
                ORDER BY source",
            )?;
            let mut rows = statement.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let source: Box<str> = row.get(0)?;
                let cell = Cell { table: "deliveries", column: "source", id: &source };
                let count = cell.count(row.get(1)?)?;
                found.push((SourceName::new(source), count));
            }
            Ok(found)
        })
        .await
    }

    async fn put_off_deliveries(
        &self,
        deliveries: Vec<DeliveryId>,
        problem: &str,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let problem = problem.to_owned();
        self.write("put off deliveries", move |db| {
            let mut statement = db.prepare_cached(
                "-- deliveries.put_off
                UPDATE deliveries
                SET attempts = attempts + 1,
                    not_before_us = ?2,
                    problem = ?3
                WHERE id = ?1
                    AND processed_at_us IS NULL",
            )?;
            for id in &deliveries {
                statement.execute(params![id.as_str(), micros(until), problem])?;
            }
            Ok(())
        })
        .await
    }

    async fn close_deliveries(
        &self,
        deliveries: Vec<(DeliveryId, String)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let who = self.operator();
        self.write("end deliveries", move |db| {
            let mut statement = db.prepare_cached(
                "-- deliveries.close
                UPDATE deliveries
                SET problem = ?2,
                    body = NULL,
                    identity = iif(is_lasting, identity, NULL),
                    not_before_us = NULL,
                    processed_at_us = ?3
                WHERE id = ?1
                    AND processed_at_us IS NULL",
            )?;
            for (id, problem) in &deliveries {
                if statement.execute(params![id.as_str(), problem, micros(now)])? > 0 {
                    Told { who: &who, now_us: micros(now) }.closed(db, id)?;
                }
            }
            Ok(())
        })
        .await
    }

    async fn forget_deliveries(
        &self,
        processed_before: Timestamp,
        limit: usize,
    ) -> Result<u64, StoreError> {
        self.write("forget deliveries", move |db| {
            let forgotten = db
                .prepare_cached(
                    "-- deliveries.forget
                    DELETE FROM deliveries
                    WHERE seq IN (
                        SELECT seq
                        FROM deliveries
                        WHERE processed_at_us < ?1
                        ORDER BY processed_at_us
                        LIMIT ?2)",
                )?
                .execute(params![micros(processed_before), most(limit)])?;
            Ok(u64::try_from(forgotten).unwrap_or(u64::MAX))
        })
        .await
    }
}

/// Stores one, unless it is there already.
fn keep(
    db: &Connection,
    sealer: &Sealer<'_>,
    delivery: &NewDelivery,
) -> Result<KeptDelivery, Failure> {
    let same: Option<(Box<str>, bool)> = db
        .prepare_cached(
            "-- deliveries.same
            SELECT id, is_lasting OR NOT EXISTS (
                SELECT 1
                FROM deliveries AS newer
                WHERE newer.source = same.source
                    AND newer.seq > same.seq)
            FROM deliveries AS same
            WHERE identity = ?1",
        )?
        .query_row([delivery.identity], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match same {
        Some((id, true)) => return Ok(KeptDelivery { id: DeliveryId::new(id), is_new: false }),
        // something else came in between, which this one takes back
        Some((id, false)) => begin(db, &[DeliveryId::new(id)])?,
        None => {}
    }
    db.prepare_cached(
        "-- deliveries.keep
        INSERT INTO deliveries (
            id, source, identity, is_lasting, received_at_us, caller, is_form, workers, body)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        delivery.id.as_str(),
        delivery.source.as_str(),
        delivery.identity,
        delivery.is_lasting,
        micros(delivery.received_at),
        delivery.caller,
        delivery.is_form,
        whole(delivery.workers),
        sealer.pack(Place::Delivery { id: delivery.id.as_str() }, &delivery.body)?,
    ])?;
    let who = Who::new(&delivery.caller, Origin::Webhook(delivery.from));
    Told { who: &who, now_us: micros(delivery.received_at) }.received(db, delivery)?;
    Ok(KeptDelivery { id: delivery.id.clone(), is_new: true })
}

/// Lets equal content be another delivery from now on.
fn begin(db: &Connection, ids: &[DeliveryId]) -> Result<(), Failure> {
    let mut statement = db.prepare_cached(
        "-- deliveries.begin
        UPDATE deliveries
        SET identity = NULL
        WHERE id = ?1
            AND NOT is_lasting",
    )?;
    for id in ids {
        statement.execute([id.as_str()])?;
    }
    Ok(())
}

fn waiting(
    db: &Connection,
    sealer: &Sealer<'_>,
    source: &SourceName,
    limit: usize,
    bytes: usize,
    now: Timestamp,
) -> Result<Vec<WaitingDelivery>, Failure> {
    let mut statement = db.prepare_cached(
        "-- deliveries.waiting
        SELECT id, received_at_us, is_form, workers, body, attempts
        FROM deliveries
        WHERE source = ?1
            AND processed_at_us IS NULL
            AND (not_before_us IS NULL OR not_before_us <= ?2)
        ORDER BY attempts > 0, seq
        LIMIT ?3",
    )?;
    let mut rows = statement.query(params![source.as_str(), micros(now), most(limit)])?;
    let mut found: Vec<WaitingDelivery> = Vec::new();
    let mut total = 0;
    while let Some(row) = rows.next()? {
        let id: Box<str> = row.get(0)?;
        let cell = |column| Cell { table: "deliveries", column, id: &id };
        let packed = row.get_ref(4)?.as_blob().map_err(rusqlite::Error::from)?;
        let body = sealer.unpack(Place::Delivery { id: &id }, packed);
        let body = body.map_err(|why| why.at("deliveries", "body", &id))?;
        total += body.len();
        if total > bytes && !found.is_empty() {
            break;
        }
        found.push(WaitingDelivery {
            received_at: cell("received_at_us").instant(row.get(1)?)?,
            is_form: row.get(2)?,
            workers: cell("workers").count(row.get(3)?)?,
            body,
            attempts: row.get(5)?,
            id: DeliveryId::new(id),
        });
    }
    Ok(found)
}

fn backlog(db: &Connection, source: &SourceName) -> Result<Backlog, Failure> {
    let cell = |column| Cell { table: "deliveries", column, id: source };
    let (waiting, oldest): (i64, Option<i64>) = db
        .prepare_cached(
            "-- deliveries.backlog
            SELECT count(*), min(received_at_us)
            FROM deliveries
            WHERE source = ?1
                AND processed_at_us IS NULL",
        )?
        .query_row([source.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let newest: Option<i64> = db
        .prepare_cached(
            "-- deliveries.newest
            SELECT received_at_us
            FROM deliveries
            WHERE source = ?1
            ORDER BY seq DESC
            LIMIT 1",
        )?
        .query_row([source.as_str()], |row| row.get(0))
        .optional()?;
    Ok(Backlog {
        waiting: cell("waiting").count(waiting)?,
        oldest_at: cell("received_at_us").instant_or_none(oldest)?,
        newest_at: cell("received_at_us").instant_or_none(newest)?,
    })
}

fn find(db: &Connection, id: &DeliveryId) -> Result<Option<Delivery>, Failure> {
    let cell = |column| Cell { table: "deliveries", column, id };
    let mut statement = db.prepare_cached(
        "-- deliveries.find
        SELECT
            source, received_at_us, caller, workers, run, first_row, problem, processed_at_us
        FROM deliveries
        WHERE id = ?1",
    )?;
    let mut rows = statement.query([id.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let first_row: Option<i64> = row.get(5)?;
    Ok(Some(Delivery {
        id: id.clone(),
        source: SourceName::new(row.get::<_, Box<str>>(0)?),
        received_at: cell("received_at_us").instant(row.get(1)?)?,
        caller: row.get(2)?,
        workers: cell("workers").count(row.get(3)?)?,
        run: row.get::<_, Option<Box<str>>>(4)?.map(RunId::new),
        first_row: first_row.map(|count| cell("first_row").count(count)).transpose()?,
        problem: row.get(6)?,
        processed_at: cell("processed_at_us").instant_or_none(row.get(7)?)?,
    }))
}

/// Whether all of them still wait.
pub(super) fn all_wait(db: &Connection, taken: &[TakenDelivery]) -> Result<bool, Failure> {
    let mut statement = db.prepare_cached(
        "-- deliveries.waits
        SELECT 1
        FROM deliveries
        WHERE id = ?1
            AND processed_at_us IS NULL",
    )?;
    for delivery in taken {
        if !statement.exists([delivery.id.as_str()])? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Says that a run is what came of them.
pub(super) fn take(
    db: &Connection,
    taken: &[TakenDelivery],
    run: &RunId,
    now_us: i64,
) -> Result<(), Failure> {
    let mut statement = db.prepare_cached(
        "-- deliveries.take
        UPDATE deliveries
        SET run = ?2,
            first_row = ?3,
            body = NULL,
            identity = iif(is_lasting, identity, NULL),
            not_before_us = NULL,
            problem = ?5,
            processed_at_us = ?4
        WHERE id = ?1
            AND processed_at_us IS NULL",
    )?;
    for delivery in taken {
        let first_row = delivery.first_row.map(whole);
        statement.execute(params![
            delivery.id.as_str(),
            run.as_str(),
            first_row,
            now_us,
            delivery.problem
        ])?;
    }
    Ok(())
}
