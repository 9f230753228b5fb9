//! Webhooks: who sent a delivery, whether it was sent before, and what is in it.
//!
//! Pure: no clock, no disk, no network; headers, body and the instant of receipt are handed in. Start
//! from [`Hook::receive`], which goes this way:
//!
//! 1. [`handshake`]: a vendor's connection test is answered and leaves nothing behind.
//! 2. [`Verifier::verify`] for a signature, or the holder of a provisioning key ([`presented_key`]
//!    finds it in the headers).
//! 3. [`read_body`]: syntax, depth, size and repeated members, with the place of a fault.
//! 4. [`BodySchema::check`] where the source has one, and [`RecordsPointer::find`]: the workers in it.
//! 5. [`idempotency_key`]: the same delivery again has the same.
//!
//! Whether a delivery is fresh is judged by its receipt, once, and kept with it: a backlog must not
//! turn what arrived in time into something stale.

mod body;
mod delivery;
mod form;
mod handshake;
mod hook;
mod id;
mod idempotency;
mod json;
mod records;
mod schema;
mod scheme;
mod secret;
#[cfg(test)]
mod tests;
mod timestamp;
mod verifier;
mod workers;

pub use body::{BodyFault, BodyLimits, BodyReason, read_body};
pub use delivery::{Delivery, presented_key};
pub use handshake::{Handshake, handshake};
pub use hook::{Accepted, Hook, Received, Refused};
pub use id::{IdPointer, worker_at};
pub use idempotency::{Basis, IdempotencyKey, idempotency_key};
pub use records::{RecordsFault, RecordsPointer};
pub use schema::{BodySchema, NoSchema, SchemaFault};
pub use secret::SecretFault;
pub use verifier::{SendersId, SignatureRefusal, Verified, Verifier};
pub use workers::workers;
