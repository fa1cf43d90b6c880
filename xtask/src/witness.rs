//! `cargo xtask witness`: the meter against valgrind, which knows nothing of it.
//!
//! A scenario runs twice under dhat's copy mode with different numbers of operations. The bytes
//! that the two runs differ by, per operation, are what memcpy and its kin moved for one operation;
//! the scenario prints what the meter counted. A claim stands when both agree.

use std::path::Path;

use serde_json::Value;

use crate::process::{Outcome, flags};
use crate::valgrind::{ABSENT, Copies, Valgrind, list, release};

/// Operations of the two runs of a row of `copy-cost`.
const ROW: [u32; 2] = [2_000, 12_000];

/// Passes over the capture in the two runs of `patterns`; a pass is some hundred packets.
const PASSES: [u32; 2] = [10, 110];

/// The smallest copy that an operation can make is one byte, so a claim that hides a copy is off by
/// at least one per operation. What is not the operation's own (a table that grows, figures with one
/// more digit) is shared by the 10,000 operations that the runs differ by: 5 KiB of it are half a
/// byte. Half a byte is therefore below any hidden copy and above what start-up leaves.
const TOLERANCE: f64 = 0.5;

/// Below this, what start-up leaves is no longer small beside the tolerance.
const MINIMUM: u32 = 10_000;

/// What goes with an item between processes: its head of 32 bytes, and its part of what timely says of a round's
/// progress. It is no payload, and the meter does not count it; of an item of 4 KiB it hides no part that a
/// receiver could move, which is all of it or what stands at the end of a slab.
const FRAMING: (&str, f64) = ("streamweave.remote", 64.0);

/// A zero-copy claim and how to run it.
struct Scenario {
    name: String,
    program: &'static str,
    /// The arguments but the last, which is one of `times`.
    args: Vec<String>,
    times: [u32; 2],
    /// Reads the JSON that the program prints last.
    read: fn(&Value) -> Option<Printed>,
}

/// What a run says of itself.
struct Printed {
    operations: f64,
    /// Bytes per operation that the meter counted.
    meter: f64,
    /// Bytes per operation that went through the scenario.
    payload: f64,
}

/// The counts of one scenario, in bytes per operation.
struct Counts {
    payload: f64,
    meter: f64,
    witness: f64,
    /// Bytes that the witness may see beyond the meter.
    framing: f64,
    /// What the witness left out: std's own values, moved by the compiler.
    moved: f64,
}

pub(crate) fn run(args: &[String]) -> Outcome {
    let [if_present] = flags(args, ["--if-present"])?;
    let Some(valgrind) = Valgrind::find() else {
        if if_present {
            println!("witness: {ABSENT}");
            return Ok(());
        }
        return Err(ABSENT.to_owned());
    };
    let folder = release(&["copy-cost", "patterns"])?;
    let scenarios = scenarios(&folder)?;
    println!(
        "{:<44} {:>12} {:>12} {:>12} {:>12}  bytes per operation",
        "scenario", "payload", "meter", "witness", "(moves)"
    );
    let mut bad = 0;
    for scenario in &scenarios {
        let program = folder.join(scenario.program);
        let few = scenario.run(&valgrind, &program, scenario.times[0])?;
        let many = scenario.run(&valgrind, &program, scenario.times[1])?;
        let counts = scenario.counts(&few, &many)?;
        let (agree, seen) = (counts.agree(), !scenario.is_control() || counts.see());
        let verdict = match (agree, seen) {
            (true, true) => "agree",
            (true, false) => "SEE NOTHING",
            (false, _) => "DISAGREE",
        };
        let Counts { payload, meter, witness, moved, .. } = counts;
        let figures = format!("{payload:>12.2} {meter:>12.2} {witness:>12.2} {moved:>12.2}");
        println!("{:<44} {figures}  {verdict}", scenario.name);
        if !(agree && seen) {
            bad += 1;
            for (bytes, site) in many.grown_since(&few, 3) {
                println!("    {bytes} bytes more at {site}");
            }
        }
    }
    println!(
        "witness: {} scenarios, {bad} where the meter and valgrind disagree or are blind",
        scenarios.len()
    );
    if bad == 0 { Ok(()) } else { Err("a claim does not stand".to_owned()) }
}

fn scenarios(folder: &Path) -> Result<Vec<Scenario>, String> {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect();
    let mut all: Vec<Scenario> = list(&folder.join("copy-cost"), "witnessed")?
        .into_iter()
        .map(|name| Scenario {
            args: words(&format!("witnessed {name}")),
            name,
            program: "copy-cost",
            times: ROW,
            read: row,
        })
        .collect();
    all.push(Scenario {
        name: "patterns packets --mode zero-copy".to_owned(),
        program: "patterns",
        args: words("packets --mode zero-copy --json --rounds"),
        times: PASSES,
        read: packets,
    });
    Ok(all)
}

