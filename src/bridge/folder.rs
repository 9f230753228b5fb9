//! Watching a folder: every whole file becomes a run and gets an answer.
//!
//! A claimed file lies in `work/` under the id of the run that it is to be. Only when that run is
//! committed (or the file is refused, which is stored as well) its answer is written, and only then
//! it moves to `done/`, `held/` or `failed/`. Whatever is found in `work/` later is what a process
//! left that died: if its run is there, only the answer is missing, else the file is planned.

mod enter;
pub(super) mod expect;
mod follow;

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::bridge::daemon::is_over;
use crate::bridge::folder::expect::Expecting;
use crate::bridge::folder::follow::Open;
use crate::bridge::{Applied, Applying, Bridge, BridgeError, DecisionError};
use crate::config::FolderConfig;
use crate::domain::{Origin, RunId, RunStatus, SourceName};
use crate::intake::folder::{Answered, Claim, Listing, Lock, Looks, Shelf, Shelves};
use crate::intake::{Asked, new_run_id};
use crate::store::{Run, StoreError, StoreTrouble};
use crate::telemetry::Causes;

/// The code of a file that could not be read.
pub(super) const UNREADABLE: &str = "source.unreadable";
/// The first pause after something has gone wrong; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause after something has gone wrong.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// Shortest pause between two looks.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// How long a file that is being worked on may take to end when the process stops.
const GRACE: Duration = Duration::from_secs(30);

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
/// [`ANSWER`](crate::intake::folder::ANSWER) last; it has lines `Status: …` and `Run: …`.
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
    /// When a file always comes, where that is said.
    expecting: Option<Expecting>,
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
            expecting: Expecting::new(&config),
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

    /// Watches until cancelled. A file that is being worked on is worked off then; when the process
    /// ends (`stop`), only for so long.
    pub(super) async fn run(&mut self, cancel: &CancellationToken, stop: &CancellationToken) {
        tracing::info!(
            source = %self.source,
            folder = %self.config.path.display(),
            "watching this folder"
        );
        loop {
            // a share that hangs keeps nobody from stopping; what was begun is taken up again then
            let wait = tokio::select! {
                wait = self.pass(cancel) => wait,
                () = out_of_patience(stop) => return,
            };
            if is_over(cancel, wait.max(SHORTEST_PAUSE)).await {
                return;
            }
        }
    }

    /// One look at the folder, and everything that it makes due; gives how long to wait.
    async fn pass(&mut self, cancel: &CancellationToken) -> Duration {
        let Some(listing) = self.enter().await else {
            if self.is_away
                && let Err(error) = self.look_for_expected().await
            {
                return self.pause_after(&error).await;
            }
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
        self.bridge.note_trouble(error);
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
        self.look_for_expected().await?;
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
        let who = self.bridge.who.clone().via(Origin::Folder);
        let applying = Applying {
            asked: Asked::Automatic,
            id: Some(&claim.run),
            who: Some(&who),
            ..Applying::default()
        };
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
        if !is_again {
            // before it is moved: a death in between repeats both
            self.note_came().await?;
        }
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

    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(Shelves) -> std::io::Result<T> + Send + 'static,
    ) -> std::io::Result<T> {
        let shelves = self.shelves.clone();
        blocking(move || work(shelves)).await
    }
}

/// Comes when a file that is being worked on has had its time to end.
pub(super) async fn out_of_patience(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(GRACE).await;
}

/// What may take long on a network share.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}
