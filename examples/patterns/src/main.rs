//! The program: `patterns --help` explains it.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use aqueduct_testkit::ThreadCountingAlloc;

#[global_allocator]
static ALLOC: ThreadCountingAlloc = ThreadCountingAlloc;

fn main() -> ExitCode {
    patterns::cli::main(ThreadCountingAlloc::allocations)
}
