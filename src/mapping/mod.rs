//! Compiled attribute mappings: a row in, a SCIM user's bytes (or a rejection) out.
//!
//! Pure and synchronous: no clock, no input or output, no logging; where a value depends on the
//! instant, it is handed in ([`Bound::at`]). A [`MappingConfig`] is what the
//! config states, with all its mistakes; [`Mapping::compile`] finds them all and gives a
//! [`Mapping`]; [`Mapping::bind`] resolves its columns in a file's header; [`Bound::apply`] writes
//! one resource a row, as bytes and without allocating, into a buffer of the caller's. The same row
//! under the same mapping is the same bytes, whatever the order of lines in the config.

mod between;
mod bound;
mod checks;
mod columns;
mod compile;
mod config;
mod date;
mod date_format;
mod diacritics;
mod expr;
mod express;
mod fingerprint;
mod finish;
mod forms;
mod layout;
mod letters;
mod lint;
mod literal;
mod order;
mod problem;
mod propose;
pub mod psd1;
mod purpose;
mod rule;
mod single;
mod standing;
mod template;
mod value;
mod warnings;
mod write;

pub use bound::{Bound, Mapped, Scratch};
pub use compile::Mapping;
pub use config::{
    AttributeConfig, Between, ByConfig, Case, End, Literal, MappingConfig, OnEmpty, Otherwise,
    RuleConfig, ValueSource, ValueType,
};
pub use lint::Lints;
pub use order::{DateContradiction, DateOrder, Evidence, SoleFormat};
pub use problem::{ColumnProblem, MappingProblem, RecordWarning};
pub use propose::{
    Alternative, ColumnSample, Doubt, Proposal, ProposedLine, ProposedRows, TableSample, Unmapped,
    key_text, known_headers, propose, quoted, rule_text, shortened,
};
pub use standing::Standing;
