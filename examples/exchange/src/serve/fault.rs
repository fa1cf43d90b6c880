//! [`Fault`]: why a connection is closed.

use std::fmt;

/// What is wrong with a request. Its connection is told, and closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[non_exhaustive]
pub enum Fault {
    /// A frame that does not begin as one.
    Magic = 128,
    /// A frame of another version.
    Version,
    /// A frame of no known type.
    Type,
    /// A field that is missing, or out of range.
    Field,
    /// Bytes that are to be zero, and are not.
    Reserved,
    /// A line that is not a request in JSON.
    Json,
    /// A line that does not end.
    TooLong,
}

impl Fault {
    /// What it says.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Magic => "not a frame",
            Self::Version => "unknown version",
            Self::Type => "unknown type",
            Self::Field => "a field is missing or out of range",
            Self::Reserved => "reserved bytes are not zero",
            Self::Json => "not a request",
            Self::TooLong => "line too long",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for Fault {}
