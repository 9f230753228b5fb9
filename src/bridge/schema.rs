//! The schema of a target's job, held against the mappings of its sources.

mod wanted;

pub use wanted::custom_attributes;
