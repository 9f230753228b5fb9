//! The clock, handed in wherever an instant matters.

use jiff::{SignedDuration, Timestamp};

/// Tells the time. Handed in at the edges so that tests can move it.
pub trait Clock: Send + Sync {
    /// The current instant, in UTC.
    fn now(&self) -> Timestamp;
}

/// A clock that is ahead of another one, or behind it: for rehearsals.
pub struct ShiftedClock<C> {
    clock: C,
    by: SignedDuration,
}

impl<C: Clock> ShiftedClock<C> {
    /// A clock that is ahead by so much; behind where it is negative.
    pub const fn new(clock: C, by: SignedDuration) -> Self {
        Self { clock, by }
    }
}

impl<C: Clock> Clock for ShiftedClock<C> {
    fn now(&self) -> Timestamp {
        let now = self.clock.now();
        now.checked_add(self.by).unwrap_or(now)
    }
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
