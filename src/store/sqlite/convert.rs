//! Between columns and the words of the domain.

use std::fmt::Display;

use jiff::Timestamp;
use rusqlite::Row;

use crate::domain::{
    BulkRequestId, Change, ExternalId, OperationId, OperationStatus, RunId, RunStatus,
};
use crate::store::sqlite::connection::Failure;
use crate::store::{Operation, StoreError};

/// An instant as it stands in a column.
pub(super) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// A count as it stands in a column.
pub(super) fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A limit as a statement takes it.
pub(super) fn limit(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Says where a value stands that makes no sense.
#[derive(Clone, Copy)]
pub(super) struct Cell<'a> {
    pub(super) table: &'static str,
    pub(super) column: &'static str,
    pub(super) id: &'a dyn Display,
}

impl Cell<'_> {
    pub(super) fn inconsistent(self) -> StoreError {
        StoreError::Inconsistent { table: self.table, column: self.column, id: self.id.to_string() }
    }

    pub(super) fn instant(self, micros: i64) -> Result<Timestamp, StoreError> {
        Timestamp::from_microsecond(micros).map_err(|_| self.inconsistent())
    }

    pub(super) fn instant_or_none(
        self,
        micros: Option<i64>,
    ) -> Result<Option<Timestamp>, StoreError> {
        micros.map(|micros| self.instant(micros)).transpose()
    }

    pub(super) fn count(self, count: i64) -> Result<u64, StoreError> {
        u64::try_from(count).map_err(|_| self.inconsistent())
    }

    pub(super) fn status(self, word: &str) -> Result<OperationStatus, StoreError> {
        OperationStatus::parse(word).ok_or_else(|| self.inconsistent())
    }

    pub(super) fn run_status(self, word: &str) -> Result<RunStatus, StoreError> {
        RunStatus::parse(word).ok_or_else(|| self.inconsistent())
    }
}

/// An operation from the columns, in this order: id, run's id, `source_row`, line, `external_id`,
/// change, status, shown code, shown reason, advice, attempts, `bulk_request`, `updated_at_us`.
pub(super) fn operation(row: &Row<'_>) -> Result<Operation, Failure> {
    let id: i64 = row.get(0)?;
    let cell = |column| Cell { table: "operations", column, id: &id };
    let count = |index, column| -> Result<Option<u64>, Failure> {
        let value: Option<i64> = row.get(index)?;
        Ok(value.map(|value| cell(column).count(value)).transpose()?)
    };
    let external_id: Option<Box<str>> = row.get(4)?;
    let change: Option<Box<str>> = row.get(5)?;
    let change = change
        .map(|word| Change::parse(&word).ok_or_else(|| cell("change").inconsistent()))
        .transpose()?;
    let bulk_request: Option<i64> = row.get(11)?;
    Ok(Operation {
        id: OperationId(id),
        run: RunId::new(row.get::<_, Box<str>>(1)?),
        row: count(2, "source_row")?,
        line: count(3, "line")?,
        external_id: external_id.map(ExternalId::new),
        change,
        status: cell("status").status(row.get_ref(6)?.as_str().map_err(rusqlite::Error::from)?)?,
        code: row.get(7)?,
        reason: row.get(8)?,
        advice: row.get(9)?,
        attempts: row.get(10)?,
        bulk_request: bulk_request.map(BulkRequestId),
        updated_at: cell("updated_at_us").instant(row.get(12)?)?,
    })
}
