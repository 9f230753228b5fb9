//! Starts the program; nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    scimport::cli::main()
}
