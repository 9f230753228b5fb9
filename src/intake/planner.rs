//! Rows held against the ledger, batch by batch.

use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::domain::{Change, ExternalId, OperationStatus};
use crate::intake::pilot::Selection;
use crate::intake::planner::made::{is_of, operation};
use crate::intake::planner::rows::{Person, ReadVerdict};
use crate::intake::planner::words::{
    USER_NAME_TAKEN, owned_by_other_source, rejected, unknown_manager, user_name_taken,
};
use crate::intake::{ChangeSeen, Feed, PlanOptions, PlannedRun};
use crate::plan::{Decision, decide, taken_by};
use crate::scim::{AttributeChange, changed_attributes};
use crate::source::Finding;
use crate::store::{
    NewRun, PlannedOperation, PlannedRow, PlannedVerdict, RecordCounts, RunDraft, StatusCounts,
    Store, StoreError,
};

mod made;
mod rows;
#[cfg(test)]
mod tests;
mod words;

pub(super) use made::{note, status_of};
pub(super) use rows::ReadRow;
pub(super) use words::left_by_absence;

/// A row that needs a look: why it is rejected, or what it is sent without.
#[derive(Debug, Clone)]
pub struct Remark {
    /// The row's number.
    pub row: u64,
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

/// What the store says to a user.
struct Known {
    decision: Decision,
    /// Whether the row is the one behind the ledger's resource.
    is_same_row: bool,
    /// The last planned resource, where changes are looked at.
    old: Option<Vec<u8>>,
    /// Who has the userName, where it is to be sent.
    holders: Vec<ExternalId>,
    /// Whether the manager is in the ledger.
    knows_manager: bool,
}

/// What is counted on the way, beside the statuses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Rows that became a valid user.
    pub(super) mapped: u64,
    /// Those of them that are inactive.
    pub(super) inactive: u64,
    /// Rejected rows whose worker nobody can tell.
    pub(super) nameless: u64,
    /// People whom only the mapping changes: their rows are the same as before.
    pub(super) by_mapping: u64,
    /// Workers who are only closed in the ledger.
    pub(super) closed: u64,
    /// Workers to whom the same is sent again.
    pub(super) resent: u64,
    /// Workers in whom an attribute changes, in the order of the guards' attributes.
    pub(super) attributes: Vec<u64>,
}

/// Holds batches against the ledger and writes the draft.
pub(super) struct Planner<'s> {
    pub(super) store: &'s dyn Store,
    pub(super) feed: Arc<Feed>,
    pub(super) run: NewRun,
    pub(super) counts: StatusCounts,
    pub(super) tally: Tally,
    pub(super) remarks: Vec<Remark>,
    pub(super) draft: Option<Box<dyn RunDraft>>,
    /// Whether the file has a row of this worker.
    pub(super) names: Box<dyn Fn(&str) -> bool + Send + Sync>,
    /// What of it is to be applied.
    pub(super) selection: Selection,
    /// Over everything that is to be sent.
    pub(super) digest: Sha256,
}

impl<'s> Planner<'s> {
    pub(super) fn new(
        store: &'s dyn Store,
        feed: Arc<Feed>,
        run: NewRun,
        names: Box<dyn Fn(&str) -> bool + Send + Sync>,
    ) -> Self {
        let attributes = vec![0; feed.rules.guards.attributes.len()];
        Self {
            store,
            feed,
            run,
            counts: StatusCounts::default(),
            tally: Tally { attributes, ..Tally::default() },
            remarks: Vec::new(),
            draft: None,
            names,
            selection: Selection::default(),
            digest: Sha256::new(),
        }
    }

    /// Keeps what a person should look at, up to a number.
    fn remark(&mut self, row: &PlannedRow, status: OperationStatus) {
        if self.remarks.len() == REMARKS_KEPT {
            return;
        }
        let (code, reason, advice) = match &row.verdict {
            PlannedVerdict::Rejected { code, reason, advice, .. } => (code, reason, advice.clone()),
            PlannedVerdict::Operation(PlannedOperation {
                warning: Some((code, reason)), ..
            }) => (code, reason, None),
            _ => return,
        };
        self.remarks.push(Remark {
            row: row.row.unwrap_or(0),
            line: row.line,
            external_id: row.external_id.clone(),
            status,
            code: code.clone(),
            reason: reason.clone(),
            advice,
        });
    }

