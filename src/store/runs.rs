//! Runs: one file of one source, from intake to the last outcome.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::{
    ExternalId, HeldBy, OperationId, OperationStatus, Origin, RunDecision, RunId, RunKind,
    RunStatus, SourceName, TargetName, Who,
};
use crate::store::{ChangeCounts, PlannedRow, StatusCounts, StoreError, TakenDelivery};

/// A run that has been planned and is about to be committed.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Its id, made by the caller.
    pub id: RunId,
    /// The source.
    pub source: SourceName,
    /// The target.
    pub target: TargetName,
    /// The provisioning job that the target stands for.
    pub job: String,
    /// What it came from.
    pub kind: RunKind,
    /// The file's name without folders; `None` for runs without a file.
    pub file: Option<String>,
    /// SHA-256 of the file's bytes.
    pub file_digest: [u8; 32],
    /// Fingerprint of the mapping that was applied.
    pub mapping_fingerprint: [u8; 16],
    /// Whether the file names everybody of its source.
    pub is_full: bool,
    /// Whether the file is complete, so that who is not in it is missing.
    pub is_complete: bool,
    /// Whether who is missing from it is counted as missing.
    pub counts_absence: bool,
    /// The instant that the file shows; `None` without a file.
    pub as_of: Option<Timestamp>,
    /// The guards that keep it back; empty when it goes at once.
    pub held_by: Vec<HeldBy>,
    /// Older held operations of the source whose place this run takes once it is applied.
    pub takes_place_of: TakesPlaceOf,
    /// Why absences were not acted on, in words.
    pub note: Option<String>,
    /// When intake began.
    pub started_at: Timestamp,
    /// The mapped headers in file order, spelled as in the file.
    pub columns: Vec<String>,
    /// Data rows read.
    pub rows: u64,
    /// Rows that were `unchanged`; counted here, not stored one by one.
    pub unchanged: u64,
    /// Rows that were `out_of_scope`; counted here, not stored one by one.
    pub out_of_scope: u64,
    /// Operations by kind of change.
    pub changes: ChangeCounts,
    /// The webhook deliveries whose workers its rows are; with the commit they wait no more.
    pub deliveries: Vec<TakenDelivery>,
    /// Who or what asked for it, for the audit trail.
    pub who: Who,
}

impl NewRun {
    /// A run of a file that changes nothing yet, names nobody in particular and is held by nothing.
    #[must_use]
    pub fn new(id: RunId, source: SourceName, target: TargetName, started_at: Timestamp) -> Self {
        Self {
            id,
            source,
            target,
            job: String::new(),
            kind: RunKind::File,
            file: None,
            file_digest: [0; 32],
            mapping_fingerprint: [0; 16],
            is_full: false,
            is_complete: false,
            counts_absence: false,
            as_of: None,
            held_by: Vec::new(),
            takes_place_of: TakesPlaceOf::Nothing,
            note: None,
            started_at,
            columns: Vec::new(),
            rows: 0,
            unchanged: 0,
            out_of_scope: 0,
            changes: ChangeCounts::default(),
            deliveries: Vec::new(),
            who: Who::bridge(Origin::Daemon),
        }
    }
}

/// Which older held operations of a source a run makes obsolete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TakesPlaceOf {
    /// None.
    #[default]
    Nothing,
    /// All of them: a file that names everybody.
    Everything,
    /// These, whose workers the file names.
    Operations(Vec<OperationId>),
}

/// A file that was refused: a run with status `failed` and no operations.
#[derive(Debug, Clone)]
pub struct RefusedRun {
    /// Its id, made by the caller.
    pub id: RunId,
    /// The source.
    pub source: SourceName,
    /// The target.
    pub target: TargetName,
    /// What it came from.
    pub kind: RunKind,
    /// The file's name without folders.
    pub file: Option<String>,
    /// SHA-256 of the file's bytes, as far as they could be read.
    pub file_digest: [u8; 32],
    /// Fingerprint of the mapping.
    pub mapping_fingerprint: [u8; 16],
    /// When intake began.
    pub started_at: Timestamp,
    /// When it was refused.
    pub ended_at: Timestamp,
    /// Why.
    pub problem: StoredProblem,
    /// The webhook deliveries that were refused; they wait no more.
    pub deliveries: Vec<TakenDelivery>,
    /// Who or what asked for it, for the audit trail.
    pub who: Who,
}

