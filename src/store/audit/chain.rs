//! How records hang together, and how it is found out that they do not.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

/// What the first record is chained to.
const BEGINNING: [u8; 32] = [0; 32];

/// What a record says, as it is stored: bytes, since whoever edits a database need not keep to text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link<'a> {
    /// Its number.
    pub seq: i64,
    /// When, in microseconds.
    pub at_us: i64,
    /// Actor, origin, action, subject and details.
    pub texts: [&'a [u8]; 5],
}

/// The hash of a record: SHA-256 over the hash before it, its number and its instant (eight bytes each,
/// the most significant first), and actor, origin, action, subject and details, before each of them its
/// length in bytes (eight bytes, the same way).
#[must_use]
pub fn link(previous: &[u8; 32], record: &Link<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(record.seq.to_be_bytes());
    hash.update(record.at_us.to_be_bytes());
    for text in record.texts {
        hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(text);
    }
    hash.finalize().into()
}

/// Where a trail ends: the number and the hash of its last record. Written `SEQ:HASH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditHead {
    /// The number; 0 before the first record.
    pub seq: u64,
    /// The hash.
    pub hash: [u8; 32],
}

impl AuditHead {
    /// The head of a trail without records.
    pub const EMPTY: Self = Self { seq: 0, hash: BEGINNING };
}

impl fmt::Display for AuditHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, Hex(&self.hash))
    }
}

impl FromStr for AuditHead {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.trim().split_once(':');
        let head = parts
            .and_then(|(seq, hash)| Some(Self { seq: seq.parse().ok()?, hash: from_hex(hash)? }));
        head.ok_or(
            "expected a number, a colon and 64 hexadecimal digits, as `audit verify` prints it",
        )
    }
}

/// Bytes in hexadecimal.
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// 32 bytes from 64 digits.
pub(super) fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(*pair.get(at)?).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(bytes)
}

/// The first thing that is wrong with a trail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditFault {
    /// It says something else than when it was written.
    #[error(
        "record {seq} was edited, or another was put in its place: its hash is not that of what it says"
    )]
    Edited {
        /// Its number.
        seq: i64,
    },
    /// It is not there, but later ones are.
    #[error("record {seq} is missing: record {next} comes after record {before}")]
    Missing {
        /// Its number.
        seq: i64,
        /// The number before it.
        before: i64,
        /// The number of the one that comes instead.
        next: i64,
    },
    /// It stands elsewhere.
    #[error("record {seq} is out of order: it stands where record {found_at} belongs")]
    OutOfOrder {
        /// Its number.
        seq: i64,
        /// Where it was found.
        found_at: i64,
    },
    /// The end is not there.
    #[error("the trail was cut off: it ends with record {last}, and there were {were}")]
    CutOff {
        /// The number of the last record that is there.
        last: i64,
        /// How many there were at least.
        were: i64,
    },
    /// What is noted in the store about the end does not fit the records.
    #[error(
        "what the store notes about the end of the trail was edited: it does not fit record {last}"
    )]
    HeadEdited {
        /// The number of the last record.
        last: i64,
    },
    /// The record whose hash somebody noted has another one now.
    #[error(
        "record {seq} does not have the hash that was noted: it, or one before it, was written anew"
    )]
    OtherHead {
        /// Its number.
        seq: u64,
    },
    /// The file does not reach back to the head that was noted.
    #[error("the head that was noted is record {seq}, and the file begins with record {first}")]
    HeadElsewhere {
        /// The number of the head.
        seq: u64,
        /// The number of the first record there.
        first: u64,
    },
    /// A line of an export that was not written by us.
    #[error("line {line} is no record as `audit export` writes it: it was edited, or cut short")]
    NoRecord {
        /// Its number in the file.
        line: u64,
    },
    /// An export without its last line, which ends with no record whose head was noted either.
    #[error("{}", no_end(*records))]
    NoEnd {
        /// How many there are.
        records: u64,
    },
    /// The last line of an export does not fit its records.
    #[error(
        "the file was cut off, or lines were added: its last line tells of {records} records, and {found} \
         are there or end otherwise"
    )]
    EndDiffers {
        /// How many there were.
        records: u64,
        /// How many there are.
        found: u64,
    },
    /// The schema no longer refuses edits.
    #[error("the triggers that keep the trail append-only were removed or changed")]
    Unguarded,
}

fn no_end(records: u64) -> String {
    if records == 0 {
        return "the file is empty, and even an export without records has a line that says so"
            .to_owned();
    }
    format!(
        "the file was cut off after {records} records, or an older version wrote it: the last line, which \
         says how many there are, is missing. The head of its last record, noted elsewhere, tells \
         which (--head)"
    )
}

