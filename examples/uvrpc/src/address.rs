//! [`Address`]: where a server listens.

use std::{error::Error, fmt, path::PathBuf, str::FromStr};

/// Where a server listens, as ZeroMQ writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `tcp://HOST:PORT`; the host is `*` for a server that listens everywhere.
    Tcp(String),
    /// `ipc://PATH`: a Unix socket.
    Ipc(PathBuf),
    /// `inproc://NAME`: a pair of pipes within the process.
    Inproc(String),
}

/// This is no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError(String);

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let parsed = match text.split_once("://") {
            Some(("tcp", at)) => at.rsplit_once(':').and_then(|(host, port)| {
                port.parse::<u16>().ok().filter(|_| !host.is_empty())?;
                Some(Self::Tcp(at.to_owned()))
            }),
            Some(("ipc", path)) if !path.is_empty() => Some(Self::Ipc(path.into())),
            Some(("inproc", name)) if !name.is_empty() => Some(Self::Inproc(name.to_owned())),
            _ => None,
        };
        parsed.ok_or_else(|| AddressError(text.to_owned()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(at) => write!(f, "tcp://{at}"),
            Self::Ipc(path) => write!(f, "ipc://{}", path.display()),
            Self::Inproc(name) => write!(f, "inproc://{name}"),
        }
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no tcp://HOST:PORT, ipc://PATH or inproc://NAME", self.0)
    }
}

impl Error for AddressError {}
