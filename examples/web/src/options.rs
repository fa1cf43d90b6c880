//! [`Options`]: what a server is like.

use aqueduct::Pool;
use std::time::Duration;

/// How requests and answers are handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// Borrowed from the blocks they lie in, and written into others.
    #[default]
    ZeroCopy,
    /// With the copies that the document counts, and nothing else worse: what was received into a
    /// buffer of the request's own, the path and each text that a handler gets into strings, JSON into a
    /// `Vec` of its own, and whatever is answered into the block that it goes out from.
    Copying,
}

/// The settings of a server. The default makes sense.
#[derive(Clone, Debug)]
pub struct Options {
    /// How requests and answers are handled.
    pub mode: Mode,
    /// Bytes of the largest body that is accepted: 1 MiB.
    pub largest_body: usize,
    /// Connections of one [`serve()`](crate::serve()) at a time: 16,384. Others wait until one of these ends.
    pub connections: usize,
    /// How long a client is waited for.
    pub timeouts: Timeouts,
    /// Where blocks come from: the pool that all share.
    pub pool: Pool,
}

/// How long a client is waited for, and a stop for its connections.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From a head's first byte to its last: 10 seconds, then 408.
    pub head: Duration,
    /// From a head to the last byte of its body: 30 seconds, then 408.
    pub body: Duration,
    /// Between two requests: 75 seconds, then the connection is closed.
    pub idle: Duration,
    /// While an answer waits for the client to take some of it: 30 seconds, then the connection is
    /// dropped.
    pub write: Duration,
    /// From the stop to the last answer: 10 seconds, then the connections left are dropped.
    pub stop: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let (mode, timeouts) = (Mode::default(), Timeouts::default());
        let (largest_body, connections, pool) = (1 << 20, 1 << 14, Pool::global().clone());
        Self { mode, largest_body, connections, timeouts, pool }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        let [head, body, idle, write, stop] = [10, 30, 75, 30, 10].map(Duration::from_secs);
        Self { head, body, idle, write, stop }
    }
}
