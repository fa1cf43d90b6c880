//! What a pipe refuses, and why it ends.

use aqueduct_pool::GetError;
use aqueduct_sequence::Sequence;
use aqueduct_slice::{AllocError, Slice};
use std::{error::Error, fmt, sync::Arc};

/// An error of the user's, as it travels through a pipe.
pub type Cause = Arc<dyn Error + Send + Sync>;

/// An operation on a pipe could not be done. One word, so that results that are no errors travel in
/// registers.
#[derive(Clone, Debug)]
pub struct PipeError(Box<PipeErrorKind>);

/// Why an operation on a pipe could not be done.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PipeErrorKind {
    /// The other half is gone, and said no more than that: the reader was dropped; to the reader, the
    /// writer was dropped before it [finished](crate::Writer::finish).
    Closed,
    /// The other half failed with this error.
    Failed(Cause),
    /// So many bytes would have been buffered, at most `limit` may be: see
    /// [`max_buffered`](crate::OptionsBuilder::max_buffered). Fewer may still fit:
    /// [`reserve(1)`](crate::Writer::reserve) gives room for as many as do, and
    /// [`ready`](crate::Writer::ready) waits for the reader to consume enough for all of them, if it
    /// can do so without them.
    Full {
        /// Bytes that would have been buffered at once.
        asked: u64,
        /// Bytes that may be.
        limit: u64,
    },
    /// There is no memory for what is to be written.
    Memory(AllocError),
    /// The pool is at its hard limit.
    Pool(GetError),
    /// This half has said itself that it is done: see [`Duplex::finish`](crate::Duplex::finish).
    Finished,
    /// An [`Interrupter`](crate::Interrupter) ended the wait, where there is no other place to say so.
    /// Nothing is lost; the same call again goes on.
    Interrupted,
}

impl PipeError {
    /// What it is.
    #[must_use]
    pub fn kind(&self) -> &PipeErrorKind {
        &self.0
    }
}

impl From<PipeErrorKind> for PipeError {
    #[cold]
    fn from(kind: PipeErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl fmt::Display for PipeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind().fmt(f)
    }
}

impl fmt::Display for PipeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the other half of the pipe is gone"),
            Self::Failed(cause) => write!(f, "the other half of the pipe failed: {cause}"),
            Self::Full { asked, limit } => {
                write!(f, "a pipe of at most {limit} bytes cannot hold {asked}")
            }
            Self::Memory(refused) => refused.fmt(f),
            Self::Pool(refused) => refused.fmt(f),
            Self::Finished => f.write_str("this half of the pipe has finished"),
            Self::Interrupted => f.write_str("the wait was interrupted"),
        }
    }
}

impl Error for PipeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self.kind() {
            PipeErrorKind::Failed(cause) => Some(&**cause),
            PipeErrorKind::Memory(refused) => Some(refused),
            PipeErrorKind::Pool(refused) => Some(refused),
            _ => None,
        }
    }
}

/// A slice was not taken over; it is given back.
#[derive(Clone, Debug)]
pub struct PushError {
    /// What was to be pushed.
    pub slice: Slice,
    /// Why it was not.
    pub error: PipeError,
}

impl fmt::Display for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for PushError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

impl From<PushError> for PipeError {
    fn from(refused: PushError) -> Self {
        refused.error
    }
}

/// A sequence was not taken over, nothing of it; it is given back.
#[derive(Clone, Debug)]
pub struct PushSequenceError {
    /// What was to be pushed.
    pub sequence: Sequence,
    /// Why it was not.
    pub error: PipeError,
}

impl fmt::Display for PushSequenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for PushSequenceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

impl From<PushSequenceError> for PipeError {
    fn from(refused: PushSequenceError) -> Self {
        refused.error
    }
}

/// A prefix could not be filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatchError {
    /// It was flushed, or rolled back, or is another pipe's.
    Stale,
    /// It has another length.
    Length {
        /// Bytes that were given.
        given: usize,
        /// Bytes of the prefix.
        prefix: usize,
    },
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stale => f.write_str("the prefix is not among the bytes that wait to be flushed"),
            Self::Length { given, prefix } => {
                write!(f, "{given} bytes do not fill a prefix of {prefix}")
            }
        }
    }
}

impl Error for PatchError {}

/// A setting that makes no sense, with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionsError {
    /// A writer that pauses at `pause` bytes would resume at `resume`, which is more.
    Resume {
        /// Where it pauses.
        pause: usize,
        /// Where it was to resume.
        resume: usize,
    },
    /// At most `max_buffered` bytes could never make a writer pause at `pause`, or hold any.
    MaxBuffered {
        /// Bytes that were to be buffered at most.
        max_buffered: usize,
        /// Where the writer pauses.
        pause: usize,
    },
    /// Segments that start at `first` bytes cannot grow to `largest`.
    Segments {
        /// Bytes of the first segment.
        first: usize,
        /// Bytes of the largest.
        largest: usize,
    },
}

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resume { pause, resume } => {
                write!(f, "resume at {resume} bytes: want at most pause, which is {pause}")
            }
            Self::MaxBuffered { max_buffered, pause } => {
                write!(
                    f,
                    "max_buffered of {max_buffered} bytes: want at least 1 and pause, {pause}"
                )
            }
            Self::Segments { first, largest } => {
                write!(
                    f,
                    "segments from {first} to {largest} bytes: the largest is the smaller one"
                )
            }
        }
    }
}

impl Error for OptionsError {}
