//! Planning a file, and committing what was planned.

use std::path::Path;
use std::sync::Arc;

use tracing::Instrument as _;
use tracing::field::Empty;

use crate::bridge::sealed::SealedPlan;
use crate::bridge::{Bridge, BridgeError};
use crate::domain::{Origin, RunId, RunKind, TargetName, Who};
use crate::intake::{
    Asked, Feed, IntakeError, Pilot, PlanOptions, Planned, PlannedRun, plan_due, plan_file,
};
use crate::store::{Commit, RefusedRun, Run, StoredProblem};
use crate::telemetry::TRACED;

/// How often a file is planned anew because another run changed the ledger meanwhile.
const ATTEMPTS: usize = 5;

/// A planned run before anybody has agreed to it.
pub struct Preview<'a> {
    /// The planned run.
    pub planned: &'a PlannedRun,
    /// Whether the source has no records yet.
    pub is_first_run: bool,
}

/// How a file is applied.
#[derive(Clone, Copy, Default)]
pub struct Applying<'a> {
    /// Who asked.
    pub asked: Asked,
    /// The id of the run, so that it can be found again after a crash; a new one where absent.
    pub id: Option<&'a RunId>,
    /// Only a few of its changes.
    pub pilot: Option<&'a Pilot>,
    /// Exactly what was planned and sealed before, or nothing.
    pub sealed: Option<&'a SealedPlan>,
    /// Who or what applies it; whoever runs the bridge where absent.
    pub who: Option<&'a Who>,
    /// Is told the bytes read so far of both passes, and twice the size of the file.
    pub on_progress: Option<&'a (dyn Fn(u64, u64) + Send + Sync)>,
}

/// What applying a file came to.
pub enum Applied {
    /// A new run was committed; it may be held.
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
    /// When the file is refused, a sealed plan is stale, or the store fails.
    pub async fn apply(
        &self,
        source: &str,
        path: &Path,
        applying: Applying<'_>,
        agree: &mut (dyn FnMut(Preview<'_>) -> bool + Send),
    ) -> Result<Applied, BridgeError> {
        let feed = self.setup.feed(source)?;
        let who = applying.who.unwrap_or(&self.who);
        for _ in 0..ATTEMPTS {
            if let Some(sealed) = applying.sealed {
                sealed.check_before(self, &feed).await?;
            }
            let options = PlanOptions {
                asked: applying.asked,
                id: applying.id.cloned(),
                pilot: applying.pilot,
                on_progress: applying.on_progress,
                ..PlanOptions::default()
            };
            let started_at = self.clock.now();
            let span = tracing::info_span!(
                target: TRACED,
                "run.plan",
                run.source = %feed.name,
                run.id = Empty,
                run.rows = Empty,
                otel.status_code = Empty,
            );
            let planned = plan_file(&*self.store, Arc::clone(&feed), path, &*self.clock, options)
                .instrument(span.clone())
                .await;
            match &planned {
                Ok(Planned::New(planned)) => {
                    span.record("run.id", planned.run.id.as_str());
                    span.record("run.rows", planned.run.rows);
                }
                Ok(Planned::AlreadyApplied(_)) => {}
                Err(_) => drop(span.record("otel.status_code", "ERROR")),
            }
            drop(span);
            let mut planned = match planned {
                Ok(Planned::AlreadyApplied(run)) => return Ok(Applied::Already(run)),
                Ok(Planned::New(planned)) => planned,
                Err(IntakeError::Refused { problem, digest }) => {
                    let refused = RefusedRun {
                        kind: RunKind::File,
                        deliveries: Vec::new(),
                        who: who.clone(),
                        id: match applying.id {
                            Some(id) => id.clone(),
                            None => crate::intake::new_run_id(started_at),
                        },
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
            if let Some(sealed) = applying.sealed {
                sealed.check_planned(&planned)?;
            }
            let is_first_run = planned.records.all == 0;
            if !agree(Preview { planned: &planned, is_first_run }) {
                return Ok(Applied::Declined);
            }
            if let Some(id) = self.commit(&mut planned, who).await? {
                return Ok(Applied::Committed(id));
            }
            tracing::info!("another run changed the ledger meanwhile; planning anew");
        }
        Err(BridgeError::LedgerBusy)
    }

    /// Commits a planned run; `None` when the ledger moved and it has to be planned anew.
    pub(super) async fn commit(
        &self,
        planned: &mut PlannedRun,
        who: &Who,
    ) -> Result<Option<RunId>, BridgeError> {
        let Some(draft) = planned.draft.take() else {
            return Err(BridgeError::LedgerBusy);
        };
        planned.run.who = who.clone();
        match draft.commit(planned.run.clone(), self.clock.now()).await? {
            Commit::Done => {
                log_committed(&planned.run, &planned.counts);
                Ok(Some(planned.run.id.clone()))
            }
            Commit::LedgerMoved => Ok(None),
        }
    }

    /// Plans and commits what is due of a target: dates that have come, rows that apply from now on,
    /// managers that have arrived. A run for each source that has any; it may be held.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn apply_due(&self, target: &TargetName) -> Result<Vec<RunId>, BridgeError> {
        let mut runs = Vec::new();
        let who = self.who.clone().via(Origin::Due);
        for source in self.store.due_sources(target, self.clock.now()).await? {
            let feed = match self.setup.feed(source.as_str()) {
                Ok(feed) if feed.target == *target => feed,
                _ => {
                    let mut told =
                        self.orphans.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    if told.insert(source.clone()) {
                        tracing::warn!(
                            source = %source,
                            target = %target,
                            "records are due, but their source is not in the config any more: they wait"
                        );
                    }
                    continue;
                }
            };
            for _ in 0..ATTEMPTS {
                let planned = plan_due(&*self.store, Arc::clone(&feed), &*self.clock).await?;
                let Some(mut planned) = planned else { break };
                if let Some(id) = self.commit(&mut planned, &who).await? {
                    runs.push(id);
                    break;
                }
            }
        }
        Ok(runs)
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
    pub fn feed(&self, source: &str) -> Result<Arc<Feed>, BridgeError> {
        self.setup.feed(source)
    }
}

fn log_committed(run: &crate::store::NewRun, counts: &crate::store::StatusCounts) {
    use crate::domain::OperationStatus as S;
    tracing::info!(
        run.id = %run.id,
        run.kind = %run.kind,
        source = %run.source,
        target = %run.target,
        rows = run.rows,
        held = counts.get(S::Held),
        queued = counts.get(S::Queued),
        unchanged = counts.get(S::Unchanged),
        rejected = counts.get(S::Rejected),
        superseded = counts.get(S::Superseded),
        missing = run.changes.missing,
        "run committed"
    );
}
