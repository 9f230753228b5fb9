//! A record as a line of an export, and back; and the line that an export ends with.

use std::borrow::Cow;
use std::io::BufRead;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::store::audit::chain::{Hex, from_hex};
use crate::store::{AuditFault, AuditHead, AuditRecord, AuditVerdict, Chain};

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

/// The line after the last record.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End<'a> {
    records: u64,
    #[serde(borrow)]
    head: Option<Cow<'a, str>>,
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

/// The line that an export ends with, without its end: of how many records, and where the last of them
/// ends. A file that was cut off lacks it.
#[must_use]
pub fn end_line(records: u64, head: Option<AuditHead>) -> String {
    let head = head.map(|head| head.to_string().into());
    serde_json::to_string(&End { records, head }).unwrap_or_default()
}

/// What such a line says, written to the byte as [`end_line`] writes it.
fn end_of(line: &str) -> Option<(u64, Option<AuditHead>)> {
    let read: End<'_> = serde_json::from_str(line).ok()?;
    let head = read.head.map(|head| head.parse()).transpose().ok()?;
    (end_line(read.records, head) == line).then_some((read.records, head))
}

/// Looks at every line of an export. It may begin in the midst of a trail: what it is chained to is taken
/// on trust then, unless the noted head says it. It has to end with its [last line](end_line), or with the
/// record whose head was noted.
///
/// What that does not find: a file that somebody has cut off, and written its last line anew.
///
/// # Errors
///
/// When the lines cannot be read.
pub fn verify_lines(
    mut lines: impl BufRead,
    noted: Option<AuditHead>,
) -> std::io::Result<AuditVerdict> {
    let mut chain: Option<Chain> = None;
    let mut number = 0;
    let mut bytes = Vec::new();
    while next_line(&mut lines, &mut bytes)? {
        number += 1;
        let line = std::str::from_utf8(&bytes).unwrap_or_default();
        let Ok(record) = record_of(line) else {
            let fault = match end_of(line) {
                None => AuditFault::NoRecord { line: number },
                Some(_) if next_line(&mut lines, &mut bytes)? => {
                    AuditFault::NoRecord { line: number + 1 }
                }
                Some(end) => return Ok(ended(chain, noted, end)),
            };
            return Ok(AuditVerdict::Broken(fault));
        };
        let chain = match &mut chain {
            Some(chain) => chain,
            none => match begin(&record, noted) {
                Ok(begun) => none.insert(begun),
                Err(fault) => return Ok(AuditVerdict::Broken(fault)),
            },
        };
        if let Err(fault) = take(chain, &record) {
            return explained(lines, fault).map(AuditVerdict::Broken);
        }
    }
    let records = number;
    Ok(match chain.unwrap_or_else(|| Chain::new(noted)).end() {
        AuditVerdict::Sound(found) if records == 0 || noted != Some(found.head) => {
            AuditVerdict::Broken(AuditFault::NoEnd { records })
        }
        verdict => verdict,
    })
}

/// The verdict on a file with its last line.
fn ended(
    chain: Option<Chain>,
    noted: Option<AuditHead>,
    (records, head): (u64, Option<AuditHead>),
) -> AuditVerdict {
    let is_empty = chain.is_none();
    match chain.unwrap_or_else(|| Chain::new(noted)).end() {
        AuditVerdict::Sound(found)
            if records != found.count || head != (!is_empty).then_some(found.head) =>
        {
            AuditVerdict::Broken(AuditFault::EndDiffers { records, found: found.count })
        }
        verdict => verdict,
    }
}

/// The chain before the first record of an export.
fn begin(first: &AuditRecord, noted: Option<AuditHead>) -> Result<Chain, AuditFault> {
    let seq = first.link().seq;
    if seq < 1 {
        return Err(AuditFault::Edited { seq });
    }
    let chain = Chain::new(noted);
    match noted {
        Some(noted) if noted.seq.saturating_add(1) < first.seq => {
            Err(AuditFault::HeadElsewhere { seq: noted.seq, first: first.seq })
        }
        Some(noted) if noted.seq.saturating_add(1) == first.seq => {
            if noted.hash == first.previous {
                Ok(chain.after(seq.saturating_sub(1), noted.hash))
            } else {
                Err(AuditFault::OtherHead { seq: noted.seq })
            }
        }
        _ if seq == 1 => Ok(chain),
        _ => Ok(chain.after(seq.saturating_sub(1), first.previous)),
    }
}

fn take(chain: &mut Chain, record: &AuditRecord) -> Result<(), AuditFault> {
    let link = record.link();
    if link.seq == chain.next() && record.previous != *chain.hash() {
        return Err(AuditFault::Edited { seq: link.seq });
    }
    chain.take(&link, &record.hash)
}

/// Says of a record that is missing whether it stands further down.
fn explained(mut lines: impl BufRead, fault: AuditFault) -> std::io::Result<AuditFault> {
    let AuditFault::Missing { seq, .. } = fault else { return Ok(fault) };
    // where the first line stands that does not fit
    let mut found_at = seq;
    let mut bytes = Vec::new();
    while next_line(&mut lines, &mut bytes)? {
        found_at = found_at.saturating_add(1);
        let read = std::str::from_utf8(&bytes).ok().and_then(|line| record_of(line).ok());
        if read.is_some_and(|record| record.link().seq == seq) {
            return Ok(AuditFault::OutOfOrder { seq, found_at });
        }
    }
    Ok(fault)
}

/// The next line without its end; false when there is none.
fn next_line(lines: &mut impl BufRead, bytes: &mut Vec<u8>) -> std::io::Result<bool> {
    bytes.clear();
    if lines.read_until(b'\n', bytes)? == 0 {
        return Ok(false);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    Ok(true)
}