    /// What is queued is held instead, and what is closed waits for that too.
    pub(super) fn hold(&mut self) {
        self.counts.turn(OperationStatus::Queued, OperationStatus::Held);
        self.counts.take(OperationStatus::Superseded, self.tally.closed);
        self.counts.add(OperationStatus::Held, self.tally.closed);
    }

    /// The run, ready to be committed.
    pub(super) fn finish(
        self,
        draft: Option<Box<dyn RunDraft>>,
        records: RecordCounts,
        without_row: u64,
        missing: Vec<(ExternalId, bool)>,
        findings: Vec<Finding>,
    ) -> Box<PlannedRun> {
        Box::new(PlannedRun {
            run: self.run,
            counts: self.counts,
            without_row,
            records,
            by_mapping: self.tally.by_mapping,
            missing,
            digest: self.digest.finalize().into(),
            remarks: self.remarks,
            findings,
            draft,
        })
    }

    /// Counts a planned row, and sums up what is to be sent.
    pub(super) fn count(&mut self, row: &PlannedRow, status: OperationStatus) {
        self.counts.add(status, 1);
        let (Some(id), PlannedVerdict::Operation(operation)) = (&row.external_id, &row.verdict)
        else {
            return;
        };
        self.run.changes.add(operation.change, operation.active);
        self.tally.closed += u64::from(operation.closes);
        self.tally.resent += u64::from(operation.resend);
        self.digest.update((id.as_str().len() as u64).to_le_bytes());
        self.digest.update(id.as_str());
        self.digest.update(operation.change.as_str());
        self.digest.update(operation.digest);
    }

    /// Counts rows whose resources the ledger has.
    pub(super) fn take_known(&mut self, rows: u64) {
        self.tally.mapped += rows;
        self.counts.add(OperationStatus::Unchanged, rows);
    }

    pub(super) async fn take(
        &mut self,
        batch: Vec<ReadRow>,
        now: Timestamp,
        options: &mut PlanOptions<'_>,
    ) -> Result<(), StoreError> {
        let mut known = self.known(&batch, now, options.on_change.is_some()).await?.into_iter();
        let mut planned = Vec::with_capacity(batch.len());
        for ReadRow { row, line, verdict } in batch {
            let (external_id, verdict) = match verdict {
                ReadVerdict::OutOfScope => {
                    self.counts.add(OperationStatus::OutOfScope, 1);
                    continue;
                }
                ReadVerdict::Rejected { external_id, problem, cells } => {
                    self.tally.nameless += u64::from(external_id.is_none());
                    (external_id, rejected(problem, cells))
                }
                ReadVerdict::Superseded { external_id, reason } => {
                    (Some(external_id), PlannedVerdict::Superseded { reason })
                }
                ReadVerdict::Later(person, effective_at, instead) => {
                    let external_id = Some(person.external_id.clone());
                    let operation = operation(person, Change::Mover, false, false, None, now);
                    let id = external_id.clone();
                    let later = PlannedVerdict::Later { effective_at, operation };
                    match instead {
                        None => (external_id, later),
                        Some(reason) => {
                            // the day is kept, and the row is told as passed over
                            planned.push(PlannedRow {
                                row: None,
                                line: None,
                                external_id,
                                verdict: later,
                            });
                            (id, PlannedVerdict::Superseded { reason })
                        }
                    }
                }
                ReadVerdict::User(user) => {
                    self.tally.mapped += 1;
                    self.tally.inactive += u64::from(!user.active);
                    let external_id = Some(user.external_id.clone());
                    let Some(known) = known.next() else { continue };
                    (external_id, self.user(user, known, now, options))
                }
            };
            let row = PlannedRow { row: Some(row), line, external_id, verdict };
            if !self.selection.takes(&row) {
                self.counts.add(OperationStatus::OutOfScope, 1);
                continue;
            }
            let status = status_of(&row.verdict);
            self.count(&row, status);
            self.remark(&row, status);
            planned.push(row);
        }
        if let Some(draft) = &mut self.draft {
            draft.push(planned).await?;
        }
        Ok(())
    }

