//! Compiled attribute mappings: a row in, a SCIM user's bytes (or a rejection) out.

mod config;

pub use config::{
    AttributeConfig, Case, Literal, MappingConfig, OnEmpty, Otherwise, RuleConfig, ValueSource,
};
