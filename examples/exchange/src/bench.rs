//! `bench`: how fast orders go through.

use crate::{
    Accounts, Error, Exchange, Mode, Order, Source, Watch, flow, generate::Generated, replay,
};
use aqueduct::meter;
use hdrhistogram::Histogram;
use std::{
    fmt,
    path::PathBuf,
    sync::LazyLock,
    time::{Duration, Instant},
};

/// Orders of a flow out of a seed.
const ORDERS: u64 = 1_000_000;
/// A seed's users have so much that hardly an order is refused.
const UNITS: u64 = 10_000;

/// What is run.
#[derive(Clone, Debug)]
pub enum Flow {
    /// The orders of a folder.
    Folder(PathBuf),
    /// Orders out of a seed.
    Seed(u64),
}

/// What came out.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Orders that went through.
    pub orders: u64,
    /// How long that took, and how much time of all cores.
    pub wall: Duration,
    /// From the claim of a slot to when what came of the order is published, in nanoseconds: p50, p99,
    /// p99.9.
    pub latency: [u64; 3],
    /// Copies of payload, and bytes copied.
    pub copied: meter::Counts,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = |count: u64| count as f64 / self.orders as f64;
        let [p50, p99, p999] = self.latency;
        let rate = self.orders as f64 / self.wall.as_secs_f64();
        writeln!(f, "{} orders, {rate:.0} orders/s", self.orders)?;
        writeln!(f, "p50 {p50} ns, p99 {p99} ns, p99.9 {p999} ns")?;
        let (copies, bytes) = (each(self.copied.copies), each(self.copied.bytes));
        write!(f, "{copies:.2} copies and {bytes:.1} bytes copied per order")
    }
}

/// Runs a flow twice: once for its time, and once with a clock at each order.
///
/// # Errors
///
/// Those of the flow's files.
pub fn bench(flow: &Flow, mode: Mode, threads: bool) -> Result<Figures, Error> {
    match flow {
        Flow::Folder(folder) => {
            // Read before the clock starts.
            let text = flow::text(folder)?;
            let orders = || flow::Orders::new(&text[..], folder);
            measure(|| flow::accounts(folder), orders, mode, threads)
        }
        Flow::Seed(seed) => {
            let source = || Ok(Generated::new(*seed, ORDERS));
            measure(|| Generated::accounts(UNITS), source, mode, threads)
        }
    }
}

fn measure<S: Source>(
    accounts: impl Fn() -> Result<Accounts, Error>,
    source: impl Fn() -> Result<S, Error>,
    mode: Mode,
    threads: bool,
) -> Result<Figures, Error> {
    let mut exchange = Exchange::new(accounts()?, &[flow::MARKET], replay::ORDERS, ((), (), ()));
    let (mut orders, before) = (source()?, meter::process());
    let begun = Instant::now();
    exchange.run(&mut orders, mode, threads)?;
    let (wall, copied) = (begun.elapsed(), meter::process() - before);
    let watch = ((), (), Latency::default());
    let mut watched = Exchange::new(accounts()?, &[flow::MARKET], replay::ORDERS, watch);
    watched.run(&mut source()?, mode, threads)?;
    let (.., Latency(times)) = watched.parts();
    let latency = [0.5, 0.99, 0.999].map(|share| times.value_at_quantile(share));
    Ok(Figures { orders: exchange.orders(), wall, latency, copied })
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// How long orders take to be matched.
struct Latency(Histogram<u64>);

impl Default for Latency {
    fn default() -> Self {
        // Of fixed size, so that it never allocates in the middle of a run.
        Self(Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("1 ns to 60 s are bounds"))
    }
}

impl Watch for Latency {
    fn now() -> u64 {
        u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn matched(&mut self, order: &Order) {
        self.0.saturating_record(Self::now().saturating_sub(order.at));
    }
}
