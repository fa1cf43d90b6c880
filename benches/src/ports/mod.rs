//! The example systems: each in both modes, each mode in a child process of its own, allocations counted
//! in another.

mod exchange;
mod loaded;
mod patterns;
mod relay;
mod serve;
mod streamweave;
mod uvrpc;
mod web;

use std::env;
use std::error::Error;
use std::process::{self, Command};
use std::time::Duration;

use ::patterns::Scenario;
use example_common::usage;
use serde::{Deserialize, Serialize};

use crate::alloc::{VARIABLE, is_counting};
use crate::measure::{Effort, Measured as Rows, NS, OURS, Rounds};
use crate::out::say;
use crate::report::{Port, PortFigures};
use crate::target::Target;
use crate::uvrpc::{LARGE, SMALL};
use crate::web::ours;
pub(crate) use exchange::{ORDER, P99};

/// The subcommand that runs one scenario in one mode.
pub const SUBCOMMAND: &str = "port";

/// An example system, by its names, and what runs it in the child's process.
#[derive(Debug)]
struct Known {
    id: &'static str,
    name: &'static str,
    /// Runs it for about so long.
    timed: fn(Mode, Duration) -> Result<Answer, Box<dyn Error>>,
    /// Allocations per operation, in steady state.
    counted: fn(Mode) -> Result<f64, Box<dyn Error>>,
    /// What is said of its runs beside the port itself.
    rows: &'static [PortRow],
}

/// A figure of a port's runs as a row, which may have a target.
#[derive(Debug)]
struct PortRow {
    id: &'static str,
    target: Target,
    /// Nanoseconds.
    of: fn(&Answer) -> f64,
}

const KNOWN: [Known; 11] = [
    Known {
        id: EXCHANGE,
        name: "exchange",
        timed: |mode, _| exchange::timed(mode, true),
        counted: |mode| exchange::counted(mode, true),
        rows: &exchange::ROWS,
    },
    Known {
        id: UNLOGGED,
        name: "exchange-unlogged",
        timed: |mode, _| exchange::timed(mode, false),
        counted: |mode| exchange::counted(mode, false),
        rows: &[],
    },
    Known {
        id: PACKETS,
        name: "packets",
        timed: |mode, budget| patterns::timed(Scenario::Packets, mode, budget),
        counted: |mode| patterns::counted(Scenario::Packets, mode, 200_000),
        rows: &[],
    },
    Known {
        id: PIPELINE,
        name: "pipeline",
        timed: |mode, budget| patterns::timed(Scenario::Pipeline, mode, budget),
        counted: |mode| patterns::counted(Scenario::Pipeline, mode, 8),
        rows: &[],
    },
    Known { id: RELAY, name: "relay", timed: relay::timed, counted: relay::counted, rows: &[] },
    Known { id: SERVE, name: "serve", timed: serve::timed, counted: serve::counted, rows: &[] },
    Known {
        id: WEAVE,
        name: "streamweave",
        timed: streamweave::timed,
        counted: streamweave::counted,
        rows: &[],
    },
    Known {
        id: WEB,
        name: "web",
        timed: |mode, budget| web::timed(|| ours(mode), budget),
        counted: |mode| web::counted(|| ours(mode)),
        rows: &[],
    },
    Known {
        id: UVRPC,
        name: "uvrpc",
        timed: |mode, budget| uvrpc::timed(mode, SMALL, budget),
        counted: |mode| uvrpc::counted(mode, SMALL),
        rows: &[],
    },
    Known {
        id: UVRPC_LARGE,
        name: "uvrpc-large",
        timed: |mode, budget| uvrpc::timed(mode, LARGE, budget),
        counted: |mode| uvrpc::counted(mode, LARGE),
        rows: &[],
    },
    Known {
        id: UVRPC_MESSAGES,
        name: "uvrpc-messages",
        timed: uvrpc::messages_timed,
        counted: uvrpc::messages_counted,
        rows: &[],
    },
];

