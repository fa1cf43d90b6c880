//! The web framework as a port: the requests of all its rows in turn, over loopback.

use std::error::Error;
use std::io;
use std::time::Duration;

use super::{Answer, loaded, memory};
use crate::running::Running;
use crate::web::load::Load;
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
    let workload =
        format!("GET, path parameter and validated POST in turn over {CONNECTIONS} connections");
    loaded::timed(workload, "requests/s", rss_before_bytes, (BATCH, budget), |count, latencies| {
        load.run(count, latencies)
    })
}

/// Allocations per request.
pub(super) fn counted(start: impl FnOnce() -> io::Result<Running>) -> Result<f64, Box<dyn Error>> {
    let server = start()?;
    let mut load = Load::connect(server.address(), CONNECTIONS, &exchanges())?;
    loaded::counted(BATCH, COUNTED, |count, latencies| load.run(count, latencies))
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
