//! Watching a folder: every whole file becomes a run and gets an answer.
//!
//! A claimed file lies in `work/` under the id of the run that it is to be. Only when that run is
//! committed (or the file is refused, which is stored as well) its answer is written, and only then
//! it moves to `done/`, `held/` or `failed/`. Whatever is found in `work/` later is what a process
//! left that died: if its run is there, only the answer is missing, else the file is planned.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::bridge::daemon::is_over;
use crate::bridge::{Applied, Applying, Bridge, BridgeError, DecisionError};
use crate::config::FolderConfig;
use crate::domain::{RunId, RunStatus, SourceName};
use crate::intake::folder::{ANSWER, Answered, Claim, Listing, Lock, Looks, Shelf, Shelves, list};
use crate::intake::{Asked, new_run_id};
use crate::store::{Run, StoreError, StoreTrouble};
use crate::telemetry::Causes;

/// The code of a file that could not be read.
const UNREADABLE: &str = "source.unreadable";
/// The first pause after something has gone wrong; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause after something has gone wrong.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// Shortest pause between two looks.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// How often it is looked for answered files that were kept long enough.
const SWEEP: Duration = Duration::from_hours(1);
/// The pause after following up is so many times as long as that took.
const PAUSE_PER_LOOK: u32 = 20;

/// What a file is answered with.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Where the answers go; their ends are in [`crate::intake::folder`].
    pub base: &'a Path,
    /// The file's own name.
    pub file: &'a str,
    /// The run of these bytes.
    pub run: &'a Run,
    /// Whether that run was there before the file came.
    pub is_again: bool,
}

