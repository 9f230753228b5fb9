//! From "a file is here" to a planned run (or, offline, to bulk requests).
//!
//! A text file is read twice: [`scan`] learns its structure, its digest and which rows count;
//! [`read_rows`] maps them. Between the two nothing of the file is kept but an index of ids, and the
//! rows that are new where those are few: then it is read once. What is wrong with the whole file is
//! found in the first pass, so a refused file has no effect.
//!
//! [`plan_file`] drives source, mapping, plan and store, [`plan_deliveries`] does it for what webhooks
//! brought; [`convert`] drives source, mapping and
//! the bulk writer. Neither knows HTTP or SQL.

mod cells;
mod columns;
mod convert;
mod deliveries;
mod due;
mod feed;
mod file;
pub mod folder;
mod id_shape;
mod inbox;
mod ingest;
mod judge;
mod kept;
mod key;
mod known;
mod opened;
mod password;
mod pilot;
mod planner;
mod read;
mod reasons;
mod rejects;
mod scan;
pub mod schedule;
pub mod webhook;

pub use cells::{KeptColumns, RowCells};
pub use convert::{ConvertError, Converted, RejectedRow, RequestSink, Strictness, convert};
pub use deliveries::{ReadyDelivery, SpooledWorkers, plan_deliveries};
pub use due::plan_due;
pub use feed::Feed;
pub use file::SourceFile;
pub use inbox::{Inbox, InboxError};
pub use ingest::{
    Asked, ChangeSeen, IntakeError, PlanOptions, Planned, PlannedRun, new_run_id, plan_file,
};
pub use key::{
    Caller, KeyRefusal, MintedKey, NoRandomness, judge_key, key_id, mint_key, note_use_unless_since,
};
pub use known::KnownRows;
pub use password::Password;
pub use pilot::Pilot;
pub use planner::Remark;
pub use read::{Pass, RowResult, Verdict, read_rows};
pub use rejects::{RejectsWriter, beside, formula_safe};
pub use scan::{Scan, scan};
