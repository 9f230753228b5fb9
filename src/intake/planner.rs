//! Rows held against the ledger, batch by batch.

use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::{Change, ExternalId, OperationStatus, RecordProblem};
use crate::intake::cells::PackedCells;
use crate::intake::{ChangeSeen, Feed, PlanOptions, RowResult, Verdict};
use crate::mapping::RecordWarning;
use crate::plan::{Decision, decide, taken_by};
use crate::scim::{changed_attributes, digest, user_name_key};
use crate::store::{
    FaultyRow, NewRun, PlannedOperation, PlannedRow, PlannedVerdict, RecordNote, RunDraft,
    StatusCounts, Store, StoreError,
};

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

/// A row on its way from the reader to the planner.
pub(super) struct ReadRow {
    row: u64,
    line: Option<u64>,
    verdict: ReadVerdict,
}

enum ReadVerdict {
    User(Person),
    Rejected { external_id: Option<ExternalId>, problem: RecordProblem, cells: Vec<String> },
    Superseded { external_id: ExternalId, reason: String },
    OutOfScope,
}

/// A row that became a valid user.
struct Person {
    external_id: ExternalId,
    active: bool,
    resource: Vec<u8>,
    digest: [u8; 16],
    user_name_key: Option<i64>,
    warning: Option<(String, String)>,
    /// For the case that the ledger keeps it back.
    cells: PackedCells,
}

/// What the store says to a user.
struct Known {
    decision: Decision,
    /// The last planned resource, where changes are shown.
    old: Option<Vec<u8>>,
    /// Who has the userName, where it is to be sent.
    holders: Vec<ExternalId>,
}

/// Holds batches against the ledger and writes the draft.
pub(super) struct Planner<'s> {
    pub(super) store: &'s dyn Store,
    pub(super) feed: Arc<Feed>,
    pub(super) run: NewRun,
    pub(super) counts: StatusCounts,
    pub(super) remarks: Vec<Remark>,
    pub(super) draft: Option<Box<dyn RunDraft>>,
    /// Whether the file has a row of this worker.
    pub(super) names: Box<dyn Fn(&str) -> bool + Send + Sync>,
}

impl Planner<'_> {
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
                ReadVerdict::Rejected { external_id, problem, cells } => {
                    (external_id, rejected(problem, cells))
                }
                ReadVerdict::OutOfScope => {
                    self.counts.add(OperationStatus::OutOfScope, 1);
                    continue;
                }
                ReadVerdict::Superseded { external_id, reason } => {
                    (Some(external_id), PlannedVerdict::Superseded { reason })
                }
                ReadVerdict::User(user) => {
                    let external_id = Some(user.external_id.clone());
                    let verdict = known.next().and_then(|known| self.user(user, known, options));
                    let Some(verdict) = verdict else {
                        self.counts.add(OperationStatus::Unchanged, 1);
                        continue;
                    };
                    (external_id, verdict)
                }
            };
            let status = match &verdict {
                PlannedVerdict::Operation(_) => OperationStatus::Queued,
                PlannedVerdict::Rejected { .. } => OperationStatus::Rejected,
                PlannedVerdict::Superseded { .. } => OperationStatus::Superseded,
                PlannedVerdict::Unchanged(_) => OperationStatus::Unchanged,
                PlannedVerdict::Later { .. } => OperationStatus::OutOfScope,
            };
            self.counts.add(status, 1);
            let row = PlannedRow { row: Some(row), line, external_id, verdict };
            self.remark(&row, status);
            planned.push(row);
        }
        if let Some(draft) = &mut self.draft {
            draft.push(planned).await?;
        }
        Ok(())
    }

    /// Asks the store about the users of a batch, in their order: once for the ledger, and once for
    /// the names of those that are to be sent.
    async fn known(
        &self,
        batch: &[ReadRow],
        now: Timestamp,
        shows_changes: bool,
    ) -> Result<Vec<Known>, StoreError> {
        let target = &self.feed.target;
        let users: Vec<&Person> = batch.iter().filter_map(ReadRow::user).collect();
        let ids: Vec<ExternalId> = users.iter().map(|user| user.external_id.clone()).collect();
        let olds = if shows_changes {
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
        let keys: Vec<i64> = (users.iter().zip(&decisions))
            .filter(|(_, decision)| is_sent(decision))
            .filter_map(|(user, _)| user.user_name_key)
            .collect();
        let mut holders = if keys.is_empty() {
            Vec::new()
        } else {
            self.store.user_name_holders(target, keys).await?
        }
        .into_iter();
        let mut olds = olds.into_iter();
        let known = users.iter().zip(decisions).map(|(user, decision)| {
            let was_asked = user.user_name_key.is_some() && is_sent(&decision);
            let holders = if was_asked { holders.next().unwrap_or_default() } else { Vec::new() };
            Known { decision, old: olds.next().flatten(), holders }
        });
        Ok(known.collect())
    }

    /// What becomes of a user; `None` when nothing changed.
    fn user(
        &mut self,
        user: Person,
        known: Known,
        options: &mut PlanOptions<'_>,
    ) -> Option<PlannedVerdict> {
        let closes = known.decision == Decision::Close;
        let (change, resend) = match known.decision {
            Decision::Unchanged => return None,
            Decision::Close => (Change::Leaver, false),
            Decision::OwnedByOtherSource(owner) => {
                let problem = owned_by_other_source(owner.as_str());
                return Some(rejected(problem, user.cells.to_vec()));
            }
            Decision::Send { change, resend } => (change, resend),
        };
        let Person { external_id, active, resource, digest, user_name_key, mut warning, cells } =
            user;
        if let Some(holder) = taken_by(&external_id, &known.holders, &self.names) {
            if active {
                let problem = user_name_taken(self.feed.mapping.user_name_column(), holder);
                return Some(rejected(problem, cells.to_vec()));
            }
            // nobody stays enabled for the sake of a name; of two warnings this is the graver
            warning = Some((
                USER_NAME_TAKEN.to_owned(),
                format!(
                    "worker `{holder}` has the same userName; sent all the same, being inactive"
                ),
            ));
        }
        self.run.changes.add(change, active);
        if let Some(on_change) = options.on_change.as_mut() {
            let attributes = known.old.map_or_else(Vec::new, |old| {
                // our own bytes on both sides
                changed_attributes(&old, &resource).unwrap_or_default()
            });
            on_change(ChangeSeen { external_id, change, attributes });
        }
        Some(PlannedVerdict::Operation(PlannedOperation {
            change,
            active,
            digest,
            resource,
            user_name_key,
            manager: None,
            resend,
            closes,
            note: RecordNote::default(),
            warning,
        }))
    }
}

