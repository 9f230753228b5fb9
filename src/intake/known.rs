//! Rows that need not be mapped again: a digest says that a row is the one behind the ledger's
//! resource, made by the same mapping.
//!
//! The digest is of the whole row, columns that nobody maps included, under a seed of everything in
//! the file around it that has a say in its resource. So it is quick, and it errs on one side only:
//! a row that looks new is mapped and compared, and costs no call when the resource is the same.

use sha2::{Digest as _, Sha256};

use crate::domain::Row;
use crate::intake::Scan;

/// The digests of a source's known rows, sorted.
#[derive(Debug, Default)]
pub struct KnownRows(Vec<[u8; 16]>);

impl KnownRows {
    /// From the ledger's digests, in any order.
    #[must_use]
    pub fn new(mut digests: Vec<[u8; 16]>) -> Self {
        digests.sort_unstable();
        Self(digests)
    }

    /// Whether the ledger has the resource of this row.
    #[must_use]
    pub fn has(&self, digest: [u8; 16]) -> bool {
        self.0.binary_search(&digest).is_ok()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Digests the rows of one file.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowDigests {
    seed: u64,
}

impl RowDigests {
    /// For rows under these headers, read as this scan has learnt to.
    pub(super) fn new(headers: &[String], scan: &Scan) -> Self {
        let mut hash = Sha256::new();
        for header in headers {
            hash.update((header.len() as u64).to_le_bytes());
            hash.update(header);
        }
        // how dates are read, and how wide ids are, is the whole file's to say
        hash.update(format!("{:?}{:?}", scan.orders, scan.id_width));
        let digest: [u8; 32] = hash.finalize().into();
        Self { seed: digest.first_chunk().map_or(0, |start| u64::from_le_bytes(*start)) }
    }

    pub(super) fn of(self, row: &Row<'_>) -> [u8; 16] {
        row.digest(self.seed)
    }
}
