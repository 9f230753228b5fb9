//! An operation, and what happened to one person, as JSON.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::bridge::documents::instant;
use crate::domain::{Change, ExternalId, OperationStatus};
use crate::store::{Operation, Record};
use crate::tracking::failure_class;

/// An operation, or a row that was rejected or passed over.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Operation)]
pub struct OperationDocument {
    /// The record's number in the file, the header being 1 (the sheet row in workbooks); null without a row.
    #[schema(required = true)]
    pub row: Option<u64>,
    /// The physical line where it starts; null without a row.
    #[schema(required = true)]
    pub line: Option<u64>,
    /// The worker; null where it could not be read.
    #[serde(rename = "externalId")]
    #[schema(required = true)]
    pub external_id: Option<String>,
    /// The kind of change: joiner, mover, leaver or rehire; null for a rejected row.
    #[schema(required = true)]
    pub change: Option<&'static str>,
    /// Where it stands.
    pub status: &'static str,
    /// A stable code: why it was rejected, what Entra said, what was done.
    #[schema(required = true)]
    pub code: Option<String>,
    /// The same in words; may quote values.
    #[schema(required = true)]
    pub reason: Option<String>,
    /// What to do.
    #[schema(required = true)]
    pub advice: Option<String>,
    /// Who can mend a failed operation: data, order, configuration or wait.
    #[schema(required = true)]
    pub class: Option<&'static str>,
    /// How often it was posted.
    pub attempts: u32,
    /// The bulk request that carried it.
    #[schema(required = true)]
    pub bulk_request: Option<i64>,
    /// When it last changed.
    #[schema(format = DateTime)]
    pub updated_at: String,
}

impl OperationDocument {
    /// What is shown of an operation.
    #[must_use]
    pub fn of(operation: &Operation) -> Self {
        Self {
            row: operation.row,
            line: operation.line,
            external_id: operation.external_id.as_ref().map(|id| id.as_str().to_owned()),
            change: operation.change.map(Change::as_str),
            status: operation.status.as_str(),
            code: operation.code.clone(),
            reason: operation.reason.clone(),
            advice: operation.advice.clone(),
            class: class(operation),
            attempts: operation.attempts,
            bulk_request: operation.bulk_request.map(|id| id.0),
            updated_at: instant(operation.updated_at),
        }
    }
}

/// Who can mend a failed operation.
fn class(operation: &Operation) -> Option<&'static str> {
    (operation.status == OperationStatus::Failed)
        .then(|| failure_class(operation.code.as_deref().unwrap_or_default()).as_str())
}

/// An operation in the history of a person.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OperationOfRun)]
pub struct OperationOfRun {
    /// The operation itself.
    #[serde(flatten)]
    pub operation: OperationDocument,
    /// The run it belongs to.
    pub run: String,
}

/// What happened to one person.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Record)]
pub struct RecordDocument {
    /// The source that last sent the person.
    pub source: String,
    /// The target.
    pub target: String,
    /// The person's id.
    #[serde(rename = "externalId")]
    pub external_id: String,
    /// `active` or `left`.
    pub state: &'static str,
    /// When something was last sent.
    #[schema(required = true, format = DateTime)]
    pub last_sent: Option<String>,
    /// When the person changes by itself.
    #[schema(required = true, format = DateTime)]
    pub next_effective_at: Option<String>,
    /// The operations of the person, oldest first.
    pub history: Vec<OperationOfRun>,
}

impl RecordDocument {
    /// What is shown of a record.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let history = record.history.iter().map(|each| OperationOfRun {
            operation: OperationDocument::of(each),
            run: each.run.as_str().to_owned(),
        });
        Self {
            source: record.source.as_str().to_owned(),
            target: record.target.as_str().to_owned(),
            external_id: ExternalId::as_str(&record.external_id).to_owned(),
            state: if record.active { "active" } else { "left" },
            last_sent: record.last_sent.map(instant),
            next_effective_at: record.next_effective_at.map(instant),
            history: history.collect(),
        }
    }
}

/// An operation: `status RUN --json --operations`, one a line.
#[must_use]
pub fn operation(operation: &Operation) -> Value {
    json!(OperationDocument::of(operation))
}

/// A record: `record EXTERNAL_ID --json`.
#[must_use]
pub fn record(record: &Record) -> Value {
    json!(RecordDocument::of(record))
}
