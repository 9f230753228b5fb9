//! A file, held against the ledger: a run that is planned and waits to be committed.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::domain::{
    Change, Clock, ExternalId, OperationStatus, Place, Problem, RunId, TargetName,
};
use crate::intake::planner::{Planner, ReadRow};
use crate::intake::{Feed, Remark, Scan, SourceFile, read_rows, scan};
use crate::scim::AttributeChange;
use crate::source::{Finding, SourceError};
use crate::store::{NewRun, Run, RunDraft, StatusCounts, Store, StoreError};

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
    /// What was found out about the file.
    pub findings: Vec<Finding>,
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
    let (file, scan) = first_pass(Arc::clone(&feed), path, started_at, &options).await?;
    let scan = Arc::new(scan);
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
    let known_records = store.count_records(&feed.target, &feed.name).await?.all;
    let draft = if options.is_dry { None } else { Some(store.draft(&feed.target).await?) };
    let (name, target) = (feed.name.clone(), feed.target.clone());
    let run = NewRun {
        job: feed.job.clone(),
        file: Some(file.name().to_owned()),
        file_digest: scan.digest,
        mapping_fingerprint: fingerprint,
        columns: scan.columns.clone(),
        rows: scan.rows,
        ..NewRun::new(new_run_id(started_at), name, target, started_at)
    };
    let mut planner = Planner {
        store,
        feed: Arc::clone(&feed),
        run,
        counts: StatusCounts::default(),
        remarks: Vec::new(),
        draft,
        // every holder of a name counts as named by the file, and so keeps nobody from it
        names: {
            let scan = Arc::clone(&scan);
            Box::new(move |id| scan.index.names(id))
        },
    };
    let progress = file.progress();
    let size = file.size();
    let (batches, mut rows) = mpsc::channel(BATCHES_IN_FLIGHT);
    let findings = scan.findings.clone();
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
    run.out_of_scope = counts.get(OperationStatus::OutOfScope);
    Ok(Planned::New(Box::new(PlannedRun { run, counts, known_records, remarks, findings, draft })))
}

async fn first_pass(
    feed: Arc<Feed>,
    path: &Path,
    now: Timestamp,
    options: &PlanOptions<'_>,
) -> Result<(SourceFile, Scan), IntakeError> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let mut file = SourceFile::open(&path).map_err(|error| IntakeError::Refused {
            problem: Box::new(SourceError::Read(error).problem(Place::file(name))),
            digest: [0; 32],
        })?;
        match scan(&mut file, &feed, feed.today(now)) {
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

/// Maps the rows and sends them on in batches; ends early when nobody listens any more.
fn second_pass(
    mut file: SourceFile,
    feed: &Feed,
    scan: &Scan,
    batches: &mpsc::Sender<Vec<ReadRow>>,
) -> Result<(), IntakeError> {
    let mut batch = Vec::with_capacity(BATCH_ROWS);
    let pass = read_rows(&mut file, feed, scan, |result| {
        batch.push(ReadRow::own(result));
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

/// A run's id: a ULID, so ids sort by the time they were made.
#[must_use]
pub fn new_run_id(now: Timestamp) -> RunId {
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    RunId::new(ulid::Ulid::from_parts(millis, fastrand::u128(..)).to_string())
}
