//! `cargo xtask features`: each published crate with no, each, and all of its features.

use crate::process::{Outcome, cargo, execute};
use crate::workspace::{Package, published};

/// Apart from the main target folder, whose features a plain `cargo test` would lose each time.
const FOLDER: &str = "--target-dir=target/features";

pub(crate) fn run(args: &[String]) -> Outcome {
    let packages = published()?;
    let chosen: Vec<&Package> =
        packages.iter().filter(|package| args.is_empty() || args.contains(&package.name)).collect();
    if chosen.is_empty() {
        return Err(format!("no published package of that name: {}", args.join(" ")));
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
}
