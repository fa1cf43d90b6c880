//! Calls over ZeroMQ's protocol as ports: of two sizes, client and server in one process; and what a message
//! costs that is only made.

use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

use ::uvrpc::Payload;
use ::uvrpc::bench::write_call;
use aqueduct::{Slice, pipe};
use hdrhistogram::Histogram;

use super::{Answer, Mode, loaded, memory};
use crate::uvrpc::{SMALL, WINDOW, options, start};

/// Bytes of calls between two looks at the clock.
const BATCH: u64 = 4 << 20;

/// The ports share what the others have each: they are three.
const SHARE: u32 = 5;

/// Messages that are timed together.
const TOGETHER: u32 = 100;

pub(super) fn timed(
    mode: Mode,
    payload: usize,
    budget: Duration,
) -> Result<Answer, Box<dyn Error>> {
    let rss_before_bytes = memory("VmRSS");
    let (_served, mut load) = start(mode, payload)?;
    let workload = format!("echo of {payload} bytes over tcp, awaited, {WINDOW} under way");
    let budget = (batch(payload), budget / SHARE);
    loaded::timed(workload, "calls/s", rss_before_bytes, budget, |count, latencies| {
        load.run(count, latencies).map_err(|error| io::Error::other(error.to_string()))
    })
}

/// Allocations per call, of both sides.
pub(super) fn counted(mode: Mode, payload: usize) -> Result<f64, Box<dyn Error>> {
    let (_served, mut load) = start(mode, payload)?;
    loaded::counted(batch(payload), 4 * batch(payload), |count, latencies| {
        load.run(count, latencies).map_err(|error| io::Error::other(error.to_string()))
    })
}

fn batch(payload: usize) -> u64 {
    BATCH / payload as u64
}

pub(super) fn messages_timed(mode: Mode, budget: Duration) -> Result<Answer, Box<dyn Error>> {
    let workload = format!("calls of {SMALL} bytes made into a pipe, and dropped there");
    let budget = (BATCH / SMALL as u64, budget / SHARE);
    loaded::timed(workload, "messages/s", memory("VmRSS"), budget, messages(mode))
}

/// Allocations per message.
pub(super) fn messages_counted(mode: Mode) -> Result<f64, Box<dyn Error>> {
    loaded::counted(1000, 10_000, messages(mode))
}

/// Makes so many messages.
fn messages(mode: Mode) -> impl loaded::Ask {
    let (mut writer, mut reader) = pipe(aqueduct::Options::default());
    let (data, mode) = (Payload::from(Slice::from(vec![7; SMALL])), options(mode).mode);
    move |count, latencies: &mut Histogram<u64>| {
        for _ in 0..count.div_ceil(u64::from(TOGETHER)) {
            let begun = Instant::now();
            for id in 0..TOGETHER {
                write_call(&mut writer, mode, id, ("echo", ""), Some(data.clone()))?;
                writer.try_flush()?;
                if let Some(read) = reader.try_read()? {
                    let view = read.into_view();
                    let len = view.len();
                    view.consume(len);
                }
            }
            let ns =
                u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX) / u64::from(TOGETHER);
            latencies.saturating_record_n(ns.max(1), u64::from(TOGETHER));
        }
        Ok(())
    }
}
