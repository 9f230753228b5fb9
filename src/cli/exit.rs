//! Exit codes: one list, documented in `README.md`.

use std::process::ExitCode;

use crate::domain::{OperationStatus, RunStatus};
use crate::store::Run;

/// How a command ended, the gravest first: when several apply, the first of this list counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 130: Ctrl-C, after a clean stop.
    Interrupted,
    /// 2: wrong usage or config.
    Usage,
    /// 1: error, a refused file included.
    Error,
    /// 4: held, waits for approval.
    Held,
    /// 6: the other side is unavailable; work is kept and will go on.
    Unavailable,
    /// 5: done, but some operations failed or are unconfirmed.
    Incomplete,
    /// 3: done, but some rows were rejected; or a job's schema lacks what the mappings write.
    Rejected,
    /// 0: all well.
    Success,
}

impl Exit {
    /// The number the process ends with.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Error => 1,
            Self::Usage => 2,
            Self::Rejected => 3,
            Self::Held => 4,
            Self::Incomplete => 5,
            Self::Unavailable => 6,
            Self::Interrupted => 130,
        }
    }

    /// The graver of two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// What a run's state says.
    #[must_use]
    pub fn of_run(run: &Run) -> Self {
        let has = |status| run.counts.get(status) > 0;
        match run.status {
            RunStatus::Failed => Self::Error,
            RunStatus::Held => Self::Held,
            _ if has(OperationStatus::Failed) || has(OperationStatus::Unconfirmed) => {
                Self::Incomplete
            }
            _ if has(OperationStatus::Rejected) => Self::Rejected,
            _ => Self::Success,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_several_apply_the_order_is_2_1_4_6_5_3() {
        let order = [
            Exit::Usage,
            Exit::Error,
            Exit::Held,
            Exit::Unavailable,
            Exit::Incomplete,
            Exit::Rejected,
            Exit::Success,
        ];
        for pair in order.windows(2) {
            assert_eq!(pair[0].and(pair[1]), pair[0]);
        }
        let numbers: Vec<u8> = order.iter().map(|exit| exit.number()).collect();
        assert_eq!(numbers, [2, 1, 4, 6, 5, 3, 0]);
    }
}
