//! The command line of the port: see the README.

#![forbid(unsafe_code)]

use clap::{Parser, Subcommand};
use exchange::migrate;
use std::process::ExitCode;

/// An exchange on Aqueduct
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Migrate(migrate::Arguments),
}

fn main() -> ExitCode {
    let Command::Migrate(arguments) = Arguments::parse().command;
    match arguments.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("exchange: {error}");
            ExitCode::FAILURE
        }
    }
}
