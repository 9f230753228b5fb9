//! The schema of a target's job: held against the mappings of its sources, added to, put back.
//!
//! A PUT replaces the whole schema and has no condition, so [`SchemaDesk`] reads it again directly
//! before, refuses when it is not the one that was shown to somebody any more, has it written away,
//! and reads it once more after, to see that it is what was sent. Between the last look and the PUT a
//! few milliseconds remain in which somebody else's change would be lost; the backup is from before
//! it, and the portal's audit log names who made it.

mod desk;
mod error;
mod wanted;

pub use desk::{SchemaDesk, SchemaLook, SchemaReturn};
pub use error::SchemaError;
pub use wanted::custom_attributes;
