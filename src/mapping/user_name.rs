//! The `userName` of a row alone, for a first pass over a file.

use crate::domain::Row;
use crate::mapping::layout::Member;
use crate::mapping::rule::{Role, Value};
use crate::mapping::{Bound, Scratch};

impl Bound<'_> {
    /// The row's `userName` alone; the same as [`Bound::apply`] finds. `None` where there is none or
    /// the row would be rejected for it.
    pub fn user_name<'s>(&'s self, row: &Row<'s>, scratch: &'s mut Scratch) -> Option<&'s str> {
        let rule = self.mapping().layout().core.iter().find_map(|member| match member {
            Member::Value(field) if field.rule.role == Role::UserName => Some(&field.rule),
            _ => None,
        })?;
        match rule.evaluate(self.cells(row, false), scratch.work()) {
            Ok(Value::Text(text)) => Some(text),
            Ok(Value::Fixed(fixed)) => Some(&fixed.text),
            _ => None,
        }
    }
}
