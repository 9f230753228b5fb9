//! The engine's cycles: what is staged, when a cycle starts, and how it goes on in small steps so
//! that requests are answered meanwhile.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;

use super::deletes::Held;
use super::directory::Directory;
use super::escrow::Escrows;
use super::event::{Draft, Event, Status};
use super::job::{Execution, Job, JobCode};
use super::record::{Record, Source};
use super::restart::Pending;
use super::stats::Counts;
use crate::mock_entra::clock::micros;
use crate::mock_entra::graph::guid;
use crate::mock_entra::shared::Settings;

/// Most records of one step.
const STEP: usize = 100;

/// What a step of the engine came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mock_entra) enum Step {
    /// There is more to do at once.
    Working,
    /// A cycle has ended, or the job was disabled.
    Finished,
    /// Nothing to do, until so many microseconds have passed, or something happens.
    Idle(Option<i64>),
}

/// A manager still to be tied.
#[derive(Debug)]
pub(super) struct OpenManager {
    pub(super) manager: Box<str>,
    pub(super) cycle: Arc<str>,
    pub(super) change: Arc<str>,
}

/// A record that waits for a cycle, and how it came to.
#[derive(Debug)]
pub(super) struct Queued {
    record: Record,
    /// Of a retry: when it failed first.
    first_failed: Option<i64>,
    /// Whether it may disable, however many do.
    released: bool,
}

impl Queued {
    fn fresh(record: Record) -> Self {
        Self { record, first_failed: None, released: false }
    }

    fn retry((record, first_failed): (Record, i64)) -> Self {
        Self { record, first_failed: Some(first_failed), released: false }
    }

    pub(super) fn released(record: Record) -> Self {
        Self { record, first_failed: None, released: true }
    }
}

/// The cycle that runs.
#[derive(Debug)]
pub(super) struct Cycle {
    id: Arc<str>,
    queue: VecDeque<Queued>,
    execution: Execution,
}

impl Cycle {
    pub(super) fn id(&self) -> Arc<str> {
        Arc::clone(&self.id)
    }

    /// Takes in what is staged.
    pub(super) fn append(&mut self, bucket: &mut VecDeque<Queued>) {
        self.queue.append(bucket);
    }
}

/// Bucket, directory, log and job.
#[derive(Debug, Default)]
pub(in crate::mock_entra) struct Engine {
    pub(in crate::mock_entra) directory: Directory,
    /// Shared with readers, who write events out without holding up the engine.
    pub(super) log: Vec<Arc<Event>>,
    pub(super) job: Job,
    pub(super) escrows: Escrows,
    /// Managers still to be tied, by the report's external id.
    pub(super) open_managers: IndexMap<Arc<str>, OpenManager>,
    /// Records whose disables are held back, by external id.
    pub(super) held: IndexMap<Arc<str>, Held>,
    pub(super) bucket: VecDeque<Queued>,
    pub(super) cycle: Option<Cycle>,
    pub(super) due: Option<i64>,
    pub(super) pending: Option<Pending>,
    /// The digest last staged for each external id.
    seen: HashMap<Arc<str>, u64>,
    pub(super) counts: Counts,
}

impl Engine {
    pub(in crate::mock_entra) fn new(directory: Directory) -> Self {
        Self { directory, ..Self::default() }
    }

    /// Stages records; a cycle is due a while after.
    pub(in crate::mock_entra) fn stage(&mut self, records: Vec<Record>, now: i64, wait: Duration) {
        for record in records {
            self.counts.staged += 1;
            if let Some(before) = self.seen.insert(Arc::clone(&record.external_id), record.digest) {
                self.counts.repeated += 1;
                self.counts.identical += u64::from(before == record.digest);
            }
            self.bucket.push_back(Queued::fresh(record));
        }
        self.due.get_or_insert(now.saturating_add(micros(wait)));
    }

    /// The records that are staged or being processed.
    pub(super) fn staged_now(&self) -> usize {
        self.bucket.len() + self.cycle.as_ref().map_or(0, |cycle| cycle.queue.len())
    }

    /// The records that fill the bucket: staged, being processed, in escrow, and held back.
    pub(in crate::mock_entra) fn in_bucket(&self) -> usize {
        self.staged_now() + self.escrows.len() + self.held.len()
    }

    /// When there is something to do next; a job that is neither active nor in quarantine does
    /// nothing.
    fn next_due(&self) -> Option<i64> {
        match self.job.code {
            JobCode::Active => [self.due, self.escrows.next()].into_iter().flatten().min(),
            JobCode::Quarantine => self.job.next_attempt(),
            JobCode::NotConfigured | JobCode::NotRun | JobCode::Paused => None,
        }
    }

    /// Does a little of what is due.
    pub(in crate::mock_entra) fn step(&mut self, settings: &Settings, now: i64) -> Step {
        if self.cycle.is_none() {
            match self.next_due() {
                Some(due) if due <= now => {
                    if self.disable_if_over(now) {
                        return Step::Finished;
                    }
                    self.begin(now);
                }
                next => return Step::Idle(next.map(|due| due - now)),
            }
        }
        let Some(mut cycle) = self.cycle.take() else {
            return Step::Working;
        };
        for _ in 0..STEP {
            let Some(queued) = cycle.queue.pop_front() else {
                self.finish(cycle, settings, now);
                return Step::Finished;
            };
            cycle.execution.imported += 1;
            self.process(queued, &mut cycle, settings, now);
        }
        self.cycle = Some(cycle);
        Step::Working
    }

