//! JSON and NDJSON files: records anywhere in a document, as rows of cells.
//!
//! The text must be JSON as RFC 8259 has it, and UTF-8; one mistake refuses the file, because what
//! follows it may be read wrongly. A file is read twice. [`JsonShape::find`] looks at all of it: it
//! finds the records and the paths to their members, which are the headers, and meets every mistake
//! before anything is used. [`JsonReader`] then gives the records as rows, and fills only the cells
//! that a mapping reads. Either holds one record and the paths, never the file.
//!
//! Nothing is turned into a number: digits are text here, so that 2^53 + 1 and `1.0` stay what they
//! are.

mod cursor;
mod headers;
mod reader;
mod records;
mod shape;
mod survey;
#[cfg(test)]
mod tests;
mod token;
mod tree;
mod walk;
mod window;

pub use reader::JsonReader;
pub use shape::JsonShape;

/// Most levels of objects and lists inside one another, the document's own counted.
const DEPTH: usize = 64;