/// Why a file was refused, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredProblem {
    /// Stable and dotted.
    pub code: String,
    /// Where, as `Place` prints it.
    pub place: String,
    /// What.
    pub message: String,
    /// The way out.
    pub hint: Option<String>,
}

/// A run as the store knows it.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The source.
    pub source: SourceName,
    /// The target.
    pub target: TargetName,
    /// The file's name without folders.
    pub file: Option<String>,
    /// What it came from.
    pub kind: RunKind,
    /// SHA-256 of the file's bytes.
    pub file_digest: [u8; 32],
    /// Fingerprint of the mapping that was applied.
    pub mapping_fingerprint: [u8; 16],
    /// Whether the file names everybody of its source.
    pub is_full: bool,
    /// Whether the file is complete.
    pub is_complete: bool,
    /// The instant that the file shows; `None` without a file.
    pub as_of: Option<Timestamp>,
    /// The guards that tripped, also after somebody has decided.
    pub held_by: Vec<HeldBy>,
    /// What people decided about it, oldest first.
    pub decisions: Vec<Decided>,
    /// The newer run that took the place of this held one.
    pub superseded_by: Option<RunId>,
    /// Why absences were not acted on, in words.
    pub note: Option<String>,
    /// The mapped headers in file order, spelled as in the file; empty where they were not kept.
    pub columns: Vec<String>,
    /// Where it stands.
    pub status: RunStatus,
    /// Data rows read.
    pub rows: u64,
    /// Operations without a row (absent leavers, due dates).
    pub without_row: u64,
    /// Rows by status; sums to `rows + without_row`.
    pub counts: StatusCounts,
    /// Operations by kind of change.
    pub changes: ChangeCounts,
    /// Bulk requests that carried (or carry) operations of this run; a retry is the same request.
    pub bulk_requests: u64,
    /// Why the file was refused.
    pub problem: Option<StoredProblem>,
    /// When intake began.
    pub started_at: Timestamp,
    /// When the last operation ended; `None` while the run is unfinished.
    pub ended_at: Option<Timestamp>,
}

/// Who decided what about a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What.
    pub decision: RunDecision,
    /// Who, as the face that asked knows them.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What asking for a decision came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done; so many operations are concerned.
    Done(u64),
    /// The run does not wait for that any more: its status, and the run that took its place.
    NotPossible {
        /// Where it stands.
        status: RunStatus,
        /// The newer run, where there is one.
        superseded_by: Option<RunId>,
    },
}

/// What earlier files of a source say about a new one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileHistory {
    /// Rows of the last complete file that was applied.
    pub last_complete_rows: Option<u64>,
    /// The latest instant that an applied file shows.
    pub latest_as_of: Option<Timestamp>,
    /// An older run of the very same bytes, which is not the source's latest run.
    pub same_bytes: Option<RunId>,
}

/// What a source's small runs have done together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SmallRuns {
    /// Their operations by kind of change.
    pub changes: ChangeCounts,
    /// Their rows, those out of scope left out.
    pub rows_in_scope: u64,
    /// Their rejected rows.
    pub rejected: u64,
}

/// What committing a draft came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// The run is in the store, with all its operations.
    Done,
    /// Another run of this target was committed since the draft began, or one of its deliveries waits
    /// no more: nothing was stored, plan anew.
    LedgerMoved,
}

/// Runs.
#[async_trait]
pub trait Runs {
    /// Begins a draft for a target and notes where its ledger stands.
    ///
    /// A draft takes planned rows in batches and keeps them outside the store's own tables (and
    /// outside memory) until [`RunDraft::commit`]; dropping it leaves no trace.
    async fn draft(&self, target: &TargetName) -> Result<Box<dyn RunDraft>, StoreError>;

    /// The provisioning job that a target's ledger speaks of; `None` before anything of it was
    /// accepted there (until then a wrong id can still be corrected).
    async fn bound_job(&self, target: &TargetName) -> Result<Option<String>, StoreError>;

