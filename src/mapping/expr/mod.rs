//! Expressions: CEL over the columns of a row, with Entra's functions by their names.
//!
//! [`Expression::compile`] reads a text once, checks every name in it, and keeps what is known
//! beforehand ready: regular expressions, date formats, constants. What it is made of decides how a
//! row is evaluated: columns, constants, Entra's functions and the usual operators by a tree of our
//! own ([`step`]), anything else of the language by the `cel` crate ([`general`]). Both know the
//! same values and give the same results.
//!
//! Nothing here can run for long: there are no loops, functions whose result depends on anything but
//! the row are not there, regular expressions match in linear time, and text has a ceiling.

mod arguments;
mod call;
mod check;
mod convert;
mod dates;
mod expression;
mod fault;
mod fit;
mod functions;
mod general;
mod guard;
mod kind;
mod lists;
mod logic;
mod lower;
mod moment;
mod net_format;
mod net_write;
mod operators;
mod prepare;
mod refused;
mod replace;
mod step;
mod texts;
mod value;

#[cfg(test)]
mod tests;

pub(super) use expression::{Expression, Made};
pub(super) use fault::{EvalFault, ExprFault};
pub(super) use kind::Kind;
pub(super) use value::Value;
