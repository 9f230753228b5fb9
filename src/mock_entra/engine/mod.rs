//! The provisioning engine: the bucket, cycles, scoping, matching, mappings, export, and the second
//! pass that ties managers; escrows, the deletion threshold, quarantine and restart.
//!
//! Follows "How application provisioning works" and "API-driven inbound provisioning concepts" of
//! the Microsoft Entra docs, and the shape of a real provisioning log. It keeps a directory of its
//! own; start with [`Engine`].

mod cycle;
mod deletes;
mod directory;
mod escrow;
mod event;
mod job;
mod provision;
mod quarantine;
mod record;
mod restart;
mod stats;
mod target;

pub(super) use cycle::{Engine, Step};
pub(super) use directory::Directory;
pub(super) use event::Event;
pub(super) use job::{JobCode, TO_ACTIVE_DIRECTORY, TO_ENTRA};
pub(super) use record::{ENTERPRISE, Record, Source};
pub(super) use restart::Reset;
