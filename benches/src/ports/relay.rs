//! The relay of the .NET patterns as a port: messages of a block's size, over loopback.

use std::error::Error;
use std::time::Duration;

use ::patterns::relay::Mode as RelayMode;

use super::{Answer, Mode, loaded, memory};
use crate::relay::load::{Ends, Load};
use crate::relay::{CONNECTIONS, LARGE, start};

/// Messages between two looks at the clock; as many warm up.
const BATCH: u64 = 500;

/// Messages of the pass that counts allocations.
const COUNTED: u64 = 10_000;

pub(super) fn timed(mode: Mode, budget: Duration) -> Result<Answer, Box<dyn Error>> {
    let rss_before_bytes = memory("VmRSS");
    let ends = Ends::listen()?;
    let relay = start(&ends, mode.into())?;
    let mut load = Load::connect(relay.address(), &ends, CONNECTIONS, LARGE)?;
    let workload =
        format!("messages of 64 KiB, one at a time on each of {CONNECTIONS} connections");
    loaded::timed(workload, "messages/s", rss_before_bytes, (BATCH, budget), |count, latencies| {
        load.run(count, latencies)
    })
}

/// Allocations per message.
pub(super) fn counted(mode: Mode) -> Result<f64, Box<dyn Error>> {
    let ends = Ends::listen()?;
    let relay = start(&ends, mode.into())?;
    let mut load = Load::connect(relay.address(), &ends, CONNECTIONS, LARGE)?;
    loaded::counted(BATCH, COUNTED, |count, latencies| load.run(count, latencies))
}

impl From<Mode> for RelayMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Copying => Self::Copying,
            Mode::ZeroCopy => Self::Pipe,
        }
    }
}
