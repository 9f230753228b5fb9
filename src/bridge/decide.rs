//! Decisions of people about runs.

use crate::bridge::{Bridge, BridgeError};
use crate::domain::{OperationStatus, RunId, RunStatus, Who};
use crate::store::Outcome;

/// Why a decision was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// There is no such run.
    #[error("there is no run `{0}`")]
    NoSuchRun(RunId),
    /// A newer run took the place of the held one.
    #[error("run `{run}` is not held any more: run `{by}` took its place")]
    Superseded {
        /// The run.
        run: RunId,
        /// The newer one.
        by: RunId,
    },
    /// The run is not in a state for that.
    #[error("run `{run}` is {status}, so it cannot be {asked}")]
    NotPossible {
        /// The run.
        run: RunId,
        /// Where it stands.
        status: RunStatus,
        /// What was asked for, as a participle.
        asked: &'static str,
    },
}

impl Bridge {
    /// Lets a held run go; returns how many operations go out.
    ///
    /// # Errors
    ///
    /// When the run is not held, or the store fails.
    pub async fn approve(&self, run: &RunId, by: &Who) -> Result<u64, BridgeError> {
        let outcome = self.store.approve(run, by, self.clock.now()).await?;
        done(run, outcome, "approved")
    }

    /// Stops a run; returns how many operations are not sent because of that.
    ///
    /// # Errors
    ///
    /// When the run has ended, or the store fails.
    pub async fn cancel(&self, run: &RunId, by: &Who) -> Result<u64, BridgeError> {
        let outcome = self.store.cancel(run, by, self.clock.now()).await?;
        done(run, outcome, "cancelled")
    }

    /// Makes new attempts of a run's operations with these statuses; returns how many.
    ///
    /// # Errors
    ///
    /// When nothing of the run may be sent, or the store fails.
    pub async fn retry(
        &self,
        run: &RunId,
        statuses: &[OperationStatus],
        by: &Who,
    ) -> Result<u64, BridgeError> {
        let outcome = self.store.retry(run, statuses, by, self.clock.now()).await?;
        done(run, outcome, "retried")
    }
}

fn done(run: &RunId, outcome: Option<Outcome>, asked: &'static str) -> Result<u64, BridgeError> {
    let run = run.clone();
    match outcome {
        Some(Outcome::Done(count)) => {
            tracing::info!(run.id = %run, operations = count, "the run was {asked}");
            Ok(count)
        }
        Some(Outcome::NotPossible { superseded_by: Some(by), .. }) => {
            Err(DecisionError::Superseded { run, by }.into())
        }
        Some(Outcome::NotPossible { status, .. }) => {
            Err(DecisionError::NotPossible { run, status, asked }.into())
        }
        None => Err(DecisionError::NoSuchRun(run).into()),
    }
}