/// The path of an order.
pub const EXCHANGE: &str = "exchange";
/// The same, and nothing is kept of it.
const UNLOGGED: &str = "exchange.unlogged";
/// The packet parser's row.
pub const PACKETS: &str = "patterns.packets";
/// The three-stage pipeline's row.
pub const PIPELINE: &str = "patterns.pipeline";
/// The TCP proxy's row.
pub const RELAY: &str = "patterns.relay";
/// The file server's row.
pub const SERVE: &str = "patterns.serve";
/// The dataflow graph.
const WEAVE: &str = "streamweave";
/// The web framework's row.
pub const WEB: &str = "web";
/// The row of calls over ZeroMQ's protocol.
pub const UVRPC: &str = "uvrpc";
/// The same with much data.
pub const UVRPC_LARGE: &str = "uvrpc.large";
/// The row of such calls that are only made.
pub const UVRPC_MESSAGES: &str = "uvrpc.messages";

/// How an example system runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// With the copies that its document counts.
    Copying,
    /// As its document proposes.
    ZeroCopy,
}

const MODES: [(&str, Mode); 2] = [("copying", Mode::Copying), ("zero-copy", Mode::ZeroCopy)];

/// Times that each mode runs, in turn with the other. The run with the most throughput is reported:
/// what else happens on the machine only ever takes from it.
const REPETITIONS: usize = 5;

/// A port, and what only the claims ask for.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The row of the report.
    pub port: Port,
    /// Memory beyond what the process held before, in the copying mode.
    pub copying_grew: u64,
    /// The same in the mode without copies.
    pub zero_copy_grew: u64,
    /// Figures that are rows too: their rounds are the runs, the copying mode is the peer.
    pub rows: Vec<Rows>,
}

/// glibc's bounds in the child processes, so high that freed memory stays with the process. Left to
/// itself, glibc gives the large arrays of one mode back after every run and keeps those of the
/// other, and their page faults would be most of what is measured. An array of 64 MiB or more is kept
/// in the one heap that all threads share.
const KEEP_FREED: [(&str, &str); 3] = [
    ("MALLOC_TRIM_THRESHOLD_", "1073741824"),
    ("MALLOC_MMAP_THRESHOLD_", "1073741824"),
    ("MALLOC_ARENA_MAX", "1"),
];

/// What a child process answers.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Answer {
    workload: String,
    unit: String,
    throughput: f64,
    p50_ns: f64,
    p99_ns: f64,
    bytes_copied_per_op: f64,
    copies_per_op: f64,
    inlined_per_op: f64,
    allocations_per_op: f64,
    rss_before_bytes: u64,
    peak_rss_bytes: u64,
    /// What only a row asks for.
    #[serde(default)]
    cpu_ns_per_op: f64,
    #[serde(default)]
    durable_p99_ns: f64,
}

/// The peer in the rows of a port.
pub const COPYING: &str = MODES[0].0;

/// Runs all scenarios whose id is wanted, or that of one of its rows; `tick` is called after each with its
/// id.
///
/// # Errors
///
/// When a child process fails, with what it said.
pub fn run(
    wanted: impl Fn(&str) -> bool,
    effort: Effort,
    mut tick: impl FnMut(&str),
) -> Result<Vec<Measured>, Box<dyn Error>> {
    let mut measured = Vec::new();
    let chosen = |known: &&Known| wanted(known.id) || known.rows.iter().any(|row| wanted(row.id));
    for known in KNOWN.iter().filter(chosen) {
        tick(known.id);
        measured.push(both_modes(known, effort)?);
    }
    Ok(measured)
}

