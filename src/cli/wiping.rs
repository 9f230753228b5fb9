//! What is said of what was removed from the store and may still lie in its file.

use crate::cli::context::with_causes;
use crate::cli::exit::Exit;
use crate::cli::terminal::tell;
use crate::store::{StoreError, StoreTrouble, Wiped};

/// Says that nothing of something is left.
pub fn clean(what: &str) -> String {
    format!("the store's file and its log were written anew: nothing of {what} is left there")
}

/// Warns where something may be left of `what`, with what has been done whatever became of the wiping,
/// and what is to do.
pub fn warn_unless_clean(wiped: &Result<Wiped, StoreError>, done: &str, what: &str) {
    let warning = format!(
        "warning: {done}, but the store's file and its log may still hold something of {what}"
    );
    let next = "then run this command again, or `scimport work`: the wiping goes on from there, also in a \
                `serve` that runs, daily";
    match wiped {
        Ok(Wiped::Clean | Wiped::NothingDue) => {}
        Ok(Wiped::InUse) => tell(format!(
            "{warning}: something else reads from the store all the time\n\
             hint: let that end (a backup, somebody who looks into it, the daemon for a moment), {next}"
        )),
        Err(error) => {
            let trouble = StoreTrouble::among_causes(error);
            let remedy = trouble.map_or("mend that", StoreTrouble::remedy);
            tell(format!("{warning}: {}\nhint: {remedy}, {next}", with_causes(error)));
        }
    }
}

/// What it means for the exit code: the rest is done.
pub const fn exit_of(wiped: &Result<Wiped, StoreError>) -> Exit {
    if is_clean(wiped) { Exit::Success } else { Exit::Incomplete }
}

/// Whether it is known that nothing is left.
pub const fn is_clean(wiped: &Result<Wiped, StoreError>) -> bool {
    matches!(wiped, Ok(Wiped::Clean | Wiped::NothingDue))
}
