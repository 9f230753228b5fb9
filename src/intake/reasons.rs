//! Why a row is not taken, in words.

use crate::domain::RecordProblem;
use crate::intake::Feed;
use crate::intake::columns::Columns;
use crate::source::{Others, WorkbookShape};

/// What messages call the place of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Locator {
    /// Lines of a text file.
    Line,
    /// Rows of this sheet.
    Sheet(String),
}

impl Locator {
    /// `line` or `row`.
    pub(super) const fn noun(&self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Sheet(_) => "row",
        }
    }

    /// The problem, with the cell's address where there are cells to look up.
    pub(super) fn in_cell(
        &self,
        mut problem: RecordProblem,
        row: u64,
        columns: &Columns<'_>,
    ) -> RecordProblem {
        if let Self::Sheet(sheet) = self {
            let at = problem.column.as_deref().and_then(|column| columns.index(column));
            let cell = match at {
                Some(index) => format!("cell {}", WorkbookShape::address(index, row)),
                None => format!("row {row}"),
            };
            problem.message = format!("sheet `{sheet}`, {cell}: {}", problem.message);
        }
        problem
    }

    fn name(&self, others: &Others) -> String {
        let lines: Vec<String> = others.lines.iter().map(ToString::to_string).collect();
        let plural = if lines.len() == 1 { "" } else { "s" };
        let more = match others.more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{}{plural} {}{more}", self.noun(), lines.join(", "))
    }
}

pub(super) fn no_key(feed: &Feed) -> RecordProblem {
    RecordProblem {
        code: "source.no-worker-key",
        attribute: None,
        column: feed.rows.per.clone(),
        message: format!(
            "column `{}` is empty, but `rows.per` tells workers apart by it",
            feed.rows.per.as_deref().unwrap_or_default()
        ),
        hint: Some("correct the export, or leave out `rows.per`".to_owned()),
    }
}

pub(super) fn repeated(others: &Others, at: &Locator) -> RecordProblem {
    RecordProblem {
        code: "source.repeated-worker",
        attribute: Some("externalId".to_owned()),
        column: None,
        message: format!("the same worker also stands on {}", at.name(others)),
        hint: Some(
            "correct the export, or say which row counts with `rows = { pick = … }`".to_owned(),
        ),
    }
}

pub(super) fn look_alike(others: &Others, at: &Locator) -> RecordProblem {
    RecordProblem {
        code: "source.look-alike-id",
        attribute: Some("externalId".to_owned()),
        column: None,
        message: format!(
            "the id differs from the one on {} only in leading zeros, width or characters that \
             nobody sees",
            at.name(others)
        ),
        hint: Some(
            "correct the ids in the export; `pad` in the mapping restores lost zeros".to_owned(),
        ),
    }
}

pub(super) fn lost_zeros(width: usize) -> RecordProblem {
    RecordProblem {
        code: "source.id-lost-zeros",
        attribute: Some("externalId".to_owned()),
        column: None,
        message: format!(
            "the id is shorter than the file's others, which have {width} digits: it probably lost \
             its leading zeros"
        ),
        hint: Some(format!(
            "format the column as text, or set `pad = {width}` of `externalId` in the mapping"
        )),
    }
}

pub(super) fn same_user_name(others: &Others, at: &Locator) -> RecordProblem {
    RecordProblem {
        code: "source.same-user-name",
        attribute: Some("userName".to_owned()),
        column: None,
        message: format!("another worker has the same userName, on {}", at.name(others)),
        hint: Some("a userName is one person's: correct the export or the mapping".to_owned()),
    }
}

pub(super) fn manager_lost_zeros(width: usize) -> RecordProblem {
    RecordProblem {
        code: "source.manager-lost-zeros",
        attribute: Some("enterprise:manager".to_owned()),
        column: None,
        message: format!(
            "the manager's id is shorter than the file's ids, which have {width} digits: it \
             probably lost its leading zeros"
        ),
        hint: Some(format!(
            "format the column as text, or set `pad = {width}` of `enterprise:manager`"
        )),
    }
}

pub(super) fn manager_ring(others: &Others, at: &Locator) -> RecordProblem {
    RecordProblem {
        code: "mapping.manager-ring",
        attribute: Some("enterprise:manager".to_owned()),
        column: None,
        message: format!(
            "the managers of {} manage each other in a ring, so the worker is sent without a manager",
            at.name(others)
        ),
        hint: Some("correct the managers at the source".to_owned()),
    }
}
