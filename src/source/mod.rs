//! Adapters from bytes to rows: CSV now, workbooks and JSON later.

mod config;

pub use config::{CsvConfig, Delimiter, Pick, RowsConfig};
