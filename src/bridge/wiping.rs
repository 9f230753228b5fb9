//! Leaving nothing in the store's file of what was removed from it.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::bridge::Bridge;
use crate::bridge::daemon::is_over;
use crate::store::{StoreError, Wiped};

/// How often, and how far apart, it is tried while others read: ten seconds, with the time each takes.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

impl Bridge {
    /// Wipes what was removed and is noted as not wiped yet. Whoever reads is waited for, unless it is
    /// cancelled; what is not done then stays noted.
    ///
    /// # Errors
    ///
    /// When the store fails; it stays noted.
    pub async fn wipe(&self, cancel: &CancellationToken) -> Result<Wiped, StoreError> {
        let mut wiped = self.store.wipe().await?;
        for _ in 1..TRIES {
            if wiped != Wiped::InUse || is_over(cancel, PAUSE).await {
                break;
            }
            wiped = self.store.wipe().await?;
        }
        Ok(wiped)
    }
}
