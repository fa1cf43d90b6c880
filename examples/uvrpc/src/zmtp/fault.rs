//! [`Fault`]: why a connection cannot go on.

use aqueduct::PipeError;
use std::{error::Error, fmt, io};

/// Why a connection cannot go on. What was asked of it may be asked of another.
#[derive(Debug)]
#[non_exhaustive]
pub enum Fault {
    /// The peer does not begin as ZMTP 3 does.
    Greeting,
    /// The peer speaks this mechanism, or none that has a name; here it is NULL.
    Mechanism,
    /// A frame has these flags, which mean nothing, or not together.
    Flags(u8),
    /// A frame claims so many bytes: more than there can be, or than a command may have.
    Length(u64),
    /// A command that is none, or not here.
    Command,
    /// A message before READY.
    Early,
    /// The peer is a socket of a type that this one does not talk to.
    Socket,
    /// The peer refuses this connection.
    Refused,
    /// The peer did not greet in time.
    Slow,
    /// Nothing was heard of the peer for so long that it is gone.
    Silent,
    /// The peer closed the connection.
    Closed,
    /// The transport's.
    Io(io::Error),
    /// A pipe's.
    Pipe(PipeError),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Greeting => f.write_str("the peer does not greet as ZMTP 3"),
            Self::Mechanism => f.write_str("the peer's mechanism is not NULL"),
            Self::Flags(flags) => write!(f, "a frame with flags {flags:#04x}"),
            Self::Length(len) => write!(f, "a frame that claims {len} bytes"),
            Self::Command => f.write_str("a malformed command"),
            Self::Early => f.write_str("a message before READY"),
            Self::Socket => f.write_str("the peer is a socket of a type that does not fit"),
            Self::Refused => f.write_str("the peer refuses the connection"),
            Self::Slow => f.write_str("the peer did not greet in time"),
            Self::Silent => f.write_str("nothing is heard of the peer"),
            Self::Closed => f.write_str("the peer closed the connection"),
            Self::Io(error) => error.fmt(f),
            Self::Pipe(error) => error.fmt(f),
        }
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Pipe(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<PipeError> for Fault {
    fn from(error: PipeError) -> Self {
        Self::Pipe(error)
    }
}
