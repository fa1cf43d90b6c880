//! `cargo xtask counts`: instructions per hot operation, which no noise can touch.
//!
//! `copy-cost counted NAME N` runs an operation N times; two runs under callgrind with different N
//! differ by the operation alone: start-up, warm-up and printing cancel out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::process::{Outcome, capture, flags, read, root, write};
use crate::valgrind::{ABSENT, Valgrind, list, release};

const FILE: &str = "benches/counts.json";

/// Far enough apart that a difference of a few thousand instructions at start-up, from a longer
/// environment or another hash seed, stays below a tenth of an instruction per operation.
const FEW: u32 = 10_000;
const MANY: u32 = 110_000;

/// A change that a reviewer should see, in either direction.
const PERCENT: f64 = 2.0;

/// Instructions per operation, by name.
type Counts = BTreeMap<String, f64>;

pub(crate) fn run(args: &[String]) -> Outcome {
    let [update, if_present] = flags(args, ["--update", "--if-present"])?;
    let Some(valgrind) = Valgrind::find() else {
        if if_present {
            println!("counts: {ABSENT}");
            return Ok(());
        }
        return Err(ABSENT.to_owned());
    };
    let program = release(&["copy-cost"])?.join("copy-cost");
    let mut measured = Counts::new();
    for name in list(&program, "counted")? {
        let count = measure(&valgrind, &program, &name)?;
        measured.insert(name, count);
    }
    let file = root().join(FILE);
    if update {
        return commit(&file, &measured);
    }
    let (rustc, committed) = committed(&file)?;
    let bad = compare(&committed, &measured);
    let now = rustc_version()?;
    if rustc != now {
        println!("counts: {FILE} was measured with {rustc}, this is {now}");
    }
    println!("counts: {} operations, {bad} changed by more than {PERCENT} %", measured.len());
    if bad == 0 {
        return Ok(());
    }
    Err("decide whether the change is right, then commit `cargo xtask counts --update`".to_owned())
}

fn measure(valgrind: &Valgrind, program: &Path, name: &str) -> Result<f64, String> {
    let total = |n: u32| valgrind.instructions(program, &["counted", name, &n.to_string()]);
    let (few, many) = (total(FEW)?, total(MANY)?);
    let rest = many.checked_sub(few).and_then(|rest| u32::try_from(rest).ok());
    let rest =
        rest.ok_or_else(|| format!("{name}: {few} and {many} instructions make no sense"))?;
    Ok((10.0 * f64::from(rest) / f64::from(MANY - FEW)).round() / 10.0)
}

/// Prints the table and counts what changed.
fn compare(committed: &Counts, measured: &Counts) -> usize {
    let mut bad = 0;
    println!("{:<40} {:>10} {:>10} {:>8}", "operation", "committed", "now", "change");
    let names: BTreeSet<&String> = committed.keys().chain(measured.keys()).collect();
    for name in names {
        let (before, now) = (committed.get(name), measured.get(name));
        let cell =
            |count: Option<&f64>| count.map_or("-".to_owned(), |count| format!("{count:.1}"));
        let verdict = verdict(before.copied(), now.copied());
        let text = match &verdict {
            Ok(text) | Err(text) => text,
        };
        bad += usize::from(verdict.is_err());
        println!("{name:<40} {:>10} {:>10} {text:>8}", cell(before), cell(now));
    }
    bad
}

/// The change, as an error where somebody has to decide.
fn verdict(before: Option<f64>, now: Option<f64>) -> Result<String, String> {
    let (Some(before), Some(now)) = (before, now) else {
        return Err(if before.is_none() { "new".to_owned() } else { "gone".to_owned() });
    };
    // A tenth is the resolution of the file, and more than 2 % of a very short operation.
    let percent = if before == now { 0.0 } else { 100.0 * (now - before) / before.max(0.1) };
    let text = format!("{percent:+.1} %");
    let within = percent.abs() <= PERCENT || (now - before).abs() <= 0.1;
    if within { Ok(text) } else { Err(text) }
}

fn commit(file: &Path, measured: &Counts) -> Outcome {
    let value = json!({ "rustc": rustc_version()?, "instructions": measured });
    let text = serde_json::to_string_pretty(&value).map_err(|e| e.to_string())? + "\n";
    write(file, &text)?;
    println!("counts: wrote {} operations to {FILE}", measured.len());
    Ok(())
}

fn committed(file: &Path) -> Result<(String, Counts), String> {
    let text = read(file).map_err(|e| format!("{e}; `cargo xtask counts --update` makes it"))?;
    let value: Value = serde_json::from_str(&text).map_err(|e| format!("{FILE}: {e}"))?;
    let counts = value["instructions"].as_object().ok_or(format!("{FILE}: no `instructions`"))?;
    let count = |(name, count): (&String, &Value)| Some((name.clone(), count.as_f64()?));
    let rustc = value["rustc"].as_str().unwrap_or("an unknown compiler");
    Ok((rustc.to_owned(), counts.iter().filter_map(count).collect()))
}

/// The compiler without its hash and date.
fn rustc_version() -> Result<String, String> {
    let text = capture(Command::new("rustc").arg("--version"))?;
    Ok(text.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_need_a_decision() {
        assert!(verdict(Some(100.0), Some(102.0)).is_ok());
        assert!(verdict(Some(100.0), Some(102.1)).is_err());
        assert!(verdict(Some(100.0), Some(97.9)).is_err());
        assert!(verdict(None, Some(1.0)).is_err());
        assert!(verdict(Some(1.0), None).is_err());
        assert!(verdict(Some(0.0), Some(0.0)).is_ok());
        assert!(verdict(Some(4.0), Some(4.1)).is_ok());
    }

    #[test]
    fn a_table_counts_what_changed() {
        let counts = |all: &[(&str, f64)]| all.iter().map(|(n, c)| ((*n).to_owned(), *c)).collect();
        let (before, now) =
            (counts(&[("a", 10.0), ("b", 20.0)]), counts(&[("a", 10.0), ("c", 1.0)]));
        assert_eq!(compare(&before, &now), 2);
    }
}
