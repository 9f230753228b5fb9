//! Stands in until the rules for these arrive.

use jiff::civil::Date;

use crate::domain::{RecordProblem, Row};
use crate::mapping::{Bound, Mapping, Scratch};

/// Standing.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// Rank.
    pub rank: i32,
    /// Day.
    pub day: i32,
    /// Future.
    pub is_future: bool,
}

impl Mapping {
    /// Standing.
    #[must_use]
    pub const fn has_standing(&self) -> bool {
        false
    }
}

#[expect(missing_docs, clippy::missing_errors_doc, clippy::unused_self, reason = "stands in")]
impl Bound<'_> {
    pub fn in_scope(&self, _: &Row<'_>, _: &mut Scratch) -> Result<bool, RecordProblem> {
        Ok(true)
    }
    pub fn standing(
        &self,
        _: &Row<'_>,
        _: &mut Scratch,
        _: Date,
    ) -> Result<Standing, RecordProblem> {
        Ok(Standing { rank: 0, day: 0, is_future: false })
    }
}
