//! The example systems: each scenario and mode in a child process of its own, allocations counted
//! in another.

use std::env;
use std::error::Error;
use std::fs;
use std::process::Command;
use std::time::Duration;

use patterns::{Mode, Scenario};
use serde::{Deserialize, Serialize};

use crate::alloc::{VARIABLE, allocations};
use crate::measure::Effort;
use crate::out::say;
use crate::report::{Port, PortFigures};

/// The subcommand that runs one scenario in one mode.
pub const SUBCOMMAND: &str = "port";

/// A scenario, by its names.
#[derive(Debug)]
struct Known {
    id: &'static str,
    name: &'static str,
    scenario: Scenario,
    /// Operations of the pass that counts allocations.
    counted: u64,
}

const KNOWN: [Known; 2] = [
    Known { id: PACKETS, name: "packets", scenario: Scenario::Packets, counted: 200_000 },
    Known { id: PIPELINE, name: "pipeline", scenario: Scenario::Pipeline, counted: 8 },
];

/// The packet parser's row.
pub const PACKETS: &str = "patterns.packets";
/// The three-stage pipeline's row.
pub const PIPELINE: &str = "patterns.pipeline";

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
}

/// glibc's bounds in the child processes, so high that freed memory stays with the process. Left to
/// itself, glibc gives the large arrays of one mode back after every run and keeps those of the
/// other, and their page faults would be most of what is measured.
const KEEP_FREED: [(&str, &str); 2] =
    [("MALLOC_TRIM_THRESHOLD_", "1073741824"), ("MALLOC_MMAP_THRESHOLD_", "1073741824")];

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
}

/// Runs all scenarios whose id is wanted; `tick` is called after each with its id.
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
    for known in KNOWN.iter().filter(|known| wanted(known.id)) {
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
    let (_, mode) = MODES.into_iter().find(|(name, _)| *name == mode).ok_or("no such mode")?;
    let answer = if count { counted(known, mode)? } else { timed(known.scenario, mode, budget)? };
    say(serde_json::to_string(&answer)?)?;
    Ok(())
}

fn timed(scenario: Scenario, mode: Mode, budget: Duration) -> Result<Answer, Box<dyn Error>> {
    let rss_before_bytes = memory("VmRSS");
    let measured = patterns::measure(scenario, mode, budget)?;
    Ok(Answer {
        workload: measured.workload,
        unit: measured.unit.into(),
        throughput: measured.throughput,
        p50_ns: measured.p50_ns,
        p99_ns: measured.p99_ns,
        bytes_copied_per_op: measured.bytes_copied_per_op,
        copies_per_op: measured.copies_per_op,
        inlined_per_op: measured.inlined_per_op,
        allocations_per_op: 0.0,
        rss_before_bytes,
        peak_rss_bytes: memory("VmHWM"),
    })
}

fn counted(known: &Known, mode: Mode) -> Result<Answer, Box<dyn Error>> {
    if !crate::alloc::is_counting() {
        return Err("this process does not count its allocations".into());
    }
    let (mut before, mut after) = (None, 0);
    let operations = patterns::run_counted(known.scenario, mode, known.counted, &mut || {
        before.get_or_insert_with(allocations);
        after = allocations();
    })?;
    let made = after - before.unwrap_or(after);
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let allocations_per_op = made as f64 / operations as f64;
    Ok(Answer { allocations_per_op, ..Answer::default() })
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

/// A line of this process's status, in bytes: `VmRSS` is what it holds, `VmHWM` the most it held.
/// Zero where the system has no such file.
#[must_use]
pub fn memory(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    kibibytes(&status, name).unwrap_or(0) << 10
}

fn kibibytes(status: &str, name: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    value.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_status_file() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t 1024 kB\n";
        assert_eq!(kibibytes(status, "VmHWM"), Some(2048));
        assert_eq!(kibibytes(status, "VmRSS"), Some(1024));
        assert_eq!(kibibytes(status, "VmSwap"), None);
    }
}
