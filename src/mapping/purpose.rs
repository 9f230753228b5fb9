//! What the value of an attribute is for: to planning, in JSON, and to the source that reads it.

use crate::domain::ColumnKind;
use crate::mapping::finish::Output;
use crate::mapping::rule::Role;
use crate::mapping::{RuleConfig, ValueType};
use crate::scim::AttributePath;

/// What planning needs its value for.
pub(super) fn role(path: &AttributePath) -> Role {
    match path {
        _ if path.is_core("externalId") => Role::ExternalId,
        _ if path.is_core("userName") => Role::UserName,
        _ if path.is_core("active") => Role::Active,
        _ if path.is_manager_value() => Role::Manager,
        _ => Role::Other,
    }
}

/// The JSON type of its value.
pub(super) fn output(path: &AttributePath, rule: &RuleConfig) -> Output {
    match rule.kind {
        _ if path.is_boolean() => Output::Boolean,
        Some(ValueType::Boolean) => Output::Boolean,
        Some(ValueType::Integer) => Output::Integer,
        None => Output::Text,
    }
}

/// What an attribute's column is read as.
pub(super) fn column_kind(path: &AttributePath, role: Role, config: &RuleConfig) -> ColumnKind {
    let is_phone = path.custom_urn().is_none()
        && path.attribute() == "phoneNumbers"
        && path.sub_attribute() == Some("value");
    if config.reads_dates() {
        ColumnKind::Date
    } else if matches!(role, Role::ExternalId | Role::Manager) {
        ColumnKind::Id
    } else if is_phone {
        ColumnKind::Phone
    } else {
        ColumnKind::Text
    }
}
