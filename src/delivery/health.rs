//! Whether the provisioning job takes uploads at all.
//!
//! A paused or quarantined job answers 202 and lets data pile up in its bucket until that is full
//! (Entra docs, `inbound-provisioning-api-issues`), so it is asked before anything is sent and every
//! few minutes after that. A client without the right to ask is told so once and sends without.

use std::time::Duration;

use jiff::Timestamp;

use crate::delivery::Stop;
use crate::delivery::job_notes::note_job;
use crate::delivery::pace::later;
use crate::domain::TargetName;
use crate::entra::{Disposition, EntraClient};
use crate::store::{Store, StoreError};
use crate::telemetry::Causes;

/// After a check that came to nothing, the next one comes this soon.
const AFTER_FAULT: Duration = Duration::from_secs(30);

/// Remembers when the job was asked.
#[derive(Debug)]
pub(super) struct JobWatch {
    interval: Duration,
    due_at: Option<Timestamp>,
    is_forbidden: bool,
}

impl JobWatch {
    pub(super) const fn new(interval: Duration) -> Self {
        Self { interval, due_at: None, is_forbidden: false }
    }

    /// Whether it is time to ask.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        !self.is_forbidden && self.due_at.is_none_or(|due| due <= now)
    }

    /// Makes the next check due at once.
    pub(super) const fn expire(&mut self) {
        self.due_at = None;
    }

    /// Asks; `Some` when nothing may be sent.
    pub(super) async fn check(
        &mut self,
        store: &dyn Store,
        target: &TargetName,
        client: &EntraClient,
        now: Timestamp,
    ) -> Result<Option<Stop>, StoreError> {
        if self.is_forbidden {
            return Ok(None);
        }
        self.due_at = Some(later(now, self.interval));
        let looked = client.job().await;
        if let Ok(health) = &looked {
            note_job(store, target, health, now).await?;
        }
        Ok(match looked {
            Ok(health) if health.accepts_uploads() => None,
            Ok(health) => {
                tracing::error!(
                    graph.job = %health.code,
                    graph.quarantine = health.quarantine_reason.as_deref(),
                    "the provisioning job does not process uploads; nothing is sent until it does"
                );
                Some(Stop::JobUnavailable {
                    code: health.code.to_string(),
                    reason: health.quarantine_reason,
                })
            }
            Err(failure) if failure.status() == Some(403) => {
                self.is_forbidden = true;
                tracing::warn!(
                    "the job's health cannot be read (403): grant Synchronization.Read.All to have \
                     it checked; sending without"
                );
                None
            }
            Err(failure) if matches!(failure.disposition(), Disposition::Halt) => {
                Some(Stop::Halted(Box::new(failure)))
            }
            Err(failure) => {
                self.due_at = Some(later(now, AFTER_FAULT));
                tracing::warn!(error = %Causes(&failure), "the job's health could not be read this time");
                None
            }
        })
    }
}
