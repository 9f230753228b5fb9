//! A file, held against the ledger: a run that is planned and waits to be committed.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::domain::{
    Change, Clock, ExternalId, LedgerEntry, OperationStatus, Place, Problem, RecordProblem, RunId,
    TargetName,
};
use crate::intake::{Feed, RowResult, Scan, SourceFile, Verdict, read_rows, scan};
use crate::plan::{Decision, decide};
use crate::scim::{AttributeChange, changed_attributes, digest};
use crate::source::SourceError;
use crate::store::{
    ChangeCounts, NewRun, PlannedOperation, PlannedRow, PlannedVerdict, Run, RunDraft,
    StatusCounts, Store, StoreError,
};

/// Rows held against the ledger at a time.
const BATCH_ROWS: usize = 500;
/// Batches that may wait between reading and planning.
const BATCHES_IN_FLIGHT: usize = 4;

/// Why a file could not be planned.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The file was refused; nothing of it is applied.
    #[error("{}: {}", .problem.place, .problem.message)]
    Refused {
        /// Why.
        problem: Box<Problem>,
        /// SHA-256 of the file, zero where it could not be read.
        digest: [u8; 32],
    },
    /// The ledger of this target speaks of another provisioning job: what it calls sent was never
    /// sent to this one.
    #[error("the ledger of target `{target}` belongs to another provisioning job, `{bound}`")]
    OtherJob {
        /// The target.
        target: TargetName,
        /// Tenant, service principal and job of the ledger.
        bound: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A part of the program stopped unexpectedly.
    #[error("the reader of the file stopped unexpectedly")]
    Stopped(#[from] tokio::task::JoinError),
}

/// What a change looks like, for `plan --diff`. Holds values: for the terminal only.
#[derive(Debug)]
pub struct ChangeSeen {
    /// The worker.
    pub external_id: ExternalId,
    /// The kind of change.
    pub change: Change,
    /// What changed; empty for a joiner.
    pub attributes: Vec<AttributeChange>,
}

/// A row that needs a look: why it is rejected, or what it is sent without.
#[derive(Debug, Clone)]
pub struct Remark {
    /// The physical line.
    pub line: Option<u64>,
    /// The worker, where it could be read.
    pub external_id: Option<ExternalId>,
    /// `rejected` or `queued`.
    pub status: OperationStatus,
    /// Stable and dotted.
    pub code: String,
    /// In words.
    pub reason: String,
    /// The way out.
    pub advice: Option<String>,
}

/// Most remarks that are kept.
const REMARKS_KEPT: usize = 1_000;

/// What the caller wants to know while a file is planned.
#[derive(Default)]
pub struct PlanOptions<'a> {
    /// Plans without a draft: nothing can be committed, the store is only read.
    pub is_dry: bool,
    /// Takes every change with its attributes.
    pub on_change: Option<&'a mut (dyn FnMut(ChangeSeen) + Send)>,
    /// Is told the bytes read so far of both passes, and twice the size of the file.
    pub on_progress: Option<&'a (dyn Fn(u64, u64) + Send + Sync)>,
}

/// What planning a file came to.
pub enum Planned {
    /// The file is the source's latest run.
    AlreadyApplied(Box<Run>),
    /// A new run.
    New(Box<PlannedRun>),
}

/// A planned run.
pub struct PlannedRun {
    /// What will be committed, with its counts.
    pub run: NewRun,
    /// Rows by the status they will have.
    pub counts: StatusCounts,
    /// Records the source owned before the run.
    pub known_records: u64,
    /// Rows that need a look (rejected, or sent with a warning), the first of them.
    pub remarks: Vec<Remark>,
    /// The rows themselves; `None` for a dry run.
    pub draft: Option<Box<dyn RunDraft>>,
}

