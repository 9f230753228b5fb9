//! What was decrypted, for as long as somebody asks for it.
//!
//! A passphrase costs half a second, so the contents are not decrypted for each message of a webhook.
//! They are not held for the life of a daemon either, which needs its own secret once an hour: a thread
//! that lives no longer than they do wipes them when nobody has asked for a while.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crate::vault::VaultError;
use crate::vault::contents::Contents;

/// How long nobody has to have asked. The messages of one burst come closer than that.
const UNUSED: Duration = Duration::from_millis(if cfg!(test) { 300 } else { 10_000 });

/// What a look at the vault has found.
pub(super) struct Kept {
    /// Digest of the file.
    pub(super) vault: [u8; 32],
    /// Digest of what the key's reference led to.
    pub(super) key: [u8; 32],
    pub(super) found: Result<Arc<Contents>, Arc<VaultError>>,
    made: Instant,
    used: Instant,
}

impl Kept {
    pub(super) fn new(
        vault: [u8; 32],
        key: [u8; 32],
        found: Result<Arc<Contents>, Arc<VaultError>>,
    ) -> Self {
        let now = Instant::now();
        Self { vault, key, found, made: now, used: now }
    }

    /// How long ago vault and key were looked at.
    pub(super) fn age(&self) -> Duration {
        self.made.elapsed()
    }

    /// What was found, which keeps it longer.
    pub(super) fn take(&mut self) -> Result<Arc<Contents>, Arc<VaultError>> {
        self.used = Instant::now();
        self.found.clone()
    }
}

pub(super) fn lock(kept: &Mutex<Option<Kept>>) -> MutexGuard<'_, Option<Kept>> {
    // nothing is half done in there when somebody panics
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins to watch what its caller, who holds the lock, is about to keep. Where the system gives no
/// thread nothing is to be kept.
pub(super) fn forget_in_time(kept: &Arc<Mutex<Option<Kept>>>) -> bool {
    let kept = Arc::downgrade(kept);
    let watch = move || {
        let mut left = UNUSED;
        loop {
            thread::sleep(left);
            let Some(still) = time_left(&kept) else { return };
            left = still;
        }
    };
    thread::Builder::new().name("vault".to_owned()).spawn(watch).is_ok()
}

/// For how long it is kept still; wipes what nobody needs any more.
fn time_left(kept: &Weak<Mutex<Option<Kept>>>) -> Option<Duration> {
    let kept = kept.upgrade()?;
    let mut kept = lock(&kept);
    let left = UNUSED.checked_sub(kept.as_ref()?.used.elapsed()).filter(|left| !left.is_zero());
    if left.is_none() {
        *kept = None;
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_gone(kept: &Mutex<Option<Kept>>) -> bool {
        lock(kept).is_none()
    }

    #[test]
    fn what_nobody_asks_for_is_wiped_and_what_somebody_asks_for_is_not() {
        let kept = Arc::new(Mutex::new(None));
        {
            let mut found = lock(&kept);
            assert!(forget_in_time(&kept));
            *found = Some(Kept::new([1; 32], [2; 32], Ok(Arc::default())));
        }
        let contents = lock(&kept).as_mut().unwrap().take().unwrap();
        for _ in 0..10 {
            thread::sleep(UNUSED / 5);
            // a machine that is busy may have slept for longer
            if let Some(kept) = &mut *lock(&kept) {
                let _ = kept.take();
            }
        }
        for _ in 0..200 {
            if is_gone(&kept) {
                break;
            }
            thread::sleep(UNUSED / 5);
        }
        assert!(is_gone(&kept));
        assert_eq!(Arc::strong_count(&contents), 1, "no copy is left");
    }

    #[test]
    fn the_time_that_is_left_is_counted_from_the_last_use() {
        let mut one = Kept::new([1; 32], [2; 32], Ok(Arc::default()));
        one.used = Instant::now() + UNUSED;
        let kept = Arc::new(Mutex::new(Some(one)));
        assert!(time_left(&Arc::downgrade(&kept)).is_some_and(|left| left > UNUSED / 2));
        let old = Instant::now().checked_sub(UNUSED * 2).unwrap();
        lock(&kept).as_mut().unwrap().used = old;
        assert_eq!(time_left(&Arc::downgrade(&kept)), None);
        assert!(is_gone(&kept));
        let gone = Arc::downgrade(&kept);
        drop(kept);
        assert_eq!(time_left(&gone), None);
    }
}