/// A row prints what an operation moved and what the meter counted. It may run more operations than
/// it was told to, where they come in batches.
fn row(value: &Value) -> Option<Printed> {
    Some(Printed {
        operations: value["operations"].as_f64()?,
        meter: value["meter_bytes_per_op"].as_f64()?,
        payload: value["payload_bytes_per_op"].as_f64()?,
    })
}

/// `patterns` prints its summary. Its warm-up ends by the clock, so the two runs differ in it too:
/// harmless where the claim is that an operation copies nothing, and too coarse for anything else.
fn packets(value: &Value) -> Option<Printed> {
    let (mode, seen) = (&value["zero_copy"], &value["seen"]);
    let bytes = seen["header_bytes"].as_f64()? + seen["payload_bytes"].as_f64()?;
    Some(Printed {
        operations: mode["operations"].as_f64()?,
        meter: mode["bytes_copied_per_op"].as_f64()?,
        payload: bytes / seen["packets"].as_f64()?,
    })
}

impl Scenario {
    /// Copies on purpose, to show that copies on its path are seen.
    fn is_control(&self) -> bool {
        self.name.starts_with("control.")
    }

    fn run(&self, valgrind: &Valgrind, program: &Path, times: u32) -> Result<Copies, String> {
        let times = times.to_string();
        let args = self.args.iter().map(String::as_str).chain([times.as_str()]);
        valgrind.copies(program, &args.collect::<Vec<_>>())
    }

    fn counts(&self, few: &Copies, many: &Copies) -> Result<Counts, String> {
        let read = |copies: &Copies| {
            last_json(&copies.output)
                .and_then(|value| (self.read)(&value))
                .ok_or_else(|| format!("{}: the last line is not the JSON to read", self.name))
        };
        let (before, after) = (read(few)?, read(many)?);
        // Below 2^53 both are exact; a warm-up that ends by the clock may even make it negative.
        let more = |few: u64, many: u64| many as f64 - few as f64;
        let operations = after.operations - before.operations;
        if operations < f64::from(MINIMUM) {
            return Err(format!("{}: {operations} operations are too few", self.name));
        }
        Ok(Counts {
            payload: after.payload,
            meter: after.meter,
            witness: more(few.bytes, many.bytes) / operations,
            framing: if self.name == FRAMING.0 { FRAMING.1 } else { 0.0 },
            moved: more(few.moved, many.moved) / operations,
        })
    }
}

impl Counts {
    fn agree(&self) -> bool {
        let beyond = self.witness - self.meter;
        (-TOLERANCE..=self.framing + TOLERANCE).contains(&beyond)
    }

    /// Both saw copies.
    fn see(&self) -> bool {
        self.meter > TOLERANCE && self.witness > TOLERANCE
    }
}

/// The JSON object in the last line of a program's output.
fn last_json(output: &str) -> Option<Value> {
    let line = output.lines().rfind(|line| !line.trim().is_empty())?;
    serde_json::from_str(line).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_stands_when_both_agree() {
        let counts =
            |meter, witness| Counts { payload: 0.0, meter, witness, framing: 0.0, moved: 0.0 };
        assert!(counts(0.0, 0.3).agree());
        let framed = |witness| Counts { framing: 64.0, ..counts(4096.0, witness) };
        assert!(framed(4150.0).agree() && !framed(4200.0).agree() && !framed(4090.0).agree());
        assert!(!counts(0.0, 1.0).agree(), "one hidden byte per operation");
        assert!(!counts(64.0, 0.0).agree(), "a meter that counts what was not copied");
    }

    #[test]
    fn a_control_must_be_seen() {
        let counts =
            |meter, witness| Counts { payload: 64.0, meter, witness, framing: 0.0, moved: 0.0 };
        assert!(counts(64.0, 64.0).see());
        assert!(!counts(0.0, 0.0).see());
        assert!(!counts(0.0, 64.0).see() && !counts(64.0, 0.2).see());
    }

    #[test]
    fn figures_come_from_the_last_line() {
        let output = "a table\n{\"operations\": 7, \"meter_bytes_per_op\": 2.5, \"payload_bytes_per_op\": 64}\n\n";
        let printed = last_json(output).and_then(|value| row(&value)).expect("a row");
        assert_eq!((printed.operations, printed.meter, printed.payload), (7.0, 2.5, 64.0));
        assert!(last_json("nothing").is_none());
    }

    #[test]
    fn patterns_prints_a_summary() {
        let value = serde_json::json!({
            "zero_copy": { "operations": 500, "bytes_copied_per_op": 0.0 },
            "seen": { "packets": 50, "header_bytes": 1000, "payload_bytes": 9000 },
        });
        let printed = packets(&value).expect("a summary");
        assert_eq!((printed.operations, printed.meter, printed.payload), (500.0, 0.0, 200.0));
    }
}
