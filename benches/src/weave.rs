//! The dataflow graph, in one process and between two over loopback: each measurement in processes of its own.

use std::env;
use std::error::Error;
use std::process::Command;

use ::streamweave::bench::{self, Figures, Settings, Way};

use crate::measure::{Effort, Measured, NS, OURS, Rounds};
use crate::out::say;
use crate::target::{Bound, Target};

/// The subcommand of a process of a measurement.
pub const SUBCOMMAND: &str = "weave-job";

/// Of an item through four nodes.
pub(crate) const EVENT: [(&str, usize); 3] = [
    ("streamweave.event.64", 64),
    ("streamweave.event.1024", 1024),
    ("streamweave.event.4096", 4096),
];
/// From an emit to the next node's entry.
pub(crate) const HOP: &str = "streamweave.hop.p50";
const HOP_P99: &str = "streamweave.hop.p99";
/// Of an item between two processes.
pub(crate) const REMOTE: [(&str, usize, Target); 2] = [
    ("streamweave.remote.1024", 1024, Target(&[Bound::Median(500.0), TIMELY])),
    ("streamweave.remote.65536", 65_536, Target(&[Bound::Median(25_000.0), TIMELY])),
];
/// At least 0.8 of it.
const TIMELY: Bound = Bound::Within(1.25, "timely");
const SENT: &str = "streamweave.remote.sent";
const RECEIVED: &str = "streamweave.remote.received";
/// Memory of an item that ten sinks have, and one.
pub(crate) const FAN_OUT: [(&str, usize, Target); 2] = [
    ("streamweave.memory.1", 1, Target(&[])),
    ("streamweave.memory.10", 10, Target(&[Bound::AtMost(1.1)])),
];

/// The peer that the document wants to be rid of, and the least that a copy on each edge costs.
pub(crate) const COPYING: &str = "copying";
pub(crate) const CLONING: &str = "cloning";

/// So large that nothing else of a process matters beside it.
const LARGE: usize = 16 << 20;
const ROUNDS: usize = 5;
/// An item of 16 MiB is one all the time.
const MEMORY_ROUNDS: usize = 1;
const LOCAL_MS: u64 = 80;
const REMOTE_MS: u64 = 160;

/// The side of a process that was started for a job.
///
/// # Errors
///
/// Those of the job.
pub fn job(text: &str) -> Result<(), Box<dyn Error>> {
    say(bench::job(text, || 0)?)?;
    Ok(())
}

fn settings(payload: usize, fan_out: usize, milliseconds: u64) -> Settings {
    Settings { payload, fan_out, ways: vec![], milliseconds, rounds: 1 }
}

/// How often this calls `tick`.
#[must_use]
pub fn rounds(wanted: impl Fn(&str) -> bool) -> usize {
    let local =
        EVENT.iter().filter(|(id, _)| wanted(id)).count() + usize::from(wants_hops(&wanted));
    let remote = REMOTE.iter().filter(|(id, ..)| wanted(id)).count();
    let memory = FAN_OUT.iter().filter(|(id, ..)| wanted(id)).count();
    ROUNDS * (local + remote) + MEMORY_ROUNDS * memory
}

fn wants_hops(wanted: impl Fn(&str) -> bool) -> bool {
    wanted(HOP) || wanted(HOP_P99)
}

