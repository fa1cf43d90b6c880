//! `cargo xtask miri [--tree] [NAME]`: the tests of the crates with `unsafe`, interpreted by Miri, which
//! knows what a reference promises, what a pointer may be used for, and what a weak ordering allows.
//!
//! Tests that Miri cannot run are ignored under `cfg(miri)`, with the reason; how much smaller the
//! others are there is testkit's to say.

use std::process::{Command, Stdio};
use std::time::Instant;

use crate::process::{Outcome, execute, root};

/// The packages with `unsafe`, and what of them is run. Of `aqueduct-os` only what makes no system call.
const PACKAGES: [(&str, &[&str]); 7] = [
    ("aqueduct-base", &["--lib"]),
    ("aqueduct-slice", &["--lib", "--tests"]),
    ("aqueduct-pool", &["--lib", "--tests"]),
    ("aqueduct-sequence", &["--lib", "--tests"]),
    ("aqueduct-pipe", &["--lib", "--tests"]),
    ("aqueduct-ring", &["--lib", "--tests"]),
    ("aqueduct-os", &["--lib"]),
];

/// Tests of threads, which are run under as many schedules as there are [`SEEDS`].
const THREADED: [(&str, &[&str]); 1] = [("aqueduct-slice", &["last::"])];

const SEEDS: u32 = 8;

/// Proptest would write files, and its tests that ask for no number of cases have too many.
const FLAGS: &str = "-Zmiri-strict-provenance \
     -Zmiri-env-set=PROPTEST_DISABLE_FAILURE_PERSISTENCE=1 -Zmiri-env-set=PROPTEST_CASES=3";

pub(crate) fn run(args: &[String]) -> Outcome {
    let tree = args.iter().any(|arg| arg == "--tree");
    let name: Vec<&String> = args.iter().filter(|arg| *arg != "--tree").collect();
    if name.len() > 1 || name.iter().any(|name| name.starts_with('-')) {
        return Err("takes --tree and a part of the tests' names".to_owned());
    }
    find()?;
    let start = Instant::now();
    for (package, targets) in PACKAGES {
        let mut command = miri(tree, "");
        command.arg(format!("--package={package}")).args(targets).arg("--").args(&name);
        execute(&mut command)?;
    }
    if name.is_empty() {
        for (package, tests) in THREADED {
            let mut command = miri(tree, &format!("-Zmiri-many-seeds=1..{}", SEEDS + 1));
            command.arg(format!("--package={package}")).args(["--test=it", "--"]).args(tests);
            execute(&mut command)?;
        }
    }
    let model = if tree { "Tree Borrows" } else { "Stacked Borrows" };
    println!("miri: clean under {model}, in {} s", start.elapsed().as_secs());
    Ok(())
}

/// An early, clear answer where there is no Miri.
fn find() -> Outcome {
    let mut command = nightly();
    command.args(["miri", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    if command.status().is_ok_and(|status| status.success()) {
        return Ok(());
    }
    let how = "rustup toolchain install nightly --component miri,rust-src";
    Err(format!("Miri is not installed: {how}"))
}

/// The nightly toolchain's cargo, in the repository's root: Miri comes with no other.
fn nightly() -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo"]).current_dir(root());
    command
}

fn miri(tree: bool, more: &str) -> Command {
    let mut command = nightly();
    let model = if tree { "-Zmiri-tree-borrows" } else { "" };
    let asked = std::env::var("MIRIFLAGS").unwrap_or_default();
    command.env("MIRIFLAGS", [FLAGS, model, more, &asked].join(" "));
    command.args(["miri", "test", "--target-dir=target/miri"]);
    command
}
