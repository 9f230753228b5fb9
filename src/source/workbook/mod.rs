//! Workbooks: XLSX, XLSM, XLSB, XLS and ODS, into a spool of rows.
//!
//! A workbook is read once: [`spool`] finds the sheet that has the mapped columns and writes its rows
//! into a small file, of which [`SpoolReader`] makes rows as often as they are needed. Cells of other
//! columns never reach the spool. Ids keep the zeros that their number format shows, dates are known
//! by format or by column, and what cannot be known is marked as such rather than guessed.
//!
//! Every kind has a reader of our own, for three things that no general reader gives: number formats
//! (without them an id shown as `004711` is another one), a stream instead of a whole sheet in memory,
//! and ceilings before anything is allocated ([`WorkbookLimits`]); whatever a file claims, its
//! unpacked bytes are counted. They meet behind one trait ([`opened`]) and one set of rules for cells
//! ([`cell`]).

mod biff;
mod book;
mod cell;
mod compound;
mod encrypted;
mod fault;
mod format;
mod header;
mod limits;
mod merged;
mod number;
mod ods;
mod opened;
mod package;
mod reader;
mod shape;
mod sheet;
mod spool;
mod strings;
mod styles;
mod swift;
mod tag;
mod text;
mod write;
mod xls;
mod xlsb;
mod xlsx;
mod xml;

pub(in crate::source) use compound::{Compound, MAGIC};
pub(in crate::source) use package::Package;

pub use limits::WorkbookLimits;
pub use reader::SpoolReader;
pub use shape::WorkbookShape;
pub use spool::{SpoolRequest, spool};
