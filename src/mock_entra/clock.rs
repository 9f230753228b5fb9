//! The mock's own clock: the machine's, plus what `POST /_mock/advance` has added.
//!
//! Tokens, quotas, cycles and the log's delay all live by it, so that a test crosses a day in one
//! call. Instants are unix microseconds.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::{Clock, SystemClock};

/// Microseconds of a second.
pub(super) const SECOND: i64 = 1_000_000;

/// A clock that can be moved forward.
#[derive(Debug, Default)]
pub(super) struct MockClock {
    ahead: AtomicI64,
}

impl MockClock {
    /// The instant, in unix microseconds.
    pub(super) fn now(&self) -> i64 {
        SystemClock.now().as_microsecond().saturating_add(self.ahead.load(Ordering::Relaxed))
    }

    /// Moves the clock forward.
    pub(super) fn advance(&self, seconds: u32) {
        self.ahead.fetch_add(i64::from(seconds) * SECOND, Ordering::Relaxed);
    }
}

/// A duration in microseconds.
pub(super) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// An instant as Graph writes it in the provisioning log: UTC, whole seconds.
pub(super) fn instant_text(at: i64) -> String {
    stamp(at).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// An instant as Graph writes it in `innerError`: UTC, whole seconds, no offset.
pub(super) fn error_date(at: i64) -> String {
    stamp(at).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// An instant as the `Date` header has it (RFC 9110 section 5.6.7).
pub(super) fn http_date(at: i64) -> String {
    stamp(at).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn stamp(at: i64) -> Timestamp {
    Timestamp::from_microsecond(at).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_three_ways() {
        let at = 1_788_257_251_900_000;
        assert_eq!(instant_text(at), "2026-09-01T10:07:31Z");
        assert_eq!(error_date(at), "2026-09-01T10:07:31");
        assert_eq!(http_date(at), "Tue, 01 Sep 2026 10:07:31 GMT");
    }

    #[test]
    fn an_advanced_clock_is_ahead() {
        let clock = MockClock::default();
        let before = clock.now();
        clock.advance(86_400);
        assert!(clock.now() >= before + 86_400 * SECOND);
    }
}
