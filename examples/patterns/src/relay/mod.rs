//! A TCP proxy: whoever connects talks to the target, both ways at once.
//!
//! | mode | a chunk | user space copies, per byte |
//! |---|---|---|
//! | copying | received into a buffer, copied to an array of its own, processed into another, written | 2 |
//! | pipe | received into a pooled block, looked at there, written from there | 0 |
//! | splice | from socket to socket through a pipe of the kernel's: never in this process | 0 |
//!
//! The first two share everything but how a chunk comes in: the same pipe between the sockets, the same
//! pieces, the same vectored writes. They see the bytes, so they count lines, and change them where a
//! [`Xor`] says so: into the second array, or in place, in room of the block that nobody else has seen
//! yet. Splicing sees nothing of that kind.
//!
//! In every mode an end in one direction is passed on in that direction alone; a reset in both. Who does
//! not read holds up to [`Options::cap`] bytes here, in each direction, and no more; who is idle holds no
//! block.

mod chunks;
mod connection;
mod program;
mod serve;
mod sockets;
mod spliced;

use std::{io, net::SocketAddr, time::Duration};

use aqueduct::{Pool, os::Fallback};

pub(crate) use program::{Arguments, run};
pub use serve::serve;

/// Bytes of a pipe's first block: most messages lie in one whole.
const FIRST: usize = 8 << 10;
/// Bytes of its largest, and of the buffer that the copying mode receives into.
const LARGEST: usize = 64 << 10;

/// How bytes get from one socket to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// Through new arrays, as the document's first version does
    Copying,
    /// Through pooled blocks, each filled once and written from where it is
    Pipe,
    /// Within the kernel: nothing is seen here, so lines are not counted and nothing is changed
    Splice,
}

impl Mode {
    /// Whether bytes come into this process: else nothing can be counted or changed but their number.
    #[must_use]
    pub fn sees_bytes(self) -> bool {
        self != Mode::Splice
    }
}

/// Every byte is changed by this one, with an exclusive or: twice gives what was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Xor(pub u8);

/// How a relay works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where connections go.
    pub target: SocketAddr,
    /// How bytes get there.
    pub mode: Mode,
    /// What is done to them on their way, in both directions.
    pub transform: Option<Xor>,
    /// Bytes that a connection holds at most in each direction; of what is spliced, the kernel has a
    /// measure of its own, 256 KiB.
    pub cap: usize,
    /// How long nothing may come in either direction; for ever if none.
    pub idle: Option<Duration>,
    /// How long connections may go on after the stop.
    pub grace: Duration,
    /// Where blocks come from.
    pub pool: Pool,
}

impl Options {
    /// The usual ones: 256 KiB, no limit of idleness, 5 seconds of grace.
    #[must_use]
    pub fn new(target: SocketAddr, mode: Mode) -> Self {
        Options {
            target,
            mode,
            transform: None,
            cap: 256 << 10,
            idle: None,
            grace: Duration::from_secs(5),
            pool: Pool::global().clone(),
        }
    }

    /// Whether they make sense.
    fn check(&self) -> io::Result<()> {
        if self.transform.is_some() && !self.mode.sees_bytes() {
            let why = "a transform needs to see the bytes: splicing does not, copying and pipe do";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        self.pipe().map(drop)
    }

    /// Those of a connection's pipes. The task that fills one also empties it, so it does not pause: it
    /// looks itself how much there is.
    fn pipe(&self) -> io::Result<aqueduct::Options> {
        let pipes = aqueduct::Options::builder().pool(&self.pool).segments(FIRST, LARGEST);
        pipes.pause(0).max_buffered(self.cap).build().map_err(io::Error::other)
    }
}

/// What a relay did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Clients that were connected to the target.
    pub connections: u64,
    /// Those of them that did not end by themselves: reset, idle for too long, or cut off by the stop.
    pub aborted: u64,
    /// Clients for whom there was no target.
    pub unreachable: u64,
    /// Bytes from clients that the target's sockets took.
    pub to_target: u64,
    /// Bytes from the target that clients' sockets took.
    pub to_clients: u64,
    /// Ends of lines among the bytes received; zero where those are not seen.
    pub lines: u64,
    /// What the system refused of splicing, so that bytes went through blocks instead.
    pub fallback: Option<Fallback>,
}

impl Totals {
    /// Bytes forwarded, both ways together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.to_target + self.to_clients
    }
}

impl std::ops::AddAssign for Totals {
    fn add_assign(&mut self, more: Totals) {
        self.connections += more.connections;
        self.aborted += more.aborted;
        self.unreachable += more.unreachable;
        self.to_target += more.to_target;
        self.to_clients += more.to_clients;
        self.lines += more.lines;
        self.fallback = self.fallback.or(more.fallback);
    }
}