/// Measures the rows that are wanted; `tick` is called after every round with its row.
///
/// # Errors
///
/// When a process cannot be started, or fails.
pub fn measure(
    wanted: impl Fn(&str) -> bool,
    effort: Effort,
    mut tick: impl FnMut(&'static str),
) -> Result<Vec<Measured>, Box<dyn Error>> {
    let program = env::current_exe()?;
    let start = |job: &str| {
        let mut command = Command::new(&program);
        command.args([SUBCOMMAND, job]);
        command
    };
    // A report in a hurry has as many rounds, and shorter ones.
    let share = |ms: u64| if effort.rounds < Effort::FULL.rounds { ms / 2 } else { ms };
    let mut rows = Vec::new();
    for (id, payload) in EVENT.into_iter().filter(|(id, _)| wanted(id)) {
        let mut row = Row::new(id, event_target(payload), [OURS, CLONING, COPYING]);
        let settings = settings(payload, 1, share(LOCAL_MS));
        for _ in 0..ROUNDS {
            for (way, at) in [Way::InProcess, Way::Cloning, Way::Copying].into_iter().zip(0..) {
                row.add(at, bench::once(&settings, way, &start)?.cpu_ns);
            }
            tick(id);
        }
        rows.push(row.done(NS));
    }
    if wants_hops(&wanted) {
        let mut p50 = Row::new(HOP, Target(&[]), [OURS, COPYING]);
        let mut p99 = Row::new(HOP_P99, Target(&[Bound::Median(200.0)]), [OURS, COPYING]);
        let settings = settings(4096, 1, share(LOCAL_MS));
        for _ in 0..ROUNDS {
            for (way, at) in [Way::InProcess, Way::Copying].into_iter().zip(0..) {
                let hops = bench::hops(&settings, way, &start)?;
                p50.add(at, float(hops.map(|[p50, _]| p50).into_iter().max()));
                p99.add(at, float(hops.map(|[_, p99]| p99).into_iter().max()));
            }
            tick(HOP);
        }
        rows.extend([p50.done(NS), p99.done(NS)]);
    }
    rows.extend(remote(&wanted, &start, share(REMOTE_MS), &mut tick)?);
    for (id, fan_out, target) in FAN_OUT.into_iter().filter(|(id, ..)| wanted(id)) {
        let mut row = Row::new(id, target, [OURS, COPYING]);
        let settings = settings(LARGE, fan_out, 60_000);
        for _ in 0..MEMORY_ROUNDS {
            for (way, at) in [Way::InProcess, Way::Copying].into_iter().zip(0..) {
                let grew = bench::memory(&settings, way, &start)?;
                row.add(at, float(Some(grew)) / float(u64::try_from(LARGE).ok()));
            }
            tick(id);
        }
        rows.push(row.done("of an item"));
    }
    Ok(rows)
}

/// Both sizes between two processes, and what is copied on both sides.
fn remote(
    wanted: impl Fn(&str) -> bool,
    start: &impl bench::Start,
    milliseconds: u64,
    mut tick: impl FnMut(&'static str),
) -> Result<Vec<Measured>, Box<dyn Error>> {
    let mut rows = Vec::new();
    let mut sent = Row::new(SENT, Target(&[Bound::AtMost(1.01)]), [OURS]);
    let mut received = Row::new(RECEIVED, Target(&[Bound::AtMost(0.0)]), [OURS]);
    for (id, payload, target) in REMOTE.into_iter().filter(|(id, ..)| wanted(id)) {
        let mut row = Row::new(id, target, [OURS, "timely"]);
        let settings = settings(payload, 1, milliseconds);
        for _ in 0..ROUNDS {
            for (way, at) in [Way::Distributed, Way::Timely].into_iter().zip(0..) {
                let Figures { rate, copied, .. } = bench::once(&settings, way, start)?;
                row.add(at, 1e9 / rate);
                if at == 0 {
                    sent.add(0, copied[0]);
                    received.add(0, copied[1]);
                }
            }
            tick(id);
        }
        rows.push(row.done(NS));
    }
    if !rows.is_empty() {
        rows.extend([sent, received].map(|row| row.done("copied of a byte")));
    }
    Ok(rows)
}

/// 8 million a second through four nodes; 20 times what JSON makes.
fn event_target(payload: usize) -> Target {
    Target(match payload {
        1024 => &[Bound::Median(125.0)],
        4096 => &[Bound::Faster(20.0, COPYING)],
        _ => &[],
    })
}

#[expect(clippy::cast_precision_loss, reason = "times and sizes stay far below 2^53")]
fn float(number: Option<u64>) -> f64 {
    number.map_or(f64::NAN, |number| number as f64)
}

/// A row in the making.
struct Row {
    id: &'static str,
    target: Target,
    subjects: Vec<Rounds>,
}

impl Row {
    fn new<const N: usize>(id: &'static str, target: Target, keys: [&'static str; N]) -> Self {
        let note = |key| match key {
            COPYING => "JSON text on each edge",
            CLONING => "a payload of its own on each edge",
            "timely" => "alone, with the same container, batches and window",
            _ => "",
        };
        let subjects = keys.map(|key| Rounds { key, note: note(key), ns: Vec::new() });
        Self { id, target, subjects: subjects.into() }
    }

    fn add(&mut self, subject: usize, figure: f64) {
        self.subjects[subject].ns.push(figure);
    }

    fn done(self, unit: &'static str) -> Measured {
        let Self { id, target, subjects } = self;
        Measured { id: id.into(), target, floor: "", unit, subjects }
    }
}
