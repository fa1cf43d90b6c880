//! `copy-cost`: what a copy costs, and what its absence saves.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use copy_cost::measure::Effort;
use copy_cost::{remote, run};
use regex::Regex;

/// Measures Aqueduct beside its peers, operation by operation, and the example systems with and
/// without copies; prints tables and writes a report.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    /// Only rows and ports whose id matches
    #[arg(long, value_name = "REGEX")]
    only: Option<Regex>,
    /// Fewer and shorter rounds: figures to look at, not to quote
    #[arg(long)]
    quick: bool,
    /// Where the report goes
    #[arg(long, value_name = "FILE", default_value = "target/copy-cost/report.json")]
    json: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answers the report's questions about Vec in a process with another allocator
    #[command(name = remote::SUBCOMMAND, hide = true)]
    ServeVec,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match execute(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("copy-cost: {error}");
            ExitCode::FAILURE
        }
    }
}

fn execute(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    match &arguments.command {
        Some(Command::ServeVec) => Ok(remote::serve()?),
        None => run::report(&run::Request {
            only: arguments.only.as_ref(),
            effort: if arguments.quick { Effort::QUICK } else { Effort::FULL },
            json: &arguments.json,
        }),
    }
}
