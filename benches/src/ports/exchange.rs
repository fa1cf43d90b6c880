//! The path of an order as a port: a flow out of a seed, on one thread.

use std::error::Error;

use ::exchange::bench::{Flow, bench};
use ::exchange::flow::MARKET;
use ::exchange::generate::Generated;
use ::exchange::{self as example, Exchange, Order, Source};

use super::{Answer, Mode, PortRow, memory};
use crate::alloc::allocations;
use crate::target::{Bound, Target};

/// The row of what an order takes.
pub(crate) const ORDER: &str = "exchange.order";
/// The row of what it takes all but one in a hundred, from the claim of its slot to what came of it.
pub(crate) const P99: &str = "exchange.order.p99";

/// An order's share of a second at 1.5 million of them.
const WANTED_NS: f64 = 667.0;

/// What the example is held to on a larger flow, from its reference; on all that there are figures of.
pub(super) const ROWS: [PortRow; 2] = [
    PortRow {
        id: ORDER,
        target: Target(&[Bound::Median(WANTED_NS)]),
        of: |answer| 1e9 / answer.throughput,
    },
    PortRow { id: P99, target: Target(&[Bound::Median(3_800.0)]), of: |answer| answer.p99_ns },
];

/// The flow: a million orders.
const SEED: u64 = 1;

/// Orders of the pass that counts allocations: half of them warm up.
const COUNTED: u64 = 200_000;

/// Units that each user has, in the base asset's: hardly an order is refused.
const UNITS: u64 = 10_000;

/// Resting orders that there is room for.
const ROOM: usize = 1 << 18;

/// Runs all of it: an exchange fills up as a day goes on, so a part of the flow is another flow.
pub(super) fn timed(mode: Mode) -> Result<Answer, Box<dyn Error>> {
    let rss_before_bytes = memory("VmRSS");
    let figures = bench(&Flow::Seed(SEED), mode.into(), false)?;
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let float = |count: u64| count as f64;
    let orders = float(figures.orders);
    let [p50_ns, p99_ns, _] = figures.latency.map(float);
    Ok(Answer {
        workload: format!(
            "{} orders out of a seed, placed, cancelled, made smaller and moved, on one thread, without a \
             log",
            figures.orders
        ),
        unit: "orders/s".into(),
        throughput: orders / figures.wall.as_secs_f64(),
        p50_ns,
        p99_ns,
        bytes_copied_per_op: float(figures.copied.bytes) / orders,
        copies_per_op: float(figures.copied.copies) / orders,
        inlined_per_op: float(figures.copied.inlined) / orders,
        allocations_per_op: 0.0,
        rss_before_bytes,
        peak_rss_bytes: memory("VmHWM"),
    })
}

/// Allocations per order, once so many have gone through.
pub(super) fn counted(mode: Mode) -> Result<f64, Box<dyn Error>> {
    let accounts = Generated::accounts(UNITS)?;
    let mut exchange = Exchange::new(accounts, &[MARKET], ROOM, ((), (), ()));
    let mut flow = Halves { flow: Generated::new(SEED, COUNTED), seen: 0, readings: [0; 2] };
    exchange.run(&mut flow, mode.into(), false)?;
    let [middle, end] = flow.readings;
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    Ok((end - middle) as f64 / (COUNTED / 2) as f64)
}

/// A flow that reads the counter in its middle and at its end.
struct Halves {
    flow: Generated,
    seen: u64,
    readings: [u64; 2],
}

impl Source for Halves {
    fn next(&mut self, order: &mut Order) -> Result<bool, example::Error> {
        let more = self.flow.next(order)?;
        self.seen += 1;
        if self.seen == COUNTED / 2 || !more {
            self.readings[usize::from(!more)] = allocations();
        }
        Ok(more)
    }
}

impl From<Mode> for example::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Copying => Self::Copying,
            Mode::ZeroCopy => Self::ZeroCopy,
        }
    }
}
