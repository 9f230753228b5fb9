//! What an answer asks for: the one place that acts on `entra`'s classification.

use std::time::Duration;

use crate::delivery::Stop;
use crate::delivery::courier::{Courier, IN_DOUBT_PAUSE, Posted, Turn};
use crate::delivery::explain::{BUCKET_FULL, job_advice};
use crate::delivery::pace::later;
use crate::domain::BulkRequestId;
use crate::entra::{CallFailure, Disposition};
use crate::store::StoreError;
use crate::telemetry::Causes;

impl Courier {
    /// Does what an answer asks for.
    pub(super) async fn judge(&self, turn: &mut Turn, posted: Posted) -> Result<(), StoreError> {
        let Posted { id, operations, token, result } = posted;
        let failure = match result {
            Ok(()) => {
                turn.token.taken(token);
                turn.pace.accepted(id);
                return Ok(());
            }
            Err(failure) => failure,
        };
        let now = self.clock.now();
        let code = label(&failure);
        let in_doubt = failure.may_have_arrived();
        if failure.status().is_some_and(|status| status != 401) {
            turn.token.taken(token);
        }
        match failure.disposition() {
            Disposition::RefreshToken if turn.token.refused(token) => {
                self.halt(turn, id, failure).await
            }
            Disposition::RefreshToken => {
                tracing::warn!(request.id = id.0, "the token was refused; trying with a new one");
                self.store.postpone(id, now, code, in_doubt, now).await
            }
            Disposition::Throttled { retry_after } => {
                let until = turn.pace.throttled(retry_after, now);
                tracing::warn!(
                    request.id = id.0,
                    retry_after_ms = until.duration_since(now).as_millis(),
                    "delivery.throttled: Graph asks for a pause (429)"
                );
                if turn.pace.is_exhausted(now) {
                    let free_at = later(now, Duration::from_hours(1));
                    turn.stop = Some(Stop::QuotaExhausted { free_at });
                }
                self.store.postpone(id, until, code, in_doubt, now).await
            }
            Disposition::BucketFull => {
                let until = turn.pace.pause_for(self.settings.bucket_pause, now);
                let bucket = job_advice(BUCKET_FULL, None);
                tracing::warn!(
                    request.id = id.0,
                    pause_ms = until.duration_since(now).as_millis(),
                    "the job's ingestion bucket is full; pausing ({}; {})",
                    bucket.means,
                    bucket.advice
                );
                turn.job.expire();
                self.store.postpone(id, until, code, in_doubt, now).await?;
                let target = &self.settings.target;
                if let Some(stop) = turn.job.check(&*self.store, target, &self.client, now).await? {
                    turn.stop = Some(stop);
                }
                Ok(())
            }
            Disposition::Transient { retry_after } => {
                let mut until = turn.pace.transient(id, retry_after, now);
                if failure.status().is_none() {
                    until = until.max(later(now, IN_DOUBT_PAUSE));
                }
                tracing::warn!(
                    request.id = id.0,
                    error = %Causes(&failure),
                    retry_after_ms = until.duration_since(now).as_millis(),
                    "a request met a passing fault; trying again"
                );
                self.store.postpone(id, until, code, in_doubt, now).await?;
                self.lose_patience(turn, failure);
                Ok(())
            }
            Disposition::TooLarge if operations > 1 => {
                tracing::warn!(request.id = id.0, operations, "too large (413): split in two");
                self.store.split(id, operations.div_ceil(2), now).await
            }
            Disposition::TooLarge | Disposition::Reject => {
                tracing::error!(
                    request.id = id.0,
                    operations,
                    error = %Causes(&failure),
                    "Graph refused a request for good; its operations have failed"
                );
                self.store
                    .refuse(id, code, failure.to_string(), failure.advice().to_owned(), now)
                    .await
            }
            Disposition::Halt => self.halt(turn, id, failure).await,
        }
    }

    /// The target is set up wrongly: the request goes back, and nothing more is sent.
    async fn halt(
        &self,
        turn: &mut Turn,
        id: BulkRequestId,
        failure: CallFailure,
    ) -> Result<(), StoreError> {
        // told by whoever is given the stop, once and not at each try
        tracing::debug!(
            request.id = id.0,
            error = %Causes(&failure),
            "nothing more is sent until this is mended"
        );
        let now = self.clock.now();
        self.store.postpone(id, now, label(&failure), failure.may_have_arrived(), now).await?;
        turn.stop = Some(Stop::Halted(Box::new(failure)));
        Ok(())
    }

    /// No token, so nothing can be posted: waits and tries again, or halts.
    pub(super) fn without_token(&self, turn: &mut Turn, failure: CallFailure) -> Option<Duration> {
        if matches!(failure.disposition(), Disposition::Halt) {
            tracing::debug!(error = %Causes(&failure), "no token; nothing is sent until this is mended");
            turn.stop = Some(Stop::Halted(Box::new(failure)));
            return None;
        }
        let now = self.clock.now();
        let until = turn.pace.without_token(now);
        tracing::warn!(
            error = %Causes(&failure),
            retry_after_ms = until.duration_since(now).as_millis(),
            "no token this time; trying again"
        );
        self.lose_patience(turn, failure);
        None
    }

    /// Ends the loop when there has been nothing but faults for too long.
    fn lose_patience(&self, turn: &mut Turn, failure: CallFailure) {
        let now = self.clock.now();
        if self.settings.patience.is_some_and(|patience| turn.pace.is_unreachable(patience, now)) {
            turn.stop = Some(Stop::Unreachable(Box::new(failure)));
        }
    }
}

/// A failure in one stable word: Graph's own code, else the status, else what it was.
fn label(failure: &CallFailure) -> String {
    failure.code().unwrap_or_else(|| match failure.status() {
        Some(status) => format!("HTTP{status}"),
        None => "NoAnswer".to_owned(),
    })
}
