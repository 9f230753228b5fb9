//! A file, held against the ledger: a run that is planned and waits to be committed.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::domain::{Change, Clock, ExternalId, Place, Problem, RunId, RunKind, TargetName};
use crate::intake::judge;
use crate::intake::kept::KeptRows;
use crate::intake::pilot::Selection;
use crate::intake::planner::{Planner, ReadRow};
use crate::intake::read::read_kept;
use crate::intake::scan::scan_known;
use crate::intake::{Feed, KnownRows, Pilot, Remark, RowResult, Scan, SourceFile, read_rows};
use crate::scim::AttributeChange;
use crate::source::{Finding, SourceError};
use crate::store::{NewRun, RecordCounts, Run, RunDraft, StatusCounts, Store, StoreError};

/// Rows held against the ledger at a time, beside those that are known.
const BATCH_ROWS: usize = 500;
/// Known rows after which a batch goes on all the same, for progress to be seen.
const BATCH_KNOWN: u64 = 20_000;
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

/// Who asked for a file to be planned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Asked {
    /// A person who typed a command: that is the asking for a source's first run.
    #[default]
    Typed,
    /// A folder, a schedule, a webhook or an upload.
    Automatic,
}

/// What the caller wants, and wants to know, while a file is planned.
#[derive(Default)]
pub struct PlanOptions<'a> {
    /// Plans without a draft: nothing can be committed, the store is only read.
    pub is_dry: bool,
    /// Who asked.
    pub asked: Asked,
    /// The id of the run; a new one where absent.
    pub id: Option<RunId>,
    /// Applies only a few changes of the file.
    pub pilot: Option<&'a Pilot>,
    /// Takes every change with its attributes.
    pub on_change: Option<&'a mut (dyn FnMut(ChangeSeen) + Send + Sync)>,
    /// Is told the bytes read so far, and how many will be read in all: a file is read once or twice.
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
    /// Operations without a row: people who leave because they are missing.
    pub without_row: u64,
    /// Records the source owned before the run.
    pub records: RecordCounts,
    /// People whom only a changed mapping changes: their rows are the same as before.
    pub by_mapping: u64,
    /// People missing from a file that names everybody, the first of them; whether they leave by it.
    pub missing: Vec<(ExternalId, bool)>,
    /// Digest of all that is to be sent: the same plan again has the same.
    pub digest: [u8; 32],
    /// Rows that need a look (rejected, or sent with a warning), the first of them.
    pub remarks: Vec<Remark>,
    /// What was found out about the file.
    pub findings: Vec<Finding>,
    /// The rows themselves; `None` for a dry run.
    pub draft: Option<Box<dyn RunDraft>>,
}

impl PlannedRun {
    /// How many operations it would send, be they held or not.
    #[must_use]
    pub fn to_send(&self) -> u64 {
        use crate::domain::OperationStatus::{Held, Queued};
        self.counts.get(Queued) + self.counts.get(Held)
    }
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
    let fingerprint = feed.fingerprint();
    let mut people = store.known_people(&feed.target, &feed.name, fingerprint, started_at).await?;
    let known = KnownRows::new(people.take_rows());
    let first = first_pass(Arc::clone(&feed), path, started_at, known, &options).await?;
    let FirstPass { file, scan, known, kept } = first;
    let scan = Arc::new(scan);
    if let Some(bound) = store.bound_job(&feed.target).await?
        && bound != feed.job
    {
        return Err(IntakeError::OtherJob { target: feed.target.clone(), bound });
    }
    if options.pilot.is_none()
        && let Some(latest) = store.latest_run_of(&feed.name, scan.digest, fingerprint).await?
    {
        return Ok(Planned::AlreadyApplied(Box::new(latest)));
    }
    let (name, target) = (feed.name.clone(), feed.target.clone());
    let id = options.id.take().unwrap_or_else(|| new_run_id(started_at));
    let run = NewRun {
        job: feed.job.clone(),
        kind: if options.pilot.is_some() { RunKind::Pilot } else { RunKind::File },
        file: Some(file.name().to_owned()),
        file_digest: scan.digest,
        mapping_fingerprint: fingerprint,
        columns: scan.columns.clone(),
        rows: scan.rows,
        ..NewRun::new(id, name, target, started_at)
    };
    // every holder of a name counts as named by the file, and so keeps nobody from it
    let names = {
        let scan = Arc::clone(&scan);
        Box::new(move |id: &str| scan.index.names(id))
    };
    let mut planner = Planner::new(store, Arc::clone(&feed), run, names);
    planner.selection = Selection::of(options.pilot);
    if !options.is_dry {
        planner.draft = Some(store.draft(&feed.target).await?);
    }
    let known = map_and_hold(&mut planner, file, &scan, (known, kept), &mut options).await?;
    let records = people.counts();
    // nobody is missing from a file that does not name everybody
    let missing = if feed.rules.is_full {
        people.missing(|at, id| known.is_seen(at) || scan.index.names(id)).collect()
    } else {
        Vec::new()
    };
    drop((people, known));
    let judged =
        judge::whole_run(&mut planner, &scan, (records, missing), &options, started_at).await?;
    let draft = planner.draft.take();
    let (without_row, missing) = (judged.without_row, judged.missing);
    let mut findings = scan.findings.clone();
    findings.extend(judged.foreseen);
    Ok(Planned::New(planner.finish(draft, records, without_row, missing, findings)))
}

