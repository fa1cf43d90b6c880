//! `bench`, in each of its ways.

use aqueduct_testkit::sanitized;
use std::process::Command;

fn bench(arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_streamweave"));
    // Under AddressSanitizer less comes through in the same time.
    let milliseconds = if sanitized() { "1000" } else { "40" };
    command.args(["bench", "--milliseconds", milliseconds, "--rounds", "1"]).args(arguments);
    let output = command.output().expect("it runs");
    let said = if output.status.success() { output.stdout } else { output.stderr };
    (output.status.success(), String::from_utf8(said).expect("UTF-8"))
}

/// The number in front of some words, behind others.
fn number(text: &str, behind: &str, before: &str) -> f64 {
    let rest = text.split_once(behind).unwrap_or_else(|| panic!("{behind:?} in {text}")).1;
    let end = rest.find(before).unwrap_or_else(|| panic!("{before:?} in {rest}"));
    rest[..end].trim().parse().unwrap_or_else(|why| panic!("{why}: {rest}"))
}

#[test]
fn all_ways_are_measured_and_copy_what_they_must() {
    let (done, said) = bench(&["--payload", "256", "--fan-out", "2"]);
    assert!(done, "{said}");
    assert!(said.starts_with("items of 256 bytes through a source, a map, a filter, 2 sinks\n"));
    let ways = ["in-process", "cloning", "copying", "distributed", "timely", "hybrid"];
    for way in ways {
        assert!(number(&said, &format!("\n{way}: "), " events/s") > 0.0, "{said}");
    }
    let part = |way: &str| said.split_once(&format!("\n{way}: ")).expect("it is there").1;
    for (way, copies) in [("in-process", 0.0), ("cloning", 4.0), ("copying", 8.0)] {
        let sinks = part(way).split_once("into sinks").expect("a hop").1;
        assert_eq!(number(sinks, "\n", " copies"), copies, "{said}");
    }
    let [fused, json] = ["in-process", "copying"].map(|way| number(part(way), "p50 ", " ns"));
    assert!(fused < json, "{said}");
    let received = number(part("distributed"), "on sending, ", " copies");
    assert_eq!(received, 0.0, "{said}");
}

#[test]
fn what_cannot_be_measured_is_refused() {
    for arguments in [["--payload", "0"], ["--fan-out", "0"], ["--mode", "magic"]] {
        let (done, said) = bench(&arguments);
        assert!(!done && said.contains(arguments[0]), "{said}");
    }
}