    /// Does all that falls due from `now` until `until`, each at its instant.
    pub(in crate::mock_entra) fn run_until(&mut self, settings: &Settings, now: i64, until: i64) {
        let mut at = now;
        loop {
            match self.step(settings, at) {
                Step::Working | Step::Finished => {}
                Step::Idle(Some(wait)) if at.saturating_add(wait) <= until => at += wait,
                Step::Idle(_) => return,
            }
        }
    }

    /// Runs a cycle to its end; tells whether the job let it.
    pub(in crate::mock_entra) fn run_cycle(
        &mut self,
        settings: &Settings,
        now: i64,
        with_escrows: bool,
    ) -> bool {
        if self.job.code != JobCode::Active {
            return false;
        }
        while self.cycle.is_some() {
            self.step(settings, now);
        }
        if with_escrows {
            for escrow in self.escrows.take_all().into_iter().rev() {
                self.bucket.push_front(Queued::retry(escrow));
            }
        }
        self.due = Some(now);
        while self.step(settings, now) == Step::Working {}
        true
    }

    fn begin(&mut self, now: i64) {
        self.due = None;
        let own = self.take_pending();
        let mut queue: VecDeque<_> = self.bucket.drain(..own).collect();
        let retries = self.escrows.take_due(now);
        if !retries.is_empty() {
            // What was sent again takes the place of what failed.
            let fresh: HashSet<_> =
                queue.iter().map(|queued| Arc::clone(&queued.record.external_id)).collect();
            let still = retries.into_iter().filter(|retry| !fresh.contains(&retry.0.external_id));
            for retry in still.rev() {
                queue.push_front(Queued::retry(retry));
            }
        }
        self.cycle = Some(Cycle { id: Arc::from(guid()), queue, execution: Execution::begin(now) });
    }

    /// Ends the cycle that runs; what it has not come to is staged again.
    pub(super) fn interrupt(&mut self, now: i64) {
        let Some(mut cycle) = self.cycle.take() else {
            return;
        };
        cycle.execution.ended = now;
        self.job.ended(cycle.execution);
        if let Some(pending) = &mut self.pending {
            pending.before += cycle.queue.len();
        }
        cycle.queue.append(&mut self.bucket);
        self.bucket = cycle.queue;
        self.due = Some(now);
    }

    pub(super) fn process(
        &mut self,
        queued: Queued,
        cycle: &mut Cycle,
        settings: &Settings,
        now: i64,
    ) {
        let Queued { record, first_failed, released } = queued;
        self.counts.escrow_retries += u64::from(first_failed.is_some());
        // What is sent now takes the place of what was sent before.
        self.escrows.remove(&record.external_id);
        self.held.swap_remove(&record.external_id);
        if !released && self.hold(&record, settings) {
            return;
        }
        let change: Arc<str> = Arc::from(guid());
        let Some(draft) = self.provision(&record, &cycle.id, &change, settings) else {
            return;
        };
        let source = Some(Arc::clone(&record.source));
        let ids = (Arc::clone(&cycle.id), change, Arc::clone(&record.external_id));
        if draft.status == Status::Failure {
            cycle.execution.failed += 1;
            let first_failed = first_failed.unwrap_or(now);
            self.job.escrows_pruned |= !self.escrows.keep(record, first_failed, now);
        } else if !draft.modified.is_empty() {
            cycle.execution.exported += 1;
        }
        self.note(ids, source, draft, settings, now);
    }

    /// What follows the records: the held disables, and the second pass, in which managers are tied
    /// that could not be when their reports were processed.
    fn finish(&mut self, mut cycle: Cycle, settings: &Settings, now: i64) {
        let too_many_deletes = self.settle_deletes(&mut cycle, settings, now);
        for (external_id, open, draft) in self.tie_managers() {
            // In the cycle of the report itself this belongs to the report's change; later it is
            // a change of its own.
            let same_cycle = open.cycle == cycle.id;
            let change = if same_cycle { open.change } else { Arc::from(guid()) };
            cycle.execution.exported += 1;
            let ids = (Arc::clone(&cycle.id), change, external_id);
            self.note(ids, None, draft, settings, now);
        }
        cycle.execution.ended = now;
        self.job.ended(cycle.execution);
        self.counts.cycles += 1;
        if self.pending.is_some() {
            // The restart's own cycle follows at once, and settles what this one has left.
            self.due = Some(now);
            return;
        }
        self.evaluate(too_many_deletes, settings, now);
        if !self.bucket.is_empty() {
            self.due.get_or_insert(now);
        }
    }

    /// Writes an event; `ids` are cycle, change and external id.
    pub(super) fn note(
        &mut self,
        (cycle, change, external_id): (Arc<str>, Arc<str>, Arc<str>),
        source: Option<Arc<Source>>,
        draft: Draft,
        settings: &Settings,
        now: i64,
    ) {
        let (shortest, longest) = settings.log_delay;
        let (shortest, longest) = (micros(shortest), micros(longest));
        let delay = fastrand::i64(shortest..=longest.max(shortest));
        // The log is read by position, so its times must never fall.
        let at = self.log.last().map_or(now, |last| last.at.max(now));
        self.log.push(Arc::new(Event {
            id: guid(),
            at,
            visible_at: at.saturating_add(delay),
            cycle,
            change,
            duration_ms: fastrand::u32(200..4_000),
            external_id,
            source,
            draft,
        }));
    }

    /// All events, oldest first.
    pub(in crate::mock_entra) fn log(&self) -> &[Arc<Event>] {
        &self.log
    }

    /// The job as `GET` shows it.
    pub(in crate::mock_entra) fn job_json(&self, settings: &Settings, now: i64) -> Value {
        self.job.json(settings, now, self.directory.len(), self.in_bucket())
    }
}