/// Maps the rows of a scanned file and holds them against the ledger, batch by batch.
pub(super) async fn map_and_hold(
    planner: &mut Planner<'_>,
    file: SourceFile,
    scan: &Arc<Scan>,
    (known, kept): (KnownRows, Option<KeptRows>),
    options: &mut PlanOptions<'_>,
) -> Result<KnownRows, IntakeError> {
    let progress = file.progress();
    let to_read = bytes_to_read(&file, kept.as_ref());
    let now = planner.run.started_at;
    let (batches, mut rows) = mpsc::channel(BATCHES_IN_FLIGHT);
    let reader = {
        let (feed, scan) = (Arc::clone(&planner.feed), Arc::clone(scan));
        tokio::task::spawn_blocking(move || {
            second_pass(file, &feed, &scan, (known, kept), &batches)
        })
    };
    while let Some(batch) = rows.recv().await {
        if let Some(on_progress) = options.on_progress {
            on_progress(progress.load(std::sync::atomic::Ordering::Relaxed), to_read);
        }
        planner.take_known(batch.known);
        planner.take(batch.rows, now, options).await?;
    }
    reader.await?
}

/// What the first pass over a file gives.
struct FirstPass {
    file: SourceFile,
    scan: Scan,
    known: KnownRows,
    /// The rows beside those that are known, where no second pass is needed for them.
    kept: Option<KeptRows>,
}

async fn first_pass(
    feed: Arc<Feed>,
    path: &Path,
    now: Timestamp,
    mut known: KnownRows,
    options: &PlanOptions<'_>,
) -> Result<FirstPass, IntakeError> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let mut file = SourceFile::open(&path).map_err(|error| IntakeError::Refused {
            problem: Box::new(SourceError::Read(error).problem(Place::file(name))),
            digest: [0; 32],
        })?;
        match scan_known(&mut file, &feed, now, &mut known) {
            Ok((scan, kept)) => Ok(FirstPass { file, scan, known, kept }),
            Err(error) => {
                let digest = file.digest().unwrap_or_default();
                Err(refused(&error, &file, digest))
            }
        }
    });
    let first = read.await??;
    if let Some(on_progress) = options.on_progress {
        on_progress(first.file.size(), bytes_to_read(&first.file, first.kept.as_ref()));
    }
    Ok(first)
}

/// The bytes of all passes over a file.
const fn bytes_to_read(file: &SourceFile, kept: Option<&KeptRows>) -> u64 {
    if kept.is_some() { file.size() } else { file.size() * 2 }
}

pub(super) fn refused(error: &SourceError, file: &SourceFile, digest: [u8; 32]) -> IntakeError {
    let problem = Box::new(error.problem(Place::file(file.name())));
    IntakeError::Refused { problem, digest }
}

/// Rows on their way to the planner.
#[derive(Default)]
struct Batch {
    rows: Vec<ReadRow>,
    /// How many more there are whose resources the ledger has.
    known: u64,
}

/// Maps the rows and sends them on in batches; ends early when nobody listens any more.
fn second_pass(
    mut file: SourceFile,
    feed: &Feed,
    scan: &Scan,
    (mut known, kept): (KnownRows, Option<KeptRows>),
    batches: &mpsc::Sender<Batch>,
) -> Result<KnownRows, IntakeError> {
    let known_at_once = kept.as_ref().map_or(0, |kept| kept.known);
    let mut batch = Batch { rows: Vec::new(), known: known_at_once };
    let sink = |result: RowResult<'_>| {
        match ReadRow::own(result) {
            Some(row) => batch.rows.push(row),
            None => batch.known += 1,
        }
        if batch.rows.len() == BATCH_ROWS || batch.known >= BATCH_KNOWN {
            let full = std::mem::take(&mut batch);
            if batches.blocking_send(full).is_err() {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    };
    let pass = match kept {
        Some(kept) => read_kept(kept, file.name(), feed, scan, &mut known, sink),
        None => read_rows(&mut file, feed, scan, Some(&mut known), sink),
    };
    match pass {
        Ok(_) => {
            // the planner has stopped when this fails, and says why itself
            drop(batches.blocking_send(batch));
            Ok(known)
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
