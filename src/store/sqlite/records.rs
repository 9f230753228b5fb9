//! The ledger: see [`Records`] for the promises.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::domain::{Change, ExternalId, LedgerEntry, SourceName, TargetName};
use crate::store::seal::Place;
use crate::store::sqlite::connection::{Failure, SqliteStore};
use crate::store::sqlite::convert::{self, Cell, limit as most, micros};
use crate::store::sqlite::seals::Sealer;
use crate::store::sqlite::{due, source_records};
use crate::store::{
    DueRecord, KnownPeople, LastPlanned, Operation, Record, RecordCounts, Records, StoreError,
};

/// Most holders listed of one userName.
const HOLDERS_LISTED: usize = 100;

#[async_trait]
impl Records for SqliteStore {
    async fn ledger(
        &self,
        target: &TargetName,
        ids: Vec<ExternalId>,
    ) -> Result<Vec<Option<LedgerEntry>>, StoreError> {
        let target = target.clone();
        self.read("look up the ledger", move |db| {
            let mut statement = db.prepare_cached(
                "-- records.ledger
                SELECT
                    records.source, records.active, records.digest, operations.status,
                    records.arrived, records.resent_at_us, operations.change,
                    records.arrived OR records.last_sent_us IS NOT NULL OR EXISTS (
                        SELECT 1
                        FROM operations AS posted
                        WHERE posted.target = records.target
                            AND posted.external_id = records.external_id
                            AND posted.attempts > 0),
                    records.row_digest
                FROM records
                JOIN operations ON operations.id = records.last_operation
                WHERE records.target = ?1
                    AND records.external_id = ?2",
            )?;
            let mut entries = Vec::with_capacity(ids.len());
            for id in &ids {
                let mut rows = statement.query([target.as_str(), id.as_str()])?;
                let entry = rows.next()?.map(|row| entry(row, id)).transpose()?;
                entries.push(entry);
            }
            Ok(entries)
        })
        .await
    }

    async fn resources(
        &self,
        target: &TargetName,
        ids: Vec<ExternalId>,
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let (target, keys) = (target.clone(), self.keys());
        self.read("look up resources", move |db| {
            let sealer = Sealer::reading(db, &keys)?;
            let mut statement = db.prepare_cached(
                "-- records.resources
                SELECT resource
                FROM records
                WHERE target = ?1
                    AND external_id = ?2",
            )?;
            let mut resources = Vec::with_capacity(ids.len());
            for id in &ids {
                let mut rows = statement.query([target.as_str(), id.as_str()])?;
                let unpacked =
                    rows.next()?.map(|row| unpack(&sealer, row, &target, id)).transpose()?;
                resources.push(unpacked);
            }
            Ok(resources)
        })
        .await
    }

    async fn last_planned(
        &self,
        target: &TargetName,
        ids: Vec<ExternalId>,
    ) -> Result<Vec<Option<LastPlanned>>, StoreError> {
        let (target, keys) = (target.clone(), self.keys());
        self.read("look up what was planned", move |db| {
            due::last_planned(db, &Sealer::reading(db, &keys)?, &target, &ids)
        })
        .await
    }

    async fn user_name_holders(
        &self,
        target: &TargetName,
        keys: Vec<i64>,
    ) -> Result<Vec<Vec<ExternalId>>, StoreError> {
        let target = target.clone();
        self.read("look up user names", move |db| {
            let mut statement = db.prepare_cached(
                "-- records.user_name_holders
                SELECT records.external_id
                FROM records INDEXED BY records_by_user_name
                JOIN operations ON operations.id = records.last_operation
                WHERE records.target = ?1
                    AND records.user_name_key = ?2
                    AND (records.arrived = 1
                        OR operations.status NOT IN ('failed', 'superseded', 'cancelled'))
                ORDER BY records.external_id
                LIMIT ?3",
            )?;
            let mut holders = Vec::with_capacity(keys.len());
            for key in &keys {
                let params = params![target.as_str(), key, most(HOLDERS_LISTED)];
                let ids = statement.query_map(params, |row| row.get::<_, Box<str>>(0))?;
                let ids = ids.map(|id| id.map(ExternalId::new));
                holders.push(ids.collect::<rusqlite::Result<_>>()?);
            }
            Ok(holders)
        })
        .await
    }

    async fn record(&self, external_id: &ExternalId) -> Result<Vec<Record>, StoreError> {
        let id = external_id.clone();
        self.read("look up a record", move |db| {
            let targets: Vec<Box<str>> = {
                let mut statement = db.prepare_cached(
                    "-- records.targets
                    SELECT target
                    FROM targets
                    ORDER BY target",
                )?;
                let targets = statement.query_map([], |row| row.get(0))?;
                targets.collect::<rusqlite::Result<_>>()?
            };
            let mut records = Vec::new();
            for target in targets {
                records.extend(one_record(db, &TargetName::new(target), &id)?);
            }
            Ok(records)
        })
        .await
    }

    async fn count_records(
        &self,
        target: &TargetName,
        source: &SourceName,
    ) -> Result<RecordCounts, StoreError> {
        let (target, source) = (target.clone(), source.clone());
        self.read("count records", move |db| source_records::count(db, &target, &source)).await
    }

