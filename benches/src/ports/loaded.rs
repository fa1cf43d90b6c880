//! A port that is a server under load: the same for all of them.

use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

use aqueduct::meter;
use hdrhistogram::Histogram;

use super::{Answer, memory};
use crate::alloc::allocations;
use crate::clock::latencies;

/// Asks for so many of what it serves, and notes how long each took.
pub(super) trait Ask: FnMut(u64, &mut Histogram<u64>) -> io::Result<()> {}
impl<F: FnMut(u64, &mut Histogram<u64>) -> io::Result<()>> Ask for F {}

/// Loads it for about `budget`, `batch` between two looks at the clock; as many warm up.
pub(super) fn timed(
    workload: String,
    unit: &str,
    rss_before_bytes: u64,
    (batch, budget): (u64, Duration),
    mut ask: impl Ask,
) -> Result<Answer, Box<dyn Error>> {
    let mut latencies = latencies();
    ask(batch, &mut latencies)?;
    latencies.reset();
    let before = meter::process();
    let begun = Instant::now();
    while begun.elapsed() < budget {
        ask(batch, &mut latencies)?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let copied = meter::process() - before;
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let float = |count: u64| count as f64;
    let asked = float(latencies.len());
    Ok(Answer {
        workload,
        unit: unit.into(),
        throughput: asked / seconds,
        p50_ns: float(latencies.value_at_quantile(0.5)),
        p99_ns: float(latencies.value_at_quantile(0.99)),
        bytes_copied_per_op: float(copied.bytes) / asked,
        copies_per_op: float(copied.copies) / asked,
        inlined_per_op: float(copied.inlined) / asked,
        rss_before_bytes,
        peak_rss_bytes: memory("VmHWM"),
        ..Answer::default()
    })
}

/// Allocations for each of `count` that are asked for, after `batch` that warm up. The load makes none.
pub(super) fn counted(batch: u64, count: u64, mut ask: impl Ask) -> Result<f64, Box<dyn Error>> {
    let mut latencies = latencies();
    ask(batch, &mut latencies)?;
    let before = allocations();
    ask(count, &mut latencies)?;
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    Ok((allocations() - before) as f64 / count as f64)
}
