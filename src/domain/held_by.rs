//! Why a run is held.

/// A guard that keeps a run back, with its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBy {
    /// The guard's name in the config, or `first_run`, `incomplete_file`, `older_file`.
    pub guard: String,
    /// Its limit as the config writes it.
    pub limit: String,
    /// What was found.
    pub value: u64,
    /// Of how many.
    pub of: u64,
}
