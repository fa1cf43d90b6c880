//! The path of an order as a port: a flow out of a seed, on one thread, with a log and without.

use std::error::Error;
use std::time::Duration;

use ::exchange as example;
use ::exchange::bench::{Figures, Flow, Settings};
use ::exchange::log::Options;

use super::{Answer, Mode, PortRow, memory};
use crate::alloc::allocations;
use crate::folder::Folder;
use crate::target::{Bound, Target};

/// The row of what an order takes of a core.
pub(crate) const ORDER: &str = "exchange.order";
/// The row of what it takes all but one in a hundred, from the claim of its slot to what came of it.
pub(crate) const P99: &str = "exchange.order.p99";

/// An order's share of a second at 1.5 million of them: of a core's, and by the clock on the wall, which also
/// waits for the log to be synced.
const WANTED_NS: f64 = 667.0;

/// What the example is held to on a larger flow, from its reference, with a log; and how long an order
/// takes to be acknowledged for good.
pub(super) const ROWS: [PortRow; 4] = [
    PortRow {
        id: ORDER,
        target: Target(&[Bound::Median(WANTED_NS)]),
        of: |answer| answer.cpu_ns_per_op,
    },
    PortRow { id: P99, target: Target(&[Bound::Median(3_800.0)]), of: |answer| answer.p99_ns },
    PortRow {
        id: "exchange.order.wall",
        target: Target(&[Bound::Median(WANTED_NS)]),
        of: |answer| 1e9 / answer.throughput,
    },
    PortRow {
        id: "exchange.order.durable.p99",
        target: Target(&[]),
        of: |answer| answer.durable_p99_ns,
    },
];

/// The flow: a million orders. An exchange fills up as a day goes on, so a part of them is another flow.
const SEED: u64 = 1;

pub(super) fn timed(mode: Mode, log: bool) -> Result<Answer, Box<dyn Error>> {
    let rss_before_bytes = memory("VmRSS");
    let figures = run(mode, log)?;
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let float = |count: u64| count as f64;
    let orders = float(figures.orders);
    let seconds = |round: &[Duration]| round.iter().sum::<Duration>().as_secs_f64();
    let [p50_ns, p99_ns] = [0.5, 0.99].map(|share| float(figures.matched.value_at_quantile(share)));
    let log = if log { "a log that is synced in groups" } else { "no log" };
    Ok(Answer {
        workload: format!(
            "{orders} orders out of a seed, placed, cancelled, made smaller and moved, on one thread, with {log}"
        ),
        unit: "orders/s".into(),
        throughput: orders / seconds(&figures.wall),
        cpu_ns_per_op: seconds(&figures.cpu) * 1e9 / orders,
        p50_ns,
        p99_ns,
        durable_p99_ns: float(figures.durable.value_at_quantile(0.99)),
        bytes_copied_per_op: figures.bytes,
        copies_per_op: figures.copies,
        rss_before_bytes,
        peak_rss_bytes: memory("VmHWM"),
        ..Answer::default()
    })
}

/// Allocations per order of the second half.
pub(super) fn counted(mode: Mode, log: bool) -> Result<f64, Box<dyn Error>> {
    Ok(run(mode, log)?.allocations)
}

fn run(mode: Mode, log: bool) -> Result<Figures, Box<dyn Error>> {
    let folder = Folder::new()?;
    let settings = Settings {
        flow: Flow::Seed(SEED),
        mode: Some(mode.into()),
        threads: false,
        log: log.then(|| Options::default().fsync),
        folder: folder.path().join("log"),
        allocations,
        rounds: 1,
    };
    let found = settings.bench()?.modes.into_iter().next();
    found.ok_or_else(|| "a mode that ran has figures".into())
}

impl From<Mode> for example::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Copying => Self::Copying,
            Mode::ZeroCopy => Self::ZeroCopy,
        }
    }
}
