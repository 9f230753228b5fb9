//! What is no data in a table: headers that come again, trailers that count.

mod names;
mod tally;
mod trailer;
mod watch;

pub use watch::{Frame, Look};
