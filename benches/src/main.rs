//! `copy-cost`: what a copy costs, and what its absence saves.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use copy_cost::measure::Effort;
use copy_cost::out::nobody_reads;
use copy_cost::{alloc, counted, ports, remote, run, scaling, uvrpc, weave, witnessed};
use regex::Regex;

type Outcome = Result<(), Box<dyn Error>>;

/// Measures Aqueduct beside its peers, operation by operation, and the example systems with and
/// without copies; prints tables and writes a report.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    /// Only rows, ports and claims whose id matches: pool.live64.4096, patterns.packets,
    /// claims.copy_1k
    #[arg(long, value_name = "REGEX")]
    only: Option<Regex>,
    /// Fewer and shorter rounds: figures to look at, not to quote
    #[arg(long)]
    quick: bool,
    /// Where the report goes; its page goes beside it, with the ending html
    #[arg(long, value_name = "FILE", default_value = "target/copy-cost/report.json")]
    json: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measures how getting and dropping blocks scales with threads
    Scaling {
        /// Numbers of threads, separated by commas
        #[arg(long, value_name = "N,..", value_delimiter = ',', default_values_t = [1, 2, 4])]
        threads: Vec<usize>,
    },
    /// Runs one operation so many times, for callgrind
    #[command(hide = true)]
    Counted(Repeated),
    /// Runs one zero-copy scenario so many times, for dhat
    #[command(hide = true)]
    Witnessed(Repeated),
    /// Runs one scenario of an example system in one mode
    #[command(name = ports::SUBCOMMAND, hide = true)]
    Port {
        scenario: String,
        mode: String,
        #[arg(long)]
        count_allocations: bool,
        #[arg(long, default_value_t = 1500)]
        milliseconds: u64,
    },
    /// One process of a measurement of the dataflow graph
    #[command(name = weave::SUBCOMMAND, hide = true)]
    Weave { job: String },
    /// Answers the report's questions about Vec in a process with another allocator
    #[command(name = remote::SUBCOMMAND, hide = true)]
    ServeVec,
    /// Is a server that the report calls
    #[command(name = uvrpc::SUBCOMMAND, hide = true)]
    UvrpcServer { mode: String },
}

#[derive(clap::Args, Debug)]
struct Repeated {
    /// What to run
    #[arg(required_unless_present = "list")]
    name: Option<String>,
    /// How often
    #[arg(required_unless_present = "list")]
    operations: Option<u64>,
    /// Prints the names and stops
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match execute(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if nobody_reads(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("copy-cost: {error}");
            ExitCode::FAILURE
        }
    }
}

fn execute(arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Some(Command::Scaling { threads }) => scaling::report(threads),
        Some(Command::Counted(what)) => repeat(what, counted::list, counted::run),
        Some(Command::Witnessed(what)) => repeat(what, witnessed::list, witnessed::run),
        Some(Command::Port { scenario, mode, count_allocations, milliseconds }) => {
            let budget = Duration::from_millis(*milliseconds);
            ports::child(scenario, mode, *count_allocations, budget)
        }
        Some(Command::Weave { job }) => weave::job(job),
        Some(Command::ServeVec) => Ok(remote::serve()?),
        Some(Command::UvrpcServer { mode }) => {
            let mode = ports::mode(mode).ok_or("no such mode")?;
            Ok(::uvrpc::bench::serve_here(uvrpc::options(mode), alloc::allocations)?)
        }
        None => run::report(&run::Request {
            only: arguments.only.as_ref(),
            effort: if arguments.quick { Effort::QUICK } else { Effort::FULL },
            json: &arguments.json,
        }),
    }
}

fn repeat(what: &Repeated, list: fn() -> io::Result<()>, run: fn(&str, u64) -> Outcome) -> Outcome {
    match (&what.name, what.operations) {
        (Some(name), Some(operations)) if !what.list => run(name, operations),
        _ => Ok(list()?),
    }
}
