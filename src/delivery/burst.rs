//! The burst limit once more, by a clock that only goes forward.
//!
//! The store keeps the limit over processes, by the clock of the day. When that is put forward, the
//! calls of the last seconds seem to be long over; what this process has just sent it still knows.
//! Counted from start to start, so that it never says more than the store while the clock is right.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// The starts of the last calls.
#[derive(Debug, Default)]
pub(super) struct Burst {
    starts: VecDeque<Instant>,
}

impl Burst {
    /// How long to wait until one more call fits, if at all.
    pub(super) fn wait(&mut self, calls: u32, window: Duration) -> Option<Duration> {
        while self.starts.front().is_some_and(|start| start.elapsed() >= window) {
            self.starts.pop_front();
        }
        let most = usize::try_from(calls).unwrap_or(usize::MAX);
        if self.starts.len() < most {
            return None;
        }
        self.starts.front().map(|start| window.saturating_sub(start.elapsed()))
    }

    /// Counts a call that starts now.
    pub(super) fn count(&mut self) {
        self.starts.push_back(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_window_holds_more_calls_than_the_limit() {
        let window = Duration::from_secs(5);
        let mut burst = Burst::default();
        for _ in 0..3 {
            assert_eq!(burst.wait(3, window), None);
            burst.count();
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(burst.wait(3, window), Some(Duration::from_secs(2)));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(burst.wait(3, window), None);
        burst.count();
        assert_eq!(burst.wait(3, window), Some(Duration::from_secs(1)));
    }
}
