//! When a worker is active, where the mapping knows it by dates.

use jiff::Timestamp;

/// The span of `active = { between = [...] }`: half-open, `[from, until)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveWindow {
    /// The first instant at which the worker is active.
    pub from: Timestamp,
    /// The first instant at which the worker no longer is; `None` where the end is open.
    pub until: Option<Timestamp>,
}

impl ActiveWindow {
    /// Whether the worker is active at an instant.
    #[must_use]
    pub fn is_active_at(&self, now: Timestamp) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }

    /// The first instant after `now` at which that changes; `None` when it never does.
    #[must_use]
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        if now < self.from { Some(self.from) } else { self.until.filter(|until| now < *until) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_window_holds_its_first_instant_and_not_its_last() {
        let window = ActiveWindow { from: at(10), until: Some(at(20)) };
        let active = [9, 10, 19, 20].map(|second| window.is_active_at(at(second)));
        assert_eq!(active, [false, true, true, false]);
        let next = [9, 10, 19, 20].map(|second| window.next_change(at(second)));
        assert_eq!(next, [Some(at(10)), Some(at(20)), Some(at(20)), None]);
    }

    #[test]
    fn an_open_window_never_ends() {
        let window = ActiveWindow { from: at(10), until: None };
        assert!(window.is_active_at(Timestamp::MAX));
        assert_eq!((window.next_change(at(9)), window.next_change(at(10))), (Some(at(10)), None));
    }
}
