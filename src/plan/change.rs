//! Joiner, mover, leaver, rehire, unchanged.

use jiff::{SignedDuration, Timestamp};

use crate::domain::{Change, LedgerEntry, OperationStatus, SourceName};

/// A resource equal to one that failed or was never confirmed is sent again at most this often.
pub const RESEND_INTERVAL: SignedDuration = SignedDuration::from_hours(24);

/// Who asks, and whose records it may take.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    /// The source of the row.
    pub source: &'a SourceName,
    /// The sources whose records it may take over.
    pub takes_over: &'a [SourceName],
}

impl Owner<'_> {
    fn may_change(self, entry: &LedgerEntry) -> bool {
        entry.source == *self.source || self.takes_over.contains(&entry.source)
    }
}

/// What a row means for its person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// To be sent; `resend` when the ledger already holds the very same resource.
    Send {
        /// The kind of change.
        change: Change,
        /// Whether it is the same resource again, after a failure.
        resend: bool,
    },
    /// Nothing to send.
    Unchanged,
    /// A leaver of whom nothing ever reached Entra: the record is closed, and nothing is sent.
    Close,
    /// The record belongs to another source.
    OwnedByOtherSource(SourceName),
}

/// Holds a mapped row against its ledger entry ("What a run does to people" in `README.md`).
#[must_use]
pub fn decide(
    known: Option<&LedgerEntry>,
    owner: Owner<'_>,
    active: bool,
    digest: [u8; 16],
    now: Timestamp,
) -> Decision {
    let Some(known) = known else {
        return Decision::Send { change: Change::Joiner, resend: false };
    };
    if !owner.may_change(known) {
        return Decision::OwnedByOtherSource(known.source.clone());
    }
    if known.digest == digest {
        if !may_resend(known, now) {
            return Decision::Unchanged;
        }
        return Decision::Send { change: known.last_change, resend: true };
    }
    let change = match (known.active, active) {
        (true, false) if !known.was_posted => return Decision::Close,
        (true, false) => Change::Leaver,
        (false, true) if !known.was_posted => Change::Joiner,
        (false, true) => Change::Rehire,
        _ if known.was_posted && (known.arrived || known.last_status.is_on_its_way()) => {
            Change::Mover
        }
        _ => Change::Joiner,
    };
    Decision::Send { change, resend: false }
}

fn may_resend(known: &LedgerEntry, now: Timestamp) -> bool {
    matches!(known.last_status, OperationStatus::Failed | OperationStatus::Unconfirmed)
        && known.resent_at.is_none_or(|at| now.duration_since(at) >= RESEND_INTERVAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: [u8; 16] = [1; 16];
    const NEW: [u8; 16] = [2; 16];

    fn known(active: bool, last_status: OperationStatus) -> LedgerEntry {
        LedgerEntry {
            source: "hr".into(),
            active,
            digest: OLD,
            last_change: Change::Leaver,
            last_status,
            arrived: last_status == OperationStatus::Provisioned,
            was_posted: last_status != OperationStatus::Queued,
            resent_at: None,
            row_digest: None,
        }
    }

    fn decide_for(known: Option<&LedgerEntry>, active: bool, digest: [u8; 16]) -> Decision {
        let source = "hr".into();
        let owner = Owner { source: &source, takes_over: &[] };
        decide(known, owner, active, digest, Timestamp::UNIX_EPOCH)
    }

    fn send(change: Change) -> Decision {
        Decision::Send { change, resend: false }
    }

    #[test]
    fn a_person_not_in_the_ledger_joins_also_when_inactive() {
        assert_eq!(decide_for(None, true, NEW), send(Change::Joiner));
        assert_eq!(decide_for(None, false, NEW), send(Change::Joiner));
    }

    #[test]
    fn active_decides_between_leaver_rehire_and_mover() {
        let active = known(true, OperationStatus::Provisioned);
        let left = known(false, OperationStatus::Provisioned);
        assert_eq!(decide_for(Some(&active), false, NEW), send(Change::Leaver));
        assert_eq!(decide_for(Some(&left), true, NEW), send(Change::Rehire));
        assert_eq!(decide_for(Some(&active), true, NEW), send(Change::Mover));
        assert_eq!(decide_for(Some(&left), false, NEW), send(Change::Mover));
    }

    #[test]
    fn of_whom_nothing_was_posted_is_closed_and_joins_when_they_come_back() {
        let waiting = known(true, OperationStatus::Queued);
        assert_eq!(decide_for(Some(&waiting), false, NEW), Decision::Close);
        assert_eq!(decide_for(Some(&waiting), true, NEW), send(Change::Joiner));
        let closed = known(false, OperationStatus::Queued);
        assert_eq!(decide_for(Some(&closed), true, NEW), send(Change::Joiner));
    }

    #[test]
    fn the_same_resource_is_unchanged_while_the_last_operation_is_done_or_on_its_way() {
        use OperationStatus as S;
        for status in [S::Provisioned, S::Skipped, S::Queued, S::Sending, S::Accepted, S::Held] {
            let known = known(true, status);
            assert_eq!(decide_for(Some(&known), true, OLD), Decision::Unchanged, "{status}");
        }
    }

    #[test]
    fn the_same_resource_after_a_failure_is_the_same_change_again_once_a_day() {
        for status in [OperationStatus::Failed, OperationStatus::Unconfirmed] {
            let mut known = known(true, status);
            let again = Decision::Send { change: Change::Leaver, resend: true };
            assert_eq!(decide_for(Some(&known), true, OLD), again);
            known.resent_at = Some(Timestamp::UNIX_EPOCH - SignedDuration::from_hours(23));
            assert_eq!(decide_for(Some(&known), true, OLD), Decision::Unchanged);
            known.resent_at = Some(Timestamp::UNIX_EPOCH - SignedDuration::from_hours(24));
            assert_eq!(decide_for(Some(&known), true, OLD), again);
        }
    }

    #[test]
    fn another_sources_record_is_left_alone_unless_it_may_be_taken_over() {
        let known = known(true, OperationStatus::Provisioned);
        let source: SourceName = "payroll".into();
        let hr = [SourceName::from("hr")];
        let owner = Owner { source: &source, takes_over: &[] };
        assert_eq!(
            decide(Some(&known), owner, true, NEW, Timestamp::UNIX_EPOCH),
            Decision::OwnedByOtherSource("hr".into())
        );
        let owner = Owner { source: &source, takes_over: &hr };
        assert_eq!(
            decide(Some(&known), owner, true, NEW, Timestamp::UNIX_EPOCH),
            send(Change::Mover)
        );
    }
}
