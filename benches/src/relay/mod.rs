//! The relay of the .NET patterns: what it costs to pass bytes on, in each of its modes.
//!
//! Each relay runs on a thread of its own; what a mebibyte costs is that thread's CPU time.

pub mod load;

use std::io;

use ::patterns::relay::{Mode, Options, serve};

use crate::clock::latencies;
use crate::measure::{Effort, Measured, OURS, Outcome, Rounds, turn};
use crate::running::{Running, Stopped};
use crate::stats::median;
use crate::target::{Bound, Target};
use load::{Ends, Load};

/// Connections of a load.
pub const CONNECTIONS: usize = 8;

/// Bytes of a large message: a block.
pub const LARGE: usize = 64 << 10;

/// Rounds in which every mode has its turn.
const ROUNDS: usize = 31;

const MIB: f64 = 1_048_576.0;

/// A row: messages of one size.
#[derive(Debug)]
pub struct Size {
    /// The id of what they cost.
    pub id: &'static str,
    bytes: usize,
    target: Target,
}

/// The row of large messages.
pub const CPU_LARGE: &str = "relay.cpu.65536";

/// The rows.
const SIZES: [Size; 2] = [
    Size { id: "relay.cpu.1024", bytes: 1 << 10, target: Target(&[]) },
    Size { id: CPU_LARGE, bytes: LARGE, target: Target(&[Bound::Faster(1.0, COPYING)]) },
];

/// The key of the mode with the document's copies.
pub const COPYING: &str = "copying";

/// Ours first.
const MODES: [(&str, &str, Mode); 3] = [
    (OURS, "through pooled blocks", Mode::Pipe),
    (COPYING, "through new arrays", Mode::Copying),
    ("splice", "within the kernel; sees no byte", Mode::Splice),
];

/// Starts a relay to these ends.
///
/// # Errors
///
/// When there is no port or no thread.
pub fn start(ends: &Ends, mode: Mode) -> io::Result<Running> {
    let options = Options::new(ends.address()?, mode);
    Running::start(async move |listener, stopped: Stopped| {
        // Whether it is told or the sender is gone. Nobody waits for the load to end.
        let options = Options { grace: std::time::Duration::ZERO, ..options };
        serve(listener, options, async { drop(stopped.await) }).await.map(drop)
    })
}

/// How many rounds this takes.
#[must_use]
pub fn rounds(wanted: impl Fn(&str) -> bool) -> usize {
    ROUNDS * SIZES.iter().filter(|size| wanted(size.id)).count()
}

/// Measures the sizes that are wanted; `tick` is called after every round with its row.
///
/// # Errors
///
/// The system's; and those of the load, where bytes do not arrive.
pub fn measure(
    wanted: impl Fn(&str) -> bool,
    effort: Effort,
    mut tick: impl FnMut(&'static str),
) -> io::Result<Outcome> {
    let mut outcome = Outcome::default();
    for size in SIZES.iter().filter(|size| wanted(size.id)) {
        let mut own = Vec::new();
        outcome.rows.push(row(size, effort, &mut own, || tick(size.id))?);
        let [sending, receiving] =
            [0, 1].map(|side| median(own.iter().map(|spent| spent[side]).collect()));
        outcome.notes.push(format!(
            "{}: the load itself took {sending:.0} us of CPU per MiB to send, {receiving:.0} to receive",
            size.id
        ));
    }
    Ok(outcome)
}

/// The rounds of one size. What the load took of CPU itself, to send and to receive, in microseconds per
/// MiB, goes into `own`.
fn row(
    size: &Size,
    effort: Effort,
    own: &mut Vec<[f64; 2]>,
    mut tick: impl FnMut(),
) -> io::Result<Measured> {
    let messages = effort.requests / 4;
    let mut latencies = latencies();
    let mut entrants = Vec::new();
    for (_, _, mode) in MODES {
        let ends = Ends::listen()?;
        let relay = start(&ends, mode)?;
        let mut load = Load::connect(relay.address(), &ends, CONNECTIONS, size.bytes)?;
        load.run(2 * messages, &mut latencies)?;
        entrants.push((relay, load));
    }
    let mut us = vec![Vec::with_capacity(ROUNDS); MODES.len()];
    for round in 0..ROUNDS {
        for place in 0..MODES.len() {
            let i = turn(round, place, MODES.len());
            let (relay, load) = &mut entrants[i];
            load.spent = Some([0; 2]);
            let before = relay.cpu_ns()?;
            load.run(messages, &mut latencies)?;
            let per_mib = |ns| per_mib(ns, messages, size.bytes);
            us[i].push(per_mib(relay.cpu_ns()? - before));
            own.extend(load.spent.map(|spent| spent.map(per_mib)));
        }
        tick();
    }
    let subjects = MODES.iter().zip(us).map(|(&(key, note, _), ns)| Rounds { key, note, ns });
    Ok(Measured {
        id: size.id.into(),
        target: size.target,
        floor: "",
        unit: "us/MiB",
        subjects: subjects.collect(),
    })
}

/// Microseconds per MiB.
#[expect(clippy::cast_precision_loss, reason = "all stay far below 2^53")]
fn per_mib(ns: u64, messages: u64, bytes: usize) -> f64 {
    ns as f64 / 1e3 / (messages as f64 * bytes as f64 / MIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_has_its_rounds() {
        let effort = Effort { requests: 160, ..Effort::QUICK };
        let (mut ticks, mut own) = (0, Vec::new());
        let row = row(&SIZES[0], effort, &mut own, || ticks += 1).expect("it passes them on");
        assert_eq!((ticks, own.len()), (ROUNDS, 3 * ROUNDS));
        for (key, _, _) in MODES {
            let us = &row.rounds(key).expect("it took part").ns;
            assert!(us.len() == ROUNDS && us.iter().all(|&us| us > 0.0), "{key}");
        }
    }
}
