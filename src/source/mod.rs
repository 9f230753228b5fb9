//! Adapters from bytes to rows: CSV now, workbooks and JSON later.
//!
//! A source streams: it holds one record and one buffer, never a file. It knows nothing of
//! mappings, ledgers or files on disk (any `Read` will do), and refuses a file with a [`Problem`]
//! that names the line. What is wrong with one row only is told beside the row, and the file goes on.
//!
//! Start with [`CsvReader`]; [`RowIndex`] says which of several rows of one worker counts.
//!
//! [`Problem`]: crate::domain::Problem

mod config;
mod csv;
mod delimiter;
mod error;
mod found;
mod kind;
mod limits;
mod records;
mod rows;
mod split;
mod workbook;

pub use config::{
    CsvConfig, Delimiter, Format, FormatConfig, JsonConfig, Merged, Pick, Quote, RowsConfig,
    SheetChoice, TrailerConfig, WorkbookConfig,
};
pub use csv::CsvReader;
pub use error::SourceError;
pub use found::{Completeness, Finding, SourceRow};
pub use kind::{FileKind, KIND_BYTES, kind_of, kind_of_file};
pub use limits::{Limits, too_many_ragged};
pub use rows::{RowIndex, RowIndexBuilder, RowVerdict};
pub use workbook::{SpoolReader, SpoolRequest, WorkbookLimits, WorkbookShape, spool};
