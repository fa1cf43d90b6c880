//! The command line.

use crate::{
    Accounts, Error, Mode,
    bench::{Flow, ROUNDS, Settings},
    log::Fsync,
    migrate, replay, serve,
};
use clap::{
    Parser, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use std::{path::PathBuf, process::ExitCode};

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
        /// A folder for a log of the orders
        ///
        /// Orders that are in it already are not run again but made again of it, so that what was
        /// interrupted goes on, and ends with the same files.
        #[arg(long, value_name = "DIR")]
        log: Option<PathBuf>,
        /// When the log is synced
        #[arg(long, default_value = "group", value_parser = parse_fsync())]
        fsync: Fsync,
        /// Orders of a user that rest at most: another is refused
        ///
        /// A log of another number is refused as a whole.
        #[arg(long, value_name = "N", default_value_t = Accounts::MOST_RESTING)]
        most_resting: u32,
    },
    /// Says how fast orders go through
    ///
    /// The log is written in a folder that is made in the current one, and removed.
    Bench {
        /// A folder of orders, or a number to make them up from
        #[arg(long, value_name = "DIR|SEED", default_value = "1", value_parser = parse_flow)]
        flow: Flow,
        /// How orders travel; both ways in turns unless given
        #[arg(long)]
        mode: Option<Mode>,
        /// Threads: 1, or 4 for one each of risk, log, matching and settlement
        #[arg(long, default_value = "1", value_parser = ["1", "4"])]
        threads: String,
        /// Whether orders are logged
        #[arg(long, default_value = "on")]
        log: Switch,
        /// When the log is synced
        #[arg(long, default_value = "group", value_parser = parse_fsync())]
        fsync: Fsync,
    },
    Migrate(migrate::Arguments),
    Serve(serve::Arguments),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// Runs the command line of this process. `allocations` gives the allocations so far of the thread that asks,
/// where the program counts them.
#[must_use]
pub fn main(allocations: fn() -> u64) -> ExitCode {
    let done = run(Cli::parse().command, allocations).map(|text| text + "\n");
    example_common::command::end("exchange", done)
}

fn run(command: Command, allocations: fn() -> u64) -> Result<String, Error> {
    match command {
        Command::Replay { folder, mode, threads, out, log, fsync, most_resting } => {
            let log = log.as_deref().map(|log| (log, fsync));
            let flow = (folder.as_path(), most_resting);
            let summary = replay::replay(flow, mode, threads == "4", &out, log)?;
            Ok(summary.to_string())
        }
        Command::Bench { flow, mode, threads, log, fsync } => {
            let (threads, log) = (threads == "4", (log == Switch::On).then_some(fsync));
            let folder = format!("exchange-bench-{}", std::process::id()).into();
            let settings =
                Settings { flow, mode, threads, log, folder, allocations, rounds: ROUNDS };
            settings.bench().map(|report| report.to_string())
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

pub(crate) fn parse_fsync() -> impl TypedValueParser<Value = Fsync> {
    PossibleValuesParser::new(["never", "group", "each"]).map(|text| match &text[..] {
        "never" => Fsync::Never,
        "each" => Fsync::Each,
        _ => Fsync::GROUP,
    })
}
