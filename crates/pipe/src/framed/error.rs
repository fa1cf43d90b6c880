//! What framing refuses.

use crate::{PipeError, io::kind};
use aqueduct_sequence::Sequence;
use std::{error::Error, fmt, io};

/// Why a frame could not be read or written, and where it begins.
///
/// A frame that cannot be read stays in the pipe, and so does everything behind it: the next read says
/// the same again, and never takes what is left for another frame. Of a frame that cannot be written
/// nothing is.
#[derive(Clone, Debug)]
pub struct FrameError {
    at: u64,
    fault: FrameFault,
}

/// What was wrong; see [`FrameError`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum FrameFault {
    /// The frame is larger than the [framing](crate::Framing) allows.
    TooLarge {
        /// Bytes that it claims or was given; where a delimiter is searched, how many at least.
        len: u64,
        /// Bytes that it may have.
        most: u64,
    },
    /// A length that counts its own prefix says less than that has.
    TooShort {
        /// What it says.
        len: u64,
        /// Bytes of the prefix.
        prefix: u64,
    },
    /// A length of variable width does not fit 64 bits.
    Overflow,
    /// The writer finished within a frame.
    UnexpectedEof {
        /// Bytes that are there, prefix or delimiter included.
        have: u64,
        /// Bytes that the frame takes, as far as is known.
        need: u64,
    },
    /// All frames have the same size, and this one has another.
    WrongSize {
        /// Bytes that were given.
        given: u64,
        /// Bytes that a frame has.
        size: u64,
    },
    /// The delimiter would be found within the frame, which would be read as two.
    Delimiter {
        /// Where in the frame.
        at: u64,
    },
    /// A frame before a delimiter cannot be written piece by piece, since it is searched for the
    /// delimiter.
    Whole,
    /// An [`Interrupter`](crate::Interrupter) ended the wait.
    Cancelled,
    /// The pipe's own error.
    Pipe(PipeError),
}

impl FrameError {
    pub(super) fn new(at: u64, fault: impl Into<FrameFault>) -> Self {
        Self { at, fault: fault.into() }
    }

    /// Where the frame begins, prefix included: in bytes from where framing began.
    #[must_use]
    pub fn at(&self) -> u64 {
        self.at
    }

    /// What was wrong.
    #[must_use]
    pub fn fault(&self) -> &FrameFault {
        &self.fault
    }
}

impl From<PipeError> for FrameFault {
    fn from(error: PipeError) -> Self {
        Self::Pipe(error)
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, in the frame at {}", self.fault, self.at)
    }
}

impl fmt::Display for FrameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { len, most } => {
                write!(f, "a frame of {len} bytes where {most} are allowed")
            }
            Self::TooShort { len, prefix } => {
                write!(f, "a length of {len} that counts its own {prefix} bytes")
            }
            Self::Overflow => f.write_str("a length of variable width is too large"),
            Self::UnexpectedEof { have, need } => {
                write!(f, "the stream ends within a frame: {need} bytes needed, {have} there")
            }
            Self::WrongSize { given, size } => {
                write!(f, "a frame of {given} bytes where each has {size}")
            }
            Self::Delimiter { at } => write!(f, "a delimiter at byte {at} of a frame"),
            Self::Whole => f.write_str("a delimited frame is written whole"),
            Self::Cancelled => f.write_str("the wait for a frame was interrupted"),
            Self::Pipe(error) => error.fmt(f),
        }
    }
}

impl Error for FrameError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        if let FrameFault::Pipe(error) = &self.fault { Some(error) } else { None }
    }
}

impl From<FrameError> for io::Error {
    /// Wraps it. The kind is `UnexpectedEof` for a stream that ends within a frame, `InvalidData` for what
    /// a stream may not say, `InvalidInput` for what cannot be written under this framing, `Other` for an
    /// interrupt, and that of the [pipe's own error](io::Error#impl-From<PipeError>-for-Error).
    fn from(error: FrameError) -> Self {
        let kind = match &error.fault {
            FrameFault::UnexpectedEof { .. } => io::ErrorKind::UnexpectedEof,
            FrameFault::TooLarge { .. } | FrameFault::TooShort { .. } | FrameFault::Overflow => {
                io::ErrorKind::InvalidData
            }
            FrameFault::WrongSize { .. } | FrameFault::Delimiter { .. } | FrameFault::Whole => {
                io::ErrorKind::InvalidInput
            }
            FrameFault::Cancelled => io::ErrorKind::Other,
            FrameFault::Pipe(refused) => kind(refused),
        };
        Self::new(kind, error)
    }
}

/// A frame, or a piece of one, was not written; it is given back.
#[derive(Clone, Debug)]
pub struct PushFrameError {
    /// What was to be written: a frame, or a piece of one that was begun.
    pub frame: Sequence,
    /// Why it was not.
    pub error: FrameError,
}

impl fmt::Display for PushFrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for PushFrameError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

impl From<PushFrameError> for io::Error {
    /// That of its [`FrameError`]; the frame is dropped.
    fn from(refused: PushFrameError) -> Self {
        refused.error.into()
    }
}

impl From<PushFrameError> for FrameError {
    fn from(refused: PushFrameError) -> Self {
        refused.error
    }
}

/// A rule of framing that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FramingError {
    /// Frames of at most no bytes, or a delimiter of none.
    Nothing,
    /// A length that counts its own prefix, whose width depends on the length.
    Variable,
}

impl fmt::Display for FramingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "the largest frame and a delimiter have at least one byte",
            Self::Variable => "a prefix of variable width cannot count itself",
        })
    }
}

impl Error for FramingError {}

/// The pipe could never hold the largest frame; its half is given back.
#[derive(Debug)]
pub struct PipeTooSmall<T> {
    /// The reader or the writer. Boxed, so that where all is well nothing large is moved.
    pub half: Box<T>,
    /// Bytes that the largest frame takes, prefix or delimiter included.
    pub need: u64,
    /// Bytes that the pipe may hold: see [`max_buffered`](crate::OptionsBuilder::max_buffered).
    pub limit: u64,
}

impl<T> fmt::Display for PipeTooSmall<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { need, limit, .. } = self;
        write!(f, "a frame may take {need} bytes, the pipe holds at most {limit}")
    }
}

impl<T: fmt::Debug> Error for PipeTooSmall<T> {}