/// Writes answers that HR can open. What is there already is replaced, the one called
/// [`ANSWER`] last; it has lines `Status: …` and `Run: …`.
#[async_trait]
pub trait Answers: Send + Sync {
    /// Writes the answers of one file.
    async fn write(&self, bridge: &Bridge, answer: Answer<'_>) -> std::io::Result<()>;
}

#[derive(Debug, thiserror::Error)]
enum WatchError {
    #[error(transparent)]
    Bridge(#[from] BridgeError),
    #[error("the folder cannot be worked in")]
    Folder(#[from] std::io::Error),
}

impl From<StoreError> for WatchError {
    fn from(error: StoreError) -> Self {
        Self::Bridge(error.into())
    }
}

/// An answered file whose run goes on.
struct Open {
    shelf: Shelf,
    answered: Answered,
}

/// The watcher of one folder.
pub(super) struct Watch {
    bridge: Arc<Bridge>,
    answers: Arc<dyn Answers>,
    source: SourceName,
    config: FolderConfig,
    shelves: Shelves,
    looks: Looks,
    lock: Option<Lock>,
    is_away: bool,
    is_locked_out: bool,
    /// Files that could not be taken; told once.
    stuck: HashSet<OsString>,
    /// Answers that are written again when their runs have moved; `None` before they were looked for.
    open: Option<BTreeMap<RunId, Open>>,
    follow_at: Option<Instant>,
    sweep_at: Option<Instant>,
    failures: u32,
}

impl Watch {
    pub(super) fn new(
        bridge: Arc<Bridge>,
        answers: Arc<dyn Answers>,
        source: SourceName,
        config: FolderConfig,
    ) -> Self {
        Self {
            bridge,
            answers,
            source,
            shelves: Shelves::new(config.path.clone()),
            config,
            looks: Looks::default(),
            lock: None,
            is_away: false,
            is_locked_out: false,
            stuck: HashSet::new(),
            open: None,
            follow_at: None,
            sweep_at: None,
            failures: 0,
        }
    }

    /// Watches until cancelled.
    pub(super) async fn run(&mut self, cancel: &CancellationToken) {
        tracing::info!(
            source = %self.source,
            folder = %self.config.path.display(),
            "watching this folder"
        );
        loop {
            let wait = self.pass(cancel).await;
            if is_over(cancel, wait.max(SHORTEST_PAUSE)).await {
                return;
            }
        }
    }

    /// One look at the folder, and everything that it makes due; gives how long to wait.
    async fn pass(&mut self, cancel: &CancellationToken) -> Duration {
        let Some(listing) = self.enter().await else {
            return self.config.poll;
        };
        match self.work_off(listing, cancel).await {
            Ok(next) => {
                self.failures = 0;
                next.map_or(self.config.poll, |next| next.min(self.config.poll))
            }
            Err(error) => self.pause_after(&error).await,
        }
    }

    async fn pause_after(&mut self, error: &WatchError) -> Duration {
        let shelves = self.shelves.clone();
        if !blocking(move || Ok(shelves.is_there())).await.unwrap_or(false) {
            // the next look says so
            return self.config.poll;
        }
        let wait = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE);
        self.failures += 1;
        tracing::error!(
            source = %self.source,
            folder = %self.config.path.display(),
            error = %Causes(error),
            advice = StoreTrouble::among_causes(error).map(StoreTrouble::advice),
            again_in_s = wait.as_secs(),
            "the files of this folder wait; it is tried again"
        );
        wait
    }

    /// The folder's files; `None` while it is away, or watched by another process.
    async fn enter(&mut self) -> Option<Listing> {
        let (shelves, config) = (self.shelves.clone(), self.config.clone());
        let has_lock = self.lock.is_some();
        let entered = blocking(move || {
            let listing = list(shelves.root(), &|name| config.takes(name))?;
            if has_lock && shelves.has_lock_file() {
                return Ok((listing, None));
            }
            shelves.prepare()?;
            Ok((listing, Some(shelves.lock()?)))
        });
        match entered.await {
            Ok((listing, lock)) => {
                self.tell_back();
                match lock {
                    None => {}
                    Some(Some(lock)) => self.begin(lock),
                    Some(None) => {
                        self.lock = None;
                        self.tell_locked_out();
                        return None;
                    }
                }
                Some(listing)
            }
            Err(error) => {
                self.tell_away(&error);
                None
            }
        }
    }

    fn begin(&mut self, lock: Lock) {
        if !lock.is_real() {
            tracing::warn!(
                folder = %self.config.path.display(),
                "this folder knows no locks: see to it that one process only watches it"
            );
        }
        if std::mem::take(&mut self.is_locked_out) {
            tracing::info!(folder = %self.config.path.display(), "this process watches it now");
        }
        self.lock = Some(lock);
        // another process may have answered files meanwhile
        self.open = None;
    }

    fn tell_locked_out(&mut self) {
        if !std::mem::replace(&mut self.is_locked_out, true) {
            tracing::warn!(
                folder = %self.config.path.display(),
                "another process watches this folder; waiting"
            );
        }
    }

    fn tell_away(&mut self, error: &std::io::Error) {
        self.looks.forget();
        self.lock = None;
        if !std::mem::replace(&mut self.is_away, true) {
            tracing::warn!(
                source = %self.source,
                folder = %self.config.path.display(),
                %error,
                "the folder is not there, or cannot be read or written; waiting for it"
            );
        }
    }

    fn tell_back(&mut self) {
        if std::mem::take(&mut self.is_away) {
            tracing::info!(
                source = %self.source,
                folder = %self.config.path.display(),
                "the folder is there again"
            );
        }
    }

    /// Answers everything that is there; gives when the next file may be whole.
    async fn work_off(
        &mut self,
        listing: Listing,
        cancel: &CancellationToken,
    ) -> Result<Option<Duration>, WatchError> {
        for claim in self.on_disk(|shelves| shelves.claims()).await? {
            if cancel.is_cancelled() {
                return Ok(None);
            }
            self.take_up(claim).await?;
        }
        let found = self.looks.compare(listing, self.config.settle, Instant::now());
        for name in found.whole {
            if cancel.is_cancelled() {
                return Ok(None);
            }
            if let Some(claim) = self.claim(name).await? {
                self.apply(claim).await?;
            }
        }
        self.follow_up().await?;
        self.sweep().await?;
        Ok(found.next)
    }

    /// Takes a file; `None` when it went meanwhile, or cannot be taken now.
    async fn claim(&mut self, name: OsString) -> Result<Option<Claim>, WatchError> {
        let run = new_run_id(self.bridge.clock.now());
        let file = name.clone();
        match self.on_disk(move |shelves| shelves.claim(&file, &run)).await {
            Ok(claim) => {
                self.stuck.remove(&name);
                Ok(Some(claim))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                if self.stuck.insert(name.clone()) {
                    tracing::warn!(
                        folder = %self.config.path.display(),
                        file = %name.display(),
                        %error,
                        "this file cannot be moved yet; it is tried again"
                    );
                }
                Ok(None)
            }
        }
    }

    /// Goes on with a file that a process left which died.
    async fn take_up(&mut self, claim: Claim) -> Result<(), WatchError> {
        let file = claim.name.display().to_string();
        let Some(run) = self.bridge.store.run(&claim.run).await? else {
            tracing::info!(file, "a file that was taken before is planned now");
            return self.apply(claim).await;
        };
        let is_unread = run.problem.as_ref().is_some_and(|problem| problem.code == UNREADABLE);
        if is_unread {
            // the folder went away while it was read; that says nothing about the file
            let anew = new_run_id(self.bridge.clock.now());
            let claim = self.on_disk(move |shelves| shelves.claim_anew(claim, &anew)).await?;
            return self.apply(claim).await;
        }
        self.answer(claim, &run, false).await
    }

    /// Plans a claimed file, commits its run, and answers it.
    async fn apply(&mut self, claim: Claim) -> Result<(), WatchError> {
        let applying =
            Applying { asked: Asked::Automatic, id: Some(&claim.run), ..Applying::default() };
        let applied =
            self.bridge.apply(self.source.as_str(), &claim.path, applying, &mut |_| true).await;
        match applied {
            Ok(Applied::Committed(id)) => {
                self.bridge.wake();
                let run = self.run_of(&id).await?;
                self.answer(claim, &run, false).await
            }
            Ok(Applied::Already(run)) => self.answer(claim, &run, true).await,
            Ok(Applied::Declined) => Err(BridgeError::LedgerBusy.into()),
            Err(BridgeError::Refused(problem)) => {
                let shelves = self.shelves.clone();
                if problem.code == UNREADABLE
                    && !blocking(move || Ok(shelves.is_there())).await.unwrap_or(false)
                {
                    return Err(std::io::Error::from(std::io::ErrorKind::NotFound).into());
                }
                let run = self.run_of(&claim.run).await?;
                self.answer(claim, &run, false).await
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn run_of(&self, id: &RunId) -> Result<Run, WatchError> {
        let run = self.bridge.store.run(id).await?;
        run.ok_or_else(|| BridgeError::from(DecisionError::NoSuchRun(id.clone())).into())
    }

    /// Writes the answer of a file whose run is stored, and moves it to its shelf.
    async fn answer(&mut self, claim: Claim, run: &Run, is_again: bool) -> Result<(), WatchError> {
        let to = match run.status {
            _ if is_again => Shelf::Done,
            RunStatus::Failed => Shelf::Failed,
            RunStatus::Held => Shelf::Held,
            _ => Shelf::Done,
        };
        let file = claim.name.to_string_lossy().into_owned();
        let base = self.shelves.base(to, &claim.name, &claim.run);
        let answer = Answer { base: &base, file: &file, run, is_again };
        self.answers.write(&self.bridge, answer).await?;
        let claimed = claim.clone();
        let path = self.on_disk(move |shelves| shelves.finish(&claimed, to)).await?;
        tracing::info!(
            source = %self.source,
            file,
            run.id = %run.id,
            again = is_again,
            "the file is answered in `{}/`",
            to.as_str()
        );
        if to == Shelf::Failed
            && let Some(problem) = &run.problem
        {
            tracing::warn!(file, code = problem.code, "the file was refused");
        }
        if to == Shelf::Held {
            let guards: Vec<&str> = run.held_by.iter().map(|held| held.guard.as_str()).collect();
            tracing::warn!(
                file,
                run.id = %run.id,
                held_by = guards.join(", "),
                "the run is held: approve or cancel it"
            );
        }
        if !is_again
            && run.status.is_unfinished()
            && let Some(open) = &mut self.open
        {
            let answered =
                Answered { run: run.id.clone(), base, files: vec![path], answered_at: None };
            open.insert(run.id.clone(), Open { shelf: to, answered });
        }
        Ok(())
    }

    /// Answers anew where a run has moved since: what was held was decided, what was on its way has
    /// ended.
    async fn follow_up(&mut self) -> Result<(), WatchError> {
        let began = Instant::now();
        if self.follow_at.is_some_and(|at| began < at) {
            return Ok(());
        }
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.on_disk(|shelves| find_open(&shelves)).await?,
        };
        let followed = self.follow(&mut open).await;
        self.open = Some(open);
        self.follow_at = Some(Instant::now() + began.elapsed() * PAUSE_PER_LOOK);
        followed
    }

    async fn follow(&self, open: &mut BTreeMap<RunId, Open>) -> Result<(), WatchError> {
        if open.is_empty() {
            return Ok(());
        }
        let target = self.bridge.feed(self.source.as_str())?.target.clone();
        let unfinished = self.bridge.store.unfinished_runs(&target).await?;
        let unfinished: BTreeSet<RunId> = unfinished.into_iter().collect();
        for id in open.keys().cloned().collect::<Vec<_>>() {
            let Some(one) = open.get_mut(&id) else { continue };
            if one.shelf == Shelf::Done && unfinished.contains(&id) {
                continue;
            }
            let Some(run) = self.bridge.store.run(&id).await? else {
                // of another store
                open.remove(&id);
                continue;
            };
            if run.status == RunStatus::Held {
                continue;
            }
            let file = run.file.clone().unwrap_or_default();
            let name = one.answered.base.file_name().unwrap_or_default();
            let base = self.shelves.root().join(Shelf::Done.as_str()).join(name);
            let answer = Answer { base: &base, file: &file, run: &run, is_again: false };
            self.answers.write(&self.bridge, answer).await?;
            if one.shelf == Shelf::Held {
                let held = one.answered.clone();
                self.on_disk(move |shelves| shelves.move_on(&held, Shelf::Done)).await?;
                tracing::info!(file, run.id = %id, status = %run.status, "the held file is decided");
                one.shelf = Shelf::Done;
                one.answered.base = base;
            }
            if !run.status.is_unfinished() && !unfinished.contains(&id) {
                open.remove(&id);
            }
        }
        Ok(())
    }

    /// Removes answered files that were kept long enough.
    async fn sweep(&mut self) -> Result<(), WatchError> {
        let Some(keep) = self.config.keep else { return Ok(()) };
        if self.sweep_at.is_some_and(|at| Instant::now() < at) {
            return Ok(());
        }
        self.sweep_at = Some(Instant::now() + SWEEP);
        let open: BTreeSet<RunId> = self.open.iter().flat_map(BTreeMap::keys).cloned().collect();
        let now = SystemTime::from(self.bridge.clock.now());
        let removed = self.on_disk(move |shelves| sweep(&shelves, &open, keep, now)).await?;
        if removed > 0 {
            tracing::info!(
                folder = %self.config.path.display(),
                files = removed,
                "answered files were kept long enough and are removed"
            );
        }
        Ok(())
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(Shelves) -> std::io::Result<T> + Send + 'static,
    ) -> std::io::Result<T> {
        let shelves = self.shelves.clone();
        blocking(move || work(shelves)).await
    }
}

/// What may take long on a network share.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}

/// The answers that a process before this one left to be written again.
fn find_open(shelves: &Shelves) -> std::io::Result<BTreeMap<RunId, Open>> {
    let mut open = BTreeMap::new();
    for answered in shelves.answered(Shelf::Done)? {
        let status = answered.says("Status");
        let status = status.as_deref().and_then(RunStatus::parse);
        // the answer of the same bytes again names another run
        let is_own = answered.says("Run").as_deref() == Some(answered.run.as_str());
        if is_own && status.is_some_and(RunStatus::is_unfinished) {
            open.insert(answered.run.clone(), Open { shelf: Shelf::Done, answered });
        }
    }
    for answered in shelves.answered(Shelf::Held)? {
        let moved = has_answer(shelves, &answered);
        if answered.files.is_empty() && moved {
            // it died after the file had moved on
            shelves.discard(&answered)?;
        } else if !answered.files.is_empty() {
            open.insert(answered.run.clone(), Open { shelf: Shelf::Held, answered });
        }
    }
    Ok(open)
}

/// Whether there is an answer of the same file in `done/`.
fn has_answer(shelves: &Shelves, held: &Answered) -> bool {
    let mut name = held.base.file_name().unwrap_or_default().to_owned();
    name.push(ANSWER);
    let path: PathBuf = shelves.root().join(Shelf::Done.as_str()).join(name);
    path.exists()
}

fn sweep(
    shelves: &Shelves,
    open: &BTreeSet<RunId>,
    keep: Duration,
    now: SystemTime,
) -> std::io::Result<u64> {
    let mut removed = 0;
    for shelf in [Shelf::Done, Shelf::Failed] {
        for answered in shelves.answered(shelf)? {
            let age = answered.answered_at.and_then(|at| now.duration_since(at).ok());
            if age.is_some_and(|age| age >= keep) && !open.contains(&answered.run) {
                shelves.discard(&answered)?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}
