//! Adapters from bytes to rows: CSV and JSON now, workbooks later.
//!
//! A source streams: it holds one record and one buffer, never a file. It knows nothing of
//! mappings, ledgers or files on disk (any `Read` will do), and refuses a file with a [`Problem`]
//! that names the line. What is wrong with one row only is told beside the row, and the file goes on.
//!
//! Start with [`CsvShape`] and [`CsvReader`]; [`RowIndex`] says which of several rows of one worker counts.
//!
//! [`Problem`]: crate::domain::Problem

mod config;
mod error;
mod found;
mod json;
mod limits;
mod rows;
mod same_id;
mod table;
mod text;

pub use config::{
    CsvConfig, Delimiter, Format, FormatConfig, JsonConfig, Merged, Pick, Quote, RowsConfig,
    SheetChoice, TrailerConfig, WorkbookConfig,
};
pub use error::SourceError;
pub use found::{Completeness, Finding, SourceRow};
pub use json::{JsonReader, JsonShape};
pub use limits::{Limits, too_many_ragged};
pub use rows::{NotedRow, Others, RowIndex, RowIndexBuilder, RowStanding, RowVerdict};
pub use table::{Shape, Table};
pub use text::{CsvReader, CsvShape};
