//! The rows that were counted, and what trailers say of them.

use crate::domain::{Place, Row};
use crate::source::frame::trailer::{self, Trailer};
use crate::source::notes::Notes;
use crate::source::{Finding, SourceError, TrailerConfig};

/// Counts rows, of the whole table and of the part since its last header.
#[derive(Debug)]
pub(super) struct Tally {
    /// Whether the rows are also summed up.
    is_summed: bool,
    all: Counts,
    part: Counts,
    parts: u64,
    proven_parts: u64,
    is_all_proven: bool,
    had_trailer: bool,
    /// Where a trailer stands that no data followed yet.
    trailer_at: Option<Place>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    rows: u64,
    sum: u128,
    /// Rows whose value for the sum cannot be known.
    unsummed: u64,
}

impl Tally {
    pub(super) fn new(is_summed: bool) -> Self {
        Self {
            is_summed,
            all: Counts::default(),
            part: Counts::default(),
            parts: 1,
            proven_parts: 0,
            is_all_proven: false,
            had_trailer: false,
            trailer_at: None,
        }
    }

    /// Where the trailer stands that ended the rows so far.
    pub(super) const fn trailer_at(&self) -> Option<&Place> {
        self.trailer_at.as_ref()
    }

    /// Whether trailers prove all rows.
    pub(super) const fn is_proven(&self) -> bool {
        self.trailer_at.is_some() && (self.is_all_proven || self.proven_parts == self.parts)
    }

    /// Begins another part: a header came again.
    pub(super) fn begin_part(&mut self) {
        self.parts += 1;
        self.part = Counts::default();
        self.trailer_at = None;
    }

    /// Counts a row, with its cell of the column that is summed up, where that can be read.
    pub(super) fn count(&mut self, summed: Option<&[u8]>) {
        let value = if self.is_summed { summed.and_then(digits) } else { Some(0) };
        for counts in [&mut self.all, &mut self.part] {
            counts.rows += 1;
            match value.and_then(|value| counts.sum.checked_add(value)) {
                Some(sum) => counts.sum = sum,
                None => counts.unsummed += 1,
            }
        }
    }

    /// Holds what a trailer says against the rows before it.
    pub(super) fn judge(
        &mut self,
        trailer: Trailer,
        rule: Option<&TrailerConfig>,
        row: &Row<'_>,
        place: Place,
        notes: &mut Notes,
    ) -> Result<(), SourceError> {
        let mut is_proven = false;
        let mut counts = self.part;
        match trailer {
            Trailer::Silent => {}
            Trailer::NoNumber => {
                return Err(SourceError::refused(
                    "source.trailer-count",
                    place,
                    "the trailer has no whole number where `complete.trailer` says",
                    "correct `count` of `complete.trailer`, or export the file again",
                ));
            }
            Trailer::Count(count) if count == self.part.rows => is_proven = true,
            // the trailer of a file that was joined before it was counted
            Trailer::Count(count) if count == self.all.rows && !self.had_trailer => {
                self.is_all_proven = true;
                counts = self.all;
            }
            Trailer::Count(count) => {
                return Err(SourceError::refused(
                    "source.trailer-count",
                    place,
                    format!(
                        "the trailer says {count} rows, and {} stand before it",
                        self.part.rows
                    ),
                    "the file was cut off or joined: export it again",
                ));
            }
        }
        let is_summed = counts.check_sum(rule, row, &place, notes)?;
        if !is_summed {
            is_proven = false;
            self.is_all_proven = false;
        }
        if is_proven && self.trailer_at.is_none() {
            self.proven_parts += 1;
        }
        let message = match trailer {
            Trailer::Count(count) => format!("the trailer counts {count} rows, and they are there"),
            _ => "a trailer without a count ends the rows".to_owned(),
        };
        notes.push(|| Finding {
            code: "source.trailer",
            place: place.clone(),
            message,
            is_odd: false,
        });
        self.had_trailer = true;
        self.trailer_at = Some(place);
        Ok(())
    }
}

impl Counts {
    /// Holds the trailer's sum against a column's; false when that cannot be done.
    fn check_sum(
        self,
        rule: Option<&TrailerConfig>,
        row: &Row<'_>,
        place: &Place,
        notes: &mut Notes,
    ) -> Result<bool, SourceError> {
        let total = rule.and_then(|rule| rule.total.as_ref());
        let Some((field, column)) = total else {
            return Ok(true);
        };
        if self.unsummed > 0 {
            let message = format!(
                "the trailer's sum of `{column}` cannot be checked: {} rows have no whole number \
                 there",
                self.unsummed
            );
            let place = place.clone();
            notes.push(|| Finding { code: "source.trailer", place, message, is_odd: true });
            return Ok(false);
        }
        let said = trailer::field_of((0..row.len()).map(|cell| row.cell(cell)), *field);
        if said.and_then(|said| digits(said.as_bytes())) == Some(self.sum) {
            return Ok(true);
        }
        Err(SourceError::refused(
            "source.trailer-total",
            place.clone(),
            format!(
                "the trailer's sum of `{column}` is not {}, the sum of the rows before it",
                self.sum
            ),
            "the file was changed, cut off or joined: export it again",
        ))
    }
}

/// The digits of a cell as a number; 0 where it has none, `None` when they are too many.
fn digits(cell: &[u8]) -> Option<u128> {
    cell.iter()
        .filter(|byte| byte.is_ascii_digit())
        .try_fold(0_u128, |value, byte| value.checked_mul(10)?.checked_add(u128::from(byte - b'0')))
}
