//! What can go wrong with a mapped file.

use aqueduct_slice::RangeError;
use std::{error::Error, fmt, io};

/// Why a file is not mapped.
#[derive(Debug)]
#[non_exhaustive]
pub enum MapError {
    /// A directory, a pipe, a socket or a device.
    NotAFile,
    /// The range does not lie within the file.
    Range {
        /// Its first byte.
        start: u64,
        /// The byte after its last.
        end: u64,
        /// Bytes in the file.
        len: u64,
    },
    /// The range is longer than the address space.
    TooLong {
        /// Bytes in the range.
        len: u64,
    },
    /// The system refused: a file that was not opened for reading, too many bytes, or a file system
    /// without maps.
    System(io::Error),
}

impl fmt::Display for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAFile => f.write_str("only ordinary files are mapped"),
            Self::Range { start, end, len } => {
                write!(f, "range {start}..{end} does not lie within a file of {len} bytes")
            }
            Self::TooLong { len } => write!(f, "cannot map {len} bytes at once"),
            Self::System(error) => write!(f, "cannot map the file: {error}"),
        }
    }
}

impl Error for MapError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::System(error) => Some(error),
            _ => None,
        }
    }
}

impl From<MapError> for io::Error {
    fn from(refused: MapError) -> Self {
        let kind = match &refused {
            MapError::System(error) => error.kind(),
            _ => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, refused)
    }
}

/// Not all of a range of a mapped file was written.
#[derive(Debug)]
pub struct WriteToError {
    pub(super) written: usize,
    pub(super) fault: WriteToFault,
}

/// What ended the writing of a mapped file.
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteToFault {
    /// The range does not lie within the map.
    Range(RangeError),
    /// The file was truncated, and the range is not in it any more.
    Truncated {
        /// Bytes in the file now. What was written of the range behind them may be zeros.
        len: u64,
    },
    /// The file could not be read.
    Unreadable {
        /// From this byte of the file on, or a later one.
        at: u64,
        /// What the system said.
        error: io::Error,
    },
    /// What was written to has failed, or, if it does not block, has no room (`WouldBlock`).
    Target(io::Error),
}

impl WriteToError {
    /// Bytes of the range that were written all the same, its first.
    #[must_use]
    pub const fn written(&self) -> usize {
        self.written
    }

    /// What went wrong.
    #[must_use]
    pub const fn fault(&self) -> &WriteToFault {
        &self.fault
    }

    fn kind(&self) -> io::ErrorKind {
        match &self.fault {
            WriteToFault::Range(_) => io::ErrorKind::InvalidInput,
            WriteToFault::Truncated { .. } => io::ErrorKind::UnexpectedEof,
            WriteToFault::Unreadable { error, .. } | WriteToFault::Target(error) => error.kind(),
        }
    }
}

impl fmt::Display for WriteToError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            WriteToFault::Range(error) => return error.fmt(f),
            WriteToFault::Truncated { len } => write!(f, "the file was truncated to {len} bytes")?,
            WriteToFault::Unreadable { at, error } => {
                write!(f, "the file cannot be read from byte {at} on: {error}")?;
            }
            WriteToFault::Target(error) => error.fmt(f)?,
        }
        write!(f, ", after {} bytes were written", self.written)
    }
}

impl Error for WriteToError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.fault {
            WriteToFault::Range(error) => Some(error),
            WriteToFault::Unreadable { error, .. } | WriteToFault::Target(error) => Some(error),
            WriteToFault::Truncated { .. } => None,
        }
    }
}

/// Keeps the kind. An error of the target before the first byte is given as it is.
impl From<WriteToError> for io::Error {
    fn from(failed: WriteToError) -> Self {
        match failed {
            WriteToError { written: 0, fault: WriteToFault::Target(error) } => error,
            failed => Self::new(failed.kind(), failed),
        }
    }
}