/// Reads a file twice and plans it against the ledger of its target. Nothing is stored.
///
/// # Errors
///
/// When the file is refused, or the store fails.
pub async fn plan_file(
    store: &dyn Store,
    feed: Arc<Feed>,
    path: &Path,
    clock: &dyn Clock,
    mut options: PlanOptions<'_>,
) -> Result<Planned, IntakeError> {
    let started_at = clock.now();
    let (file, scan) = first_pass(Arc::clone(&feed), path, &options).await?;
    if let Some(bound) = store.bound_job(&feed.target).await?
        && bound != feed.job
    {
        return Err(IntakeError::OtherJob { target: feed.target.clone(), bound });
    }
    let fingerprint = feed.fingerprint();
    if let Some(latest) = store.latest_run(&feed.name).await?
        && latest.file_digest == scan.digest
        && latest.mapping_fingerprint == fingerprint
    {
        return Ok(Planned::AlreadyApplied(Box::new(latest)));
    }
    let known_records = store.count_records(&feed.target, &feed.name).await?;
    let draft = if options.is_dry { None } else { Some(store.draft(&feed.target).await?) };
    let run = NewRun {
        id: new_run_id(started_at),
        source: feed.name.clone(),
        target: feed.target.clone(),
        job: feed.job.clone(),
        file: Some(file.name().to_owned()),
        file_digest: scan.digest,
        mapping_fingerprint: fingerprint,
        started_at,
        rows: scan.rows,
        unchanged: 0,
        out_of_scope: 0,
        changes: ChangeCounts::default(),
    };
    let mut planner = Planner {
        store,
        feed: Arc::clone(&feed),
        run,
        counts: StatusCounts::default(),
        remarks: Vec::new(),
        draft,
    };
    let progress = file.progress();
    let size = file.size();
    let (batches, mut rows) = mpsc::channel(BATCHES_IN_FLIGHT);
    let reader = tokio::task::spawn_blocking(move || second_pass(file, &feed, &scan, &batches));
    while let Some(batch) = rows.recv().await {
        if let Some(on_progress) = options.on_progress {
            on_progress(progress.load(std::sync::atomic::Ordering::Relaxed), size * 2);
        }
        planner.take(batch, clock.now(), &mut options).await?;
    }
    reader.await??;
    let Planner { mut run, counts, draft, remarks, .. } = planner;
    run.unchanged = counts.get(OperationStatus::Unchanged);
    Ok(Planned::New(Box::new(PlannedRun { run, counts, known_records, remarks, draft })))
}

async fn first_pass(
    feed: Arc<Feed>,
    path: &Path,
    options: &PlanOptions<'_>,
) -> Result<(SourceFile, Scan), IntakeError> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let mut file = SourceFile::open(&path).map_err(|error| IntakeError::Refused {
            problem: Box::new(SourceError::Read(error).problem(Place::file(name))),
            digest: [0; 32],
        })?;
        match scan(&mut file, &feed) {
            Ok(scan) => Ok((file, scan)),
            Err(error) => {
                let digest = file.digest().unwrap_or_default();
                Err(refused(&error, &file, digest))
            }
        }
    });
    let (file, scan) = read.await??;
    if let Some(on_progress) = options.on_progress {
        on_progress(file.size(), file.size() * 2);
    }
    Ok((file, scan))
}

fn refused(error: &SourceError, file: &SourceFile, digest: [u8; 32]) -> IntakeError {
    let problem = Box::new(error.problem(Place::file(file.name())));
    IntakeError::Refused { problem, digest }
}

/// A row on its way from the reader to the planner.
struct ReadRow {
    row: u64,
    line: Option<u64>,
    verdict: ReadVerdict,
}

enum ReadVerdict {
    User {
        external_id: ExternalId,
        active: bool,
        resource: Vec<u8>,
        warning: Option<(String, String)>,
    },
    Rejected {
        external_id: Option<ExternalId>,
        problem: RecordProblem,
    },
    Superseded {
        external_id: ExternalId,
        line: u64,
    },
}

/// Maps the rows and sends them on in batches; ends early when nobody listens any more.
fn second_pass(
    mut file: SourceFile,
    feed: &Feed,
    scan: &Scan,
    batches: &mpsc::Sender<Vec<ReadRow>>,
) -> Result<(), IntakeError> {
    let mut batch = Vec::with_capacity(BATCH_ROWS);
    let pass = read_rows(&mut file, feed, scan, |result| {
        batch.push(own(result));
        if batch.len() == BATCH_ROWS {
            let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH_ROWS));
            if batches.blocking_send(full).is_err() {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    });
    match pass {
        Ok(_) => {
            // the planner has stopped when this fails, and says why itself
            drop(batches.blocking_send(batch));
            Ok(())
        }
        Err(error) => Err(refused(&error, &file, scan.digest)),
    }
}

fn own(result: RowResult<'_>) -> ReadRow {
    let verdict = match result.verdict {
        Verdict::Mapped { user, resource } => ReadVerdict::User {
            external_id: ExternalId::new(user.external_id),
            active: user.active,
            resource: resource.to_vec(),
            warning: user
                .warnings
                .first()
                .map(|warning| (warning.code.to_owned(), warning.message.to_owned())),
        },
        Verdict::Rejected { external_id, problem } => {
            ReadVerdict::Rejected { external_id: external_id.map(ExternalId::new), problem }
        }
        Verdict::Superseded { external_id, line } => {
            ReadVerdict::Superseded { external_id: ExternalId::new(external_id), line }
        }
    };
    ReadRow { row: result.row, line: result.line, verdict }
}

/// Holds batches against the ledger and writes the draft.
struct Planner<'s> {
    store: &'s dyn Store,
    feed: Arc<Feed>,
    run: NewRun,
    counts: StatusCounts,
    remarks: Vec<Remark>,
    draft: Option<Box<dyn RunDraft>>,
}

