//! The program: `streamweave --help` explains it.

#![forbid(unsafe_code)]

use aqueduct_testkit::ThreadCountingAlloc;
use std::process::ExitCode;

#[global_allocator]
static ALLOC: ThreadCountingAlloc = ThreadCountingAlloc;

fn main() -> ExitCode {
    streamweave::cli::main(ThreadCountingAlloc::allocations)
}
