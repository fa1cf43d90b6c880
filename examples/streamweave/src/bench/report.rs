//! What is said of a measurement.

use super::{Answer, Settings, Way};
use example_common::command;
use std::fmt;

/// What a round of a way found: for each item, or each second.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Items that came to the first sink each second.
    pub rate: f64,
    /// Processor time of an item, of all threads of all processes, in nanoseconds.
    pub cpu_ns: f64,
    /// At half of the hops and at 99 in a hundred: between fused nodes, and into sinks.
    pub hops_ns: [[u64; 2]; 2],
    /// Copies of an item, where its source is and where its sinks are.
    pub copies: [f64; 2],
    /// And bytes copied for each byte of it.
    pub copied: [f64; 2],
    /// Handles that were short enough to be moved with what they hold.
    pub inlined: f64,
    /// Allocations for an item, of the threads that nodes run on.
    pub allocations: f64,
    /// The most memory that the processes held together.
    pub peak_bytes: u64,
}

impl Figures {
    pub(super) fn of(payload: usize, answers: &[Answer]) -> Self {
        let mut figures = Self::default();
        for (at, Answer { spent, peak_bytes, .. }) in answers.iter().enumerate() {
            let items = spent.items.max(1) as f64;
            figures.rate = spent.items as f64 / (spent.wall_ns.max(1) as f64 / 1e9);
            figures.cpu_ns += spent.cpu_ns as f64 / items;
            figures.copies[at] = spent.copies as f64 / items;
            figures.copied[at] = spent.bytes as f64 / items / payload as f64;
            figures.inlined += spent.inlined as f64 / items;
            figures.allocations += spent.allocations as f64 / items;
            figures.peak_bytes += peak_bytes;
        }
        figures
    }
}

/// The middle one of some rounds.
fn median(rounds: &[Figures], of: impl Fn(&Figures) -> f64) -> f64 {
    let mut rounds: Vec<f64> = rounds.iter().map(of).collect();
    rounds.sort_by(f64::total_cmp);
    rounds.get(rounds.len() / 2).copied().unwrap_or_default()
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Report {
    payload: usize,
    fan_out: usize,
    /// The rounds of each way.
    pub ways: Vec<(Way, Vec<Figures>)>,
}

impl Report {
    pub(super) fn new(settings: &Settings) -> Self {
        let Settings { payload, fan_out, .. } = *settings;
        let ways = settings.ways.iter().map(|way| (*way, Vec::new())).collect();
        Self { payload, fan_out, ways }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sinks = if self.fan_out == 1 { "a sink" } else { "sinks" };
        write!(f, "items of {} bytes through a source, a map, a filter, ", self.payload)?;
        match self.fan_out {
            1 => write!(f, "{sinks}")?,
            count => write!(f, "{count} {sinks}")?,
        }
        self.ways.iter().try_for_each(|(way, rounds)| write_way(f, *way, rounds))
    }
}

fn write_way(f: &mut fmt::Formatter<'_>, way: Way, rounds: &[Figures]) -> fmt::Result {
    let of = |figure: &dyn Fn(&Figures) -> f64| median(rounds, figure);
    let (rate, cpu_ns) = (of(&|figures| figures.rate), of(&|figures| figures.cpu_ns));
    let name = command::name(way);
    write!(f, "\n{name}: {rate:.0} events/s, {:.0} per core\n  ", 1e9 / cpu_ns)?;
    let two = way.processes() > 1;
    if way != Way::Timely {
        let hop = |at: usize, share: usize| of(&|figures| figures.hops_ns[at][share] as f64);
        let (p50, p99) = (hop(0, 0), hop(0, 1));
        write!(f, "hop: p50 {p50:.0} ns, p99 {p99:.0} ns; ")?;
        let (p50, p99) = (hop(1, 0), hop(1, 1));
        if two {
            write!(f, "between processes: p50 {:.0} us, p99 {:.0} us\n  ", p50 / 1e3, p99 / 1e3)?;
        } else {
            write!(f, "into sinks: p50 {p50:.0} ns, p99 {p99:.0} ns\n  ")?;
        }
    }
    let sides = if two { 0..2 } else { 0..1 };
    for side in sides {
        let copies = of(&|figures| figures.copies[side]);
        let copied = of(&|figures| figures.copied[side]);
        let whose = match (two, side) {
            (false, _) => "",
            (true, 0) => " on sending",
            _ => " on receiving",
        };
        write!(f, "{copies:.2} copies of {copied:.2} bytes for each byte{whose}, ")?;
    }
    let allocations = of(&|figures| figures.allocations);
    let peak = of(&|figures| figures.peak_bytes as f64) / f64::from(1 << 20);
    write!(f, "{allocations:.2} allocations for each event; {peak:.1} MiB at most")
}
