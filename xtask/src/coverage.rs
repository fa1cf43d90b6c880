//! `cargo xtask coverage [NAME]`: which lines of the files with `unsafe` their crates' tests run.
//!
//! The tests' own lines do not count. A line that no test reaches is named.

use std::collections::{BTreeMap, BTreeSet};

use crate::listed::listed;
use crate::process::{Outcome, cargo, execute, find_tool, read, remove, root, scratch};

/// Of the lines of a file, and of all files, so many are to be run.
const PERCENT: usize = 90;

/// How often each line ran, by the file's path from the root.
type Lines = BTreeMap<String, BTreeMap<usize, u64>>;

pub(crate) fn run(args: &[String]) -> Outcome {
    let name = match args {
        [] => "",
        [name] if !name.starts_with('-') => name,
        _ => return Err("takes a part of the files' paths".to_owned()),
    };
    let files = listed(name)?;
    let packages: BTreeSet<&str> = files.iter().map(|file| file.package.as_str()).collect();
    let lines = measure(&packages)?;
    println!("{:<44} {:>6} {:>8} {:>8}  not run", "file", "lines", "run", "percent");
    let (mut all, mut all_run, mut low) = (0, 0, Vec::new());
    for file in &files {
        let path = &file.source.path;
        let tests: Vec<_> = file.source.test_lines().collect();
        let counted = lines.get(path).into_iter().flatten();
        let own: Vec<_> = counted.filter(|(n, _)| !tests.iter().any(|t| t.contains(n))).collect();
        let missed: Vec<usize> = own.iter().filter(|(_, n)| **n == 0).map(|(n, _)| **n).collect();
        let (count, run) = (own.len(), own.len() - missed.len());
        println!(
            "{path:<44} {count:>6} {run:>8} {:>8.1}  {}",
            percent(run, count),
            ranges(&missed)
        );
        if run * 100 < count * PERCENT || count == 0 {
            low.push(path.as_str());
        }
        (all, all_run) = (all + count, all_run + run);
    }
    println!("{:<44} {all:>6} {all_run:>8} {:>8.1}", "all of them", percent(all_run, all));
    if low.is_empty() {
        // Each has so many, so all have.
        return Ok(());
    }
    Err(format!("below {PERCENT} % of lines: {}", low.join(", ")))
}

/// Runs the tests of the packages.
fn measure(packages: &BTreeSet<&str>) -> Result<Lines, String> {
    if find_tool("cargo-llvm-cov").is_none() {
        return Err(
            "cargo-llvm-cov is not installed: cargo install cargo-llvm-cov --locked".to_owned()
        );
    }
    let report = scratch("coverage.lcov")?;
    let mut command = cargo();
    command.args(["llvm-cov", "test", "--all-features", "--lib", "--tests", "--lcov"]);
    command.arg("--output-path").arg(&report);
    for package in packages {
        command.args(["--package", package]);
    }
    execute(&mut command)?;
    let lines = parse(&read(&report)?);
    remove(&report)?;
    Ok(lines)
}

/// lcov's records: `SF:` and a file, then `DA:` and a line, and how often it ran.
fn parse(report: &str) -> Lines {
    let root = root();
    let (mut lines, mut file) = (Lines::new(), String::new());
    for record in report.lines() {
        if let Some(path) = record.strip_prefix("SF:") {
            file = crate::workspace::relative(path.as_ref(), &root);
        } else if let Some((line, count)) =
            record.strip_prefix("DA:").and_then(|r| r.split_once(','))
        {
            let (Ok(line), Ok(count)) = (line.parse(), count.parse::<u64>()) else { continue };
            *lines.entry(file.clone()).or_default().entry(line).or_default() += count;
        }
    }
    lines
}

#[expect(clippy::cast_precision_loss, reason = "lines of a file")]
fn percent(part: usize, all: usize) -> f64 {
    part as f64 * 100.0 / all.max(1) as f64
}

/// `3-5 9` for 3, 4, 5 and 9.
fn ranges(lines: &[usize]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for run in lines.chunk_by(|a, b| a + 1 == *b) {
        let (first, last) = (run[0], run[run.len() - 1]);
        parts.push(if first == last { first.to_string() } else { format!("{first}-{last}") });
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_summed_by_file() {
        let lines = parse("SF:a.rs\nDA:1,0\nDA:2,3\nDA:2,1\nend_of_record\nSF:b.rs\nDA:1,7\n");
        assert_eq!(lines["a.rs"], BTreeMap::from([(1, 0), (2, 4)]));
        assert_eq!(lines["b.rs"], BTreeMap::from([(1, 7)]));
    }

    #[test]
    fn neighbours_are_written_as_ranges() {
        assert_eq!(ranges(&[3, 4, 5, 9]), "3-5 9");
        assert_eq!(ranges(&[]), "");
    }
}
