//! Items through the dataflow graph, in process and between two workers that are threads of this process.

use std::error::Error;

use ::streamweave::bench::{Settings, Way, pass};
use aqueduct::meter;

use super::{BLOCK, Ran};

/// Bytes of an item that ten sinks share.
const LARGE: usize = 64 << 10;

/// To ten sinks, on one thread.
pub(super) fn fan_out(operations: u64) -> Result<Ran, Box<dyn Error>> {
    items(Way::InProcess, LARGE, 10, operations)
}

/// Copied on each of three edges.
pub(super) fn cloning(operations: u64) -> Result<Ran, Box<dyn Error>> {
    items(Way::Cloning, BLOCK, 1, operations)
}

/// Over loopback: written once, and read where it was received.
pub(super) fn remote(operations: u64) -> Result<Ran, Box<dyn Error>> {
    items(Way::Distributed, BLOCK, 1, operations)
}

fn items(way: Way, payload: usize, fan_out: usize, operations: u64) -> Result<Ran, Box<dyn Error>> {
    let settings = Settings { payload, fan_out, ways: vec![], milliseconds: 600_000, rounds: 1 };
    let before = meter::process();
    pass(&settings, way, operations)?;
    let copied = (meter::process() - before).bytes;
    Ok(Ran { operations, payload: operations * payload as u64, copied })
}
