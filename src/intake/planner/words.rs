//! Why the ledger keeps a row back, in words.

use crate::domain::{ExternalId, RecordProblem};
use crate::store::{FaultyRow, PlannedVerdict};

/// The row as the draft takes it.
pub(super) fn rejected(problem: RecordProblem, cells: Vec<String>) -> PlannedVerdict {
    PlannedVerdict::Rejected {
        code: problem.code.to_owned(),
        reason: problem.message,
        advice: problem.hint,
        faulty: FaultyRow { column: problem.column, cells },
    }
}

pub(super) fn owned_by_other_source(owner: &str) -> RecordProblem {
    RecordProblem {
        code: "owned-by-other-source",
        attribute: None,
        column: None,
        message: format!("the record belongs to source `{owner}`"),
        hint: Some(format!("add `{owner}` to `takes_over` if this source is to take it")),
    }
}

/// Another worker has the userName.
pub(super) const USER_NAME_TAKEN: &str = "user-name-taken";

pub(super) fn user_name_taken(column: Option<&str>, holder: &ExternalId) -> RecordProblem {
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

/// The manager is neither in the ledger nor in the file.
pub(super) fn unknown_manager() -> (String, String) {
    (
        "manager-unknown".to_owned(),
        "the manager is not known to the target: sent as given, and sent again once that manager is \
         provisioned"
            .to_owned(),
    )
}

/// Why an operation without a row is there.
pub(in crate::intake) fn left_by_absence(missing_runs: u32) -> (String, String) {
    let words = match missing_runs {
        1 => "the complete file does not name this worker".to_owned(),
        runs => format!("{runs} complete files in a row do not name this worker"),
    };
    ("missing".to_owned(), format!("{words}: the account is disabled"))
}
