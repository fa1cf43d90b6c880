//! `cargo xtask shuttle`: many tasks under random schedules, for lost wake-ups and deadlocks.
//!
//! A storm is a test named `storm_...`, compiled with `--cfg aqueduct_shuttle`. Shuttle knows no
//! weak orderings: what it passes is proof of none.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::process::{Outcome, root, run_limited, tail};
use crate::source::collect;
use crate::test_binary::{build, short};
use crate::workspace::published;

const FLAGS: &str = "--cfg aqueduct_shuttle";

/// Ten thousand schedules of a large storm take a minute; this only keeps a stuck one from hanging us.
const LIMIT: Duration = Duration::from_secs(900);

pub(crate) fn run(args: &[String]) -> Outcome {
    let long = args.iter().any(|arg| arg == "--long");
    if let Some(odd) = args.iter().find(|arg| *arg != "--long") {
        return Err(format!("no such option: {odd}"));
    }
    let packages: BTreeSet<String> = packages()?;
    if packages.is_empty() {
        return Err("no test named storm_... in crates/".to_owned());
    }
    let mut build_args = vec!["--release", "--target-dir=target/shuttle", "--lib"];
    build_args.extend(packages.iter().map(String::as_str));
    let mut failed = Vec::new();
    for binary in build(&build_args, &[("RUSTFLAGS", FLAGS)])? {
        for test in binary.tests()?.iter().filter(|test| short(test).starts_with("storm_")) {
            let mut command = binary.command();
            command.args(["--exact", test]).env("AQUEDUCT_LONG", if long { "1" } else { "0" });
            let finished = run_limited(&mut command, LIMIT)?;
            let passed = finished.status.is_some_and(|status| status.success());
            let result = if passed { "passed" } else { "FAILED" };
            println!("{:<64} {:>8.2}  {result}", short(test), finished.seconds);
            if !passed {
                print!("{}", tail(&finished.output, 20));
                failed.push(short(test).to_owned());
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join(" ")) }
}

/// The packages with storms, as arguments for cargo.
fn packages() -> Result<BTreeSet<String>, String> {
    let published = published()?;
    let mut found = BTreeSet::new();
    for source in collect(&root(), &["crates"])? {
        if source.functions().iter().any(|function| function.name.starts_with("storm_")) {
            let owner =
                |p: &&crate::workspace::Package| source.path.starts_with(&format!("{}/", p.folder));
            let owner = published.iter().find(owner);
            found.extend(owner.map(|package| format!("--package={}", package.name)));
        }
    }
    Ok(found)
}
