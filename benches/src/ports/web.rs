//! The web framework as a port: the requests of all its rows in turn, over loopback.

use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

use aqueduct::meter;

use super::{Answer, memory};
use crate::alloc::allocations;
use crate::web::load::{Load, latencies};
use crate::web::running::Running;
use crate::web::{CONNECTIONS, exchanges};

/// Requests between two looks at the clock; as many warm up.
const BATCH: u64 = 3_000;

/// Requests of the pass that counts allocations.
const COUNTED: u64 = 30_000;

pub(super) fn timed(
    start: impl FnOnce() -> io::Result<Running>,
    budget: Duration,
) -> Result<Answer, Box<dyn Error>> {
    let rss_before_bytes = memory("VmRSS");
    let server = start()?;
    let mut load = Load::connect(server.address(), CONNECTIONS, &exchanges())?;
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
    let requests = float(latencies.len());
    Ok(Answer {
        workload: format!(
            "GET, path parameter and validated POST in turn over {CONNECTIONS} connections"
        ),
        unit: "requests/s".into(),
        throughput: requests / seconds,
        p50_ns: float(latencies.value_at_quantile(0.5)),
        p99_ns: float(latencies.value_at_quantile(0.99)),
        bytes_copied_per_op: float(copied.bytes) / requests,
        copies_per_op: float(copied.copies) / requests,
        inlined_per_op: float(copied.inlined) / requests,
        allocations_per_op: 0.0,
        rss_before_bytes,
        peak_rss_bytes: memory("VmHWM"),
    })
}

/// Allocations per request. The load makes none.
pub(super) fn counted(start: impl FnOnce() -> io::Result<Running>) -> Result<f64, Box<dyn Error>> {
    let server = start()?;
    let mut load = Load::connect(server.address(), CONNECTIONS, &exchanges())?;
    let mut latencies = latencies()?;
    load.run(BATCH, &mut latencies)?;
    let before = allocations();
    load.run(COUNTED, &mut latencies)?;
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    Ok((allocations() - before) as f64 / COUNTED as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::peers;

    #[test]
    fn a_run_is_measured_whoever_serves() {
        let answer = timed(peers::hyper, Duration::from_millis(20)).expect("it answers");
        assert_eq!(answer.unit, "requests/s");
        assert!(answer.throughput > 0.0 && answer.p50_ns > 0.0 && answer.p50_ns <= answer.p99_ns);
    }
}
