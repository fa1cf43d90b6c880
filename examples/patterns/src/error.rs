//! The one error of this package.

use std::{fmt, io};

use crate::Fault;

/// Why a scenario could not run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened, read or rewound.
    Io {
        /// The file.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// A capture lies or is cut.
    Capture {
        /// The file.
        name: String,
        /// Where, and what was expected.
        fault: Fault,
    },
    /// The workload has nothing to do, so nothing can be measured.
    Nothing {
        /// The file or scenario.
        name: String,
    },
}

impl Error {
    pub(crate) fn io(name: &str, source: io::Error) -> Self {
        Error::Io { name: name.to_owned(), source }
    }

    pub(crate) fn capture(name: &str, fault: Fault) -> Self {
        Error::Capture { name: name.to_owned(), fault }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io { name, source } => write!(f, "{name}: {source}"),
            Error::Capture { name, fault } => write!(f, "{name}: {fault}"),
            Error::Nothing { name } => write!(f, "{name}: nothing to do"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            Error::Capture { fault, .. } => Some(fault),
            Error::Nothing { .. } => None,
        }
    }
}
