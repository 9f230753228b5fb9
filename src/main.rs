//! Starts the program, with an allocator that wipes what is freed; nothing else.

use std::alloc::System;
use std::process::ExitCode;

use zeroizing_alloc::ZeroAlloc;

/// What a library has copied of a secret (a form, a request, a decrypted block) is freed by it as any
/// other memory is; so all of it is wiped.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    scimport::cli::main()
}
