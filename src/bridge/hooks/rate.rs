//! How many deliveries each sender may bring.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::config::Burst;

/// A bucket for each credential, which fills evenly and holds as much as comes in one window. There are
/// no more of them than credentials of the source.
pub(super) struct Rates {
    burst: Burst,
    buckets: Mutex<BTreeMap<String, Bucket>>,
}

struct Bucket {
    left: f64,
    at: Instant,
}

impl Rates {
    pub(super) const fn new(burst: Burst) -> Self {
        Self { burst, buckets: Mutex::new(BTreeMap::new()) }
    }

    /// Lets one pass, or says when the next may.
    pub(super) fn take(&self, who: &str) -> Result<(), Duration> {
        self.take_at(who, Instant::now())
    }

    fn take_at(&self, who: &str, now: Instant) -> Result<(), Duration> {
        let most = f64::from(self.burst.calls);
        let a_second = most / self.burst.window.as_secs_f64();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(who.to_owned()).or_insert(Bucket { left: most, at: now });
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.left = passed.mul_add(a_second, bucket.left).min(most);
        bucket.at = now;
        if bucket.left >= 1.0 {
            bucket.left -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64(((1.0 - bucket.left) / a_second).min(3_600.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_as_much_as_flows_in() {
        let rates = Rates::new(Burst { calls: 3, window: Duration::from_secs(30) });
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(rates.take_at("a", start), Ok(()));
        }
        let wait = rates.take_at("a", start).unwrap_err();
        assert!((9.9..10.1).contains(&wait.as_secs_f64()), "{wait:?}");
        assert_eq!(rates.take_at("b", start), Ok(()), "each has its own");
        assert_eq!(rates.take_at("a", start + Duration::from_secs(11)), Ok(()));
        assert!(rates.take_at("a", start + Duration::from_secs(11)).is_err());
        let later = start + Duration::from_hours(1);
        assert_eq!([(); 4].map(|()| rates.take_at("a", later).is_ok()), [true, true, true, false]);
    }
}
