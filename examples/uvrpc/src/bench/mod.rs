//! `bench`: how fast calls are, and what one costs, with libzmq beside it.

mod libzmq;
mod load;
mod process;
mod table;

pub use libzmq::Libzmq;
pub use load::Load;
pub use process::{Process, serve_here};

use crate::{Mode, Options, Payload, Profile, outgoing};
use aqueduct::{PipeError, Writer, meter};
use example_common::command::cpu_time;
use hdrhistogram::Histogram;
use indicatif::ProgressBar;
use process::Costs;
use std::{
    error::Error,
    io,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};
pub use table::Figures;

type Failure = Box<dyn Error>;

/// Rounds in which ours and libzmq's echo have their turns.
const ROUNDS: u64 = 5;

/// How calls are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Style {
    /// One at a time, each awaited.
    Serial,
    /// What comes of a call makes the next one.
    Callback,
    /// The oldest is awaited before the next is made.
    #[default]
    Await,
}

/// What is asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct Request {
    /// With or without the copies of the document
    #[arg(long, value_enum, default_value_t)]
    pub mode: Mode,
    /// How calls are made
    #[arg(long, value_enum, default_value_t)]
    pub style: Style,
    /// Calls that are under way at once; one at a time if the style is serial
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub window: usize,
    /// Bytes of data of a call, which are its reply's, too
    #[arg(long, value_name = "BYTES", default_value_t = 1024)]
    pub payload: usize,
    /// Calls in all
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    pub calls: u64,
    /// How much is done at once, and how much may wait
    #[arg(long, value_enum, default_value_t = Profile::Balanced)]
    pub profile: Profile,
    /// The libzmq to compare with; otherwise that of Python's pyzmq, if there is one
    #[arg(long, value_name = "FILE")]
    pub libzmq: Option<PathBuf>,
}

/// A histogram for the time of calls, in nanoseconds up to a minute.
pub(crate) fn latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("1 ns to 60 s are bounds")
}

/// Writes a call of this id, service, method and data behind what the pipe has: what a client does for each.
///
/// # Errors
///
/// As [`Writer::reserve`].
pub fn write_call(
    writer: &mut Writer,
    mode: Mode,
    id: u32,
    names: (&str, &str),
    data: Option<Payload>,
) -> Result<(), PipeError> {
    outgoing::write_call(writer, mode, id, names, data)
}

