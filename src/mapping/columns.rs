//! Which column an attribute comes from, for messages about a whole record.

use crate::mapping::Mapping;
use crate::mapping::layout::Member;
use crate::mapping::rule::Role;

impl Mapping {
    /// The one column that `userName` is read from; `None` where it is not mapped, or comes from
    /// several columns.
    #[must_use]
    pub fn user_name_column(&self) -> Option<&str> {
        self.layout().core.iter().find_map(|member| match member {
            Member::Value(field) if field.rule.role == Role::UserName => {
                field.rule.column.as_deref()
            }
            _ => None,
        })
    }
}
