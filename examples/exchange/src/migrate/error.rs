//! [`MigrateError`]: why a log was not converted, or not to its end.

use crate::log::LogError;
use std::{fmt, io};

/// Why a log was not converted, or not to its end. What was converted is in the new log, which is good.
#[derive(Debug)]
#[non_exhaustive]
pub enum MigrateError {
    /// The old log cannot be read, or the new one's folder cannot be had.
    Io {
        /// The file or folder.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// The old log is damaged.
    Damaged {
        /// The file.
        name: String,
        /// Where its record begins, in bytes.
        offset: u64,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The new log cannot be read or written.
    Log(LogError),
    /// What is in the new log is not what the old one has at this place: it is another's.
    Differs {
        /// The order's number in the new log.
        seq: u64,
        /// Where the old log's record begins, in bytes.
        offset: u64,
    },
}

/// What is wrong with a record of an old log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The file ends within it.
    Cut,
    /// Neither an order nor a cancel.
    Type(u8),
    /// Not the length of its type.
    Length {
        /// The type's.
        expected: usize,
        /// The record's.
        found: usize,
    },
    /// Not the version of the record before.
    Version {
        /// The one before.
        expected: u8,
        /// The record's.
        found: u8,
    },
    /// Not the next number of its epoch, or an epoch that is over.
    Sequence {
        /// The epoch.
        epoch: u32,
        /// The number.
        found: u64,
    },
    /// The payload is not what was written.
    Checksum,
    /// A number that means nothing.
    Value {
        /// Of what.
        what: &'static str,
        /// The number.
        found: u8,
    },
}

impl fmt::Display for MigrateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { name, source } => write!(f, "{name}: {source}"),
            Self::Damaged { name, offset, fault } => write!(f, "{name}: at byte {offset}: {fault}"),
            Self::Log(error) => write!(f, "the new log: {error}"),
            Self::Differs { seq, offset } => {
                write!(f, "order {seq} of the new log is not the old log's at byte {offset}")
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut => write!(f, "the file ends within a record"),
            Self::Type(found) => write!(f, "expected a record of type 1 or 2, found {found}"),
            Self::Length { expected, found } => {
                write!(f, "expected a payload of {expected} bytes, found {found}")
            }
            Self::Version { expected, found } => {
                write!(f, "expected version {expected}, as before, found {found}")
            }
            Self::Sequence { epoch, found } => {
                write!(f, "number {found} of epoch {epoch} does not follow")
            }
            Self::Checksum => write!(f, "the payload does not have its checksum"),
            Self::Value { what, found } => write!(f, "no {what} has number {found}"),
        }
    }
}

impl std::error::Error for MigrateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Log(error) => Some(error),
            Self::Damaged { .. } | Self::Differs { .. } => None,
        }
    }
}

impl From<LogError> for MigrateError {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}
