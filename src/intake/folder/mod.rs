//! A watched folder: which of its files are whole, and where they go.
//!
//! Looking is polling, because network shares tell nobody what changes in them. A file is taken when
//! it is whole ([`Looks`]): it has not changed for some time, its `.done` companion is there, or it was
//! renamed into place. It is claimed by a rename into a folder of its own under `work/`, called after
//! the run it will be ([`Shelves`]): after a crash that name says whether the run was committed.
//! Answered files lie in `done/`, `held/` or `failed/`, with the run's id in their names.
//!
//! Nothing here knows the store; `bridge` drives it.

mod list;
mod looks;
mod names;
mod shelves;

pub use list::{Listing, Seen, Shape, list};
pub use looks::{Found, Looks};
pub use names::{ANSWER, CORRECT, ROWS, base_of, run_of, with_run};
pub use shelves::{Answered, Claim, Lock, Shelf, Shelves};
