//! The program itself.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use aqueduct_testkit::skip;
use serde_json::Value;

use super::{Folder, Way};

/// `patterns serve`, which is ended if it was not told to.
pub(super) struct Program {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: SocketAddr,
}

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
        let mut child = command.arg(&folder.0).stdout(Stdio::piped()).spawn().ok()?;
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on http://")?.parse().unwrap();
        Some(Self { child, stdout, address })
    }

    pub(super) fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    /// A figure of its memory, in bytes.
    pub(super) fn memory(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        let kilobytes: u64 = line.trim_matches([':', ' ', '\t', 'k', 'B']).parse().unwrap();
        kilobytes << 10
    }

    pub(super) fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// Interrupts it. What it says then.
    pub(super) fn end(mut self) -> Value {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        let mut said = String::new();
        self.stdout.read_to_string(&mut said).unwrap();
        assert!(self.child.wait().unwrap().success());
        serde_json::from_str(&said).unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
