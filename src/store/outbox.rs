//! The outbox: queued operations, and the bulk requests that carry them.
//!
//! Only the holder of the target's lease calls these methods. A bulk request keeps its operations
//! and its id over retries; operations superseded in between drop out of it.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::{BulkRequestId, ExternalId, OperationId, TargetName};
use crate::store::StoreError;

/// A bulk request to be posted now; its operations are `sending`.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The request.
    pub id: BulkRequestId,
    /// How often it is posted, this time included.
    pub attempt: u32,
    /// A GUID for `client-request-id`, new for each attempt.
    pub client_request_id: String,
    /// Its operations, at least one, in the order of sending; no worker twice.
    pub operations: Vec<ClaimedOperation>,
}

/// An operation of a claim.
#[derive(Debug, Clone)]
pub struct ClaimedOperation {
    /// The operation.
    pub id: OperationId,
    /// The worker.
    pub external_id: ExternalId,
    /// The SCIM user: the bytes of `data`.
    pub resource: Vec<u8>,
}

/// What the outbox of a target holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutboxState {
    /// Operations waiting.
    pub queued: u64,
    /// Operations being posted.
    pub sending: u64,
    /// When the first postponed request may go, if nothing may go before that.
    pub next_at: Option<Timestamp>,
}

impl OutboxState {
    /// Whether nothing is queued and nothing is being sent.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.queued == 0 && self.sending == 0
    }
}

/// The outbox.
#[async_trait]
pub trait Outbox {
    /// Puts back what a dead process left in `sending`, to be sent at once; returns how many
    /// operations. Its calls without answer are over. Called on taking the lease.
    async fn recover(&self, target: &TargetName, now: Timestamp) -> Result<u64, StoreError>;

    /// Takes the next request: a postponed one whose time has come (unless leavers wait and none is
    /// in it), else up to `max` queued operations: leavers, then joiners and rehires, then movers;
    /// within each by level, then in the order of planning. Left out are workers who have another
    /// operation that is `sending`.
    ///
    /// An operation goes after what is pending (`queued` or `sending`) of its manager: that is
    /// accepted before, or stands before it in the same request. Not waited for is a manager who
    /// leaves, or whose pending operation is of a later class while Entra knows them; a leaver
    /// waits for nobody, and who is in a ring of managers goes all the same.
    ///
    /// A request that was postponed later than `now`, because the clock has gone back, waits as long as
    /// it was to, from `now` on.
    ///
    /// `None` when nothing may be sent now, or when fewer than `max` may and an answer that is
    /// awaited would let more go.
    async fn claim(
        &self,
        target: &TargetName,
        max: usize,
        client_request_id: String,
        now: Timestamp,
    ) -> Result<Option<Claim>, StoreError>;

    /// Notes a 202: operations become `accepted`, sent at `sent_at` (the server's clock, or the
    /// beginning of the first attempt in doubt, a few seconds allowed for two clocks); their resources are dropped from the outbox (the ledger keeps the last one). Durable on return.
    async fn accepted(
        &self,
        id: BulkRequestId,
        request_id: Option<String>,
        sent_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Puts the request back, to be posted again not before `not_before`: operations become
    /// `queued` again and keep `code` until they are sent. `in_doubt` says that Entra may have it
    /// all the same: then events from this attempt on count once it is accepted.
    async fn postpone(
        &self,
        id: BulkRequestId,
        not_before: Timestamp,
        code: String,
        in_doubt: bool,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Puts back a request that was claimed and not posted: the attempt does not count, and it may
    /// be claimed again at once.
    async fn release(&self, id: BulkRequestId, now: Timestamp) -> Result<(), StoreError>;

    /// Breaks the request up: its operations become `queued` again, for new requests of at most
    /// `max` operations (after a 413).
    async fn split(&self, id: BulkRequestId, max: usize, now: Timestamp) -> Result<(), StoreError>;

    /// The API refused the request for good: its operations become `failed`.
    async fn refuse(
        &self,
        id: BulkRequestId,
        code: String,
        reason: String,
        advice: String,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// What is left to send.
    async fn outbox(&self, target: &TargetName) -> Result<OutboxState, StoreError>;
}
