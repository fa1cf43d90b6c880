//! The program under a reader that stops reading.

use std::io;
use std::process::{Command, Stdio};

#[test]
fn a_reader_that_has_gone_ends_it_quietly() {
    let json = std::env::temp_dir().join(format!("copy-cost-{}.json", std::process::id()));
    let json = json.to_str().expect("a plain path");
    for args in [
        &["--only", "anchor", "--quick", "--json", json][..],
        &["counted", "--list"],
        &["witnessed", "--list"],
        &["witnessed", "freeze", "1"],
    ] {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_copy-cost"));
        let command = command.args(args).stdout(writer).stderr(Stdio::piped());
        let out = command.spawn().and_then(|child| child.wait_with_output()).expect("it runs");
        assert!(out.status.success(), "{args:?}: {}", out.status);
        assert!(out.stderr.is_empty(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    }
    // The report is written after its rows are shown, so there is none.
    let _ = std::fs::remove_file(json);
}
