//! The command line.

use crate::{
    Error, Mode,
    bench::{Flow, bench},
    migrate, replay, serve,
};
use clap::{Parser, Subcommand};
use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

/// An exchange whose orders are decoded into the slots of a ring, and stay there until they are settled
#[derive(Debug, Parser)]
#[command(name = "exchange", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a folder of orders, and writes what came of them
    ///
    /// Reads `orders.csv` or `orders.csv.gz`, and `balances_init.csv`. Writes `order_events.csv`,
    /// `ledger.csv`, `orderbook.csv` and `balances.csv`.
    Replay {
        /// The folder
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// How orders travel
        #[arg(long, default_value = "zero-copy")]
        mode: Mode,
        /// Threads: 1, or 4 for one each of risk, log, matching and settlement
        #[arg(long, default_value = "1", value_parser = ["1", "4"])]
        threads: String,
        /// Where to write
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Says how fast orders go through
    Bench {
        /// A folder of orders, or a number to make them up from
        #[arg(long, value_name = "DIR|SEED", default_value = "1", value_parser = parse_flow)]
        flow: Flow,
        /// How orders travel
        #[arg(long, default_value = "zero-copy")]
        mode: Mode,
        /// Threads: 1, or 4 for one each of risk, log, matching and settlement
        #[arg(long, default_value = "1", value_parser = ["1", "4"])]
        threads: String,
    },
    Migrate(migrate::Arguments),
    Serve(serve::Arguments),
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let written = match run(Cli::parse().command) {
        Ok(text) => writeln!(io::stdout(), "{text}"),
        Err(error) => return fail(&error.to_string()),
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads may stop reading.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

fn fail(why: &str) -> ExitCode {
    // Nobody is left to tell if this fails.
    let _ = writeln!(io::stderr(), "exchange: {why}");
    ExitCode::FAILURE
}

fn run(command: Command) -> Result<String, Error> {
    match command {
        Command::Replay { folder, mode, threads, out } => {
            replay::replay(&folder, mode, threads == "4", &out).map(|summary| summary.to_string())
        }
        Command::Bench { flow, mode, threads } => {
            bench(&flow, mode, threads == "4").map(|figures| figures.to_string())
        }
        Command::Serve(arguments) => arguments.run(),
        Command::Migrate(arguments) => arguments.run().map_err(Error::Migrate),
    }
}

/// What is no number is a folder.
#[expect(clippy::unnecessary_wraps, reason = "clap's parsers may refuse")]
fn parse_flow(text: &str) -> Result<Flow, String> {
    Ok(text.parse().map_or_else(|_| Flow::Folder(text.into()), Flow::Seed))
}
