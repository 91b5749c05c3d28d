//! Parses, runs, and turns the result into an exit code.

use std::process::ExitCode;

use tributary::memory;

#[global_allocator]
static ALLOCATOR: memory::Allocator = memory::ALLOCATOR;

fn main() -> ExitCode {
    memory::keep_freed();
    tributary::cli::main()
}
