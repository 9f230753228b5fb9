//! From the outbox to bulk requests: quota, burst, lease, retry.
//!
//! One loop per target decides (what to send, when, whether at all) and posts run beside it, enough
//! of them that latency does not cost rate. Every decision survives a crash, because it is in the
//! store before it is acted on: a call is noted before it is made, a request is `sending` before it
//! is posted, a 202 is `accepted` before the next step. What was in doubt is sent again, which is
//! safe: Entra compares and matches.
//!
//! What a refusal means is decided in one place, `entra::CallFailure::disposition`; what is done
//! about it here, in [`Courier`].

mod answers;
mod backoff;
mod burst;
mod courier;
mod explain;
mod forecast;
mod health;
mod job_notes;
mod pace;
mod settings;
mod token_trust;

pub use backoff::Ladder;
pub use courier::Courier;
pub use explain::{JobAdvice, job_advice};
pub use forecast::{Quota, forecast};
pub use job_notes::note_job;
pub use settings::{CourierSettings, Stop};