    async fn are_known(
        &self,
        target: &TargetName,
        ids: Vec<ExternalId>,
    ) -> Result<Vec<bool>, StoreError> {
        let target = target.clone();
        self.read("look up managers", move |db| {
            let mut statement = db.prepare_cached(
                "-- records.is_known
                SELECT 1
                FROM records
                WHERE target = ?1
                    AND external_id = ?2",
            )?;
            let known = ids.iter().map(|id| statement.exists([target.as_str(), id.as_str()]));
            Ok(known.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    async fn known_people(
        &self,
        target: &TargetName,
        source: &SourceName,
        mapping_fingerprint: [u8; 16],
        now: Timestamp,
    ) -> Result<KnownPeople, StoreError> {
        let (target, source) = (target.clone(), source.clone());
        self.read("look up known people", move |db| {
            source_records::known(db, &target, &source, mapping_fingerprint, micros(now))
        })
        .await
    }

    async fn due_records(
        &self,
        target: &TargetName,
        source: &SourceName,
        after: Option<&ExternalId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<DueRecord>, StoreError> {
        let (target, source, after) = (target.clone(), source.clone(), after.cloned());
        let keys = self.keys();
        self.read("list due records", move |db| {
            let sealer = Sealer::reading(db, &keys)?;
            due::due_records(db, &sealer, &target, &source, after.as_ref(), limit, micros(now))
        })
        .await
    }

    async fn due_sources(
        &self,
        target: &TargetName,
        now: Timestamp,
    ) -> Result<Vec<SourceName>, StoreError> {
        let target = target.clone();
        self.read("look for due records", move |db| due::due_sources(db, &target, micros(now)))
            .await
    }

    async fn ledger_digest(&self, target: &TargetName) -> Result<[u8; 32], StoreError> {
        let target = target.clone();
        self.read("sum up the ledger", move |db| source_records::ledger_digest(db, &target)).await
    }
}

fn entry(row: &Row<'_>, id: &ExternalId) -> Result<LedgerEntry, Failure> {
    let cell = |column| Cell { table: "records", column, id };
    Ok(LedgerEntry {
        source: SourceName::new(row.get::<_, Box<str>>(0)?),
        active: row.get(1)?,
        digest: row.get(2)?,
        last_status: cell("last_operation")
            .status(row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?)?,
        arrived: row.get(4)?,
        resent_at: cell("resent_at_us").instant_or_none(row.get(5)?)?,
        last_change: row
            .get_ref(6)?
            .as_str()
            .ok()
            .and_then(Change::parse)
            .ok_or_else(|| cell("last_operation").inconsistent())?,
        was_posted: row.get(7)?,
        row_digest: row.get(8)?,
    })
}

fn unpack(
    sealer: &Sealer<'_>,
    row: &Row<'_>,
    target: &TargetName,
    id: &ExternalId,
) -> Result<Vec<u8>, Failure> {
    let packed = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
    let place = Place::Resource { target: target.as_str(), external_id: id.as_str() };
    Ok(sealer.unpack(place, packed).map_err(|why| why.at("records", "resource", id))?)
}

fn one_record(
    db: &Connection,
    target: &TargetName,
    id: &ExternalId,
) -> Result<Option<Record>, Failure> {
    let mut statement = db.prepare_cached(
        "-- records.record
        SELECT source, active, last_sent_us, coalesce(
            min(next_effective_at_us, (
                SELECT min(effective_at_us)
                FROM scheduled
                JOIN runs ON runs.seq = scheduled.run
                WHERE scheduled.target = ?1
                    AND scheduled.external_id = ?2
                    AND runs.applied = 1)),
            next_effective_at_us,
            (
                SELECT min(effective_at_us)
                FROM scheduled
                JOIN runs ON runs.seq = scheduled.run
                WHERE scheduled.target = ?1
                    AND scheduled.external_id = ?2
                    AND runs.applied = 1))
        FROM records
        WHERE target = ?1
            AND external_id = ?2",
    )?;
    let mut rows = statement.query([target.as_str(), id.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let cell = |column| Cell { table: "records", column, id };
    Ok(Some(Record {
        source: SourceName::new(row.get::<_, Box<str>>(0)?),
        target: target.clone(),
        external_id: id.clone(),
        active: row.get(1)?,
        last_sent: cell("last_sent_us").instant_or_none(row.get(2)?)?,
        next_effective_at: cell("next_effective_at_us").instant_or_none(row.get(3)?)?,
        history: worker_operations(db, target, id)?,
    }))
}

fn worker_operations(
    db: &Connection,
    target: &TargetName,
    id: &ExternalId,
) -> Result<Vec<Operation>, Failure> {
    let mut statement = db.prepare_cached(
        "-- records.operations
        SELECT
            operations.id, runs.id, operations.source_row, operations.line, operations.external_id,
            operations.change, operations.status,
            CASE WHEN code IS NULL AND reason IS NULL THEN warning_code ELSE code END,
            CASE WHEN code IS NULL AND reason IS NULL THEN warning_reason ELSE reason END,
            operations.advice, operations.attempts, operations.bulk_request, operations.updated_at_us
        FROM operations
        JOIN runs ON runs.seq = operations.run
        WHERE operations.target = ?1
            AND operations.external_id = ?2
        ORDER BY operations.id DESC",
    )?;
    let mut rows = statement.query(params![target.as_str(), id.as_str()])?;
    let mut history = Vec::new();
    while let Some(row) = rows.next()? {
        history.push(convert::operation(row)?);
    }
    Ok(history)
}
