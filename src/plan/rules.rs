//! What a source says about whole runs of it.

use crate::plan::{AsOf, CompleteConfig, Guards, LeaversConfig};

/// The rules of a source for whole runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceRules {
    /// Whether a whole file of it names everybody.
    pub is_full: bool,
    /// What may happen in one run unasked.
    pub guards: Guards,
    /// What becomes of people whom a complete file does not name.
    pub leavers: LeaversConfig,
    /// When a file is complete.
    pub complete: CompleteConfig,
    /// Which instant a file shows.
    pub as_of: AsOf,
}
