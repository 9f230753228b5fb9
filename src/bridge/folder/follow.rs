//! What becomes of answered files: answers are written again when their runs have moved, what was held
//! moves on once it is decided, and what was kept long enough is removed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::bridge::folder::{Answer, Watch, WatchError};
use crate::domain::{OperationStatus, RunId, RunStatus};
use crate::intake::folder::{ANSWER, Answered, Shelf, Shelves};

/// How often it is looked for answered files that were kept long enough.
const SWEEP: Duration = Duration::from_hours(1);
/// The pause after following up is so many times as long as that took.
const PAUSE_PER_LOOK: u32 = 20;

/// An answered file whose run goes on.
pub(super) struct Open {
    pub(super) shelf: Shelf,
    pub(super) answered: Answered,
}

impl Watch {
    /// Answers anew where a run has moved since: what was held was decided, what was on its way has
    /// ended.
    pub(super) async fn follow_up(&mut self) -> Result<(), WatchError> {
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
                let count = |status| run.counts.get(status);
                tracing::info!(
                    file,
                    run.id = %id,
                    status = %run.status,
                    provisioned = count(OperationStatus::Provisioned),
                    rejected = count(OperationStatus::Rejected),
                    failed = count(OperationStatus::Failed),
                    unconfirmed = count(OperationStatus::Unconfirmed),
                    "the file's run has ended"
                );
                open.remove(&id);
            }
        }
        Ok(())
    }

    /// Removes answered files that were kept long enough.
    pub(super) async fn sweep(&mut self) -> Result<(), WatchError> {
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