fn both_modes(known: &Known, effort: Effort) -> Result<Measured, Box<dyn Error>> {
    let mut runs: [Vec<Answer>; 2] = Default::default();
    for _ in 0..REPETITIONS {
        for (runs, (mode, _)) in runs.iter_mut().zip(MODES) {
            runs.push(ask(known, mode, false, effort)?);
        }
    }
    let rows = known.rows.iter().map(|row| row.of(&runs)).collect();
    let mut chosen: [Answer; 2] = Default::default();
    for ((chosen, runs), (mode, _)) in chosen.iter_mut().zip(&mut runs).zip(MODES) {
        let best = runs.iter().max_by(|a, b| a.throughput.total_cmp(&b.throughput));
        *chosen = best.cloned().unwrap_or_default();
        chosen.allocations_per_op = ask(known, mode, true, effort)?.allocations_per_op;
    }
    let [copying, zero_copy] = chosen;
    Ok(Measured {
        copying_grew: copying.grew(),
        zero_copy_grew: zero_copy.grew(),
        rows,
        port: Port {
            id: known.id.into(),
            workload: copying.workload.clone(),
            unit: copying.unit.clone(),
            copying: copying.figures(),
            zero_copy: zero_copy.figures(),
        },
    })
}

/// Runs one scenario in one mode in a child process.
fn ask(known: &Known, mode: &str, count: bool, effort: Effort) -> Result<Answer, Box<dyn Error>> {
    let mut command = Command::new(env::current_exe()?);
    command.args([SUBCOMMAND, known.name, mode, "--milliseconds"]);
    command.arg(effort.port.as_millis().to_string());
    command.envs(KEEP_FREED);
    if count {
        command.arg("--count-allocations");
        command.env(VARIABLE.to_string_lossy().as_ref(), "count");
    }
    let output = command.output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{} {mode}: {}", known.name, said.trim()).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The mode of this name.
#[must_use]
pub fn mode(name: &str) -> Option<Mode> {
    MODES.into_iter().find(|(known, _)| *known == name).map(|(_, mode)| mode)
}

/// The child's side: runs, and prints one line of JSON.
///
/// # Errors
///
/// For names that are not known, and when the scenario fails.
pub fn child(
    scenario: &str,
    mode: &str,
    count: bool,
    budget: Duration,
) -> Result<(), Box<dyn Error>> {
    let known = KNOWN.iter().find(|known| known.name == scenario).ok_or("no such scenario")?;
    let mode = self::mode(mode).ok_or("no such mode")?;
    let answer = match count {
        false => (known.timed)(mode, budget)?,
        true if !is_counting() => return Err("this process does not count its allocations".into()),
        true => Answer { allocations_per_op: (known.counted)(mode)?, ..Answer::default() },
    };
    say(serde_json::to_string(&answer)?)?;
    Ok(())
}

impl PortRow {
    fn of(&self, [copying, zero_copy]: &[Vec<Answer>; 2]) -> Rows {
        let rounds = |key, note, runs: &[Answer]| Rounds {
            key,
            note,
            ns: runs.iter().map(self.of).collect(),
        };
        Rows {
            id: self.id.into(),
            target: self.target,
            floor: "",
            unit: NS,
            subjects: vec![rounds(OURS, "zero-copy", zero_copy), rounds(COPYING, "", copying)],
        }
    }
}

impl Answer {
    fn grew(&self) -> u64 {
        self.peak_rss_bytes.saturating_sub(self.rss_before_bytes)
    }

    fn figures(&self) -> PortFigures {
        PortFigures {
            throughput: self.throughput,
            p50_ns: self.p50_ns,
            p99_ns: self.p99_ns,
            bytes_copied_per_op: self.bytes_copied_per_op,
            copies_per_op: self.copies_per_op,
            inlined_per_op: self.inlined_per_op,
            allocations_per_op: self.allocations_per_op,
            peak_rss_bytes: self.peak_rss_bytes,
        }
    }
}

/// A line of this process's status, in bytes, as [`usage::memory`] has it.
#[must_use]
pub fn memory(name: &str) -> u64 {
    usage::memory(process::id(), name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_a_round_for_each_run() {
        let run = |cpu_ns_per_op| Answer { cpu_ns_per_op, ..Answer::default() };
        let runs = [vec![run(1_000.0), run(2_000.0)], vec![run(500.0), run(1_000.0)]];
        let row = exchange::ROWS[0].of(&runs);
        assert_eq!(row.rounds(OURS).expect("the mode without copies").ns, [500.0, 1_000.0]);
        assert_eq!(row.rounds(COPYING).expect("the peer").ns, [1_000.0, 2_000.0]);
    }
}
