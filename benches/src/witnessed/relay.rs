//! The relay, with a load that copies nothing in this process.

use std::error::Error;

pub(super) use ::patterns::relay::Mode;
use aqueduct::meter;

use super::{BLOCK, Ran};
use crate::clock::latencies;
use crate::relay::load::{Ends, Load};
use crate::relay::start;

/// So many messages of a block each, one after the other.
pub(super) fn messages(mode: Mode, operations: u64) -> Result<Ran, Box<dyn Error>> {
    let ends = Ends::listen()?;
    let relay = start(&ends, mode)?;
    let mut load = Load::connect(relay.address(), &ends, 1, BLOCK)?;
    let mut latencies = latencies();
    let before = meter::process();
    load.run(operations, &mut latencies)?;
    let copied = (meter::process() - before).bytes;
    Ok(Ran { operations, payload: operations * BLOCK as u64, copied })
}