impl Planner<'_> {
    /// Keeps what a person should look at, up to a number.
    fn remark(&mut self, row: &PlannedRow, status: OperationStatus) {
        if self.remarks.len() == REMARKS_KEPT {
            return;
        }
        let (code, reason, advice) = match &row.verdict {
            PlannedVerdict::Rejected { code, reason, advice } => (code, reason, advice.clone()),
            PlannedVerdict::Operation(PlannedOperation {
                warning: Some((code, reason)), ..
            }) => (code, reason, None),
            _ => return,
        };
        self.remarks.push(Remark {
            line: row.line,
            external_id: row.external_id.clone(),
            status,
            code: code.clone(),
            reason: reason.clone(),
            advice,
        });
    }

    async fn take(
        &mut self,
        batch: Vec<ReadRow>,
        now: Timestamp,
        options: &mut PlanOptions<'_>,
    ) -> Result<(), StoreError> {
        let ids: Vec<ExternalId> = batch.iter().filter_map(ReadRow::user_id).cloned().collect();
        let known = self.store.ledger(&self.feed.target, ids.clone()).await?;
        let mut olds = match options.on_change {
            Some(_) => self.store.resources(&self.feed.target, ids).await?,
            None => Vec::new(),
        }
        .into_iter();
        let mut known = known.into_iter();
        let mut planned = Vec::with_capacity(batch.len());
        for row in batch {
            let is_user = row.user_id().is_some();
            let entry = if is_user { known.next().flatten() } else { None };
            let old = if is_user { olds.next().flatten() } else { None };
            if let Some(row) = self.plan(row, entry.as_ref(), old.as_deref(), now, options) {
                planned.push(row);
            }
        }
        if let Some(draft) = &mut self.draft {
            draft.push(planned).await?;
        }
        Ok(())
    }

    fn plan(
        &mut self,
        row: ReadRow,
        known: Option<&LedgerEntry>,
        old: Option<&[u8]>,
        now: Timestamp,
        options: &mut PlanOptions<'_>,
    ) -> Option<PlannedRow> {
        let ReadRow { row, line, verdict } = row;
        let (status, external_id, verdict) = match verdict {
            ReadVerdict::Rejected { external_id, problem } => {
                (OperationStatus::Rejected, external_id, rejected(problem))
            }
            ReadVerdict::Superseded { external_id, line } => (
                OperationStatus::Superseded,
                Some(external_id),
                PlannedVerdict::Superseded {
                    reason: format!("the row on line {line} counts for this worker"),
                },
            ),
            ReadVerdict::User { external_id, active, resource, warning } => {
                let digest = digest(&resource);
                match decide(known, self.feed.owner(), active, digest, now) {
                    Decision::Unchanged => {
                        self.counts.add(OperationStatus::Unchanged, 1);
                        return None;
                    }
                    Decision::OwnedByOtherSource(owner) => (
                        OperationStatus::Rejected,
                        Some(external_id),
                        PlannedVerdict::Rejected {
                            code: "owned-by-other-source".to_owned(),
                            reason: format!("the record belongs to source `{owner}`"),
                            advice: Some(format!(
                                "add `{owner}` to `takes_over` if this source is to take it"
                            )),
                        },
                    ),
                    Decision::Send { change, resend } => {
                        self.run.changes.add(change, active);
                        if let Some(on_change) = options.on_change.as_mut() {
                            on_change(ChangeSeen {
                                external_id: external_id.clone(),
                                change,
                                attributes: old.map_or_else(Vec::new, |old| {
                                    // our own bytes on both sides
                                    changed_attributes(old, &resource).unwrap_or_default()
                                }),
                            });
                        }
                        let operation =
                            PlannedOperation { change, active, digest, resource, resend, warning };
                        let verdict = PlannedVerdict::Operation(operation);
                        (OperationStatus::Queued, Some(external_id), verdict)
                    }
                }
            }
        };
        self.counts.add(status, 1);
        let planned = PlannedRow { row: Some(row), line, external_id, verdict };
        self.remark(&planned, status);
        Some(planned)
    }
}

impl ReadRow {
    const fn user_id(&self) -> Option<&ExternalId> {
        match &self.verdict {
            ReadVerdict::User { external_id, .. } => Some(external_id),
            _ => None,
        }
    }
}

fn rejected(problem: RecordProblem) -> PlannedVerdict {
    PlannedVerdict::Rejected {
        code: problem.code.to_owned(),
        reason: problem.to_string(),
        advice: problem.hint,
    }
}

/// A run's id: a ULID, so ids sort by the time they were made.
#[must_use]
pub fn new_run_id(now: Timestamp) -> RunId {
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    RunId::new(ulid::Ulid::from_parts(millis, fastrand::u128(..)).to_string())
}
