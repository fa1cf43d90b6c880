//! The program: `uvrpc --help` explains it.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    uvrpc::cli::main()
}
