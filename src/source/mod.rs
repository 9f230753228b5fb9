//! Adapters from bytes to rows: text with delimiters, JSON, workbooks.
//!
//! A source streams: it holds one record and one buffer, never a file. It knows nothing of
//! mappings, ledgers or files on disk (any `Read` will do), and refuses a file with a [`Problem`]
//! that names the line. What is wrong with one row only is told beside the row, and the file goes on.
//!
//! Start with [`Shape`] and [`Table`]; [`RowIndex`] says which of several rows of one worker counts.
//!
//! [`Problem`]: crate::domain::Problem

mod config;
mod error;
mod found;
mod frame;
mod json;
mod kind;
mod limits;
mod normal;
mod notes;
mod oddities;
mod rows;
mod same_id;
mod table;
mod text;
mod workbook;

pub use config::{
    CsvConfig, Delimiter, Format, FormatConfig, JsonConfig, Merged, Pick, Quote, RowsConfig,
    SheetChoice, TrailerConfig, WorkbookConfig,
};
pub use error::SourceError;
pub use found::{Completeness, Finding, SourceRow};
pub use frame::{Frame, Look};
pub use json::{JsonReader, JsonShape};
pub use kind::{FileKind, KIND_BYTES, kind_of, kind_of_file};
pub use limits::{Limits, too_many_ragged};
pub use normal::Normalizer;
pub use oddities::{Oddities, has_invisible, is_double_encoded};
pub use rows::{NotedRow, Others, RowIndex, RowIndexBuilder, RowStanding, RowVerdict};
pub use table::{Shape, Table};
pub use text::{Begun, CsvReader, CsvShape};
pub use workbook::{SpoolReader, SpoolRequest, WorkbookLimits, WorkbookShape, spool};
