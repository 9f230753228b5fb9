//! Webhook deliveries: durable before they are answered, and each the stuff of one run.

use std::net::IpAddr;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::{DeliveryId, RunId, SourceName};
use crate::store::StoreError;

/// A delivery that is to be stored.
#[derive(Clone)]
pub struct NewDelivery {
    /// Its id, made by the caller.
    pub id: DeliveryId,
    /// The source whose webhook was called.
    pub source: SourceName,
    /// Equal for the same delivery again.
    pub identity: [u8; 32],
    /// Whether an equal one is the same for ever, or only while this one waits and is the newest of its
    /// source: what came in between may have said something else.
    pub is_lasting: bool,
    /// When it came.
    pub received_at: Timestamp,
    /// How it was proven whom it is from, such as `key abc` or `signature`; no secret.
    pub caller: String,
    /// The address it came from, for the audit trail.
    pub from: Option<IpAddr>,
    /// Whether the body is a form, and no JSON.
    pub is_form: bool,
    /// How many workers are in it.
    pub workers: u64,
    /// Its bytes as they came, at most 1 MiB.
    pub body: Vec<u8>,
}

/// Never the body.
impl std::fmt::Debug for NewDelivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewDelivery")
            .field("id", &self.id)
            .field("source", &self.source)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What became of storing one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptDelivery {
    /// Its id; that of the first where it is the same delivery again.
    pub id: DeliveryId,
    /// Whether it is new.
    pub is_new: bool,
}

/// A delivery that waits to be processed.
#[derive(Clone)]
pub struct WaitingDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// When it came.
    pub received_at: Timestamp,
    /// Whether the body is a form, and no JSON.
    pub is_form: bool,
    /// How many workers are in it.
    pub workers: u64,
    /// Its bytes as they came.
    pub body: Vec<u8>,
    /// Fetches for it that failed and may succeed later.
    pub attempts: u32,
}

/// Never the body.
impl std::fmt::Debug for WaitingDelivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WaitingDelivery")
            .field("id", &self.id)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A delivery that a run takes with its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenDelivery {
    /// The delivery.
    pub id: DeliveryId,
    /// The row of its first worker in the run.
    pub first_row: Option<u64>,
    /// Why some of its workers are not in the run.
    pub problem: Option<String>,
}

/// A delivery as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The source whose webhook was called.
    pub source: SourceName,
    /// When it came.
    pub received_at: Timestamp,
    /// How it was proven whom it is from.
    pub caller: String,
    /// How many workers are in it.
    pub workers: u64,
    /// The run of its workers.
    pub run: Option<RunId>,
    /// The row of its first worker there.
    pub first_row: Option<u64>,
    /// Why nothing came of it or of some of its workers, or why it still waits.
    pub problem: Option<String>,
    /// When it was processed; `None` while it waits.
    pub processed_at: Option<Timestamp>,
}

/// What of a source waits to be processed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many deliveries wait.
    pub waiting: u64,
    /// When the oldest of them came.
    pub oldest_at: Option<Timestamp>,
    /// When the newest delivery came, waiting or not.
    pub newest_at: Option<Timestamp>,
}

/// Webhook deliveries. A run takes them with its commit ([`NewRun::deliveries`]), so that each is
/// processed once, whenever the process dies.
///
/// [`NewRun::deliveries`]: crate::store::NewRun::deliveries
#[async_trait]
pub trait Deliveries {
    /// Stores deliveries in this order, all in one transaction, which is on the disk when this
    /// returns; says of each whether it is new.
    async fn keep_deliveries(
        &self,
        deliveries: Vec<NewDelivery>,
    ) -> Result<Vec<KeptDelivery>, StoreError>;

    /// Deliveries of a source that wait and may be tried at `now`, in the order of receipt, those that
    /// were put off after the others: at most
    /// `limit`, and at least one but otherwise about as many bytes of bodies at most.
    async fn waiting_deliveries(
        &self,
        source: &SourceName,
        limit: usize,
        bytes: usize,
        now: Timestamp,
    ) -> Result<Vec<WaitingDelivery>, StoreError>;

    /// What of a source waits.
    async fn backlog(&self, source: &SourceName) -> Result<Backlog, StoreError>;

    /// One delivery.
    async fn delivery(&self, id: &DeliveryId) -> Result<Option<Delivery>, StoreError>;

    /// Says that these are being processed: equal content that comes from now on is another delivery.
    async fn begin_deliveries(&self, deliveries: Vec<DeliveryId>) -> Result<(), StoreError>;

    /// Sources of which deliveries wait, with how many.
    async fn waiting_sources(&self) -> Result<Vec<(SourceName, u64)>, StoreError>;

    /// Lets waiting deliveries wait until an instant, and says why; counts an attempt of each.
    async fn put_off_deliveries(
        &self,
        deliveries: Vec<DeliveryId>,
        problem: &str,
        until: Timestamp,
    ) -> Result<(), StoreError>;

    /// Ends waiting deliveries of which nothing comes, each with the reason.
    async fn close_deliveries(
        &self,
        deliveries: Vec<(DeliveryId, String)>,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Forgets deliveries that were processed before an instant, at most `limit`; how many.
    async fn forget_deliveries(
        &self,
        processed_before: Timestamp,
        limit: usize,
    ) -> Result<u64, StoreError>;
}
