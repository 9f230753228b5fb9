//! Planning a file, and committing what was planned.

use std::path::Path;

use crate::bridge::{Bridge, BridgeError};
use crate::domain::{RunId, TargetName};
use crate::intake::{Feed, IntakeError, PlanOptions, Planned, PlannedRun, plan_file};
use crate::store::{Commit, RefusedRun, Run, StoredProblem};

/// How often a file is planned anew because another run changed the ledger meanwhile.
const ATTEMPTS: usize = 5;

/// A planned run before anybody has agreed to it.
pub struct Preview<'a> {
    /// The planned run.
    pub planned: &'a PlannedRun,
    /// Whether the source has no records yet.
    pub is_first_run: bool,
}

/// What applying a file came to.
pub enum Applied {
    /// A new run was committed.
    Committed(RunId),
    /// The file is the source's latest run already.
    Already(Box<Run>),
    /// The caller said no; nothing was stored.
    Declined,
}

impl Bridge {
    /// Plans a file without storing anything.
    ///
    /// # Errors
    ///
    /// When the file is refused or the store fails.
    pub async fn plan(
        &self,
        source: &str,
        path: &Path,
        mut options: PlanOptions<'_>,
    ) -> Result<Planned, BridgeError> {
        options.is_dry = true;
        let feed = self.setup.feed(source)?;
        Ok(plan_file(&*self.store, feed, path, &*self.clock, options).await?)
    }

    /// Plans a file and commits it as a run, unless `agree` says no. A refused file is stored as a
    /// failed run.
    ///
    /// # Errors
    ///
    /// When the file is refused or the store fails.
    pub async fn apply(
        &self,
        source: &str,
        path: &Path,
        on_progress: Option<&(dyn Fn(u64, u64) + Send + Sync)>,
        agree: &mut (dyn FnMut(Preview<'_>) -> bool + Send),
    ) -> Result<Applied, BridgeError> {
        let feed = self.setup.feed(source)?;
        for _ in 0..ATTEMPTS {
            let options = PlanOptions { on_progress, ..PlanOptions::default() };
            let started_at = self.clock.now();
            let planned =
                plan_file(&*self.store, std::sync::Arc::clone(&feed), path, &*self.clock, options)
                    .await;
            let mut planned = match planned {
                Ok(Planned::AlreadyApplied(run)) => return Ok(Applied::Already(run)),
                Ok(Planned::New(planned)) => planned,
                Err(IntakeError::Refused { problem, digest }) => {
                    let refused = RefusedRun {
                        id: crate::intake::new_run_id(started_at),
                        source: feed.name.clone(),
                        target: feed.target.clone(),
                        file: problem.place.file.clone(),
                        file_digest: digest,
                        mapping_fingerprint: feed.fingerprint(),
                        started_at,
                        ended_at: self.clock.now(),
                        problem: StoredProblem {
                            code: problem.code.to_owned(),
                            place: problem.place.to_string(),
                            message: problem.message.clone(),
                            hint: problem.hint.clone(),
                        },
                    };
                    self.store.store_refused(refused).await?;
                    return Err(BridgeError::Refused(problem));
                }
                Err(error) => return Err(error.into()),
            };
            let is_first_run = planned.known_records == 0;
            if !agree(Preview { planned: &planned, is_first_run }) {
                return Ok(Applied::Declined);
            }
            let Some(draft) = planned.draft.take() else {
                return Err(BridgeError::LedgerBusy);
            };
            let id = planned.run.id.clone();
            let (run, counts) = (planned.run.clone(), planned.counts);
            match draft.commit(planned.run, self.clock.now()).await? {
                Commit::Done => {
                    log_committed(&run, &counts);
                    return Ok(Applied::Committed(id));
                }
                Commit::LedgerMoved => {
                    tracing::info!("another run changed the ledger meanwhile; planning anew");
                }
            }
        }
        Err(BridgeError::LedgerBusy)
    }

    /// The targets that the config's sources lead to, each once.
    #[must_use]
    pub fn targets(&self) -> Vec<TargetName> {
        self.setup.config().targets.iter().map(|target| target.name.clone()).collect()
    }

    /// The feed of a source.
    ///
    /// # Errors
    ///
    /// When there is none of that name.
    pub fn feed(&self, source: &str) -> Result<std::sync::Arc<Feed>, BridgeError> {
        self.setup.feed(source)
    }
}

fn log_committed(run: &crate::store::NewRun, counts: &crate::store::StatusCounts) {
    use crate::domain::OperationStatus as S;
    tracing::info!(
        run.id = %run.id,
        source = %run.source,
        target = %run.target,
        rows = run.rows,
        queued = counts.get(S::Queued),
        unchanged = counts.get(S::Unchanged),
        rejected = counts.get(S::Rejected),
        superseded = counts.get(S::Superseded),
        "run committed"
    );
}
