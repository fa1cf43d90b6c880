//! `cargo xtask named`: tests that are found by name.
//!
//! `t07_...` is a named regression, `model_05_...` a loom model, `case_023_...` a behaviour of the
//! pipe. A number may have several tests.

use std::collections::{BTreeMap, BTreeSet};

use crate::process::{Outcome, flags, root};
use crate::source::{FOLDERS, Source, collect};

/// A kind of numbered test.
struct Kind {
    prefix: &'static str,
    digits: usize,
    /// The numbers that must be there by now.
    required: &'static [u16],
    all: u16,
}

/// How many behaviours of the pipe are numbered.
pub(crate) const CASES: u16 = 183;

const KINDS: [Kind; 3] = [
    Kind {
        prefix: "t",
        digits: 2,
        required: &[
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
            25, 26, 27, 28, 29, 30,
        ],
        all: 30,
    },
    Kind {
        prefix: "model_",
        digits: 2,
        required: &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18],
        all: 18,
    },
    Kind { prefix: "case_", digits: 3, required: &[], all: CASES },
];

/// Of each number the tests, each with its place.
type Found = BTreeMap<u16, Vec<String>>;

pub(crate) fn run(args: &[String]) -> Outcome {
    let [] = flags(args, [])?;
    let sources = collect(&root(), &FOLDERS)?;
    let mut missing = Vec::new();
    for kind in &KINDS {
        let found = find(kind, &sources);
        for (number, tests) in &found {
            for test in tests {
                println!("{}{number:0width$}  {test}", kind.prefix, width = kind.digits);
            }
        }
        if kind.prefix == "t" {
            table(kind, &found);
        }
        missing.extend(missing_of(kind, &found));
        println!("{}*: {} of {} numbers have tests", kind.prefix, found.len(), kind.all);
    }
    if missing.is_empty() { Ok(()) } else { Err(format!("missing: {}", missing.join(" "))) }
}

/// Of each number how many tests there are, and the packages that run them.
fn table(kind: &Kind, found: &Found) {
    for number in 1..=kind.all {
        let tests = found.get(&number).map_or(&[][..], Vec::as_slice);
        let packages: Vec<&str> =
            tests.iter().map(|test| package(test)).collect::<BTreeSet<_>>().into_iter().collect();
        let name = format!("{}{number:0width$}", kind.prefix, width = kind.digits);
        let packages = if packages.is_empty() { "MISSING".into() } else { packages.join(" ") };
        println!("{name}  {:>3} tests  {packages}", tests.len());
    }
}

/// The folder of the package that a test lies in: of `examples/web/tests/it/a.rs` it is `web`.
fn package(place: &str) -> &str {
    let mut parts = place.split('/');
    match (parts.next(), parts.next()) {
        (Some("crates" | "examples"), Some(package)) => package,
        (folder, _) => folder.unwrap_or(place),
    }
}

fn missing_of(kind: &Kind, found: &Found) -> Vec<String> {
    let absent = kind.required.iter().filter(|number| !found.contains_key(number));
    absent.map(|number| format!("{}{number:0width$}", kind.prefix, width = kind.digits)).collect()
}

fn find(kind: &Kind, sources: &[Source]) -> Found {
    let mut found = Found::new();
    for source in sources {
        for function in source.functions() {
            if let Some(number) = number(kind, &function.name) {
                let test = format!("{}:{}: {}", source.path, function.line, function.name);
                found.entry(number).or_default().push(test);
            }
        }
    }
    found
}

/// The number in a name such as `case_023_a_flush_waits`.
pub(crate) fn case(name: &str) -> Option<u16> {
    number(&KINDS[2], name).filter(|number| *number > 0)
}

/// The number in a name such as `t07_a_reader_that_lies`.
fn number(kind: &Kind, name: &str) -> Option<u16> {
    let rest = name.strip_prefix(kind.prefix)?;
    let (digits, rest) = rest.split_at_checked(kind.digits)?;
    let number = digits.parse().ok()?;
    (rest.starts_with('_') && number <= kind.all).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_names() {
        assert_eq!(number(&KINDS[0], "t07_reader"), Some(7));
        assert_eq!(number(&KINDS[0], "t7_reader"), None);
        assert_eq!(number(&KINDS[0], "table_1"), None);
        assert_eq!(number(&KINDS[0], "t31_none"), None);
        assert_eq!(number(&KINDS[1], "model_16_reuse"), Some(16));
        assert_eq!(number(&KINDS[2], "case_023_view"), Some(23));
    }

    #[test]
    fn a_test_belongs_to_its_package() {
        assert_eq!(package("examples/web/tests/it/a.rs:3: t19_a"), "web");
        assert_eq!(package("xtask/src/dependencies.rs:3: t30_a"), "xtask");
    }

    #[test]
    fn what_is_required_and_absent_is_named() {
        let text = "#[test]\nfn model_01_a() {}\nfn model_02_b() {}\n// fn model_03_c() {}\n";
        let found = find(&KINDS[1], &[Source::new("a.rs", text)]);
        assert_eq!(found.len(), 2);
        let missing = missing_of(&KINDS[1], &found);
        let want: Vec<String> = (3..=18).map(|number| format!("model_{number:02}")).collect();
        assert_eq!(missing, want);
    }
}
