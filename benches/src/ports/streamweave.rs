//! The dataflow graph as a port: four nodes on one thread.

use std::error::Error;
use std::time::Duration;

use ::streamweave::bench::{Figures, Settings, Way, here};

use super::{Answer, Mode, memory};
use crate::alloc::allocations;

/// Bytes of an item.
const PAYLOAD: usize = 4096;
/// A tenth of what other ports take: an item takes little, and there are rows of it beside.
const SHARE: u32 = 10;

pub(super) fn timed(mode: Mode, budget: Duration) -> Result<Answer, Box<dyn Error>> {
    let rss_before_bytes = memory("VmRSS");
    let figures = run(mode, budget / SHARE)?;
    #[expect(clippy::cast_precision_loss, reason = "times stay far below 2^53 ns")]
    let [p50_ns, p99_ns] = figures.hops_ns[0].map(|ns| ns as f64);
    #[expect(clippy::cast_precision_loss, reason = "an item's length is far below 2^53")]
    let bytes_copied_per_op = figures.copied[0] * PAYLOAD as f64;
    Ok(Answer {
        workload: format!(
            "items of {PAYLOAD} bytes through source, map, filter and sink on one thread; p50 and p99 of a hop"
        ),
        unit: "events/s".into(),
        throughput: figures.rate,
        p50_ns,
        p99_ns,
        bytes_copied_per_op,
        copies_per_op: figures.copies[0],
        inlined_per_op: figures.inlined,
        rss_before_bytes,
        peak_rss_bytes: memory("VmHWM"),
        ..Answer::default()
    })
}

/// Allocations per item, once all is warm.
pub(super) fn counted(mode: Mode) -> Result<f64, Box<dyn Error>> {
    Ok(run(mode, Duration::from_millis(50))?.allocations)
}

fn run(mode: Mode, budget: Duration) -> Result<Figures, Box<dyn Error>> {
    let way = match mode {
        Mode::Copying => Way::Copying,
        Mode::ZeroCopy => Way::InProcess,
    };
    let milliseconds = u64::try_from(budget.as_millis())?;
    let settings = Settings { payload: PAYLOAD, fan_out: 1, ways: vec![], milliseconds, rounds: 1 };
    Ok(here(&settings, way, allocations)?)
}
