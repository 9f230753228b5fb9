//! Unknown credentials by the address they came from: a burst of them slows the caller down.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many may come from an address at once: a slip in a config is tried a few times.
const BURST: u32 = 10;
/// One more is forgotten after each of these.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(6);
/// Most addresses remembered. An attacker with more of them makes us forget others, and gains nothing
/// but bursts.
const MOST_ADDRESSES: usize = 4_096;

/// Which addresses presented unknown credentials lately.
#[derive(Default)]
pub(super) struct Attempts(Mutex<HashMap<IpAddr, Noted>>);

struct Noted {
    /// How many are remembered.
    count: u32,
    /// When the oldest of them was.
    since: Instant,
}

impl Noted {
    fn forget(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.since);
        let steps = elapsed.as_secs() / FORGOTTEN_AFTER.as_secs();
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        if steps > 0 {
            self.count = self.count.saturating_sub(steps);
            self.since = now;
        }
    }
}

impl Attempts {
    /// Notes an unknown credential; how long to wait where there were too many.
    pub(super) fn note(&self, address: IpAddr) -> Option<Duration> {
        self.note_at(address, Instant::now())
    }

    fn note_at(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let address = network(address);
        if noted.len() >= MOST_ADDRESSES && !noted.contains_key(&address) {
            noted.retain(|_, each| {
                each.forget(now);
                each.count > 0
            });
            let quietest = noted.iter().min_by_key(|(_, each)| (each.count, each.since));
            if noted.len() >= MOST_ADDRESSES
                && let Some(quietest) = quietest.map(|(address, _)| *address)
            {
                noted.remove(&quietest);
            }
        }
        let entry = noted.entry(address).or_insert(Noted { count: 0, since: now });
        entry.forget(now);
        if entry.count >= BURST {
            let next = FORGOTTEN_AFTER.saturating_sub(now.saturating_duration_since(entry.since));
            return Some(next.max(Duration::from_secs(1)));
        }
        entry.count += 1;
        None
    }
}

/// Whoever has an IPv6 address has the 64 bits after the network's.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_slowed_down_and_forgotten_in_time() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        for _ in 0..BURST {
            assert_eq!(attempts.note_at(one, start), None);
        }
        assert_eq!(attempts.note_at(one, start), Some(FORGOTTEN_AFTER));
        assert_eq!(attempts.note_at(other, start), None);
        let later = start + FORGOTTEN_AFTER;
        assert_eq!(attempts.note_at(one, later), None, "one is forgotten");
        assert!(attempts.note_at(one, later).is_some());
    }

    #[test]
    fn addresses_of_one_network_are_one_caller() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        for last in 0..u128::from(BURST) {
            let address = Ipv6Addr::from_bits((0x2001_0db8 << 96) | last);
            assert_eq!(attempts.note_at(IpAddr::V6(address), start), None);
        }
        let address = Ipv6Addr::from_bits((0x2001_0db8 << 96) | 0x63);
        assert!(attempts.note_at(IpAddr::V6(address), start).is_some());
    }

    #[test]
    fn a_flood_of_addresses_takes_no_more_room() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        let guesser = IpAddr::from([10, 0, 0, 1]);
        for _ in 0..=BURST {
            attempts.note_at(guesser, start);
        }
        for number in 0..20_000_u32 {
            attempts.note_at(IpAddr::V4((0x0B00_0000 + number).into()), start);
        }
        assert!(attempts.0.lock().unwrap().len() <= MOST_ADDRESSES);
        assert!(attempts.note_at(guesser, start).is_some(), "who guessed most is remembered");
    }
}