    /// Asks the store about the users of a batch, in their order: once for the ledger, and once for
    /// the names and the managers of those that are to be sent.
    async fn known(
        &self,
        batch: &[ReadRow],
        now: Timestamp,
        shows_changes: bool,
    ) -> Result<Vec<Known>, StoreError> {
        let target = &self.feed.target;
        let users: Vec<&Person> = batch.iter().filter_map(ReadRow::user).collect();
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<ExternalId> = users.iter().map(|user| user.external_id.clone()).collect();
        let olds = if shows_changes || !self.tally.attributes.is_empty() {
            self.store.resources(target, ids.clone()).await?
        } else {
            Vec::new()
        };
        let entries = self.store.ledger(target, ids).await?;
        let owner = self.feed.owner();
        let decisions: Vec<Decision> = (users.iter().zip(&entries))
            .map(|(user, entry)| decide(entry.as_ref(), owner, user.active, user.digest, now))
            .collect();
        let is_sent = |decision: &Decision| matches!(decision, Decision::Send { .. });
        let sent = || users.iter().zip(&decisions).filter(|(_, decision)| is_sent(decision));
        let keys: Vec<i64> = sent().filter_map(|(user, _)| user.user_name_key).collect();
        let managers: Vec<ExternalId> =
            sent().filter_map(|(user, _)| user.manager.clone()).collect();
        let mut holders = if keys.is_empty() {
            Vec::new()
        } else {
            self.store.user_name_holders(target, keys).await?
        }
        .into_iter();
        let mut known_managers = if managers.is_empty() {
            Vec::new()
        } else {
            self.store.are_known(target, managers).await?
        }
        .into_iter();
        let mut olds = olds.into_iter();
        let known = users.iter().zip(decisions).zip(entries).map(|((user, decision), entry)| {
            let is_sent = is_sent(&decision);
            let asked_name = user.user_name_key.is_some() && is_sent;
            let asked_manager = user.manager.is_some() && is_sent;
            Known {
                decision,
                is_same_row: user.row_digest.is_some()
                    && entry.is_some_and(|entry| entry.row_digest == user.row_digest),
                old: olds.next().flatten(),
                holders: if asked_name { holders.next().unwrap_or_default() } else { Vec::new() },
                knows_manager: !asked_manager || known_managers.next().unwrap_or(true),
            }
        });
        Ok(known.collect())
    }

    /// What becomes of a user.
    fn user(
        &mut self,
        user: Person,
        known: Known,
        now: Timestamp,
        options: &mut PlanOptions<'_>,
    ) -> PlannedVerdict {
        let (change, resend, closes) = match known.decision {
            Decision::Unchanged => {
                return PlannedVerdict::Unchanged(note(user.row_digest, user.window, now));
            }
            Decision::OwnedByOtherSource(owner) => {
                let problem = owned_by_other_source(owner.as_str());
                return rejected(problem, user.cells.to_vec());
            }
            Decision::Close => (Change::Leaver, false, true),
            Decision::Send { change, resend } => (change, resend, false),
        };
        let mut taken = None;
        if let Some(holder) = taken_by(&user.external_id, &known.holders, &self.names) {
            if user.active {
                let problem = user_name_taken(self.feed.mapping.user_name_column(), holder);
                return rejected(problem, user.cells.to_vec());
            }
            // nobody stays enabled for the sake of a name; of two warnings this is the graver
            taken = Some((
                USER_NAME_TAKEN.to_owned(),
                format!(
                    "worker `{holder}` has the same userName; sent all the same, being inactive"
                ),
            ));
        }
        self.tally.by_mapping += u64::from(known.is_same_row && !resend);
        if let Some(old) = &known.old {
            // our own bytes on both sides
            let attributes = changed_attributes(old, &user.resource).unwrap_or_default();
            self.count_attributes(&attributes);
            show(&user, change, attributes, options);
        } else {
            show(&user, change, Vec::new(), options);
        }
        let unknown = user.manager.as_ref().filter(|manager| {
            change != Change::Leaver && !known.knows_manager && !(self.names)(manager.as_str())
        });
        let more = taken.or_else(|| unknown.map(|_| unknown_manager()));
        PlannedVerdict::Operation(operation(user, change, resend, closes, more, now))
    }

    fn count_attributes(&mut self, changes: &[AttributeChange]) {
        let guarded = &self.feed.rules.guards.attributes;
        for ((path, _), count) in guarded.iter().zip(&mut self.tally.attributes) {
            *count += u64::from(changes.iter().any(|change| is_of(&change.path, path)));
        }
    }
}

/// Tells whoever wants to see the changes.
fn show(
    user: &Person,
    change: Change,
    attributes: Vec<AttributeChange>,
    options: &mut PlanOptions<'_>,
) {
    if let Some(on_change) = options.on_change.as_mut() {
        let external_id = user.external_id.clone();
        on_change(ChangeSeen { external_id, change, attributes });
    }
}