impl ReadRow {
    /// The row, out of the reader's buffers.
    pub(super) fn own(result: RowResult<'_>) -> Self {
        let verdict = match result.verdict {
            Verdict::OutOfScope => ReadVerdict::OutOfScope,
            Verdict::Mapped { user, resource, warning } => ReadVerdict::User(Person {
                external_id: ExternalId::new(user.external_id),
                active: user.active,
                digest: digest(resource),
                resource: resource.to_vec(),
                user_name_key: user.user_name.map(user_name_key),
                warning: warning
                    .map(|problem| (problem.code.to_owned(), problem.message))
                    .or_else(|| one_warning(user.warnings)),
                cells: result.cells.pack(),
            }),
            Verdict::Rejected { external_id, problem } => {
                let external_id = external_id.map(ExternalId::new);
                ReadVerdict::Rejected { external_id, problem, cells: result.cells.to_vec() }
            }
            Verdict::Superseded { external_id, reason } => {
                ReadVerdict::Superseded { external_id: ExternalId::new(external_id), reason }
            }
        };
        ReadRow { row: result.row, line: result.line, verdict }
    }

    const fn user(&self) -> Option<&Person> {
        match &self.verdict {
            ReadVerdict::User(user) => Some(user),
            _ => None,
        }
    }
}

/// All that is odd about a record, under the code of what comes first.
fn one_warning(warnings: &[RecordWarning]) -> Option<(String, String)> {
    let first = warnings.first()?;
    let messages: Vec<&str> = warnings.iter().map(|warning| warning.message.as_ref()).collect();
    Some((first.code.to_owned(), messages.join("; ")))
}

fn rejected(problem: RecordProblem, cells: Vec<String>) -> PlannedVerdict {
    PlannedVerdict::Rejected {
        code: problem.code.to_owned(),
        reason: problem.message,
        advice: problem.hint,
        faulty: FaultyRow { column: problem.column, cells },
    }
}

fn owned_by_other_source(owner: &str) -> RecordProblem {
    RecordProblem {
        code: "owned-by-other-source",
        attribute: None,
        column: None,
        message: format!("the record belongs to source `{owner}`"),
        hint: Some(format!("add `{owner}` to `takes_over` if this source is to take it")),
    }
}

/// Another worker has the userName.
const USER_NAME_TAKEN: &str = "user-name-taken";

fn user_name_taken(column: Option<&str>, holder: &ExternalId) -> RecordProblem {
    let from = column.map_or_else(String::new, |column| format!("column `{column}`: "));
    RecordProblem {
        code: USER_NAME_TAKEN,
        attribute: Some("userName".to_owned()),
        column: column.map(ToOwned::to_owned),
        message: format!(
            "{from}worker `{holder}`, who has no row in this file, has the same userName"
        ),
        hint: Some(format!(
            "give one of the two another userName at the source; if `{holder}` has another one by \
             now, put both rows into one file"
        )),
    }
}

#[cfg(test)]
mod tests;
