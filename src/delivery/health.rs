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
    asked_at: Option<Timestamp>,
    due_at: Option<Timestamp>,
    is_forbidden: bool,
}

impl JobWatch {
    pub(super) const fn new(interval: Duration) -> Self {
        Self { interval, asked_at: None, due_at: None, is_forbidden: false }
    }

    /// Whether it is time to ask; it is when the clock has gone back.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        let went_back = self.asked_at.is_some_and(|asked| now < asked);
        !self.is_forbidden && (went_back || self.due_at.is_none_or(|due| due <= now))
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
        self.asked_at = Some(now);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_asked_for_in_time_wherever_the_clock_goes() {
        let at = |second: i64| Timestamp::from_second(1_000_000 + second).unwrap();
        let mut watch = JobWatch::new(Duration::from_mins(5));
        assert!(watch.is_due(at(0)));
        watch.asked_at = Some(at(0));
        watch.due_at = Some(at(300));
        assert!(!watch.is_due(at(299)));
        assert!(watch.is_due(at(300)));
        assert!(watch.is_due(at(-3_600)), "it went back");
        assert!(watch.is_due(at(3_600)), "it went on");
        watch.expire();
        assert!(watch.is_due(at(1)));
    }
}
