//! A server as a process of its own, for as long as its test.

use crate::resident_bytes_of;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};

/// A process that says where it listens. It is killed where its test does not end it.
#[derive(Debug)]
pub struct Process {
    /// What stands behind `listening on `.
    pub address: String,
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Process {
    /// Starts a program, and waits until it listens.
    ///
    /// # Panics
    /// If there is no such program, or it says something else.
    #[must_use]
    pub fn start(command: &mut Command) -> Process {
        Self::try_start(command).expect("it is built, and listens")
    }

    /// As [`Process::start`], but None where that panics.
    ///
    /// # Panics
    /// If it says no text.
    #[must_use]
    pub fn try_start(command: &mut Command) -> Option<Process> {
        let mut child = command.stdout(Stdio::piped()).spawn().ok()?;
        let said = BufReader::new(child.stdout.take().expect("piped above"));
        let mut process = Process { address: String::new(), child, said };
        process.address = process.line().strip_prefix("listening on ")?.to_owned();
        Some(process)
    }

    /// Where it listens, without a scheme.
    ///
    /// # Panics
    /// If that is no socket's address.
    #[must_use]
    pub fn socket(&self) -> SocketAddr {
        let behind = self.address.split("://").last().unwrap_or_default();
        behind.parse().expect("an address")
    }

    /// The line that it says next.
    ///
    /// # Panics
    /// If it says no text.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("text");
        line.trim_end().to_owned()
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its resident memory in bytes, where the system tells.
    #[must_use]
    pub fn resident(&self) -> Option<usize> {
        resident_bytes_of(self.id())
    }

    /// How many descriptors it has open.
    ///
    /// # Panics
    /// If the system does not tell.
    #[must_use]
    pub fn descriptors(&self) -> usize {
        let folder = format!("/proc/{}/fd", self.id());
        std::fs::read_dir(folder).expect("it runs").count()
    }

    /// Ends it by a signal, as `TERM`. Its last words; and what it logged, if its standard error is piped.
    ///
    /// # Panics
    /// If it does not end well.
    #[must_use]
    pub fn end(mut self, signal: &str) -> (String, String) {
        let told =
            Command::new("kill").arg(format!("-{signal}")).arg(self.id().to_string()).status();
        assert!(told.expect("kill runs").success(), "it ran no more");
        let (mut said, mut log) = (String::new(), String::new());
        self.said.read_to_string(&mut said).expect("text");
        if let Some(mut errors) = self.child.stderr.take() {
            errors.read_to_string(&mut log).expect("text");
        }
        let ended = self.child.wait().expect("it is ours");
        assert!(ended.success(), "{ended}: {said}{log}");
        (said, log)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(all(test, unix, not(miri)))]
mod tests {
    use super::*;

    #[test]
    fn it_says_where_it_listens_and_its_last_words() {
        let script = "trap 'echo bye; exit' TERM; echo listening on tcp://127.0.0.1:9; \
                      while :; do sleep 0.01; done";
        let process = Process::start(Command::new("sh").args(["-c", script]));
        assert_eq!(process.address, "tcp://127.0.0.1:9");
        assert_eq!(process.socket().port(), 9);
        assert_eq!(process.end("TERM"), ("bye\n".to_owned(), String::new()));
        assert!(Process::try_start(Command::new("echo").arg("no")).is_none());
    }
}
