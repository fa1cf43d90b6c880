//! `cargo xtask api`: the public API of every published crate against its list in `docs/api`.
//!
//! A list has one line for each item with all features on, as `cargo public-api` prints it; a change of the
//! API is a change of a list, which a reviewer sees beside the code.

use std::collections::BTreeMap;

use crate::miri::nightly;
use crate::process::{Outcome, capture, find_tool, flags, read, root, write};
use crate::workspace::published;

/// Where the lists are, one file for each crate.
const FOLDER: &str = "docs/api";

const ABSENT: &str = "needs cargo-public-api and a nightly compiler: `cargo install cargo-public-api`, \
                      `rustup toolchain install nightly`";

/// What the compiler derives of every type and nobody counts on; which there are differs between compilers.
const UNPROMISED: [&str; 3] =
    ["core::panic::unwind_safe::", "core::marker::Freeze", "core::marker::UnsafeUnpin"];

pub(crate) fn run(args: &[String]) -> Outcome {
    let [update, if_present] = flags(args, ["--update", "--if-present"])?;
    if find_tool("cargo-public-api").is_none() || capture(nightly().arg("--version")).is_err() {
        if if_present {
            println!("api: skipped, {ABSENT}");
            return Ok(());
        }
        return Err(ABSENT.to_owned());
    }
    let (mut items, mut changed) = (0, 0);
    for package in published()? {
        let now = list(&package.name)?;
        items += now.lines().count();
        let file = root().join(FOLDER).join(format!("{}.txt", package.name));
        if update {
            write(&file, &now)?;
        } else {
            let difference = compare(&read(&file)?, &now);
            difference.iter().for_each(|line| println!("{}: {line}", package.name));
            changed += difference.len();
        }
    }
    println!("api: {items} items, {changed} changed");
    if changed == 0 {
        return Ok(());
    }
    Err("decide whether the change is right, then commit `cargo xtask api --update`".to_owned())
}

/// What a crate offers, an item a line.
fn list(package: &str) -> Result<String, String> {
    let mut command = nightly();
    let omitted = "--omit=blanket-impls,auto-derived-impls";
    command.args(["public-api", "--color=never", "--all-features", omitted, "--package", package]);
    let text = capture(&mut command)?;
    let promised = |line: &&str| !UNPROMISED.iter().any(|name| line.contains(name));
    Ok(text.lines().filter(promised).flat_map(|line| [line, "\n"]).collect())
}

/// The lines of which there are more or fewer than before, with a sign. Their order is of no account.
fn compare(before: &str, now: &str) -> Vec<String> {
    let mut balance: BTreeMap<&str, i32> = BTreeMap::new();
    before.lines().for_each(|line| *balance.entry(line).or_default() -= 1);
    now.lines().for_each(|line| *balance.entry(line).or_default() += 1);
    let signed = |(line, n): (&str, i32)| format!("{} {line}", if n < 0 { '-' } else { '+' });
    balance.into_iter().filter(|(_, n)| *n != 0).map(signed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_an_item_less_and_an_item_more() {
        assert_eq!(compare("a\nb\nb\n", "b\na\nb\n"), [""; 0]);
        assert_eq!(compare("a\nb\nb\n", "b\nc\n"), ["- a", "- b", "+ c"]);
    }
}
