//! A pilot: a few of a file's changes, tried before the rest.

use std::collections::BTreeSet;

use crate::domain::ExternalId;
use crate::store::{PlannedRow, PlannedVerdict};

/// Which changes of a file a pilot applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pilot {
    /// Those of these workers.
    Only(BTreeSet<ExternalId>),
    /// The first so many, in the order of the file.
    Limit(u64),
}

/// What of a plan is taken, row by row.
#[derive(Debug, Default)]
pub(super) enum Selection {
    /// All of it.
    #[default]
    All,
    /// Rows of these workers.
    Only(BTreeSet<ExternalId>),
    /// So many changes more.
    Left(u64),
}

impl Selection {
    pub(super) fn of(pilot: Option<&Pilot>) -> Self {
        match pilot {
            None => Self::All,
            Some(Pilot::Only(ids)) => Self::Only(ids.clone()),
            Some(Pilot::Limit(limit)) => Self::Left(*limit),
        }
    }

    /// Whether a row is part of it. What is unchanged says nothing and is counted as it is.
    pub(super) fn takes(&mut self, row: &PlannedRow) -> bool {
        match (self, &row.verdict) {
            (Self::All, _) | (_, PlannedVerdict::Unchanged(_)) => true,
            (Self::Only(ids), _) => row.external_id.as_ref().is_some_and(|id| ids.contains(id)),
            (Self::Left(left), PlannedVerdict::Operation(_)) => {
                let is_taken = *left > 0;
                *left = left.saturating_sub(1);
                is_taken
            }
            (Self::Left(_), _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::RecordNote;

    fn superseded(id: &str) -> PlannedRow {
        PlannedRow {
            row: Some(2),
            line: Some(2),
            external_id: Some(id.into()),
            verdict: PlannedVerdict::Superseded { reason: "another row".to_owned() },
        }
    }

    #[test]
    fn only_the_named_are_taken_and_a_limit_takes_changes_alone() {
        let mut only = Selection::of(Some(&Pilot::Only(["E1".into()].into())));
        assert!(only.takes(&superseded("E1")) && !only.takes(&superseded("E2")));
        let mut limit = Selection::of(Some(&Pilot::Limit(1)));
        assert!(!limit.takes(&superseded("E1")));
        let unchanged = PlannedVerdict::Unchanged(RecordNote::default());
        assert!(limit.takes(&PlannedRow { verdict: unchanged, ..superseded("E1") }));
        assert!(Selection::of(None).takes(&superseded("E1")));
    }
}
