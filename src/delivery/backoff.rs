//! Waiting times: doubling steps with full jitter, up to a cap.

use std::time::Duration;

/// A ladder of waiting times: `base`, twice that, four times that, … up to `cap`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ladder {
    /// The first step.
    pub base: Duration,
    /// The highest step.
    pub cap: Duration,
}

impl Ladder {
    /// The height of a step, counted from 0, without jitter.
    #[must_use]
    pub fn step(&self, step: u32) -> Duration {
        let factor = 1_u32.checked_shl(step).unwrap_or(u32::MAX);
        self.base.saturating_mul(factor).min(self.cap)
    }

    /// A waiting time for a step with full jitter: evenly spread over the upper half, so that
    /// many waiters do not come back together and none comes back at once.
    #[must_use]
    pub fn wait(&self, step: u32) -> Duration {
        let height = self.step(step);
        height / 2 + (height / 2).mul_f64(fastrand::f64())
    }
}

/// A server's own waiting time with a little jitter on top (a twentieth at most, 1 s at most).
#[must_use]
pub(super) fn after_server(wait: Duration) -> Duration {
    wait + (wait / 20).min(Duration::from_secs(1)).mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_double_up_to_the_cap() {
        let ladder = Ladder { base: Duration::from_secs(5), cap: Duration::from_mins(5) };
        let steps: Vec<u64> = (0..9).map(|step| ladder.step(step).as_secs()).collect();
        assert_eq!(steps, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
        assert_eq!(ladder.step(40), Duration::from_mins(5));
    }

    #[test]
    fn a_wait_stays_within_the_upper_half_of_its_step() {
        let ladder = Ladder { base: Duration::from_secs(4), cap: Duration::from_mins(1) };
        for _ in 0..100 {
            let wait = ladder.wait(1);
            assert!(wait >= Duration::from_secs(4) && wait <= Duration::from_secs(8));
        }
    }
}
