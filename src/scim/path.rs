//! Attribute paths (RFC 7644 section 3.5.2 and figure 7), and what they name.
//!
//! Beside the RFC's notation `enterprise:` is short for the enterprise extension's URN. A URN and
//! its attribute are split at the last colon. A complex attribute alone means its `value`. Start at
//! [`AttributePath::parse`]; its `Display` is the canonical notation, in which two paths are equal
//! exactly when they name the same value.

use std::cmp::Ordering;
use std::fmt;

use crate::scim::schema::{SubAttribute, ValueKind};
use crate::scim::urns;

mod parser;

/// The only short form of a URN.
const ENTERPRISE_SHORT: &str = "enterprise";

/// The one place in a user that a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributePath {
    schema: Schema,
    /// Place in the schema's table; 0 for a custom attribute.
    position: usize,
    name: String,
    entry: Option<String>,
    sub: Option<(usize, &'static SubAttribute)>,
    kind: ValueKind,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Schema {
    Core,
    Enterprise,
    Custom(String),
}

/// Why a text names no attribute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at character {position})")]
pub struct PathError {
    /// The character at which the mistake starts, from 1.
    pub position: usize,
    /// What is wrong with it.
    pub message: String,
    /// What was probably meant: a whole path.
    pub suggestion: Option<String>,
}

impl AttributePath {
    /// Reads a path as a person writes it.
    ///
    /// # Errors
    /// When the text names no attribute that may be set, or names it incompletely.
    pub fn parse(written: &str) -> Result<Self, PathError> {
        parser::parse(written)
    }

    /// The path without the schema's URN is this core attribute (not a part of one).
    #[must_use]
    pub fn is_core(&self, name: &str) -> bool {
        self.schema == Schema::Core && self.sub.is_none() && self.name == name
    }

    /// Whether it is any part of the enterprise extension's manager.
    #[must_use]
    pub fn is_manager(&self) -> bool {
        self.schema == Schema::Enterprise && self.name == "manager"
    }

    /// Whether it is the reference of the manager itself.
    #[must_use]
    pub fn is_manager_value(&self) -> bool {
        self.is_manager() && self.sub_attribute() == Some("value")
    }

    /// Whether the value is a JSON boolean.
    #[must_use]
    pub const fn is_boolean(&self) -> bool {
        matches!(self.kind, ValueKind::Boolean)
    }

    /// The attribute's own name, without URN, filter and part.
    #[must_use]
    pub fn attribute(&self) -> &str {
        &self.name
    }

    /// The part of a complex attribute.
    #[must_use]
    pub fn sub_attribute(&self) -> Option<&'static str> {
        self.sub.map(|(_, part)| part.name)
    }

    /// The `type` that the filter asks for, where the attribute is a list.
    #[must_use]
    pub fn entry_type(&self) -> Option<&str> {
        self.entry.as_deref()
    }

    /// Whether it is an attribute of the enterprise extension.
    #[must_use]
    pub fn is_enterprise(&self) -> bool {
        self.schema == Schema::Enterprise
    }

    /// The URN of a custom extension; `None` for core and enterprise.
    #[must_use]
    pub fn custom_urn(&self) -> Option<&str> {
        match &self.schema {
            Schema::Custom(urn) => Some(urn),
            Schema::Core | Schema::Enterprise => None,
        }
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Schema::Core => {}
            Schema::Enterprise => write!(f, "{}:", urns::ENTERPRISE_USER)?,
            Schema::Custom(urn) => write!(f, "{urn}:")?,
        }
        f.write_str(&self.name)?;
        if let Some(entry) = &self.entry {
            write!(f, "[type eq \"{entry}\"]")?;
        }
        if let Some((_, part)) = self.sub {
            write!(f, ".{}", part.name)?;
        }
        Ok(())
    }
}

/// The order in which values stand in a resource: core and enterprise as in RFC 7643, list entries
/// with `work` first and then by type, custom extensions and their attributes by name.
impl Ord for AttributePath {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_type = |path: &Self| path.entry.as_deref() != Some("work");
        self.schema
            .cmp(&other.schema)
            .then_with(|| self.position.cmp(&other.position))
            .then_with(|| self.name.cmp(&other.name))
            .then_with(|| by_type(self).cmp(&by_type(other)))
            .then_with(|| self.entry.cmp(&other.entry))
            .then_with(|| self.sub.map(|sub| sub.0).cmp(&other.sub.map(|sub| sub.0)))
    }
}

impl PartialOrd for AttributePath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests;
