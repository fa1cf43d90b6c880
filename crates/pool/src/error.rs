//! What a pool refuses, and at which limit.

use aqueduct_base::AllocError;
use std::{error::Error, fmt, io};

/// The limit that a request met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// No block of this pool is so large: the largest, in bytes.
    LargestBlock(usize),
    /// The pool may not take more from the system: its hard limit, in bytes.
    HardLimit(usize),
    /// The system has no memory.
    Memory(AllocError),
}

/// A pool had no block to give: how much was asked for, and which limit it met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetError {
    pub(crate) requested: usize,
    pub(crate) limit: Limit,
}

impl GetError {
    /// Bytes that were asked for.
    #[must_use]
    pub const fn requested(&self) -> usize {
        self.requested
    }

    /// The limit that was met.
    #[must_use]
    pub const fn limit(&self) -> Limit {
        self.limit
    }
}

impl fmt::Display for GetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no pool block for {} bytes: {}", self.requested, self.limit)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LargestBlock(largest) => write!(f, "the largest block has {largest}"),
            Self::HardLimit(limit) => write!(f, "the hard limit of {limit} bytes is reached"),
            Self::Memory(refused) => refused.fmt(f),
        }
    }
}

impl From<GetError> for io::Error {
    /// `OutOfMemory`.
    fn from(refused: GetError) -> Self {
        Self::new(io::ErrorKind::OutOfMemory, refused)
    }
}

impl Error for GetError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.limit {
            Limit::Memory(refused) => Some(refused),
            _ => None,
        }
    }
}

/// A setting that makes no sense, with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PoolBuildError {
    /// Block sizes must be powers of two from 64 bytes to 1 GiB, the smallest not above the largest.
    BlockSizes {
        /// The smallest block that was asked for.
        smallest: usize,
        /// The largest block that was asked for.
        largest: usize,
    },
    /// The alignment must be a power of two of at most 4096.
    Alignment(usize),
    /// The hard limit must hold at least one block of the largest size.
    HardLimit {
        /// The limit that was asked for.
        limit: usize,
        /// Bytes of one block of the largest size, its header included.
        largest: usize,
    },
}

impl fmt::Display for PoolBuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BlockSizes { smallest, largest } => write!(
                f,
                "block sizes from {smallest} to {largest}: want powers of two from 64 to 1 GiB"
            ),
            Self::Alignment(align) => {
                write!(f, "alignment {align}: want a power of two of at most 4096")
            }
            Self::HardLimit { limit, largest } => {
                write!(f, "a hard limit of {limit} bytes holds no block of {largest}")
            }
        }
    }
}

impl Error for PoolBuildError {}
