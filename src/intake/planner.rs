//! Rows held against the ledger, batch by batch.

use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::{ExternalId, LedgerEntry, OperationStatus, RecordProblem};
use crate::intake::{ChangeSeen, Feed, PlanOptions, RowResult, Verdict};
use crate::mapping::RecordWarning;
use crate::plan::{Decision, decide};
use crate::scim::{changed_attributes, digest};
use crate::store::{
    NewRun, PlannedOperation, PlannedRow, PlannedVerdict, RunDraft, StatusCounts, Store, StoreError,
};

/// A row that needs a look: why it is rejected, or what it is sent without.
#[derive(Debug, Clone)]
pub struct Remark {
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
    User {
        external_id: ExternalId,
        active: bool,
        resource: Vec<u8>,
        warning: Option<(String, String)>,
    },
    Rejected {
        external_id: Option<ExternalId>,
        problem: RecordProblem,
    },
    Superseded {
        external_id: ExternalId,
        reason: String,
    },
    OutOfScope,
}

/// Holds batches against the ledger and writes the draft.
pub(super) struct Planner<'s> {
    pub(super) store: &'s dyn Store,
    pub(super) feed: Arc<Feed>,
    pub(super) run: NewRun,
    pub(super) counts: StatusCounts,
    pub(super) remarks: Vec<Remark>,
    pub(super) draft: Option<Box<dyn RunDraft>>,
}

impl Planner<'_> {
    /// Keeps what a person should look at, up to a number.
    fn remark(&mut self, row: &PlannedRow, status: OperationStatus) {
        if self.remarks.len() == REMARKS_KEPT {
            return;
        }
        let (code, reason, advice) = match &row.verdict {
            PlannedVerdict::Rejected { code, reason, advice } => (code, reason, advice.clone()),
            PlannedVerdict::Operation(PlannedOperation {
                warning: Some((code, reason)), ..
            }) => (code, reason, None),
            _ => return,
        };
        self.remarks.push(Remark {
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
        let ids: Vec<ExternalId> = batch.iter().filter_map(ReadRow::user_id).cloned().collect();
        let known = self.store.ledger(&self.feed.target, ids.clone()).await?;
        let mut olds = match options.on_change {
            Some(_) => self.store.resources(&self.feed.target, ids).await?,
            None => Vec::new(),
        }
        .into_iter();
        let mut known = known.into_iter();
        let mut planned = Vec::with_capacity(batch.len());
        for row in batch {
            let is_user = row.user_id().is_some();
            let entry = if is_user { known.next().flatten() } else { None };
            let old = if is_user { olds.next().flatten() } else { None };
            if let Some(row) = self.plan(row, entry.as_ref(), old.as_deref(), now, options) {
                planned.push(row);
            }
        }
        if let Some(draft) = &mut self.draft {
            draft.push(planned).await?;
        }
        Ok(())
    }

    fn plan(
        &mut self,
        row: ReadRow,
        known: Option<&LedgerEntry>,
        old: Option<&[u8]>,
        now: Timestamp,
        options: &mut PlanOptions<'_>,
    ) -> Option<PlannedRow> {
        let ReadRow { row, line, verdict } = row;
        let (status, external_id, verdict) = match verdict {
            ReadVerdict::Rejected { external_id, problem, .. } => {
                (OperationStatus::Rejected, external_id, rejected(problem))
            }
            ReadVerdict::OutOfScope => {
                self.counts.add(OperationStatus::OutOfScope, 1);
                return None;
            }
            ReadVerdict::Superseded { external_id, reason } => (
                OperationStatus::Superseded,
                Some(external_id),
                PlannedVerdict::Superseded { reason },
            ),
            ReadVerdict::User { external_id, active, resource, warning } => {
                let digest = digest(&resource);
                match decide(known, self.feed.owner(), active, digest, now) {
                    Decision::Unchanged => {
                        self.counts.add(OperationStatus::Unchanged, 1);
                        return None;
                    }
                    Decision::OwnedByOtherSource(owner) => (
                        OperationStatus::Rejected,
                        Some(external_id),
                        PlannedVerdict::Rejected {
                            code: "owned-by-other-source".to_owned(),
                            reason: format!("the record belongs to source `{owner}`"),
                            advice: Some(format!(
                                "add `{owner}` to `takes_over` if this source is to take it"
                            )),
                        },
                    ),
                    Decision::Send { change, resend } => {
                        self.run.changes.add(change, active);
                        if let Some(on_change) = options.on_change.as_mut() {
                            on_change(ChangeSeen {
                                external_id: external_id.clone(),
                                change,
                                attributes: old.map_or_else(Vec::new, |old| {
                                    // our own bytes on both sides
                                    changed_attributes(old, &resource).unwrap_or_default()
                                }),
                            });
                        }
                        let operation =
                            PlannedOperation { change, active, digest, resource, resend, warning };
                        let verdict = PlannedVerdict::Operation(operation);
                        (OperationStatus::Queued, Some(external_id), verdict)
                    }
                }
            }
        };
        self.counts.add(status, 1);
        let planned = PlannedRow { row: Some(row), line, external_id, verdict };
        self.remark(&planned, status);
        Some(planned)
    }
}

impl ReadRow {
    /// The row, out of the reader's buffers.
    pub(super) fn own(result: RowResult<'_>) -> Self {
        let verdict = match result.verdict {
            Verdict::OutOfScope => ReadVerdict::OutOfScope,
            Verdict::Mapped { user, resource, warning } => ReadVerdict::User {
                external_id: ExternalId::new(user.external_id),
                active: user.active,
                resource: resource.to_vec(),
                warning: warning
                    .map(|problem| (problem.code.to_owned(), problem.message))
                    .or_else(|| one_warning(user.warnings)),
            },
            Verdict::Rejected { external_id, problem, .. } => {
                ReadVerdict::Rejected { external_id: external_id.map(ExternalId::new), problem }
            }
            Verdict::Superseded { external_id, reason } => {
                ReadVerdict::Superseded { external_id: ExternalId::new(external_id), reason }
            }
        };
        ReadRow { row: result.row, line: result.line, verdict }
    }

    const fn user_id(&self) -> Option<&ExternalId> {
        match &self.verdict {
            ReadVerdict::User { external_id, .. } => Some(external_id),
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

fn rejected(problem: RecordProblem) -> PlannedVerdict {
    PlannedVerdict::Rejected {
        code: problem.code.to_owned(),
        reason: problem.to_string(),
        advice: problem.hint,
    }
}
