//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use crate::capture::Capture;
use crate::measure::{Budget, count_workload, measure_workload};
use crate::serve;
use crate::summary::{Column, Summary};
use crate::workload::Workload;
use crate::{Error, Mode, relay};

/// A run longer than this shows a progress bar.
const LONG: Duration = Duration::from_secs(2);
/// A pipeline's input at most: three arrays of this size still fit a small machine.
const LARGEST: u64 = 1 << 30;

/// Zero-copy patterns, each beside the copies that it does without
///
/// Runs a scenario in both modes on the same input, one after the other, and compares them:
/// operations per second, time per operation, and what was copied and allocated. One mode alone
/// with --mode.
#[derive(Debug, Parser)]
#[command(name = "patterns", version)]
struct Cli {
    #[command(subcommand)]
    scenario: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Header and payload of every packet in a capture
    ///
    /// Copying: both are copied out into arrays of their own. Zero-copy: the header is viewed and
    /// the payload sliced where they lie, in the pooled block that the file was read into. Without
    /// a file or --generate, the input is the HTTP traffic that comes with this program.
    Packets {
        /// Read these captures (pcap: micro- or nanoseconds, either byte order; Ethernet, raw IP,
        /// Linux cooked or BSD loopback)
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The same as an option; may be given several times
        #[arg(long, value_name = "FILE")]
        pcap: Vec<PathBuf>,
        /// Make up a capture of N packets in place of reading one
        #[arg(long, value_name = "N", conflicts_with_all = ["files", "pcap"],
              value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
        generate: Option<u64>,
        #[command(flatten)]
        common: Common,
    },
    /// Three stages, each changing every byte of one large input
    ///
    /// Copying: a new array per stage. Zero-copy: one output buffer, filled by the first stage,
    /// changed in place by the others.
    Pipeline {
        /// Bytes of input, with KiB, MiB or GiB behind the number where wanted
        #[arg(long, default_value = "10MiB", value_parser = parse_size)]
        size: usize,
        #[command(flatten)]
        common: Common,
    },
    /// Files over HTTP, to any client, until it is interrupted
    ///
    /// Read whole and written, as the document begins; or written out of a map, moved by the system, or
    /// through pooled blocks, read in or filled by the system. What it took is said at the end, as JSON.
    Serve(serve::Arguments),
    /// A TCP proxy: whoever connects talks to the target, until it is interrupted
    ///
    /// Copying: each chunk into arrays of its own. Pipe: through pooled blocks, where its lines are
    /// counted and it is changed in place. Splice: within the kernel. What was done is said at the end.
    Relay(relay::Arguments),
}

#[derive(Debug, Args)]
struct Common {
    /// Run one mode only
    #[arg(long)]
    mode: Option<Mode>,
    /// Measure each mode for S seconds
    #[arg(long, value_name = "S", default_value = "3", value_parser = parse_seconds)]
    seconds: Duration,
    /// Measure N times over the whole input instead
    #[arg(long, value_name = "N", conflicts_with = "seconds",
          value_parser = clap::value_parser!(u64).range(1..))]
    rounds: Option<u64>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command line of this process. `allocations` gives the allocations that it made so far,
/// where the program counts them.
pub fn main(allocations: fn() -> u64) -> ExitCode {
    example_common::command::end("patterns", run(Cli::parse().scenario, allocations))
}

fn run(command: Command, allocations: fn() -> u64) -> Result<String, Error> {
    let (mut workload, common) = match command {
        Command::Packets { files, pcap, generate, common } => {
            let paths = [files, pcap].concat();
            let captures = match generate {
                Some(packets) => vec![Capture::generated(packets)?],
                None if paths.is_empty() => vec![Capture::bundled()?],
                None => paths.iter().map(|path| Capture::open(path)).collect::<Result<_, _>>()?,
            };
            (Workload::packets(captures), common)
        }
        Command::Pipeline { size, common } => (Workload::pipeline(size), common),
        Command::Serve(arguments) => return serve::run(&arguments),
        Command::Relay(arguments) => return relay::run(&arguments),
    };
    let budget = match common.rounds {
        Some(rounds) => Budget::Rounds(rounds),
        None => Budget::Time(common.seconds),
    };
    let mut summary = Summary::new(&workload);
    let modes = common.mode.map_or(vec![Mode::Copying, Mode::ZeroCopy], |mode| vec![mode]);
    for mode in modes {
        let mut bar = Bar::new(mode);
        let measured = measure_workload(&mut workload, mode, budget, &mut |done| bar.tell(done))?;
        drop(bar);
        let allocated = allocations_per_op(&mut workload, mode, allocations)?;
        summary.add(Column { mode, measured, allocated });
    }
    summary.seen(workload.seen());
    Ok(if common.json { summary.json() } else { summary.table() })
}

/// Counted in a run of its own: the timed one is not made to count.
fn allocations_per_op(
    workload: &mut Workload,
    mode: Mode,
    allocations: fn() -> u64,
) -> Result<f64, Error> {
    let mut readings = [0; 2];
    let mut reading = readings.iter_mut();
    let operations = 20 * workload.timed_together();
    let done = count_workload(workload, mode, operations, &mut || {
        if let Some(slot) = reading.next() {
            *slot = allocations();
        }
    })?;
    Ok((readings[1] - readings[0]) as f64 / done as f64)
}

/// A progress bar that shows itself once a run turns out long; on a terminal only.
struct Bar {
    mode: Mode,
    begun: Instant,
    shown: Option<ProgressBar>,
}

impl Bar {
    fn new(mode: Mode) -> Self {
        Bar { mode, begun: Instant::now(), shown: None }
    }

    fn tell(&mut self, done: Option<f64>) {
        let elapsed = self.begun.elapsed();
        let expected = done.map_or(elapsed, |share| elapsed.div_f64(share.clamp(1e-9, 1.0)));
        if self.shown.is_none() && expected > LONG {
            let bar = ProgressBar::new(1000);
            let style = ProgressStyle::with_template("{msg:>18} {wide_bar} {percent:>3} %");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            self.shown = Some(bar);
        }
        if let Some(bar) = &self.shown {
            let doing = match (done, self.mode) {
                (None, _) => "reading once",
                (_, Mode::Copying) => "copying",
                (_, Mode::ZeroCopy) => "zero-copy",
            };
            if bar.message() != doing {
                bar.set_message(doing);
            }
            bar.set_position((done.unwrap_or(0.0).min(1.0) * 1000.0) as u64);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

pub(crate) fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    if !(0.001..=3600.0).contains(&seconds) {
        return Err("expected 0.001 to 3600 seconds".to_owned());
    }
    Ok(Duration::from_secs_f64(seconds))
}

pub(crate) fn parse_size(text: &str) -> Result<usize, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match &text[digits.len()..] {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        other => return Err(format!("expected KiB, MiB or GiB, found {other:?}")),
    };
    let number: u64 = digits.parse().map_err(|_| "expected a number of bytes".to_owned())?;
    match number.checked_mul(unit) {
        Some(size @ 1..=LARGEST) => Ok(size as usize),
        _ => Err("expected 1 byte to 1 GiB".to_owned()),
    }
}
