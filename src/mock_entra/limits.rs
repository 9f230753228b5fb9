//! Sliding windows over the times of calls.

use std::collections::VecDeque;

/// The times of the calls of the last `keep` microseconds, oldest first.
#[derive(Debug)]
pub(super) struct Calls {
    keep: i64,
    at: VecDeque<i64>,
}

impl Calls {
    pub(super) fn new(keep: i64) -> Self {
        Self { keep, at: VecDeque::new() }
    }

    /// Notes a call. Refused calls count like all others.
    pub(super) fn note(&mut self, now: i64) {
        while self.at.front().is_some_and(|first| *first <= now - self.keep) {
            self.at.pop_front();
        }
        // A machine's clock may be set back; the window's order must hold all the same.
        let at = self.at.back().map_or(now, |last| now.max(*last));
        self.at.push_back(at);
    }

    /// How many calls there were in the last `window` microseconds.
    pub(super) fn within(&self, now: i64, window: i64) -> usize {
        self.at.len() - self.at.partition_point(|at| *at <= now - window)
    }

    pub(super) fn clear(&mut self) {
        self.at.clear();
    }
}

/// The most calls in any window of that length; `at` in rising order.
pub(super) fn most_within(at: &[i64], window: i64) -> usize {
    at.iter()
        .enumerate()
        .map(|(index, last)| index + 1 - at.partition_point(|first| *first <= last - window))
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_leaves_the_window_when_it_is_as_old_as_the_window_is_long() {
        let mut calls = Calls::new(100);
        for at in [0, 1, 4, 5] {
            calls.note(at);
        }
        assert_eq!(calls.within(5, 5), 3);
        assert_eq!(calls.within(6, 5), 2);
        calls.note(101);
        assert_eq!(calls.within(101, 1_000), 3, "what is older than `keep` is forgotten");
    }

    #[test]
    fn the_fullest_window_is_found() {
        assert_eq!(most_within(&[], 5), 0);
        assert_eq!(most_within(&[0, 1, 2, 10, 11, 12, 14, 15], 5), 4);
    }
}
