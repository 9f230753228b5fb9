//! Alerts: from what holds to what is said, to whom, and in which form. Pure; what holds is found out
//! by the daemon, and how it is sent is for [`web`](crate::web).
//!
//! [`Facts`] is what an alert knows of its case: it has no place for a value of a person. A [`Book`]
//! holds what was seen against what was told, and gives the [`Message`]s that are due. [`words`] says
//! them; `json`, `teams`, `slack` and `mail` put the same words into the forms that channels take.

mod book;
mod facts;
mod json;
mod mail;
mod message;
mod slack;
mod teams;
pub mod words;

pub use book::{Alert, AlertKey, Book, Condition, Kept, Rules, Told};
pub use facts::{Facts, GuardFacts, RunFacts, Word, log_subject, source_subject};
pub use json::document;
pub use mail::{Mail, mail};
pub use message::{Message, Notice, State, Words};
pub use slack::slack;
pub use teams::teams;

#[cfg(test)]
mod tests;
