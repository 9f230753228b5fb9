//! A webhook delivery as JSON.

use serde::Serialize;
use utoipa::ToSchema;

use crate::bridge::documents::instant;
use crate::store::Delivery;

/// A webhook delivery, and what came of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub struct DeliveryDocument {
    /// Its id; ids sort by the time they came.
    pub id: String,
    /// The source whose webhook was called.
    pub source: String,
    /// When it came.
    #[schema(format = DateTime)]
    pub received_at: String,
    /// How it was proven whom it is from.
    pub caller: String,
    /// waiting, processed (its workers are rows of `run`) or ended (nothing comes of it).
    pub status: &'static str,
    /// How many workers are in it.
    pub workers: u64,
    /// The run of its workers; null while it waits.
    #[schema(required = true)]
    pub run: Option<String>,
    /// The row of its first worker there; those of the others follow.
    #[schema(required = true)]
    pub first_row: Option<u64>,
    /// Why nothing came of it, or why it still waits.
    #[schema(required = true)]
    pub problem: Option<String>,
    /// When it was processed; null while it waits.
    #[schema(required = true, format = DateTime)]
    pub processed_at: Option<String>,
}

impl DeliveryDocument {
    /// Of what the store knows.
    #[must_use]
    pub fn of(delivery: &Delivery) -> Self {
        Self {
            id: delivery.id.to_string(),
            source: delivery.source.to_string(),
            received_at: instant(delivery.received_at),
            caller: delivery.caller.clone(),
            status: match (&delivery.processed_at, &delivery.run) {
                (None, _) => "waiting",
                (Some(_), Some(_)) => "processed",
                (Some(_), None) => "ended",
            },
            workers: delivery.workers,
            run: delivery.run.as_ref().map(ToString::to_string),
            first_row: delivery.first_row,
            problem: delivery.problem.clone(),
            processed_at: delivery.processed_at.map(instant),
        }
    }
}
