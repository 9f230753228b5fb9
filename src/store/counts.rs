//! Counts: operations by kind of change, rows by status.

use crate::domain::{Change, OperationStatus};

/// Operations by kind of change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChangeCounts {
    /// Joiners, inactive ones too.
    pub joiner: u64,
    /// Joiners that are inactive (part of `joiner`).
    pub joiner_inactive: u64,
    /// Movers.
    pub mover: u64,
    /// Leavers.
    pub leaver: u64,
    /// Rehires.
    pub rehire: u64,
    /// People missing from a complete file.
    pub missing: u64,
}

impl ChangeCounts {
    /// Counts one change.
    pub const fn add(&mut self, change: Change, active: bool) {
        match change {
            Change::Joiner => {
                self.joiner += 1;
                if !active {
                    self.joiner_inactive += 1;
                }
            }
            Change::Mover => self.mover += 1,
            Change::Leaver => self.leaver += 1,
            Change::Rehire => self.rehire += 1,
        }
    }
}

/// Rows by status; every status is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatusCounts([u64; OperationStatus::ALL.len()]);

impl StatusCounts {
    /// The count of one status.
    #[must_use]
    pub fn get(&self, status: OperationStatus) -> u64 {
        OperationStatus::ALL
            .iter()
            .position(|each| *each == status)
            .and_then(|index| self.0.get(index))
            .copied()
            .unwrap_or(0)
    }

    /// Adds to the count of one status.
    pub fn add(&mut self, status: OperationStatus, count: u64) {
        let index = OperationStatus::ALL.iter().position(|each| *each == status);
        if let Some(slot) = index.and_then(|index| self.0.get_mut(index)) {
            *slot += count;
        }
    }

    /// Takes from the count of one status.
    pub fn take(&mut self, status: OperationStatus, count: u64) {
        let index = OperationStatus::ALL.iter().position(|each| *each == status);
        if let Some(slot) = index.and_then(|index| self.0.get_mut(index)) {
            *slot = slot.saturating_sub(count);
        }
    }

    /// Moves the whole count of one status to another one.
    pub fn turn(&mut self, from: OperationStatus, to: OperationStatus) {
        let count = self.get(from);
        let index = OperationStatus::ALL.iter().position(|each| *each == from);
        if let Some(slot) = index.and_then(|index| self.0.get_mut(index)) {
            *slot = 0;
        }
        self.add(to, count);
    }

    /// Every status with its count, in the order of a record's journey.
    pub fn iter(&self) -> impl Iterator<Item = (OperationStatus, u64)> + '_ {
        OperationStatus::ALL.into_iter().zip(self.0)
    }

    /// The sum over all statuses.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}
