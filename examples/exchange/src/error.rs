//! The one error of this package.

use crate::{log::LogError, migrate::MigrateError};
use aqueduct::ring::BuildError;
use std::{fmt, io};

/// Why an exchange could not be, or could not go on.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened, read or written.
    Io {
        /// The file.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// A row of a file is not what it should be.
    Row {
        /// The file.
        name: String,
        /// The line, from 1 on.
        line: u64,
        /// The byte in that line, from 1 on.
        column: usize,
        /// What was expected there.
        expected: &'static str,
    },
    /// Opening balances that cannot be.
    Balances {
        /// Whose.
        user: u64,
        /// Why.
        what: &'static str,
    },
    /// The stages' ring could not be made.
    Ring(BuildError),
    /// The log could not be read, or not be written.
    Log(LogError),
    /// A log of other orders than those that are to be run.
    OtherFlow {
        /// The first that is another.
        seq: u64,
    },
    /// An old log could not be converted.
    Migrate(MigrateError),
}

impl From<LogError> for Error {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

impl Error {
    pub(crate) fn io(name: &str, source: io::Error) -> Self {
        Self::Io { name: name.to_owned(), source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { name, source } => write!(f, "{name}: {source}"),
            Self::Row { name, line, column, expected } => {
                write!(f, "{name}:{line}:{column}: expected {expected}")
            }
            Self::Balances { user, what } => write!(f, "balances of user {user}: {what}"),
            Self::Ring(error) => error.fmt(f),
            Self::Log(error) => error.fmt(f),
            Self::OtherFlow { seq } => write!(f, "order {seq} of the log is another"),
            Self::Migrate(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Ring(error) => Some(error),
            Self::Log(error) => Some(error),
            Self::Migrate(error) => Some(error),
            Self::Row { .. } | Self::Balances { .. } | Self::OtherFlow { .. } => None,
        }
    }
}
