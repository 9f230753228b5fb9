//! How HTTP is spoken, to whomever: what all clients have in common, requests without an answer, and
//! answers as far as they are read.
//!
//! | file | what it answers for |
//! | --- | --- |
//! | `client` | the defaults of every client, its proxy and its certificate authorities |
//! | `failure` | how a request came to have no answer |
//! | `answer` | bodies up to a limit, `Date` and `Retry-After` |
//!
//! Whom to speak to, over which address and with which secret, is for the rooms above: `entra` for
//! Graph and its authority, `web` for everybody else. Nothing here logs, and no error holds an address:
//! one may name a person, or hold a token.

mod answer;
mod client;
mod failure;

pub use answer::{Body, date, read_at_most, retry_after};
pub use client::{CaProblem, builder, with_ca, with_proxy};
pub use failure::{TransportFailure, TransportKind, tls_fault};