/// Runs it: the server in a process of its own, which `server` starts and which comes to [`serve_here`], and
/// libzmq's both ends likewise. `allocations` are those of the calling thread so far.
///
/// # Errors
///
/// What makes it impossible.
pub fn run(
    request: &Request,
    server: Command,
    allocations: fn() -> u64,
) -> Result<Figures, Failure> {
    let window = if request.style == Style::Serial { 1 } else { request.window };
    if window == 0 || window > request.profile.high_water() {
        let most = request.profile.high_water();
        return Err(format!("a window of {window}: this profile has 1 to {most}").into());
    }
    let each = request.calls.div_ceil(ROUNDS).max(1);
    let mut ours = Ours::start(request, window, server, allocations)?;
    let (mut theirs, absent) =
        match Libzmq::start(request.libzmq.as_deref(), window, request.payload) {
            Ok(libzmq) => (Some(libzmq), None),
            Err(why) => (None, Some(why)),
        };
    let mut laps: [Laps; 2] = Default::default();
    let bar = ProgressBar::new(ROUNDS);
    let warm = each.min(20_000);
    ours.lap(warm, &mut Laps::default())?;
    if let Some(libzmq) = &mut theirs {
        libzmq.lap(warm, &mut Laps::default())?;
    }
    let before = ours.server_costs()?;
    ours.spent = Costs::default();
    for round in 0..ROUNDS {
        for turn in 0..2 {
            if (round + turn) % 2 == 0 {
                ours.lap(each, &mut laps[0])?;
            } else if let Some(libzmq) = &mut theirs {
                libzmq.lap(each, &mut laps[1])?;
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let costs = [ours.spent, ours.server_costs()? - before];
    let [ours, theirs] = laps;
    Ok(Figures {
        request: Request { window, ..request.clone() },
        calls: each * ROUNDS,
        ours,
        theirs: absent.map_or(Ok(theirs), Err),
        costs,
    })
}

/// One figure for each round, and the times of all calls.
#[derive(Debug)]
pub struct Laps {
    pub(crate) rates: Vec<f64>,
    /// CPU nanoseconds for each call, of the client and of the server.
    pub(crate) cpu: [Vec<f64>; 2],
    pub(crate) latencies: Histogram<u64>,
}

impl Default for Laps {
    fn default() -> Self {
        Self { rates: Vec::new(), cpu: [Vec::new(), Vec::new()], latencies: latencies() }
    }
}

/// Who takes part.
trait Entrant {
    /// CPU nanoseconds of the client and of the server so far. Exact, since both rest.
    fn cpu(&self) -> io::Result<[u64; 2]>;
    /// Makes so many calls.
    fn calls(&mut self, count: u64, latencies: &mut Histogram<u64>) -> Result<Duration, Failure>;

    fn lap(&mut self, count: u64, laps: &mut Laps) -> Result<(), Failure> {
        let before = self.cpu()?;
        let wall = self.calls(count, &mut laps.latencies)?;
        laps.rates.push(count as f64 / wall.as_secs_f64());
        for (side, (spent, before)) in self.cpu()?.into_iter().zip(before).enumerate() {
            laps.cpu[side].push((spent - before) as f64 / count as f64);
        }
        Ok(())
    }
}

impl Entrant for Libzmq {
    fn cpu(&self) -> io::Result<[u64; 2]> {
        Ok([self.client.cpu_ns()?, self.server.cpu_ns()?])
    }

    fn calls(&mut self, count: u64, latencies: &mut Histogram<u64>) -> Result<Duration, Failure> {
        self.run(count, latencies)
    }
}

struct Ours {
    server: Process,
    load: Load,
    pool: aqueduct::Pool,
    allocations: fn() -> u64,
    /// What the calls have cost on this side.
    spent: Costs,
}

impl Ours {
    fn start(
        request: &Request,
        window: usize,
        mut server: Command,
        allocations: fn() -> u64,
    ) -> Result<Self, Failure> {
        let (server, address) = Process::server(&mut server)?;
        let options =
            Options { mode: request.mode, profile: request.profile, ..Options::default() };
        let pool = options.pool.clone();
        let load = Load::connect(address, options, request.style, window, request.payload)?;
        Ok(Self { server, load, pool, allocations, spent: Costs::default() })
    }

    fn server_costs(&mut self) -> Result<Costs, Failure> {
        Costs::read(&self.load.call("costs")?)
    }
}

impl Entrant for Ours {
    fn cpu(&self) -> io::Result<[u64; 2]> {
        let own = u64::try_from(cpu_time().as_nanos()).unwrap_or(u64::MAX);
        Ok([own, self.server.cpu_ns()?])
    }

    fn calls(&mut self, count: u64, latencies: &mut Histogram<u64>) -> Result<Duration, Failure> {
        let (before, begun) = (Costs::of(&self.pool, self.allocations), Instant::now());
        self.load.run(count, latencies)?;
        let wall = begun.elapsed();
        self.spent = self.spent + (Costs::of(&self.pool, self.allocations) - before);
        Ok(wall)
    }
}

impl Costs {
    /// Of the calling thread, and of this pool, so far.
    fn of(pool: &aqueduct::Pool, allocations: fn() -> u64) -> Self {
        let (copied, blocks) = (meter::thread(), pool.stats());
        Self([allocations(), copied.copies, copied.bytes, blocks.gets, blocks.hits])
    }
}
