//! The log: what an operator reads on stderr, or a machine collects. And alerts (`alerts/`): what is
//! said to those who do not look.
//!
//! It answers for who may speak and in which form. Our own events are printed by level; events of
//! the crates below us only from `warn` up, and those of the HTTP and TLS crates never, because
//! they can quote headers and so tokens. What our own events may say is for those who write them:
//! ids and external ids, never names, addresses, bodies or secrets.
//!
//! A failure is logged once, where it is handled. `error` means that someone must act, `warn` that
//! it was got over, `info` is per run, and nothing above `debug` is per row.

pub mod alerts;
mod causes;
mod filter;
mod init;
mod otlp;

pub use causes::{Causes, causes};
pub use init::{LogFormat, LogWriter, TelemetryError, init};
pub use otlp::{OtlpError, TRACED, flush_traces, send_traces};
