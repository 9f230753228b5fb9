//! A mapping proposed from a file that nobody has mapped yet.
//!
//! Names are the first witness: headers are held against what HR systems call these things in
//! English, German, French, Spanish, Dutch, Portuguese and Italian. Values are the second: a column
//! called "Status" without a status word in it is none, and a column of addresses with `@` is one of
//! e-mail addresses whatever it is called. Where the two leave a doubt, the proposal says so and
//! names the other ways to read the file; nothing here decides for anybody.
//!
//! Start with [`TableSample`], which takes the rows, and [`propose`], which reads it. Pure like its
//! room: a sample is handed in, and what comes out are rules ([`RuleConfig`]) with reasons.
//!
//! [`RuleConfig`]: crate::mapping::RuleConfig

mod active;
mod choose;
mod dates;
mod lexicon;
mod lines;
mod person;
mod proposal;
mod rows;
mod sample;
mod sensitive;
mod shapes;
mod status;
mod times;
mod toml;
mod words;

pub use choose::propose;
pub use lexicon::known_headers;
pub use proposal::{Alternative, Doubt, Proposal, ProposedLine, ProposedRows, Unmapped};
pub use sample::{ColumnSample, TableSample};
pub use toml::{key_text, quoted, rule_text, shortened};
