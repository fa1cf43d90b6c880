//! Processes beside this one, and what this one is when it is the server.

use super::Failure;
use crate::{Address, Call, Listener, Options, Payload, Reply, Services, serve};
use example_common::usage;
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    ops::{Add, Sub},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
    thread,
};
use tokio::{runtime::Builder, sync::oneshot};

/// A process that says a line when it is ready, and ends when nobody can say anything to it any more.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    said: BufReader<ChildStdout>,
}

impl Process {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let said = BufReader::new(stdout.ok_or(io::ErrorKind::BrokenPipe)?);
        Ok(Self { child, stdin, said })
    }

    /// Starts one that is a server, and says where it listens.
    ///
    /// # Errors
    ///
    /// The system's, and that it says something else.
    pub fn server(command: &mut Command) -> Result<(Self, Address), Failure> {
        let mut server = Self::start(command)?;
        let line = server.line()?;
        let address = line.strip_prefix("listening on ").ok_or("the server does not listen")?;
        Ok((server, address.parse()?))
    }

    /// What it says next.
    pub(super) fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.said.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    /// Tells it something.
    pub(super) fn tell(&mut self, line: &str) -> io::Result<()> {
        self.stdin.as_mut().map_or(Ok(()), |stdin| writeln!(stdin, "{line}"))
    }

    pub(super) fn read_exact(&mut self, to: &mut [u8]) -> io::Result<()> {
        self.said.read_exact(to)
    }

    /// CPU time that all its threads have used so far, in nanoseconds: exact while it waits.
    ///
    /// # Errors
    ///
    /// When it has ended, or the system does not say.
    pub fn cpu_ns(&self) -> io::Result<u64> {
        usage::cpu_ns(self.child.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stdin = None;
        // It keeps nothing: nothing is lost, whatever happens to it now.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Allocations, copies, bytes copied, blocks that a pool was asked for, and those of them that it had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Costs(pub(super) [u64; 5]);

impl Costs {
    pub(super) fn read(data: &[u8]) -> Result<Self, Failure> {
        let (words, rest) = data.as_chunks();
        let words: [_; 5] = words.try_into().map_err(|_| "the server's costs are others")?;
        debug_assert!(rest.is_empty(), "whole words");
        Ok(Self(words.map(u64::from_le_bytes)))
    }

    fn write(self) -> Vec<u8> {
        self.0.iter().flat_map(|word| word.to_le_bytes()).collect()
    }
}

impl Add for Costs {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        let mut each = self.0;
        each.iter_mut().zip(more.0).for_each(|(sum, more)| *sum += more);
        Self(each)
    }
}

impl Sub for Costs {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        let mut each = self.0;
        each.iter_mut().zip(earlier.0).for_each(|(now, then)| *now -= then);
        Self(each)
    }
}

/// Is the server: serves on a port of this machine's own and on this thread, until standard input ends.
/// Beside the ordinary services `costs` says what that has cost.
///
/// # Errors
///
/// The system's.
pub fn serve_here(options: Options, allocations: fn() -> u64) -> Result<(), Failure> {
    let mut services = Services::demo();
    let pool = options.pool.clone();
    services.register("costs", move |_: Call<'_>| {
        Reply::ok(Payload::from(Costs::of(&pool, allocations).write()))
    })?;
    let (tell, told) = oneshot::channel::<()>();
    thread::spawn(move || {
        // However it ends.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        drop(tell);
    });
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = Listener::bind(&Address::Tcp("127.0.0.1:0".to_owned())).await?;
        writeln!(io::stdout(), "listening on {}", listener.address()?)?;
        serve(listener, Arc::new(services), options, told).await;
        Ok(())
    })
}
