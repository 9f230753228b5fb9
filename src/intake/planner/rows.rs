//! A row on its way from the reader to the planner, out of the reader's buffers.

use jiff::Timestamp;

use crate::domain::{ActiveWindow, ExternalId, RecordProblem};
use crate::intake::cells::PackedCells;
use crate::intake::{RowResult, Verdict};
use crate::mapping::RecordWarning;
use crate::scim::{digest, user_name_key};

/// A row on its way from the reader to the planner.
pub(in crate::intake) struct ReadRow {
    pub(super) row: u64,
    pub(super) line: Option<u64>,
    pub(super) verdict: ReadVerdict,
}

pub(super) enum ReadVerdict {
    User(Person),
    /// A user who applies from an instant on, and which row of theirs counts until then.
    Later(Person, Timestamp, Option<String>),
    Rejected {
        external_id: Option<ExternalId>,
        problem: RecordProblem,
        cells: Vec<String>,
    },
    Superseded {
        external_id: ExternalId,
        reason: String,
    },
    OutOfScope,
}

/// A row that became a valid user.
pub(super) struct Person {
    pub(super) external_id: ExternalId,
    pub(super) active: bool,
    pub(super) resource: Vec<u8>,
    pub(super) digest: [u8; 16],
    pub(super) user_name_key: Option<i64>,
    pub(super) manager: Option<ExternalId>,
    pub(super) window: Option<ActiveWindow>,
    /// `None` where the file around it had a say in the resource.
    pub(super) row_digest: Option<[u8; 16]>,
    pub(super) warning: Option<(String, String)>,
    /// For the case that the ledger keeps it back.
    pub(super) cells: PackedCells,
}

impl ReadRow {
    /// The row, out of the reader's buffers; `None` for one that is known, of which nothing is wanted.
    pub(in crate::intake) fn own(result: RowResult<'_>) -> Option<Self> {
        let verdict = match result.verdict {
            Verdict::OutOfScope => ReadVerdict::OutOfScope,
            Verdict::Known => return None,
            Verdict::Mapped { user, resource, warning, row_digest, applies_from, instead } => {
                let person = Person {
                    external_id: ExternalId::new(user.external_id),
                    active: user.active,
                    digest: digest(resource),
                    resource: resource.to_vec(),
                    user_name_key: user.user_name.map(user_name_key),
                    manager: user.manager.map(ExternalId::new),
                    window: user.window,
                    row_digest: row_digest.filter(|_| warning.is_none()),
                    warning: warning
                        .map(|problem| (problem.code.to_owned(), problem.message))
                        .or_else(|| one_warning(user.warnings)),
                    cells: result.cells.pack(),
                };
                match applies_from {
                    Some(instant) => ReadVerdict::Later(person, instant, instead),
                    None => ReadVerdict::User(person),
                }
            }
            Verdict::Rejected { external_id, problem } => {
                let external_id = external_id.map(ExternalId::new);
                ReadVerdict::Rejected { external_id, problem, cells: result.cells.to_vec() }
            }
            Verdict::Superseded { external_id, reason } => {
                ReadVerdict::Superseded { external_id: ExternalId::new(external_id), reason }
            }
        };
        Some(ReadRow { row: result.row, line: result.line, verdict })
    }

    pub(super) const fn user(&self) -> Option<&Person> {
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
