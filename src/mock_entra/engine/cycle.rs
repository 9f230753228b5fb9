//! The engine's cycles: what is staged, when a cycle starts, and how it goes on in small steps so
//! that requests are answered meanwhile.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::directory::Directory;
use super::event::{Draft, Event};
use super::job::{Execution, Job, JobCode, Quarantine};
use super::record::{Record, Source};
use crate::mock_entra::clock::micros;
use crate::mock_entra::graph::guid;
use crate::mock_entra::shared::{DAY, Settings};

/// Most records of one step.
const STEP: usize = 100;
/// In quarantine, the service tries once a day.
pub(super) const QUARANTINE_PACE: i64 = DAY;

/// What a step of the engine came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mock_entra) enum Step {
    /// There is more to do at once.
    Working,
    /// A cycle has ended.
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

#[derive(Debug)]
struct Cycle {
    id: Arc<str>,
    queue: VecDeque<Record>,
    execution: Execution,
}

/// Bucket, directory, log and job.
#[derive(Debug, Default)]
pub(in crate::mock_entra) struct Engine {
    pub(in crate::mock_entra) directory: Directory,
    /// Shared with readers, who write events out without holding up the engine.
    pub(super) log: Vec<Arc<Event>>,
    pub(super) job: Job,
    /// Failed records, by external id.
    pub(super) escrows: IndexMap<Arc<str>, Record>,
    /// Managers still to be tied, by the report's external id.
    pub(super) open_managers: IndexMap<Arc<str>, OpenManager>,
    bucket: VecDeque<Record>,
    cycle: Option<Cycle>,
    due: Option<i64>,
    /// The digest last staged for each external id.
    seen: HashMap<Arc<str>, u64>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    staged: u64,
    repeated: u64,
    identical: u64,
    cycles: u64,
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
            self.bucket.push_back(record);
        }
        self.due.get_or_insert(now.saturating_add(micros(wait)));
    }

    /// The records that fill the bucket: staged, being processed, and in escrow.
    pub(in crate::mock_entra) fn in_bucket(&self) -> usize {
        let processing = self.cycle.as_ref().map_or(0, |cycle| cycle.queue.len());
        self.bucket.len() + processing + self.escrows.len()
    }

    /// Does a little of what is due. Only an active job does anything.
    pub(in crate::mock_entra) fn step(&mut self, settings: &Settings, now: i64) -> Step {
        if self.job.code != JobCode::Active {
            return Step::Idle(None);
        }
        if self.cycle.is_none() {
            match self.due {
                Some(due) if due <= now => self.begin(now),
                Some(due) => return Step::Idle(Some(due - now)),
                None => return Step::Idle(None),
            }
        }
        let Some(mut cycle) = self.cycle.take() else {
            return Step::Working;
        };
        for _ in 0..STEP {
            let Some(record) = cycle.queue.pop_front() else {
                self.finish(cycle, settings, now);
                return Step::Finished;
            };
            self.process(&record, &mut cycle, settings, now);
        }
        self.cycle = Some(cycle);
        Step::Working
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
            let escrows = std::mem::take(&mut self.escrows);
            for (_, record) in escrows.into_iter().rev() {
                self.bucket.push_front(record);
            }
        }
        self.due = Some(now);
        while self.step(settings, now) == Step::Working {}
        true
    }

    fn begin(&mut self, now: i64) {
        self.due = None;
        let queue = std::mem::take(&mut self.bucket);
        let execution = Execution::begin(now);
        self.cycle = Some(Cycle { id: Arc::from(guid()), queue, execution });
    }

    fn process(&mut self, record: &Record, cycle: &mut Cycle, settings: &Settings, now: i64) {
        let change: Arc<str> = Arc::from(guid());
        let draft = self.provision(record, &cycle.id, &change, settings);
        cycle.execution.imported += 1;
        let Some(draft) = draft else {
            return;
        };
        if draft.failure.is_some() && draft.status == super::event::Status::Failure {
            cycle.execution.failed += 1;
        } else if !draft.modified.is_empty() {
            cycle.execution.exported += 1;
        }
        let source = Some(Arc::clone(&record.source));
        let ids = (Arc::clone(&cycle.id), change, Arc::clone(&record.external_id));
        self.note(ids, source, draft, settings, now);
    }

    /// The second pass: managers that could not be tied when their reports were processed.
    fn finish(&mut self, mut cycle: Cycle, settings: &Settings, now: i64) {
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
        if !self.bucket.is_empty() {
            self.due.get_or_insert(now);
        }
    }

    /// Writes an event; `ids` are cycle, change and external id.
    fn note(
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

    /// Sets the job's state. An active job goes on where it stopped.
    pub(in crate::mock_entra) fn set_job(&mut self, code: JobCode, reason: &str, now: i64) {
        self.job.code = code;
        self.job.quarantine = (code == JobCode::Quarantine)
            .then(|| Quarantine { reason: reason.to_owned(), since: now });
    }

    /// Restarts the job: a job that does not run loses what is staged.
    pub(in crate::mock_entra) fn restart(&mut self, now: i64) {
        if self.job.code != JobCode::Active {
            self.bucket.clear();
            self.cycle = None;
            self.due = None;
        }
        self.escrows.clear();
        self.set_job(JobCode::Active, "", now);
    }

    /// The job as `GET` shows it.
    pub(in crate::mock_entra) fn job_json(&self, now: i64) -> Value {
        self.job.json(now, self.directory.len(), self.in_bucket())
    }

    /// What `GET /_mock/stats` tells of the engine.
    pub(in crate::mock_entra) fn stats(&self) -> Value {
        json!({
            "records_staged": self.counts.staged,
            "duplicates": self.counts.identical,
            "records_staged_again": self.counts.repeated,
            "staged_now": self.in_bucket() - self.escrows.len(),
            "escrows": self.escrows.len(),
            "open_managers": self.open_managers.len(),
            "cycles": self.counts.cycles,
            "events": self.log.len(),
            "users": self.directory.len(),
            "job": self.job.code.as_str(),
        })
    }
}
