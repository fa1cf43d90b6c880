//! What a reader refuses: where it stood, and why.

use core::{error::Error, fmt};

/// Why a [`SequenceReader`](crate::SequenceReader) could not read, and where. It stands where it
/// stood before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadError {
    pub(crate) at: usize,
    pub(crate) fault: ReadFault,
}

/// What was wrong; see [`ReadError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadFault {
    /// The bytes end before what is to be read.
    Short {
        /// Bytes that it takes, as far as is known.
        needed: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// The delimiter is not among the bytes that are left.
    NotFound {
        /// How many were searched: all.
        searched: usize,
    },
    /// What is to be read is longer than the caller allows.
    TooLong {
        /// The length that a prefix claims; where a delimiter is searched, how many bytes have none.
        claimed: u64,
        /// What is allowed.
        most: usize,
    },
    /// A variable-length integer does not fit its type.
    Overflow,
}

impl ReadError {
    /// The position from which was read.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// What was wrong.
    #[must_use]
    pub const fn fault(&self) -> ReadFault {
        self.fault
    }

    /// Whether more bytes at the end could help. Otherwise what is there is wrong already.
    #[must_use]
    pub const fn is_incomplete(&self) -> bool {
        matches!(self.fault, ReadFault::Short { .. } | ReadFault::NotFound { .. })
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, at {}", self.fault, self.at)
    }
}

impl fmt::Display for ReadFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short { needed, left } => write!(f, "{needed} bytes needed, {left} left"),
            Self::NotFound { searched } => write!(f, "no delimiter in {searched} bytes"),
            Self::TooLong { claimed, most } => {
                write!(f, "{claimed} bytes where {most} are allowed")
            }
            Self::Overflow => f.write_str("a variable-length integer is too large"),
        }
    }
}

impl Error for ReadError {}