    /// Says which provisioning job a target stands for, where [`Runs::bound_job`] leaves that open.
    async fn bind_job(
        &self,
        target: &TargetName,
        job: &str,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Stores a refused file.
    async fn store_refused(&self, run: RefusedRun) -> Result<(), StoreError>;

    /// The source's newest run of a whole file, cancelled and failed ones left out, if it is of these
    /// bytes and this mapping.
    async fn latest_run_of(
        &self,
        source: &SourceName,
        file_digest: [u8; 32],
        mapping_fingerprint: [u8; 16],
    ) -> Result<Option<Run>, StoreError>;

    /// What earlier files of a source say about a new one with these bytes.
    async fn file_history(
        &self,
        source: &SourceName,
        digest: [u8; 32],
    ) -> Result<FileHistory, StoreError>;

    /// What the small runs of a source ([`RunKind::SMALL`]) have done since an instant. Held and
    /// cancelled ones are left out, and those that somebody has approved.
    async fn small_runs_since(
        &self,
        source: &SourceName,
        since: Timestamp,
    ) -> Result<SmallRuns, StoreError>;

    /// Operations of a source that are held, with their workers, oldest first.
    async fn held_operations(
        &self,
        source: &SourceName,
    ) -> Result<Vec<(OperationId, ExternalId)>, StoreError>;

    /// Lets a held run go: its operations enter the ledger and the outbox, in one transaction, as if
    /// they had been committed now. An operation whose worker was planned anew meanwhile is
    /// `superseded`. Older held runs of the source are superseded as its commit would have done.
    /// `None` where there is no such run.
    async fn approve(
        &self,
        run: &RunId,
        by: &Who,
        now: Timestamp,
    ) -> Result<Option<Outcome>, StoreError>;

    /// Stops a run: what of it is held or queued becomes `cancelled`, and the ledger no longer takes
    /// it for sent. What is being sent or was accepted goes on. `None` where there is no such run.
    async fn cancel(
        &self,
        run: &RunId,
        by: &Who,
        now: Timestamp,
    ) -> Result<Option<Outcome>, StoreError>;

    /// Puts those operations of a run that have one of these statuses (`failed`, `unconfirmed`) into
    /// the outbox again. Workers of whom a newer operation exists are left out. `None` where there
    /// is no such run.
    async fn retry(
        &self,
        run: &RunId,
        statuses: &[OperationStatus],
        by: &Who,
        now: Timestamp,
    ) -> Result<Option<Outcome>, StoreError>;

    /// People missing from a run's file, by externalId, from the one after `after`, at most `limit`;
    /// whether the run deactivates them.
    async fn missing(
        &self,
        run: &RunId,
        after: Option<&ExternalId>,
        limit: usize,
    ) -> Result<Vec<(ExternalId, bool)>, StoreError>;

    /// One run.
    async fn run(&self, id: &RunId) -> Result<Option<Run>, StoreError>;

    /// The newest `limit` runs, newest first.
    async fn runs(&self, limit: usize) -> Result<Vec<Run>, StoreError>;

    /// Runs of a target that have not ended, oldest first; cancelled ones among them while something
    /// of them is still on its way.
    async fn unfinished_runs(&self, target: &TargetName) -> Result<Vec<RunId>, StoreError>;
}

/// A run being planned.
#[async_trait]
pub trait RunDraft: Send + Sync {
    /// Takes the next rows, in file order.
    async fn push(&mut self, rows: Vec<PlannedRow>) -> Result<(), StoreError>;

    /// Takes people whom the file does not name. Those who leave by it are pushed as rows as well.
    async fn push_missing(&mut self, people: Vec<(ExternalId, bool)>) -> Result<(), StoreError>;

    /// Commits the run and everything pushed, in one transaction: the run; an operation for each
    /// row (`queued`, `rejected` or `superseded`), managers before their reports; the ledger's records (digest, resource, active,
    /// source, key of the userName, manager, last operation; `resent_at` where `resend`); older operations of the same people
    /// that are still `queued` become `superseded`, and their runs' statuses follow; held operations
    /// by `takes_place_of` become `superseded`; absences are counted. The run is
    /// `delivering`, or `completed` (ended now) when nothing is to be sent.
    ///
    /// With `held_by` the run is `held` and so are its operations; nothing else is touched until
    /// [`Runs::approve`].
    async fn commit(self: Box<Self>, run: NewRun, now: Timestamp) -> Result<Commit, StoreError>;
}
