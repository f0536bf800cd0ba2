//! The `phasegate` program: parse the arguments, run, exit.

use std::process::ExitCode;

/// Parsing allocates millions of small nodes on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    phasegate::cli::run().into()
}
