//! `cargo xtask features`: each published crate with no, each, and all of its features; and those that
//! can do without std, for a target that has none, which is all that `--bare` does.

use std::path::Path;
use std::process::Command;

use crate::process::{Outcome, capture, cargo, execute, find_tool, flags};
use crate::workspace::{Package, published};

/// Apart from the main target folder, whose features a plain `cargo test` would lose each time.
const FOLDER: &str = "--target-dir=target/features";

/// A target with `core` and `alloc` and nothing else, for the processor that runs this as a rule.
const BARE: &str = "x86_64-unknown-none";

pub(crate) fn run(args: &[String]) -> Outcome {
    let (options, names): (Vec<String>, Vec<String>) =
        args.iter().cloned().partition(|arg| arg.starts_with("--"));
    let [bare_only] = flags(&options, ["--bare"])?;
    let packages = published()?;
    let chosen: Vec<&Package> = packages
        .iter()
        .filter(|package| names.is_empty() || names.contains(&package.name))
        .collect();
    if chosen.is_empty() {
        return Err(format!("no published package of that name: {}", names.join(" ")));
    }
    check_bare(&chosen)?;
    if bare_only {
        return Ok(());
    }
    let mut sets = 0;
    for package in chosen {
        for set in feature_sets(package) {
            sets += 1;
            // The check sees the crate alone: dev-dependencies may turn on what it forgot.
            for verb in ["check", "test"] {
                let mut command = cargo();
                command.args([verb, "--quiet", FOLDER, "--package", &package.name]).args(&set);
                execute(&mut command)?;
            }
        }
    }
    println!("features: {sets} sets of features build and pass");
    Ok(())
}

/// Builds what can do without std for a target that has none, where rustup has or gets that.
fn check_bare(packages: &[&Package]) -> Outcome {
    if !has_bare_target()? {
        println!("features: no {BARE} (rustup target add {BARE}): nothing is built for it");
        return Ok(());
    }
    let mut sets = 0;
    for package in packages {
        for set in bare_sets(package) {
            sets += 1;
            let mut command = cargo();
            command.args(["check", "--quiet", FOLDER, "--target", BARE, "--package"]);
            execute(command.arg(&package.name).args(&set))?;
        }
    }
    println!("features: {sets} sets of features build without std, for {BARE}");
    Ok(())
}

fn feature_sets(package: &Package) -> Vec<Vec<String>> {
    let none = || vec!["--no-default-features".to_owned()];
    let mut sets = vec![none()];
    for feature in &package.features {
        let mut set = none();
        set.push(format!("--features={feature}"));
        sets.push(set);
    }
    if !package.features.is_empty() {
        sets.push(vec!["--all-features".to_owned()]);
    }
    sets
}

/// Whether the library of the target without std is there, after rustup was asked for it.
fn has_bare_target() -> Result<bool, String> {
    let there = || {
        let asked = ["--print", "target-libdir", "--target", BARE];
        Ok(Path::new(capture(Command::new("rustc").args(asked))?.trim()).exists())
    };
    if !there()? && find_tool("rustup").is_some() {
        // Without a network it fails, and is not there.
        let _ = capture(Command::new("rustup").args(["target", "add", BARE]));
    }
    there()
}

/// For a package that can do without std: no features, and all that do not turn it on.
fn bare_sets(package: &Package) -> Vec<Vec<String>> {
    if package.std_features.is_empty() {
        return Vec::new();
    }
    let none = "--no-default-features".to_owned();
    let free = package.features.iter().filter(|name| !package.std_features.contains(name));
    let free: Vec<&str> = free.map(String::as_str).collect();
    if free.is_empty() {
        return vec![vec![none]];
    }
    vec![vec![none.clone()], vec![none, format!("--features={}", free.join(","))]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_each_and_all() {
        let features = vec!["bytes".to_owned(), "serde".to_owned()];
        let sets = feature_sets(&Package { features, ..Package::default() });
        assert_eq!(sets.len(), 4);
        assert_eq!(sets[0], ["--no-default-features"]);
        assert_eq!(sets[2], ["--no-default-features", "--features=serde"]);
        assert_eq!(sets[3], ["--all-features"]);
        assert_eq!(feature_sets(&Package::default()).len(), 1);
    }

    #[test]
    fn without_std_what_does_not_turn_it_on() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let features = names(&["bytes", "meter", "serde", "std"]);
        assert_eq!(bare_sets(&Package { features, ..Package::default() }).len(), 0);
        let (features, std_features) =
            (names(&["bytes", "meter", "std"]), names(&["meter", "std"]));
        let sets = bare_sets(&Package { features, std_features, ..Package::default() });
        assert_eq!(sets[0], ["--no-default-features"]);
        assert_eq!(sets[1], ["--no-default-features", "--features=bytes"]);
        let std_features = names(&["std"]);
        let package =
            Package { features: std_features.clone(), std_features, ..Package::default() };
        assert_eq!(bare_sets(&package).len(), 1);
    }
}
