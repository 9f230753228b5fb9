//! Outcomes: what the provisioning log says became of operations.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::{ExternalId, OperationId, OperationStatus, RunId, TargetName};
use crate::store::StoreError;

/// What tracking has to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenWindow {
    /// When the oldest `accepted` operation was sent (the server's clock).
    pub oldest_sent_at: Timestamp,
    /// When the newest `accepted` operation was sent.
    pub newest_sent_at: Timestamp,
    /// How many operations are `accepted`.
    pub accepted: u64,
}

/// An operation that was sent, as far as correlation needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentOperation {
    /// The operation.
    pub id: OperationId,
    /// Its run.
    pub run: RunId,
    /// The worker.
    pub external_id: ExternalId,
    /// Where it stands.
    pub status: OperationStatus,
    /// Its code.
    pub code: Option<String>,
    /// What was done to the account, where `code` says that the manager is still open.
    pub deed: Option<String>,
    /// The changeId that settled it.
    pub change_id: Option<String>,
    /// The time of the event that settled it.
    pub event_at: Option<Timestamp>,
    /// When it was accepted (the server's clock).
    pub sent_at: Timestamp,
}

/// What became of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The operation.
    pub operation: OperationId,
    /// `provisioned`, `skipped` or `failed`.
    pub status: OperationStatus,
    /// What was done, or why not.
    pub code: Option<String>,
    /// What was done to the account, where `code` says that the manager is still open: it takes the
    /// code's place once the manager is found.
    pub deed: Option<String>,
    /// Whether the worker is to be sent again once the manager has arrived.
    pub awaits_manager: bool,
    /// In words.
    pub reason: Option<String>,
    /// What to do.
    pub advice: Option<String>,
    /// The event's changeId.
    pub change_id: Option<String>,
    /// The event's time.
    pub event_at: Timestamp,
}

/// An operation that has waited for an event for too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overdue {
    /// The operation.
    pub id: OperationId,
    /// The worker.
    pub external_id: ExternalId,
    /// When it was accepted (the server's clock).
    pub sent_at: Timestamp,
}

/// Outcomes.
#[async_trait]
pub trait Outcomes {
    /// What is `accepted` and waits for an event; `None` when nothing does.
    async fn open_window(&self, target: &TargetName) -> Result<Option<OpenWindow>, StoreError>;

    /// The operations of these workers that were sent (status `accepted`, `unconfirmed`,
    /// `provisioned`, `skipped` or `failed`, with a `sent_at`): each worker's newest three, and older
    /// ones that are open (`accepted` or `unconfirmed`), at most a hundred of them. Webhooks may bring
    /// many versions of somebody in one cycle.
    async fn sent_operations(
        &self,
        target: &TargetName,
        ids: Vec<ExternalId>,
    ) -> Result<Vec<SentOperation>, StoreError>;

    /// Writes outcomes, in one transaction; records that arrived are marked, runs whose last
    /// operation has ended become `completed`.
    ///
    /// The outcome of a worker's latest operation says whether the record awaits its manager: it
    /// does by `awaits_manager`; it no longer does once provisioned without, or skipped though
    /// the manager has arrived. Then the `deed` of the worker's earlier operations takes the place of
    /// their code, their words go.
    async fn settle(&self, outcomes: Vec<Settlement>, now: Timestamp) -> Result<(), StoreError>;

    /// What is `unconfirmed` and was sent since an instant; `None` when nothing is. `accepted` counts
    /// those operations.
    async fn unconfirmed_window(
        &self,
        target: &TargetName,
        since: Timestamp,
    ) -> Result<Option<OpenWindow>, StoreError>;

    /// Operations that are `accepted` and were sent before an instant, the oldest first, at most
    /// `limit`.
    async fn overdue(
        &self,
        target: &TargetName,
        sent_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<Overdue>, StoreError>;

    /// The latest sending (the server's clock) of which an outcome is known.
    async fn settled_until(&self, target: &TargetName) -> Result<Option<Timestamp>, StoreError>;

    /// Up to when the log was searched for late events of unconfirmed operations.
    async fn searched_until(&self, target: &TargetName) -> Result<Option<Timestamp>, StoreError>;

    /// Notes up to when it was.
    async fn note_searched(&self, target: &TargetName, until: Timestamp) -> Result<(), StoreError>;

    /// Makes `accepted` operations sent before `sent_before` `unconfirmed`, with these words;
    /// returns how many.
    async fn unconfirm(
        &self,
        target: &TargetName,
        sent_before: Timestamp,
        reason: String,
        advice: String,
        now: Timestamp,
    ) -> Result<u64, StoreError>;
}
