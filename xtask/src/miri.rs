//! `cargo xtask miri [--tree] [NAME]`: tests of the crates with `unsafe`, interpreted by Miri, which knows
//! what a reference promises, what a pointer may be used for, and what a weak ordering allows.
//!
//! Tests that Miri cannot run are ignored under `cfg(miri)`, with the reason; how much smaller the
//! others are there is testkit's to say.

use std::process::{Command, Stdio};
use std::time::Instant;

use crate::process::{Outcome, execute, root};

/// Tests of one package, run by one call of cargo.
struct Part {
    package: &'static str,
    targets: &'static [&'static str],
    /// Parts of names. All tests of the targets, where there is none.
    only: &'static [&'static str],
    /// Run under so many schedules.
    seeds: u32,
}

const fn all(package: &'static str, targets: &'static [&'static str]) -> Part {
    Part { package, targets, only: &[], seeds: 1 }
}

/// Of the pool, and of the sequence and the pipe, which have no `unsafe` themselves, what hands blocks
/// around and ends in a few minutes; of `aqueduct-os` nothing, since behind its `unsafe` is the kernel. At
/// last tests of threads again, by other schedules.
const PARTS: [Part; 9] = [
    all("aqueduct-base", &["--lib"]),
    all("aqueduct-slice", &["--tests"]),
    Part {
        package: "aqueduct-pool",
        targets: &["--lib"],
        only: &["a_closed_pool", "blocks_of_two_classes", "lists_of_none", "the_pool_goes_first"],
        seeds: 1,
    },
    Part {
        package: "aqueduct-pool",
        targets: &["--test=it"],
        only: &["cases::", "secrets::", "state_pool::", "threads::", "waiting::"],
        seeds: 1,
    },
    Part {
        package: "aqueduct-sequence",
        targets: &["--test=it"],
        only: &["list::", "owned::", "state_sequence::", "streams::"],
        seeds: 1,
    },
    Part {
        package: "aqueduct-pipe",
        targets: &["--test=it", "--test=waker_lookalike"],
        only: &["handing::", "drops::", "lifetime::", "wakers_that_only"],
        seeds: 1,
    },
    all("aqueduct-ring", &["--test=it"]),
    Part { package: "aqueduct-slice", targets: &["--test=it"], only: &["last::"], seeds: 16 },
    Part { package: "aqueduct-ring", targets: &["--test=it"], only: &["storm::"], seeds: 4 },
];

/// Proptest would write files; and its tests that ask for no number of cases have too many.
const FLAGS: &str = "-Zmiri-strict-provenance \
     -Zmiri-env-set=PROPTEST_DISABLE_FAILURE_PERSISTENCE=1 -Zmiri-env-set=PROPTEST_CASES=1";

pub(crate) fn run(args: &[String]) -> Outcome {
    let tree = args.iter().any(|arg| arg == "--tree");
    let name: Vec<&str> = args.iter().map(String::as_str).filter(|arg| *arg != "--tree").collect();
    if name.len() > 1 || name.iter().any(|name| name.starts_with('-')) {
        return Err("takes --tree and a part of the tests' names".to_owned());
    }
    find()?;
    let start = Instant::now();
    // A name that parts have is theirs, schedules and all.
    let known = |part: &Part| name.iter().any(|name| part.only.contains(name));
    let is_known = PARTS.iter().any(known);
    let wanted = |part: &&Part| name.is_empty() || known(part) || !is_known && part.seeds == 1;
    for part in PARTS.iter().filter(wanted) {
        let only = if name.is_empty() { part.only } else { &name };
        let mut command = miri(tree, part.seeds);
        command.arg(format!("--package={}", part.package)).args(part.targets).arg("--").args(only);
        execute(&mut command)?;
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

/// The nightly toolchain's cargo, in the repository's root: Miri comes with no other, and no other builds the
/// standard library.
pub(crate) fn nightly() -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo"]).current_dir(root());
    command
}

fn miri(tree: bool, seeds: u32) -> Command {
    let mut flags = FLAGS.to_owned();
    if tree {
        flags += " -Zmiri-tree-borrows";
    }
    if seeds > 1 {
        flags += &format!(" -Zmiri-many-seeds=0..{seeds}");
    }
    let mut command = nightly();
    command.env("MIRIFLAGS", flags).args(["miri", "test", "--target-dir=target/miri"]);
    command
}
