//! What a server or a client is like.

use crate::zmtp::{self, Own};
use aqueduct::{Pool, Slice};
use std::time::Duration;

/// How calls are handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// Data stays where it was received, and leaves from there.
    #[default]
    ZeroCopy,
    /// With the eight copies of a round trip that the document counts, and nothing else worse.
    Copying,
}

/// What is preferred: how long something waits, or how much is done at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// Each message is answered before the next is looked at; a hundred may wait.
    LowLatency,
    /// Ten at once; a thousand.
    #[default]
    Balanced,
    /// A hundred at once; ten thousand.
    HighThroughput,
}

impl Profile {
    /// How many messages that have come are handled before what they gave is sent.
    #[must_use]
    pub const fn batch(self) -> usize {
        match self {
            Self::LowLatency => 1,
            Self::Balanced => 10,
            Self::HighThroughput => 100,
        }
    }

    /// How many messages may wait: a server's replies for one client, a client's calls.
    #[must_use]
    pub const fn high_water(self) -> usize {
        match self {
            Self::LowLatency => 100,
            Self::Balanced => 1000,
            Self::HighThroughput => 10_000,
        }
    }
}

/// The settings of a server or a client. The default makes sense.
#[derive(Clone, Debug)]
pub struct Options {
    /// How calls are handled.
    pub mode: Mode,
    /// What is preferred.
    pub profile: Profile,
    /// Bytes of the largest data of a call or a reply: 64 MiB. What is larger is refused.
    pub largest: usize,
    /// How long a peer may take to greet: 10 seconds.
    pub handshake: Duration,
    /// How often a PING is sent; a peer of which nothing is heard for twice as long is gone. Zero, as
    /// without this option, for never.
    pub heartbeat: Duration,
    /// This side's routing id, at most 255 bytes of it; empty to leave that to the other side.
    pub identity: Slice,
    /// A client's: how long a reply is waited for, 5 seconds.
    pub timeout: Duration,
    /// A client's: the id of its first call. Each further one is one more, and behind the last comes 0.
    pub first_id: u32,
    /// A server's: connections at a time, 4096. Others wait until one of these ends.
    pub connections: usize,
    /// A server's: how long it waits from its stop on for what is under way, 10 seconds.
    pub stop: Duration,
    /// Where blocks come from: the pool that all share, with lists for each thread.
    pub pool: Pool,
}

impl Default for Options {
    fn default() -> Self {
        let [handshake, timeout, stop] = [10, 5, 10].map(Duration::from_secs);
        Self {
            mode: Mode::default(),
            profile: Profile::default(),
            largest: 64 << 20,
            handshake,
            heartbeat: Duration::ZERO,
            identity: Slice::new(),
            timeout,
            first_id: 1,
            connections: 1 << 12,
            stop,
            pool: Pool::global().clone(),
        }
    }
}

/// Bytes of names and numbers beside the data of a frame: what is longer is no name.
const ENVELOPE: usize = 64 << 10;
/// Bytes of a pipe's first block: what the document's buffers had.
const FIRST: usize = 4 << 10;
/// Bytes of its largest, as it grows with what there is.
const LARGEST: usize = 64 << 10;

impl Options {
    /// Bytes of the largest data, which msgpack says in 32 bits.
    pub(crate) fn largest_data(&self) -> usize {
        self.largest.min(u32::MAX as usize)
    }

    /// Bytes of the largest frame.
    pub(crate) fn largest_frame(&self) -> usize {
        self.largest_data().saturating_add(ENVELOPE)
    }

    /// Pipes whose writers never wait: whoever uses them looks at how much is in them.
    pub(crate) fn pipe(&self) -> aqueduct::Options {
        let pipe = aqueduct::Options::builder().pool(&self.pool).segments(FIRST, LARGEST).pause(0);
        pipe.build().unwrap_or_default() // sense is not a matter of these constants' values
    }

    pub(crate) fn own(&self, own: Own) -> Own {
        let len = self.identity.len().min(zmtp::LONGEST_IDENTITY);
        Own { identity: self.identity.slice(..len), ..own }
    }
}
