//! Looking at the provisioning job while outcomes are waited for: deliveries look at it by themselves,
//! but a job that is restarted after everything was sent would go unnoticed.

use std::sync::Arc;
use std::time::Duration;

use crate::bridge::{Bridge, BridgeError};
use crate::delivery::note_job;
use crate::domain::TargetName;
use crate::entra::EntraClient;
use crate::store::{JobSeen, Resent, ResentWhy, StoreError};
use crate::tracking::LOG_RETENTION;

impl Bridge {
    /// Looks at the job every so often while something waits for its outcome, or while it was last seen
    /// not to run; returns only when the store fails. A job that may not be looked at is left alone.
    pub(super) async fn watch_job(
        &self,
        target: &TargetName,
        client: EntraClient,
        interval: Duration,
    ) -> StoreError {
        let store = Arc::clone(&self.store);
        loop {
            let looked = match store.open_window(target).await {
                Ok(Some(_)) => Some(client.job().await),
                Ok(None) => match store.job_seen(target).await {
                    Ok(seen) if seen.as_ref().is_some_and(JobSeen::is_ill) => {
                        Some(client.job().await)
                    }
                    Ok(_) => None,
                    Err(error) => return error,
                },
                Err(error) => return error,
            };
            match looked {
                Some(Ok(health)) => {
                    if let Err(error) = note_job(&*store, target, &health, self.clock.now()).await {
                        return error;
                    }
                }
                // told by whoever delivers
                Some(Err(failure)) if failure.status() == Some(403) => {
                    std::future::pending::<()>().await;
                }
                Some(Err(_)) | None => {}
            }
            tokio::time::sleep(interval).await;
        }
    }

    /// Sends everything of a target again that was sent and has no outcome: after a restart of the
    /// job, which throws away what was staged. Returns how many operations.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn retry_unsettled(&self, target: &TargetName) -> Result<u64, BridgeError> {
        let now = self.clock.now();
        // what was sent in this very instant is open too, whatever the server's clock says
        let count = self.store.queue_open_again(target, jiff::Timestamp::MAX, None, now).await?;
        if count > 0 {
            let resent = Resent { at: now, operations: count, why: ResentWhy::Asked };
            self.store.note_resent(target, resent).await?;
        }
        Ok(count)
    }

    /// Looks for late events of unconfirmed operations of a target that nothing else is done for.
    /// Does nothing while another process holds the target's lease, when there are none, or when that
    /// was done not long ago. Returns how many got an outcome after all.
    ///
    /// # Errors
    ///
    /// When the store fails or the credential cannot be read.
    pub async fn look_back(&self, target: &TargetName) -> Result<u64, BridgeError> {
        let since = self.clock.now() - LOG_RETENTION;
        if self.store.unconfirmed_window(target, since).await?.is_none() {
            return Ok(0);
        }
        let Some(lease) = self.store.lease(target, self.clock.now()).await? else {
            return Ok(0);
        };
        let client = self.setup.client_aside(target, &self.secrets).await?;
        let settled = self.tracker(target, client)?.look_back().await?;
        drop(lease);
        Ok(settled)
    }
}
