//! Single values of a row, for a first pass over a file.

use crate::domain::Row;
use crate::mapping::layout::{Field, Layout, Member};
use crate::mapping::rule::{Role, Rule};
use crate::mapping::value::Value;
use crate::mapping::{Bound, Scratch};

/// The rules whose values are asked for one by one.
pub(super) struct Single<'m> {
    user_name: Option<&'m Rule>,
    manager: Option<&'m Rule>,
}

impl<'m> Single<'m> {
    pub(super) fn of(layout: &'m Layout) -> Self {
        Self {
            user_name: with_role(&layout.core, Role::UserName),
            manager: with_role(&layout.enterprise, Role::Manager),
        }
    }
}

impl Bound<'_> {
    /// The row's `userName` alone; the same as [`Bound::apply`] finds. `None` where there is none or
    /// the row would be rejected for it.
    pub fn user_name<'s>(&'s self, row: &Row<'s>, scratch: &'s mut Scratch) -> Option<&'s str> {
        self.text_of(self.single().user_name?, row, scratch)
    }

    /// The id of the row's manager alone, likewise.
    pub fn manager<'s>(&'s self, row: &Row<'s>, scratch: &'s mut Scratch) -> Option<&'s str> {
        self.text_of(self.single().manager?, row, scratch)
    }

    fn text_of<'s>(
        &'s self,
        rule: &'s Rule,
        row: &Row<'s>,
        scratch: &'s mut Scratch,
    ) -> Option<&'s str> {
        rule.evaluate(self.cells(row, false), scratch.work()).ok().as_ref().and_then(Value::text)
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
