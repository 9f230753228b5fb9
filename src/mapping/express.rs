//! The value of a line whose source is an expression.

use crate::mapping::expr::{Expression, Made};
use crate::mapping::problem::Fault;
use crate::mapping::rule::{Cells, Rule, trimmed};
use crate::mapping::value::Value;

impl Rule {
    /// The value of an expression; `None` where it says that the attribute is left out.
    pub(super) fn express<'v>(
        &self,
        expression: &Expression,
        cells: Cells<'_>,
        out: &'v mut String,
    ) -> Result<Option<&'v str>, Fault> {
        out.clear();
        let made = expression.push(|column| self.clean(column, cells), out)?;
        let text = if self.trim { trimmed(out) } else { out };
        Ok((made == Made::Text).then_some(text))
    }

    /// What becomes of an attribute that its expression leaves out: no null, and no default.
    pub(super) fn left_out(&self) -> Result<Value<'_>, Fault> {
        self.nothing().map(|_| Value::Absent)
    }
}
