//! The program: `streamweave --help` explains it.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    streamweave::cli::main()
}
