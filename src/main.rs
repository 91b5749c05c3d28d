//! Parses, runs, and turns the result into an exit code.

use std::process::ExitCode;

/// Cheaper than the system's on the paths that allocate.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tributary::cli::main()
}
