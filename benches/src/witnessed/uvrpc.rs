//! Calls over ZeroMQ's protocol, client and server in this process.

use std::error::Error;

use aqueduct::meter;

use super::Ran;
use crate::ports::Mode;
use crate::uvrpc::start;

/// So many calls of so many bytes, echoed.
pub(super) fn calls(mode: Mode, payload: usize, operations: u64) -> Result<Ran, Box<dyn Error>> {
    let (_served, mut load) = start(mode, payload)?;
    let mut latencies = ::uvrpc::bench::latencies();
    let before = meter::process();
    load.run(operations, &mut latencies)?;
    let copied = (meter::process() - before).bytes;
    Ok(Ran { operations, payload: operations * payload as u64, copied })
}
