//! Calls over ZeroMQ's protocol, client and server in this process. What handles and heads are moved for a call
//! is the same for each of them, so an operation is a byte of data that is echoed: how many a call has is what
//! differs.

use std::error::Error;

use aqueduct::meter;

use super::Ran;
use crate::clock::latencies;
use crate::ports::Mode;
use crate::uvrpc::start;

/// How often it is called.
const TIMES: u64 = 200;
/// How often before that where not a byte may be copied: the first call comes in behind what a peer greets with,
/// and calls of one size do only when their numbers are equally long. One that is shorter than foreseen may lie
/// across two blocks, and a piece of it that fits in a handle is copied.
#[cfg(test)]
pub(super) const BEFORE: u64 = 300;

/// Calls of so many bytes of data each, behind so many that are not counted.
pub(super) fn calls(mode: Mode, bytes: u64, before: u64) -> Result<Ran, Box<dyn Error>> {
    let (_served, mut load) = start(mode, usize::try_from(bytes)?)?;
    let mut latencies = latencies();
    load.run(before, &mut latencies)?;
    let then = meter::process();
    load.run(TIMES, &mut latencies)?;
    let copied = (meter::process() - then).bytes;
    let operations = TIMES * bytes;
    Ok(Ran { operations, payload: operations, copied })
}
