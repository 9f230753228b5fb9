//! The schema of a provisioning job: which attributes its source directory knows, and how some are
//! added without touching anything else.
//!
//! Follows the Microsoft Graph pages "synchronizationSchema resource type", "attributeDefinition
//! resource type" and "Update synchronizationSchema". A PUT replaces the whole document, so nothing
//! of it may be lost on the way through us: [`JobSchema`] keeps the very text that Graph sent, finds
//! the places in it by reading only what it must, and adds by inserting text
//! ([`JobSchema::with_attributes`]). Numbers, unknown members, their order and the blanks between
//! them stay as they are, because nobody writes them anew.
//!
//! Graph has no condition on the PUT (no `ETag`, no `If-Match` in its reference), so whoever replaces
//! a schema reads it again directly before, and again after ([`JobSchema::changes_to`]).

mod attribute;
mod changes;
mod difference;
mod document;
mod json;
mod problem;

pub use attribute::{AttributeType, NewAttribute, SchemaAttribute};
pub use changes::{ChangeKind, SchemaChange};
pub use difference::{
    Conflict, OtherLetters, OtherType, SchemaDifference, WantedAttribute, Written,
};
pub use document::{JobSchema, MAX_SCHEMA_BYTES, SourceObject};
pub use problem::SchemaProblem;

#[cfg(test)]
mod tests;
