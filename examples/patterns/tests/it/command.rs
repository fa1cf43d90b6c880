//! The program itself.

use std::process::{Command, Output};

fn patterns(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patterns"));
    command.args(args).output().expect("the program runs")
}

fn lines(text: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(text).lines().map(str::to_owned).collect()
}

#[test]
fn packets_in_one_line_of_json() {
    let out = patterns(&["packets", "--rounds", "2", "--json"]);
    assert!(out.status.success());
    assert!(out.stderr.is_empty(), "no bar where there is no terminal");
    let value: serde_json::Value = serde_json::from_slice(&out.stdout).expect("one object");
    assert_eq!(value["unit"], "packets/s");
    assert_eq!(value["seen"]["packets"], 683);
    assert_eq!(value["zero_copy"]["operations"], 2 * 683);
    for figure in ["bytes_copied_per_op", "copies_per_op", "inlined_per_op", "allocations_per_op"] {
        assert_eq!(value["zero_copy"][figure], 0.0, "{figure}");
    }
    assert!(value["copying"]["copies_per_op"].as_f64() > Some(1.0));
    assert!(value["copying"]["allocations_per_op"].as_f64() > Some(1.0));
}

#[test]
fn captures_are_named_with_or_without_the_option() {
    let bundled = concat!(env!("CARGO_MANIFEST_DIR"), "/data/loopback-http.pcap");
    let seen = |args: &[&str]| {
        let out = patterns(
            &[&["packets", "--rounds", "1", "--json", "--mode", "zero-copy"], args].concat(),
        );
        let value: serde_json::Value = serde_json::from_slice(&out.stdout).expect("one object");
        value["seen"]["packets"].as_u64()
    };
    assert_eq!(seen(&[bundled, bundled]), Some(2 * 683));
    assert_eq!(seen(&["--pcap", bundled, "--pcap", bundled]), Some(2 * 683));
    assert_eq!(seen(&[bundled, "--pcap", bundled]), Some(2 * 683));
}

#[test]
fn pipeline_as_a_table() {
    let out = patterns(&["pipeline", "--size", "64KiB", "--rounds", "5", "--mode", "zero-copy"]);
    assert!(out.status.success());
    let lines = lines(&out.stdout);
    let row = |name: &str| {
        let line = lines.iter().find(|line| line.starts_with(name)).expect("a row");
        line.split_whitespace().last().expect("a cell").to_owned()
    };
    assert_eq!(row("bytes copied / op"), "0");
    assert_eq!(row("operations"), "5");
    assert_eq!(row("allocations / op"), "1.000");
}

#[test]
fn bad_input_is_one_line_and_a_code() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/data/README.md");
    let cases = [
        (["packets", "--pcap", "no/such/file"], "no/such/file: "),
        (["packets", "--pcap", readme], "at byte 0: expected a pcap magic number"),
        (["packets", "--pcap", env!("CARGO_MANIFEST_DIR")], "not a regular file"),
    ];
    for (args, says) in cases {
        let out = patterns(&args);
        assert_eq!(out.status.code(), Some(1), "{args:?}");
        let lines = lines(&out.stderr);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("patterns: ") && lines[0].contains(says), "{lines:?}");
        assert!(out.stdout.is_empty());
    }
    for args in [
        &["packets", "--mode", "fast"][..],
        &["pipeline", "--size", "0"],
        &["pipeline", "--size", "99999999999999999999MiB"],
        &["packets", "--seconds", "nan"],
        &["packets", "--rounds", "0"],
        &["packets", "--generate", "5", "--pcap", "x"],
        &["packets", "x", "--generate", "5"],
        &[],
    ] {
        assert_eq!(patterns(args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn help_names_every_option() {
    let out = patterns(&["packets", "--help"]);
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    for option in ["--mode", "--pcap", "--seconds", "--rounds", "--json", "--generate"] {
        assert!(text.contains(option), "{option}");
    }
}