impl AuditFault {
    /// The word for it in JSON.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Edited { .. } | Self::NoRecord { .. } => "edited",
            Self::Missing { .. } => "missing",
            Self::OutOfOrder { .. } => "out_of_order",
            Self::CutOff { .. } | Self::NoEnd { .. } | Self::EndDiffers { .. } => "cut_off",
            Self::HeadEdited { .. } => "head_edited",
            Self::OtherHead { .. } => "head_differs",
            Self::HeadElsewhere { .. } => "head_not_there",
            Self::Unguarded => "unguarded",
        }
    }

    /// The number of the first record that is wrong, where there is one.
    #[must_use]
    pub fn seq(&self) -> Option<i64> {
        match self {
            Self::Edited { seq } | Self::Missing { seq, .. } | Self::OutOfOrder { seq, .. } => {
                Some(*seq)
            }
            Self::CutOff { last, .. } => last.checked_add(1),
            Self::OtherHead { seq } | Self::HeadElsewhere { seq, .. } => i64::try_from(*seq).ok(),
            Self::HeadEdited { .. }
            | Self::NoRecord { .. }
            | Self::NoEnd { .. }
            | Self::EndDiffers { .. }
            | Self::Unguarded => None,
        }
    }
}

/// A trail without a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditSummary {
    /// How many records were looked at.
    pub count: u64,
    /// The instant of the first.
    pub first_at: Option<Timestamp>,
    /// The instant of the last.
    pub last_at: Option<Timestamp>,
    /// Where the trail ends.
    pub head: AuditHead,
}

/// What looking at a trail came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditVerdict {
    /// Nothing is wrong.
    Sound(AuditSummary),
    /// The first thing that is wrong.
    Broken(AuditFault),
}

/// Follows a trail from record to record.
#[derive(Debug)]
pub struct Chain {
    /// The number and the hash of the last record that fits.
    last: i64,
    hash: [u8; 32],
    count: u64,
    first_us: Option<i64>,
    last_us: Option<i64>,
    noted: Option<AuditHead>,
}

impl Chain {
    /// Begins before the first record.
    #[must_use]
    pub const fn new(noted: Option<AuditHead>) -> Self {
        Self { last: 0, hash: BEGINNING, count: 0, first_us: None, last_us: None, noted }
    }

    /// Begins in the midst of a trail: after the record with this number and hash, which is taken on
    /// trust.
    #[must_use]
    pub const fn after(self, seq: i64, hash: [u8; 32]) -> Self {
        Self { last: seq, hash, ..self }
    }

    /// The number that comes next.
    #[must_use]
    pub const fn next(&self) -> i64 {
        self.last.saturating_add(1)
    }

    /// The hash of the last record that fits.
    #[must_use]
    pub const fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// Takes the next record.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn take(&mut self, record: &Link<'_>, hash: &[u8]) -> Result<(), AuditFault> {
        let (expected, seq) = (self.next(), record.seq);
        if seq < expected {
            // a file may have anything; the store gives them by their numbers, from 1
            return Err(AuditFault::OutOfOrder { seq, found_at: expected });
        }
        if seq > expected {
            return Err(AuditFault::Missing { seq: expected, before: self.last, next: seq });
        }
        let linked = link(&self.hash, record);
        if linked != *hash {
            return Err(AuditFault::Edited { seq });
        }
        let noted = self.noted.filter(|noted| i64::try_from(noted.seq) == Ok(seq));
        if let Some(noted) = noted
            && noted.hash != linked
        {
            return Err(AuditFault::OtherHead { seq: noted.seq });
        }
        self.last = seq;
        self.hash = linked;
        self.count = self.count.saturating_add(1);
        self.first_us.get_or_insert(record.at_us);
        self.last_us = Some(record.at_us);
        Ok(())
    }

    /// What there is to say at the end.
    #[must_use]
    pub fn end(self) -> AuditVerdict {
        let head = AuditHead { seq: u64::try_from(self.last).unwrap_or(0), hash: self.hash };
        match self.noted {
            Some(noted) if noted.seq > head.seq => {
                let were = i64::try_from(noted.seq).unwrap_or(i64::MAX);
                return AuditVerdict::Broken(AuditFault::CutOff { last: self.last, were });
            }
            Some(noted) if noted.seq == head.seq && noted.hash != head.hash => {
                return AuditVerdict::Broken(AuditFault::OtherHead { seq: noted.seq });
            }
            _ => {}
        }
        let instant = |us: Option<i64>| us.and_then(|us| Timestamp::from_microsecond(us).ok());
        AuditVerdict::Sound(AuditSummary {
            count: self.count,
            first_at: instant(self.first_us),
            last_at: instant(self.last_us),
            head,
        })
    }
}
