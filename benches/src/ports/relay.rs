//! The relay of the .NET patterns as a port: messages of a block's size, over loopback.

use std::error::Error;
use std::time::{Duration, Instant};

use ::patterns::relay::Mode as RelayMode;
use aqueduct::meter;

use super::{Answer, Mode, memory};
use crate::alloc::allocations;
use crate::relay::load::{Ends, Load};
use crate::relay::{CONNECTIONS, LARGE, start};
use crate::web::load::latencies;

/// Messages between two looks at the clock; as many warm up.
const BATCH: u64 = 500;

/// Messages of the pass that counts allocations.
const COUNTED: u64 = 10_000;

pub(super) fn timed(mode: Mode, budget: Duration) -> Result<Answer, Box<dyn Error>> {
    let rss_before_bytes = memory("VmRSS");
    let ends = Ends::listen()?;
    let relay = start(&ends, mode.into())?;
    let mut load = Load::connect(relay.address(), &ends, CONNECTIONS, LARGE)?;
    let mut latencies = latencies()?;
    load.run(BATCH, &mut latencies)?;
    latencies.reset();
    let before = meter::process();
    let begun = Instant::now();
    while begun.elapsed() < budget {
        load.run(BATCH, &mut latencies)?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let copied = meter::process() - before;
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let float = |count: u64| count as f64;
    let messages = float(latencies.len());
    Ok(Answer {
        workload: format!("messages of 64 KiB, one at a time on each of {CONNECTIONS} connections"),
        unit: "messages/s".into(),
        throughput: messages / seconds,
        p50_ns: float(latencies.value_at_quantile(0.5)),
        p99_ns: float(latencies.value_at_quantile(0.99)),
        bytes_copied_per_op: float(copied.bytes) / messages,
        copies_per_op: float(copied.copies) / messages,
        inlined_per_op: float(copied.inlined) / messages,
        allocations_per_op: 0.0,
        rss_before_bytes,
        peak_rss_bytes: memory("VmHWM"),
    })
}

/// Allocations per message. The load makes none.
pub(super) fn counted(mode: Mode) -> Result<f64, Box<dyn Error>> {
    let ends = Ends::listen()?;
    let relay = start(&ends, mode.into())?;
    let mut load = Load::connect(relay.address(), &ends, CONNECTIONS, LARGE)?;
    let mut latencies = latencies()?;
    load.run(BATCH, &mut latencies)?;
    let before = allocations();
    load.run(COUNTED, &mut latencies)?;
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    Ok((allocations() - before) as f64 / COUNTED as f64)
}

impl From<Mode> for RelayMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Copying => Self::Copying,
            Mode::ZeroCopy => Self::Pipe,
        }
    }
}
