//! What watches orders on their way.

use crate::{
    Error, Log, Order, Source, Watch,
    log::{Folder, Keeper},
};
use aqueduct::meter;
use hdrhistogram::Histogram;
use std::{
    collections::VecDeque,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

fn now() -> u64 {
    u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// How long orders take to be matched: from the claim of a slot to when what came of it is published.
pub(super) struct Latency<'a>(pub(super) &'a mut Histogram<u64>);

impl Watch for Latency<'_> {
    fn now() -> u64 {
        now()
    }

    fn matched(&mut self, order: &Order) {
        self.0.saturating_record(now().saturating_sub(order.at));
    }
}

/// How long they take to be durable, from the claim of a slot too.
pub(super) struct Acknowledged<'a> {
    pub(super) keeper: Keeper<Folder>,
    durable: Arc<AtomicU64>,
    /// The orders up to here were durable when we looked last.
    until: u64,
    /// When those behind were claimed.
    waiting: VecDeque<u64>,
    times: &'a mut Histogram<u64>,
}

impl<'a> Acknowledged<'a> {
    pub(super) fn new(keeper: Keeper<Folder>, times: &'a mut Histogram<u64>) -> Self {
        let durable = keeper.durable();
        let until = durable.load(Ordering::Relaxed);
        Self { keeper, durable, until, waiting: VecDeque::with_capacity(1 << 16), times }
    }

    #[inline]
    fn look(&mut self) {
        let durable = self.durable.load(Ordering::Relaxed);
        if durable > self.until {
            let now = now();
            for _ in std::mem::replace(&mut self.until, durable)..durable {
                let at = self.waiting.pop_front().unwrap_or(now);
                self.times.saturating_record(now.saturating_sub(at));
            }
        }
    }
}

impl Log for Acknowledged<'_> {
    fn record(&mut self, order: &Order) {
        self.waiting.push_back(order.at);
        self.keeper.record(order);
        self.look();
    }

    fn rest(&mut self, idle: bool) -> bool {
        let open = self.keeper.rest(idle);
        self.look();
        open
    }
}

/// A flow that reads the counters in its middle and at its end: the second half is the steady state.
#[derive(Debug)]
pub struct Halves<S> {
    flow: S,
    half: u64,
    seen: u64,
    allocations: fn() -> u64,
    readings: [(u64, meter::Counts); 2],
}

impl<S: Source> Halves<S> {
    /// One whose first half has so many orders.
    pub fn new(flow: S, half: u64, allocations: fn() -> u64) -> Self {
        // A first reading allocates.
        Self { flow, half, seen: 0, allocations, readings: [(0, meter::process()); 2] }
    }

    /// Allocations, copies and bytes copied for each order of the second half, when all went through.
    #[must_use]
    pub fn each(&self) -> [f64; 3] {
        let [(before, first), (after, last)] = self.readings;
        let (copied, orders) = (last - first, self.seen.saturating_sub(self.half).max(1));
        [after - before, copied.copies, copied.bytes].map(|count| count as f64 / orders as f64)
    }
}

impl<S: Source> Source for Halves<S> {
    #[inline]
    fn next(&mut self, order: &mut Order) -> Result<bool, Error> {
        let more = self.flow.next(order)?;
        if self.seen == self.half || !more {
            self.readings[usize::from(!more)] = ((self.allocations)(), meter::process());
        }
        self.seen += u64::from(more);
        Ok(more)
    }

    fn ready(&mut self) -> bool {
        self.flow.ready()
    }
}
