//! [`Libzmq`]: an echo through libzmq, in two processes of a small C program.

use super::{Failure, Process};
use hdrhistogram::Histogram;
use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

const SOURCE: &str = include_str!("libzmq.c");

/// Says where pyzmq has its library.
const FIND: &str = "import glob, os, zmq; \
    print(glob.glob(os.path.join(os.path.dirname(zmq.__file__), '..', 'pyzmq.libs', 'libzmq*'))[0])";

/// A DEALER and the ROUTER that it talks to, over tcp.
#[derive(Debug)]
pub struct Libzmq {
    pub(super) client: Process,
    pub(super) server: Process,
}

impl Libzmq {
    /// Compiles the program for this library, and runs it with so many messages of so many bytes under way.
    ///
    /// # Errors
    ///
    /// What there is not: a library, or a C compiler.
    pub fn start(library: Option<&Path>, window: usize, payload: usize) -> Result<Self, String> {
        let library = match library {
            Some(library) => library.to_owned(),
            None => Self::find(Path::new("python3"))?,
        };
        let program = env::temp_dir().join(format!("uvrpc-libzmq-{}", std::process::id()));
        compile(&library, &program)?;
        let started = run(&library, &program, window, payload).map_err(|e| e.to_string());
        // Those that run go on.
        let _ = fs::remove_file(program);
        started
    }

    /// The library of this Python's pyzmq.
    ///
    /// # Errors
    ///
    /// That there is none.
    pub fn find(python: &Path) -> Result<PathBuf, String> {
        let output = Command::new(python).args(["-c", FIND]).output();
        let output = output.map_err(|error| format!("{}: {error}", python.display()))?;
        let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let none = || "Python has no pyzmq whose library could be compared with".to_owned();
        if path.is_empty() { Err(none()) } else { Ok(path.into()) }
    }

    /// Sends so many messages, waits for all echoes, and notes how long each took.
    ///
    /// # Errors
    ///
    /// When the program has ended.
    pub fn run(&mut self, count: u64, latencies: &mut Histogram<u64>) -> Result<Duration, Failure> {
        self.client.tell(&count.to_string())?;
        let mut word = || -> Result<u64, Failure> {
            let mut word = [0; 8];
            self.client.read_exact(&mut word)?;
            Ok(u64::from_le_bytes(word))
        };
        let wall = Duration::from_nanos(word()?);
        for _ in 0..count {
            latencies.saturating_record(word()?);
        }
        Ok(wall)
    }
}

fn compile(library: &Path, program: &Path) -> Result<(), String> {
    let mut command = Command::new("cc");
    command.args(["-O2", "-pthread", "-x", "c", "-", "-x", "none"]).arg(library);
    command.arg("-Wl,--allow-shlib-undefined").arg("-o").arg(program);
    let child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| format!("cc: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(SOURCE.as_bytes()).map_err(|error| format!("cc: {error}"))?;
    }
    let output = child.wait_with_output().map_err(|error| format!("cc: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("cc: {}", said.lines().next().unwrap_or("it failed")))
}

fn run(library: &Path, program: &Path, window: usize, payload: usize) -> Result<Libzmq, Failure> {
    let command = || {
        let mut command = Command::new(program);
        command.env("LD_LIBRARY_PATH", library.parent().unwrap_or(Path::new("")));
        command
    };
    let (server, address) = Process::server(&mut command())?;
    let args = [address.to_string(), window.to_string(), payload.to_string()];
    let client = Process::start(command().args(args))?;
    Ok(Libzmq { client, server })
}
