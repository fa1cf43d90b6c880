//! What a bench prints.

use super::{Laps, Request, process::Costs};
use example_common::command::name;
use std::fmt;

/// What came out.
#[derive(Debug)]
pub struct Figures {
    pub(super) request: Request,
    pub(super) calls: u64,
    pub(super) ours: Laps,
    /// Libzmq's, or why there are none.
    pub(super) theirs: Result<Laps, String>,
    /// Of the client and of the server.
    pub(super) costs: [Costs; 2],
}

impl Figures {
    /// Calls per second: the median of ours, and of libzmq's.
    #[must_use]
    pub fn rates(&self) -> [Option<f64>; 2] {
        [Some(&self.ours), self.theirs.as_ref().ok()].map(|laps| Some(median(&laps?.rates)))
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Request { mode, style, window, payload, .. } = &self.request;
        let (mode, style) = (name(*mode), name(*style));
        writeln!(
            f,
            "{} calls of {payload} bytes, {window} under way, {style}, {mode}",
            self.calls
        )?;
        let [rate, cpu, p50, p99] = ["calls/s", "us CPU: client, server", "p50 us", "p99 us"];
        writeln!(f, "{:<8} {rate:>10} {cpu:>24} {p50:>9} {p99:>9}", "")?;
        line(f, "uvrpc", &self.ours)?;
        match &self.theirs {
            Ok(theirs) => {
                line(f, "libzmq", theirs)?;
                let times = median(&self.ours.rates) / median(&theirs.rates);
                writeln!(f, "{times:.2} times libzmq's")?;
            }
            Err(why) => writeln!(f, "libzmq   skipped: {why}")?,
        }
        let each = |count: u64| count as f64 / self.calls as f64;
        for (side, Costs([allocations, copies, bytes, ..])) in
            ["client", "server"].iter().zip(&self.costs)
        {
            let (copies, bytes, allocations) = (each(*copies), each(*bytes), each(*allocations));
            writeln!(
                f,
                "{side}: {copies:.2} copies of {bytes:.1} bytes in all, {allocations:.3} allocations per call"
            )?;
        }
        let [gets, hits] = [3, 4].map(|i| self.costs.iter().map(|costs| costs.0[i]).sum::<u64>());
        write!(f, "pool: {:.3} % of {gets} blocks were there", 100.0 * hits as f64 / gets as f64)
    }
}

fn line(f: &mut fmt::Formatter<'_>, who: &str, laps: &Laps) -> fmt::Result {
    let [client, server] = laps.cpu.each_ref().map(|ns| median(ns) / 1e3);
    let at = |share| laps.latencies.value_at_quantile(share) as f64 / 1e3;
    let (rate, p50, p99) = (median(&laps.rates), at(0.5), at(0.99));
    let cpu = format!("{client:.2}, {server:.2}");
    writeln!(f, "{who:<8} {rate:>10.0} {cpu:>24} {p50:>9.1} {p99:>9.1}")
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
