//! `cargo xtask witness`: the meter against valgrind, which knows nothing of it.
//!
//! A scenario runs twice under dhat's copy mode with different numbers of operations. The bytes
//! that the two runs differ by, per operation, are what memcpy and its kin moved for one operation;
//! the scenario prints what the meter counted. A claim stands when both agree.

use std::path::Path;

use serde_json::Value;

use crate::process::Outcome;
use crate::valgrind::{ABSENT, Copies, Valgrind, list, release};

const FEW: u32 = 2_000;
const MANY: u32 = 12_000;

/// The smallest copy that an operation can make is one byte, so a claim that hides a copy is off by
/// at least one per operation. What is not the operation's own (a table that grows, figures with one
/// more digit) is shared by the 10,000 operations that the runs differ by: 5 KiB of it are half a
/// byte. Half a byte is therefore below any hidden copy and above what start-up leaves.
const TOLERANCE: f64 = 0.5;

/// A zero-copy claim and how to run it.
struct Scenario {
    name: String,
    program: &'static str,
    /// The arguments, with `{n}` for the number of operations.
    args: Vec<String>,
}

/// The two counts of one scenario, in bytes per operation.
struct Counts {
    payload: f64,
    meter: f64,
    witness: f64,
}

pub(crate) fn run(args: &[String]) -> Outcome {
    if let Some(odd) = args.iter().find(|arg| *arg != "--if-present") {
        return Err(format!("no such option: {odd}"));
    }
    let Some(valgrind) = Valgrind::find() else {
        if args.is_empty() {
            return Err(ABSENT.to_owned());
        }
        println!("witness: {ABSENT}");
        return Ok(());
    };
    let folder = release(&["copy-cost", "patterns"])?;
    let scenarios = scenarios(&folder)?;
    println!(
        "{:<44} {:>12} {:>12} {:>12}  bytes per operation",
        "scenario", "payload", "meter", "witness"
    );
    let mut bad = 0;
    for scenario in &scenarios {
        let program = folder.join(scenario.program);
        let few = scenario.run(&valgrind, &program, FEW)?;
        let many = scenario.run(&valgrind, &program, MANY)?;
        let counts = scenario.counts(&few, &many)?;
        let stands = counts.stand();
        let verdict = if stands { "agree" } else { "DISAGREE" };
        let Counts { payload, meter, witness } = counts;
        println!("{:<44} {payload:>12.2} {meter:>12.2} {witness:>12.2}  {verdict}", scenario.name);
        if !stands {
            bad += 1;
            for (bytes, site) in many.grown_since(&few, 3) {
                println!("    {bytes} bytes more at {site}");
            }
        }
    }
    println!("witness: {} scenarios, {bad} where the meter and valgrind disagree", scenarios.len());
    if bad == 0 { Ok(()) } else { Err("a claim does not stand".to_owned()) }
}

fn scenarios(folder: &Path) -> Result<Vec<Scenario>, String> {
    let names = list(&folder.join("copy-cost"), "witnessed")?;
    let rows = names.into_iter().map(|name| Scenario {
        args: vec!["witnessed".to_owned(), name.clone(), "{n}".to_owned()],
        name,
        program: "copy-cost",
    });
    Ok(rows.collect())
}

impl Scenario {
    fn run(&self, valgrind: &Valgrind, program: &Path, n: u32) -> Result<Copies, String> {
        let args: Vec<String> =
            self.args.iter().map(|arg| arg.replace("{n}", &n.to_string())).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        valgrind.copies(program, &args)
    }

    fn counts(&self, few: &Copies, many: &Copies) -> Result<Counts, String> {
        let read = |key: &str| {
            figure(&many.output, key).ok_or_else(|| {
                format!("{}: the last line is no JSON object with a figure {key}", self.name)
            })
        };
        let bytes = many.bytes.checked_sub(few.bytes).and_then(|bytes| u32::try_from(bytes).ok());
        let bytes = bytes.ok_or_else(|| {
            format!("{}: {} and {} bytes make no sense", self.name, few.bytes, many.bytes)
        })?;
        Ok(Counts {
            payload: read("payload_bytes_per_op")?,
            meter: read("meter_bytes_per_op")?,
            witness: f64::from(bytes) / f64::from(MANY - FEW),
        })
    }
}

impl Counts {
    fn stand(&self) -> bool {
        (self.meter - self.witness).abs() <= TOLERANCE
    }
}

/// A number of the JSON object in the last line of a program's output.
fn figure(output: &str, key: &str) -> Option<f64> {
    let line = output.lines().rfind(|line| !line.trim().is_empty())?;
    serde_json::from_str::<Value>(line).ok()?[key].as_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_stands_when_both_agree() {
        let counts = |meter, witness| Counts { payload: 0.0, meter, witness };
        assert!(counts(0.0, 0.3).stand());
        assert!(!counts(0.0, 1.0).stand(), "one hidden byte per operation");
        assert!(!counts(64.0, 0.0).stand(), "a meter that counts what was not copied");
    }

    #[test]
    fn figures_come_from_the_last_line() {
        let output = "a table\n{\"meter_bytes_per_op\": 2.5}\n\n";
        assert_eq!(figure(output, "meter_bytes_per_op"), Some(2.5));
        assert_eq!(figure("nothing", "meter_bytes_per_op"), None);
    }
}
