//! The program: `exchange --help` explains it.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    exchange::cli::main()
}
