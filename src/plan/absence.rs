//! Who is in no row of a file: whether the file may say so, and what becomes of them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::plan::limit::Percent;

/// What becomes of people whom a whole file no longer names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhenMissing {
    /// They are listed, and nobody is deactivated.
    #[default]
    Ignore,
    /// They are deactivated, once they were missing often and long enough.
    Deactivate,
}

/// `leavers` of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaversConfig {
    /// What becomes of the missing.
    pub when_missing: WhenMissing,
    /// In how many complete files in a row somebody is missing before they leave; at least 1.
    pub after: u32,
    /// How long somebody is missing before they leave, from the first of these files on.
    pub grace: Duration,
}

impl Default for LeaversConfig {
    fn default() -> Self {
        Self { when_missing: WhenMissing::Ignore, after: 1, grace: Duration::ZERO }
    }
}

/// `complete` of a source, beside the trailer that its reader proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompleteConfig {
    /// The least share of the rows of the last complete file.
    pub min_share: Percent,
}

impl Default for CompleteConfig {
    fn default() -> Self {
        Self { min_share: Percent::whole(90) }
    }
}

impl CompleteConfig {
    /// Whether a file is whole: by a trailer that was proven, or by as many rows as the last whole
    /// one lets expect. Without an earlier one there is nothing to expect.
    #[must_use]
    pub fn is_complete(&self, has_proof: bool, rows: u64, last_complete_rows: Option<u64>) -> bool {
        has_proof || last_complete_rows.is_none_or(|last| self.min_share.is_reached(rows, last))
    }
}

/// What a complete file without a person means for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// They stay for now; to be remembered until the next file.
    Wait {
        /// Complete files in a row without them, this one too.
        missing_runs: u32,
        /// When the first of these files was planned.
        missing_since: Timestamp,
    },
    /// They leave.
    Leaves,
}

/// Counts one more complete file without a person, who was in none of the `missing_runs_so_far`
/// before it, since `missing_since`. With [`WhenMissing::Ignore`] they are counted all the same and
/// never leave.
#[must_use]
pub fn absence(
    config: &LeaversConfig,
    missing_runs_so_far: u32,
    missing_since: Option<Timestamp>,
    now: Timestamp,
) -> Absent {
    let missing_runs = missing_runs_so_far.saturating_add(1);
    let missing_since = missing_since.unwrap_or(now);
    // a clock that was set back has not shortened anything below nothing
    let missing_for = now.duration_since(missing_since).max(SignedDuration::ZERO);
    let grace = SignedDuration::try_from(config.grace).unwrap_or(SignedDuration::MAX);
    let is_over = missing_runs >= config.after && missing_for >= grace;
    if config.when_missing == WhenMissing::Deactivate && is_over {
        Absent::Leaves
    } else {
        Absent::Wait { missing_runs, missing_since }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn deactivate(after: u32, grace: Duration) -> LeaversConfig {
        LeaversConfig { when_missing: WhenMissing::Deactivate, after, grace }
    }

    fn days_ago(days: i64) -> Timestamp {
        NOW - SignedDuration::from_hours(24 * days)
    }

    fn wait(missing_runs: u32, missing_since: Timestamp) -> Absent {
        Absent::Wait { missing_runs, missing_since }
    }

    #[test]
    fn the_missing_are_ignored_unless_told_otherwise() {
        let config = LeaversConfig::default();
        assert_eq!(absence(&config, 0, None, NOW), wait(1, NOW));
        assert_eq!(absence(&config, 99, Some(days_ago(99)), NOW), wait(100, days_ago(99)));
    }

    #[test]
    fn one_complete_file_is_enough_where_nothing_else_is_said() {
        assert_eq!(absence(&deactivate(1, Duration::ZERO), 0, None, NOW), Absent::Leaves);
    }

    #[test]
    fn somebody_leaves_with_the_last_of_the_files_in_a_row() {
        let config = deactivate(3, Duration::ZERO);
        assert_eq!(absence(&config, 0, None, NOW), wait(1, NOW));
        assert_eq!(absence(&config, 1, Some(days_ago(1)), NOW), wait(2, days_ago(1)));
        assert_eq!(absence(&config, 2, Some(days_ago(2)), NOW), Absent::Leaves);
        assert_eq!(absence(&config, u32::MAX, Some(days_ago(2)), NOW), Absent::Leaves);
    }

    #[test]
    fn nobody_leaves_before_grace_is_over() {
        let config = deactivate(1, Duration::from_hours(48));
        assert_eq!(absence(&config, 0, None, NOW), wait(1, NOW));
        assert_eq!(absence(&config, 1, Some(days_ago(1)), NOW), wait(2, days_ago(1)));
        assert_eq!(absence(&config, 2, Some(days_ago(2)), NOW), Absent::Leaves);
        let both = deactivate(5, Duration::from_hours(48));
        assert_eq!(absence(&both, 3, Some(days_ago(9)), NOW), wait(4, days_ago(9)));
        assert_eq!(absence(&both, 4, Some(days_ago(9)), NOW), Absent::Leaves);
    }

    #[test]
    fn a_clock_that_was_set_back_neither_hurries_nor_panics() {
        let tomorrow = NOW + SignedDuration::from_hours(24);
        assert_eq!(absence(&deactivate(2, Duration::ZERO), 1, Some(tomorrow), NOW), Absent::Leaves);
        let config = deactivate(1, Duration::from_hours(1));
        assert_eq!(absence(&config, 1, Some(tomorrow), NOW), wait(2, tomorrow));
        let config = deactivate(1, Duration::MAX);
        assert_eq!(
            absence(&config, 1, Some(Timestamp::MIN), Timestamp::MAX),
            wait(2, Timestamp::MIN)
        );
    }

    #[test]
    fn a_file_is_complete_by_proof_or_by_its_rows() {
        let config = CompleteConfig::default();
        assert!(config.is_complete(true, 1, Some(1000)), "a trailer proves it");
        assert!(config.is_complete(false, 900, Some(1000)), "90 % exactly");
        assert!(!config.is_complete(false, 899, Some(1000)));
        assert!(config.is_complete(false, 2000, Some(1000)), "growth is no cut");
        assert!(config.is_complete(false, 1, None), "the first one has nothing to be held against");
        let all = CompleteConfig { min_share: Percent::whole(100) };
        assert!(
            all.is_complete(false, 1000, Some(1000)) && !all.is_complete(false, 999, Some(1000))
        );
    }
}
