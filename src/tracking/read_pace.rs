//! Keeps log reads within Graph's own limit for them.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// At most so many reads in a window, counted from start to start.
#[derive(Debug)]
pub(super) struct ReadPace {
    reads: usize,
    window: Duration,
    starts: VecDeque<Instant>,
}

impl ReadPace {
    pub(super) fn new(reads: u32, window: Duration) -> Self {
        let reads = usize::try_from(reads).unwrap_or(1).max(1);
        Self { reads, window, starts: VecDeque::new() }
    }

    /// Waits until one more read fits, and counts it.
    pub(super) async fn turn(&mut self) {
        while self.starts.len() >= self.reads {
            if let Some(first) = self.starts.pop_front() {
                tokio::time::sleep_until(first + self.window).await;
            }
        }
        self.starts.push_back(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_sixth_read_waits_for_the_first_to_leave_the_window() {
        let mut pace = ReadPace::new(5, Duration::from_secs(10));
        let begin = Instant::now();
        for _ in 0..5 {
            pace.turn().await;
        }
        assert_eq!(begin.elapsed(), Duration::ZERO);
        pace.turn().await;
        assert_eq!(begin.elapsed(), Duration::from_secs(10));
    }
}
