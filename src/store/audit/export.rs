//! A record as a line of an export, and back.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::store::AuditRecord;
use crate::store::audit::chain::{Hex, from_hex};

/// A line: every field, in this order. `details` stands in it as it was hashed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    seq: u64,
    #[serde(borrow)]
    at: Cow<'a, str>,
    #[serde(borrow)]
    actor: Cow<'a, str>,
    #[serde(borrow)]
    origin: Cow<'a, str>,
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow)]
    subject: Cow<'a, str>,
    #[serde(borrow)]
    details: &'a RawValue,
    #[serde(borrow)]
    previous: Cow<'a, str>,
    #[serde(borrow)]
    hash: Cow<'a, str>,
}

/// Why a line is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the line is no record as `audit export` writes it")]
pub struct LineFault;

/// The line of a record, without its end; `None` where its details are no JSON, since somebody edited
/// them.
#[must_use]
pub fn line_of(record: &AuditRecord) -> Option<String> {
    let details: &RawValue = serde_json::from_str(&record.details).ok()?;
    let line = Line {
        seq: record.seq,
        at: record.at.to_string().into(),
        actor: record.actor.as_str().into(),
        origin: record.origin.as_str().into(),
        action: record.action.as_str().into(),
        subject: record.subject.as_str().into(),
        details,
        previous: Hex(&record.previous).to_string().into(),
        hash: Hex(&record.hash).to_string().into(),
    };
    serde_json::to_string(&line).ok()
}

/// The record of a line, which has to be written to the byte as [`line_of`] writes it.
///
/// # Errors
///
/// When it is not.
pub fn record_of(line: &str) -> Result<AuditRecord, LineFault> {
    let read: Line<'_> = serde_json::from_str(line).map_err(|_| LineFault)?;
    let at: Timestamp = read.at.parse().map_err(|_| LineFault)?;
    let record = AuditRecord {
        seq: read.seq,
        at,
        actor: read.actor.into_owned(),
        origin: read.origin.into_owned(),
        action: read.action.into_owned(),
        subject: read.subject.into_owned(),
        details: read.details.get().to_owned(),
        previous: from_hex(&read.previous).ok_or(LineFault)?,
        hash: from_hex(&read.hash).ok_or(LineFault)?,
    };
    if line_of(&record).as_deref() == Some(line) { Ok(record) } else { Err(LineFault) }
}
