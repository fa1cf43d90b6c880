//! The bench: what it says of calls that it counts.

use aqueduct_testkit::{python, skip};
use std::{path::Path, process::Command};
use uvrpc::bench::Libzmq;

/// What it prints, line by line.
fn bench(args: &[&str]) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_uvrpc"));
    let output = command.arg("bench").args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The numbers of the line that begins like this.
fn numbers(lines: &[String], front: &str) -> Vec<f64> {
    let line = lines.iter().find(|line| line.starts_with(front)).unwrap();
    let words = line.split(|c: char| !c.is_ascii_digit() && c != '.');
    words.filter_map(|word| word.parse().ok()).collect()
}

#[test]
fn calls_in_every_style_are_counted() {
    for style in ["serial", "callback", "await"] {
        let args = ["--style", style, "--calls", "5000", "--libzmq", "nowhere"];
        let lines = bench(&args);
        let [rate, client, server, p50, p99] = numbers(&lines, "uvrpc")[..] else { panic!() };
        assert!(rate > 0.0 && client > 0.0 && server > 0.0 && 0.0 < p50 && p50 <= p99);
        assert!(lines.iter().any(|line| line.starts_with("libzmq   skipped: ")));
        let [copies, bytes, allocations] = numbers(&lines, "client")[..] else { panic!() };
        assert_eq!([copies, bytes], [0.0; 2]);
        assert!((1.0..1.05).contains(&allocations), "{style}: {allocations}");
        let [copies, bytes, allocations] = numbers(&lines, "server")[..] else { panic!() };
        assert_eq!([copies, bytes], [0.0; 2]);
        assert!(allocations < 0.05, "{style}: {allocations}");
    }
}

#[test]
fn the_documents_copies_are_four_on_each_side() {
    let lines = bench(&["--mode", "copying", "--calls", "2000", "--libzmq", "nowhere"]);
    for side in ["client", "server"] {
        let [copies, bytes, _] = numbers(&lines, side)[..] else { panic!() };
        assert_eq!(copies, 4.0);
        assert!((4.0 * 1024.0..4.0 * 1024.0 + 40.0).contains(&bytes), "{bytes}");
    }
}

#[test]
fn libzmqs_echo_is_measured_where_it_is_there() {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peer/requirements.txt");
    let python = python(Path::new(env!("CARGO_TARGET_TMPDIR")), &list, &[]);
    let library = python.and_then(|python| Libzmq::find(&python));
    match library.and_then(|library| Libzmq::start(Some(&library), 10, 1000).map(|_| library)) {
        Ok(library) => {
            let lines = bench(&["--calls", "2000", "--libzmq", library.to_str().unwrap()]);
            let [rate, client, server, p50, p99] = numbers(&lines, "libzmq")[..] else { panic!() };
            assert!(rate > 0.0 && client > 0.0 && server > 0.0 && 0.0 < p50 && p50 <= p99);
            assert!(lines.iter().any(|line| line.ends_with("times libzmq's")));
        }
        Err(why) => skip(&format!("no libzmq to compare with: {why}")),
    }
}

#[test]
fn a_window_that_the_profile_does_not_have_is_one_line() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_uvrpc"));
    command.args(["bench", "--window", "101", "--profile", "low-latency"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "uvrpc: a window of 101: this profile has 1 to 100\n");
}
