//! [`Options`]: how a log is written.

use crate::Mode;
use std::time::Duration;

/// How a log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// When what is written is made to outlive the machine.
    pub fsync: Fsync,
    /// How orders become bytes.
    pub encoding: Encoding,
    /// Bytes after which a new segment is begun, at the next write.
    pub segment: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { fsync: Fsync::GROUP, encoding: Encoding::Archived, segment: 64 << 20 }
    }
}

/// When a log is synced, and so what [`durable`](crate::log::Log::durable) promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fsync {
    /// Never, once it is open. What is written outlives this process and not the machine: after a power cut such a log may
    /// be refused as damaged.
    Never,
    /// At the [`commit`](crate::log::Log::commit) that finds as many orders waiting, or the first of them
    /// waiting for as long: one write and one sync for all of them.
    Group {
        /// The longest that an order waits, if somebody commits.
        every: Duration,
        /// The most orders that wait.
        orders: u64,
    },
    /// At each commit, of which a [`Keeper`](crate::log::Keeper) makes one for each order.
    Each,
}

/// How orders become bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// By rkyv, in place, and read in place.
    #[default]
    Archived,
    /// By bincode: to a vector that is copied, as the original has it.
    Bincode,
}

impl Fsync {
    /// In groups of 10 ms, and of orders that are written in about as much.
    pub const GROUP: Self = Self::Group { every: Duration::from_millis(10), orders: 16_384 };
}

impl Encoding {
    /// What a mode has.
    #[must_use]
    pub const fn of(mode: Mode) -> Self {
        match mode {
            Mode::Copying => Self::Bincode,
            Mode::ZeroCopy => Self::Archived,
        }
    }

    pub(crate) const ALL: [Self; 2] = [Self::Archived, Self::Bincode];

    /// Bytes of an order.
    pub(crate) const fn payload(self) -> usize {
        match self {
            Self::Archived => 64,
            Self::Bincode => 76,
        }
    }

    /// As segments name it.
    pub(crate) const fn number(self) -> u32 {
        match self {
            Self::Archived => 1,
            Self::Bincode => 2,
        }
    }
}
