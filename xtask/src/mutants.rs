//! `cargo xtask mutants [FILE] [K/N]`: cargo-mutants on the files with `unsafe`.
//!
//! It changes one expression at a time and runs the crate's tests, in a tree of its own, as the last
//! commit is. `K/N` takes every N-th mutant of each file, from the K-th on. What it cannot change to any
//! effect is left out, each with its reason, by `.cargo/mutants.toml`. Orderings it does not know: those
//! are what the models' twins are about.

use std::path::Path;
use std::time::Instant;

use serde_json::Value;

use crate::listed::{Listed, listed};
use crate::process::{Outcome, cargo, find_tool, read, root, shown};
use crate::tree::{THROWN_AWAY, tree};

/// Of those that can be built, so many may be missed, over all files.
const PERCENT: u64 = 10;
/// A test that takes so long hangs.
const SECONDS: &str = "90";
/// Crates whose tests attack another's files, beside its own.
const ABOVE: [(&str, &str); 1] = [("aqueduct-base", "aqueduct-slice")];

#[derive(Default)]
struct Tally {
    mutants: u64,
    caught: u64,
    missed: u64,
    /// The tests did not end, which nobody overlooks.
    timeouts: u64,
    unviable: u64,
}

pub(crate) fn run(args: &[String]) -> Outcome {
    let (shards, names): (Vec<&String>, Vec<&String>) =
        args.iter().partition(|arg| arg.starts_with(|first: char| first.is_ascii_digit()));
    if shards.len() > 1 || names.len() > 1 || names.iter().any(|name| name.starts_with('-')) {
        return Err("takes a part of the files' paths, and a shard such as 0/4".to_owned());
    }
    if find_tool("cargo-mutants").is_none() {
        return Err(
            "cargo-mutants is not installed: cargo install cargo-mutants --locked".to_owned()
        );
    }
    let files = listed(names.first().map_or("", |name| name.as_str()))?;
    let tree = tree("mutants")?;
    println!(
        "{:<40} {:>7} {:>6} {:>6} {:>8} {:>8} {:>7}",
        "file", "mutants", "caught", "missed", "timeouts", "unviable", "seconds"
    );
    let mut all = Tally::default();
    for file in &files {
        let start = Instant::now();
        let tally = measure(file, &tree, shards.first().map(|shard| shard.as_str()))?;
        tally.print(&file.source.path, start.elapsed().as_secs());
        all.add(&tally);
    }
    all.print("all of them", 0);
    let built = all.mutants - all.unviable;
    if all.missed * 100 <= built * PERCENT {
        return Ok(());
    }
    Err(format!(
        "missed {} of {built}, more than {PERCENT} %: target/mutants/*/mutants.out/missed.txt",
        all.missed
    ))
}

/// The mutants of one file.
fn measure(file: &Listed, tree: &Path, shard: Option<&str>) -> Result<Tally, String> {
    let path = &file.source.path;
    let out = root().join("target/mutants").join(path.replace('/', "_"));
    std::fs::create_dir_all(&out).map_err(|e| format!("cannot create {}: {e}", out.display()))?;
    let mut command = cargo();
    command.current_dir(tree).envs(THROWN_AWAY);
    command.args(["mutants", "--in-place", "--all-features", "--baseline=skip"]);
    command.args(["--timeout", SECONDS]);
    command.args(["--file", path, "--test-package", &file.package, "--output"]).arg(&out);
    for (_, above) in ABOVE.iter().filter(|(below, _)| *below == file.package) {
        command.args(["--test-package", above]);
    }
    if let Some(shard) = shard {
        command.args(["--sharding=round-robin", "--shard", shard]);
    }
    command.args(["--", "--lib", "--tests"]);
    let output = command.output().map_err(|e| format!("cannot start {}: {e}", shown(&command)))?;
    // 2: some are missed. 3: some took too long. Else it could not do its work.
    if !matches!(output.status.code(), Some(0 | 2 | 3)) {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("{}: {}\n{said}", output.status, shown(&command)));
    }
    print!("{}", read(&out.join("mutants.out/missed.txt"))?);
    Ok(Tally::parse(&read(&out.join("mutants.out/outcomes.json"))?))
}

impl Tally {
    fn parse(outcomes: &str) -> Tally {
        let value: Value = serde_json::from_str(outcomes).unwrap_or_default();
        let figure = |name: &str| value[name].as_u64().unwrap_or(0);
        Tally {
            mutants: figure("total_mutants"),
            caught: figure("caught"),
            missed: figure("missed"),
            timeouts: figure("timeout"),
            unviable: figure("unviable"),
        }
    }

    fn add(&mut self, more: &Tally) {
        self.mutants += more.mutants;
        self.caught += more.caught;
        self.missed += more.missed;
        self.timeouts += more.timeouts;
        self.unviable += more.unviable;
    }

    fn print(&self, name: &str, seconds: u64) {
        let Tally { mutants, caught, missed, timeouts, unviable } = self;
        println!(
            "{name:<40} {mutants:>7} {caught:>6} {missed:>6} {timeouts:>8} {unviable:>8} {seconds:>7}"
        );
    }
}
