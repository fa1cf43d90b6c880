//! The same application in FastAPI, under uvicorn with one worker, in a process of its own.

use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;

use example_common::usage;

use crate::python::environment;

/// What uvicorn is at its best with, beside the twin's own list.
const QUICKER: [&str; 2] = ["httptools==0.9.0", "uvloop==0.23.0"];

/// A running FastAPI; dropped, it ends.
#[derive(Debug)]
pub struct FastApi {
    process: Child,
    address: SocketAddr,
}

impl FastApi {
    /// Starts it, in an environment that is made the first time.
    ///
    /// # Errors
    ///
    /// Where Python, the network or the application is missing: what failed, in a few words.
    pub fn start() -> Result<Self, String> {
        let twin = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/web/tests/twin");
        if !twin.join("app.py").exists() {
            return Err("its application is not there".into());
        }
        let python = environment(&twin.join("requirements.txt"), &QUICKER)?;
        let mut process = Command::new(python)
            .args(["-B", "-m", "uvicorn", "app:app", "--port", "0", "--no-access-log"])
            .args(["--workers", "1", "--loop", "uvloop", "--http", "httptools"])
            .current_dir(twin)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        match process.stderr.take().and_then(listens) {
            Some(address) => Ok(Self { process, address }),
            None => {
                end(&mut process);
                Err("uvicorn ends at once".into())
            }
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// CPU time that all its threads have used so far, in nanoseconds: exact while it waits.
    ///
    /// # Errors
    ///
    /// When it has ended, or the system does not say.
    pub fn cpu_ns(&self) -> io::Result<u64> {
        usage::cpu_ns(self.process.id())
    }

    /// The most memory that it held, in bytes.
    #[must_use]
    pub fn peak_rss(&self) -> u64 {
        usage::memory(self.process.id(), "VmHWM")
    }
}

impl Drop for FastApi {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

fn end(process: &mut Child) {
    // It keeps nothing: nothing is lost, whatever happens to it now.
    let _ = process.kill();
    let _ = process.wait();
}

/// The address that uvicorn says it listens at; nothing if it ends before.
fn listens(said: ChildStderr) -> Option<SocketAddr> {
    let mut lines = BufReader::new(said).lines().map_while(Result::ok);
    let address = lines
        .by_ref()
        .find_map(|line| line.split_once("running on http://")?.1.split(' ').next()?.parse().ok());
    // What else it says is read away, so that it never waits for us.
    thread::spawn(move || lines.for_each(drop));
    address
}
