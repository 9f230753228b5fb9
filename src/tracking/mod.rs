//! From the provisioning log to outcomes: poll, correlate, classify, settle.
//!
//! No log field carries our bulkId or request id, so an event belongs to the operations of its
//! `externalId` that were sent before it. Events of one changeId are one outcome, judged by the
//! event's status and never by a step's name. Every operation ends, or is `unconfirmed`.
//!
//! Before an operation is given up, the log is asked for its person alone; a late event settles it
//! all the same.
//!
//! [`classify`] says what an event means, [`correlate`] whose it is, [`Tracker`] when to look.

mod advice;
mod classify;
mod correlate;
mod look_back;
mod read_pace;
mod stragglers;
mod tracker;

pub use advice::{FailureClass, advice, failure_class};
pub use classify::{MANAGER_UNRESOLVED, Outcome, classify};
pub use correlate::correlate;
pub use look_back::LOG_RETENTION;
pub use tracker::{Look, Tracker, TrackerSettings, TrackingError};
