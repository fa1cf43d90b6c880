//! `web serve` as a process of its own.

use aqueduct_testkit::resident_bytes_of;
use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, ChildStdout, Command, Stdio},
};

/// Ends with the test.
pub(super) struct Process {
    pub(super) address: SocketAddr,
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Process {
    /// Starts it on some port.
    pub(super) fn start(options: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_web"));
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(options);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("cargo has built it");
        let said = BufReader::new(child.stdout.take().expect("piped above"));
        let mut process = Self { address: ([127, 0, 0, 1], 0).into(), child, said };
        let line = process.line();
        let address = line.trim_end().strip_prefix("listening on http://").expect("an address");
        process.address = address.parse().expect("an address");
        process
    }

    /// What it says next.
    pub(super) fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("it says something");
        line
    }

    /// Its resident memory in bytes, where the system tells.
    pub(super) fn resident(&self) -> Option<usize> {
        resident_bytes_of(self.child.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
