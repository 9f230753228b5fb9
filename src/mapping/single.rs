//! Single values of a row, for a first pass over a file.

use crate::domain::Row;
use crate::mapping::layout::{Field, Member};
use crate::mapping::rule::{Role, Rule};
use crate::mapping::value::Value;
use crate::mapping::{Bound, Scratch};

impl Bound<'_> {
    /// The row's `userName` alone; the same as [`Bound::apply`] finds. `None` where there is none or
    /// the row would be rejected for it.
    pub fn user_name<'s>(&'s self, row: &Row<'s>, scratch: &'s mut Scratch) -> Option<&'s str> {
        let rule = with_role(&self.mapping().layout().core, Role::UserName)?;
        self.text_of(rule, row, scratch)
    }

    /// The id of the row's manager alone, likewise.
    pub fn manager<'s>(&'s self, row: &Row<'s>, scratch: &'s mut Scratch) -> Option<&'s str> {
        let rule = with_role(&self.mapping().layout().enterprise, Role::Manager)?;
        self.text_of(rule, row, scratch)
    }

    fn text_of<'s>(
        &'s self,
        rule: &'s Rule,
        row: &Row<'s>,
        scratch: &'s mut Scratch,
    ) -> Option<&'s str> {
        match rule.evaluate(self.cells(row, false), scratch.work()) {
            Ok(Value::Text(text)) => Some(text),
            Ok(Value::Fixed(fixed)) => Some(&fixed.text),
            _ => None,
        }
    }
}

fn with_role(members: &[Member], role: Role) -> Option<&Rule> {
    let has_role = |field: &&Field| field.rule.role == role;
    members
        .iter()
        .find_map(|member| match member {
            Member::Value(field) => Some(field).filter(has_role),
            Member::Object { fields, .. } => fields.iter().find(has_role),
            Member::List { .. } => None,
        })
        .map(|field| &field.rule)
}
