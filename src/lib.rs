//! scimport: HR exports in, Entra accounts out, and for every worker an answer to "what happened
//! to them?"
//!
//! The journey of a row, and the room that answers for each step:
//!
//! | step | room |
//! | --- | --- |
//! | bytes to rows | [`source`] |
//! | row to SCIM user, or a rejection | [`mapping`], writing what [`scim`] knows |
//! | SCIM user and ledger to change | [`plan`] |
//! | changes to operations in the outbox | [`store`], driven by [`intake`] |
//! | operations to bulk requests | [`delivery`] |
//! | bulk request to Microsoft Graph | [`entra`] |
//! | provisioning log to outcome | [`tracking`] |
//! | an HR system's API to a worker or a report | [`web`] |
//! | how HTTP is spoken, for both | [`transport`] |
//! | secrets of ours, encrypted in a file | [`vault`] |
//! | config in, a running bridge out | [`bridge`] |
//! | commands | [`cli`] |
//! | HTTP | [`server`] |
//!
//! Data flows down this list and never back up. Who may import whom is checked by a test,
//! `tests/it/layers.rs`. [`mock_entra`] stands apart: it shares no code with the client, so that a
//! mistake in one cannot hide in the other.

pub mod bridge;
pub mod cli;
pub mod config;
pub mod delivery;
pub mod domain;
pub mod entra;
pub mod intake;
pub mod mapping;
pub mod mock_entra;
pub mod plan;
pub mod scim;
pub mod server;
pub mod source;
pub mod store;
pub mod telemetry;
pub mod tracking;
pub mod transport;
pub mod vault;
pub mod web;
