//! `cargo xtask planted [NN]`: bugs put in on purpose, each of which a command must catch.
//!
//! `xtask/planted/NN-name.patch` begins with a line `Caught by: COMMAND`; then it says in words what
//! is wrong, and then as a patch. It is applied to a tree of its own, as the last commit is, and the
//! command is run there: it must fail, and not because nothing could be built, or run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::{Outcome, read, root, run_limited, tail};
use crate::tree::{THROWN_AWAY, apply, tree};

const FOLDER: &str = "xtask/planted";
const CAUGHT_BY: &str = "Caught by: ";
/// What hangs is ended with all that it started, by a program that can.
const SECONDS: &str = "900";
const LIMIT: Duration = Duration::from_secs(1000);
/// What is said of a test, or of a model, that has failed.
const SIGNS: [&str; 3] = ["FAILED", "error: test failed", "error: Undefined Behavior"];

struct Planted {
    patch: PathBuf,
    name: String,
    command: String,
}

pub(crate) fn run(args: &[String]) -> Outcome {
    let number = match args {
        [] => "",
        [number] if !number.starts_with('-') => number,
        _ => return Err("takes the number, or the first letters, of a patch".to_owned()),
    };
    let all = planted(&root().join(FOLDER))?;
    let chosen: Vec<&Planted> = all.iter().filter(|bug| bug.name.starts_with(number)).collect();
    if chosen.is_empty() {
        return Err(format!("no patch in {FOLDER} is called so: {number}"));
    }
    let mut passed = Vec::new();
    for bug in &chosen {
        let (seconds, caught) = bug.is_caught()?;
        let verdict = if caught { "caught by" } else { "NOT caught by" };
        println!("{:<40} {seconds:>6.1} s  {verdict} {}", bug.name, bug.command);
        passed.extend((!caught).then_some(bug.name.as_str()));
    }
    println!("planted: {} of {} caught", chosen.len() - passed.len(), chosen.len());
    if passed.is_empty() { Ok(()) } else { Err(format!("not caught: {}", passed.join(", "))) }
}

/// The patches, by number.
fn planted(folder: &Path) -> Result<Vec<Planted>, String> {
    let unreadable = |e| format!("cannot list {}: {e}", folder.display());
    let mut found = Vec::new();
    for entry in folder.read_dir().map_err(unreadable)? {
        let patch = entry.map_err(unreadable)?.path();
        let text = read(&patch)?;
        let command = text.lines().next().and_then(|line| line.strip_prefix(CAUGHT_BY));
        let Some(command) = command else {
            return Err(format!("{}:1: no `{CAUGHT_BY}COMMAND`", patch.display()));
        };
        let name = patch.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        found.push(Planted { name, command: command.to_owned(), patch });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

impl Planted {
    fn is_caught(&self) -> Result<(f64, bool), String> {
        let tree = tree("planted")?;
        apply(&tree, &self.patch)?;
        let mut command = Command::new("timeout");
        command.args(["--kill-after=5", SECONDS]).args(self.command.split_whitespace());
        command.current_dir(tree).envs(THROWN_AWAY);
        let finished = run_limited(&mut command, LIMIT)?;
        let unbuilt = ["could not compile", "no test target", "did not match any packages"];
        if let Some(why) = unbuilt.iter().find(|why| finished.output.contains(**why)) {
            return Err(format!("{}: {why}:\n{}", self.name, tail(&finished.output, 40)));
        }
        let code = finished.status.and_then(|status| status.code());
        Ok((finished.seconds, is_caught(code, &finished.output)))
    }
}

/// Whether a command that ended so has noticed the bug: it failed, and so did something that it ran. One that
/// finds no tool, or no test of that name, fails as well.
fn is_caught(code: Option<i32>, output: &str) -> bool {
    // 124: it was ended, and nobody knows what it would have said.
    !matches!(code.unwrap_or(0), 0 | 124 | 137) && SIGNS.iter().any(|sign| output.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_runs_nothing_catches_nothing() {
        let failed = "test result: FAILED. 1 passed; 1 failed";
        assert!(is_caught(Some(101), failed));
        assert!(is_caught(Some(1), "error: Undefined Behavior: attempting to read"));
        assert!(is_caught(Some(101), "error: test failed, to rerun pass `--lib`"));
        for code in [None, Some(0), Some(124), Some(137)] {
            assert!(!is_caught(code, failed), "{code:?}");
        }
        for said in
            ["xtask miri: Miri is not installed: rustup", "xtask loom: no model of that name", ""]
        {
            assert!(!is_caught(Some(1), said), "{said}");
        }
    }

    #[test]
    fn every_patch_names_its_command_and_has_a_number_of_its_own() {
        let all = planted(&root().join(FOLDER)).expect("patches");
        for (bug, number) in all.iter().zip(1..) {
            assert!(bug.name.starts_with(&format!("{number:02}-")), "{}", bug.name);
            assert!(bug.command.starts_with("cargo "), "{}: {}", bug.name, bug.command);
        }
    }
}
