//! The program itself.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use aqueduct_testkit::{Process, skip};
use serde_json::Value;

use super::{Folder, Way};

/// `patterns serve`.
pub(super) struct Program(Process);

impl Program {
    pub(super) fn new(folder: &Folder, way: Way) -> Self {
        Self::by(Command::new(env!("CARGO_BIN_EXE_patterns")), folder, way).unwrap()
    }

    /// Its log goes to this file. None where there is no strace, or where it may not trace.
    pub(super) fn refused(call: &str, log: &Path, folder: &Folder, way: Way) -> Option<Self> {
        let mut strace = Command::new("strace");
        // The tracer is the grandchild, so that the child is the program.
        strace.args(["-D", "-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e"]);
        strace.args([&format!("inject={call}:error=ENOSYS"), env!("CARGO_BIN_EXE_patterns")]);
        strace.stderr(File::create(log).unwrap());
        // Who is traced cannot look for leaks.
        strace.env("ASAN_OPTIONS", "detect_leaks=0");
        let program = Self::by(strace, folder, way);
        if program.is_none() {
            skip("strace is not installed, or may not trace");
        }
        program
    }

    fn by(mut command: Command, folder: &Folder, way: Way) -> Option<Self> {
        let mode = match way {
            Way::ReadAll => "read-all",
            Way::Mapped => "mapped",
            Way::Sendfile => "sendfile",
            Way::Pooled => "pooled",
            Way::IoUring => "io-uring",
        };
        command.args(["serve", "--listen", "127.0.0.1:0", "--mode", mode, "--root"]);
        Process::try_start(command.arg(&folder.0)).map(Self)
    }

    pub(super) fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.0.address)
    }

    /// A figure of its memory, in bytes.
    pub(super) fn memory(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        let kilobytes: u64 = line.trim_matches([':', ' ', '\t', 'k', 'B']).parse().unwrap();
        kilobytes << 10
    }

    pub(super) fn descriptors(&self) -> usize {
        self.0.descriptors()
    }

    /// Interrupts it. What it says then.
    pub(super) fn end(self) -> Value {
        serde_json::from_str(&self.0.end("TERM").0).unwrap()
    }
}
