//! So many requests in a second and no more: a turn for each, evenly apart, so that a thousand events
//! at once do not become a thousand requests at once.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Gives turns.
pub(super) struct Pace {
    gap: Duration,
    next: Mutex<Instant>,
}

impl Pace {
    /// Turns for so many requests in a second.
    pub(super) fn new(per_second: u32) -> Self {
        let gap = Duration::from_secs(1) / per_second.max(1);
        Self { gap, next: Mutex::new(Instant::now()) }
    }

    /// Waits for the next turn.
    pub(super) async fn turn(&self) {
        let at = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let at = (*next).max(Instant::now());
            *next = at + self.gap;
            at
        };
        tokio::time::sleep_until(at).await;
    }

    /// Gives no turn for a while: the other side asked for that.
    pub(super) fn hold(&self, wait: Duration) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = (*next).max(Instant::now() + wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn turns_are_evenly_apart_and_none_is_saved_up() {
        let pace = Pace::new(4);
        let begin = Instant::now();
        let mut at = Vec::new();
        for _ in 0..4 {
            pace.turn().await;
            at.push(begin.elapsed().as_millis());
        }
        assert_eq!(at, [0, 250, 500, 750]);
        tokio::time::sleep(Duration::from_secs(10)).await;
        let begin = Instant::now();
        pace.turn().await;
        pace.turn().await;
        assert_eq!(begin.elapsed().as_millis(), 250);
        pace.hold(Duration::from_secs(3));
        pace.turn().await;
        assert_eq!(begin.elapsed().as_millis(), 3250);
    }
}
