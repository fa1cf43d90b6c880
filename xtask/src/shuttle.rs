//! `cargo xtask shuttle`: many tasks under random schedules, for lost wake-ups and deadlocks.
//!
//! A storm is a test named `storm_...`, compiled with `--cfg aqueduct_shuttle`. Its twins are named as a
//! loom model's are, and must fail. Shuttle knows no weak orderings: what it passes is proof of none.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::loom::{Model, models};
use crate::process::{Outcome, flags, root, run_limited, tail};
use crate::source::collect;
use crate::test_binary::{TestBinary, build, short};
use crate::workspace::published;

const FLAGS: &str = "--cfg aqueduct_shuttle";

/// Ten thousand schedules of a large storm take a minute; this only keeps a stuck one from hanging us.
const LIMIT: Duration = Duration::from_secs(900);

pub(crate) fn run(args: &[String]) -> Outcome {
    let [long] = flags(args, ["--long"])?;
    let sources = collect(&root(), &["crates"])?;
    let storms: Vec<Model> = sources.iter().flat_map(|source| models(source, "storm_")).collect();
    if storms.is_empty() {
        return Err("no test named storm_... in crates/".to_owned());
    }
    let mut build_args = vec!["--release", "--target-dir=target/shuttle", "--lib"];
    let packages = packages(&storms)?;
    build_args.extend(packages.iter().map(String::as_str));
    let mut failed = Vec::new();
    for binary in build(&build_args, &[("RUSTFLAGS", FLAGS)])? {
        for test in binary.tests()? {
            let Some(storm) = storms.iter().find(|storm| short(&test) == storm.name) else {
                continue;
            };
            failed.extend(weather(&binary, &test, None, long)?);
            for twin in &storm.twins {
                failed.extend(weather(&binary, &test, Some(twin), long)?);
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join(" ")) }
}

/// Runs a storm, or a twin of it: its name, if it did not do what it should.
fn weather(
    binary: &TestBinary,
    test: &str,
    twin: Option<&String>,
    long: bool,
) -> Result<Option<String>, String> {
    let mut command = binary.command();
    command.args(["--exact", test]).env("AQUEDUCT_LONG", if long { "1" } else { "0" });
    command.env("AQUEDUCT_TWIN", twin.map_or("", String::as_str));
    let finished = run_limited(&mut command, LIMIT)?;
    let passed = finished.status.map(|status| status.success());
    let (result, good) = match (passed, twin) {
        (Some(true), None) => ("passed", true),
        (Some(false), Some(_)) => ("failed, as it must", true),
        (Some(true), Some(_)) => ("PASSED, though weakened", false),
        (Some(false), None) => ("FAILED", false),
        (None, _) => ("no end in sight", false),
    };
    let name = twin.map_or(short(test).to_owned(), |twin| format!("{} / {twin}", short(test)));
    println!("{name:<64} {:>8.2}  {result}", finished.seconds);
    if !good {
        print!("{}", tail(&finished.output, 20));
    }
    Ok((!good).then_some(name))
}

/// The packages with storms, as arguments for cargo.
fn packages(storms: &[Model]) -> Result<BTreeSet<String>, String> {
    let published = published()?;
    let owner = |storm: &Model| {
        published.iter().find(|package| storm.path.starts_with(&format!("{}/", package.folder)))
    };
    let owners = storms.iter().filter_map(owner);
    Ok(owners.map(|package| format!("--package={}", package.name)).collect())
}
