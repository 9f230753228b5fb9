//! Text with delimiters as rows.
//!
//! [`CsvShape`] looks at the whole file once and decides what its letters are and how its fields
//! are told apart; [`CsvReader`] reads rows by what was decided, as often as wanted. Nothing is
//! guessed anew between two readings, so both see the same rows. A [`Begun`] saves the look where
//! a file is what its beginning seems to be.

mod begun;
#[cfg(test)]
mod cases;
mod decode;
mod dialect;
mod encoding;
mod input;
mod kinds;
mod languages;
mod letters;
mod reader;
mod records;
mod shape;
mod split;
mod stray;
mod survey;
mod words;

pub use begun::Begun;
pub use reader::CsvReader;
pub use shape::CsvShape;
