//! [`Method`]: the ways from one descriptor to another.

use crate::Call;
use rustix::fs::{FileType, fstat};
use std::{fmt, io, os::fd::AsFd};

/// From so many bytes on, `sendfile` is worth its setting up; see [`Method::between`].
const SENDFILE_FROM: u64 = 16 * 1024;

/// A way from one descriptor to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// `sendfile`: from a file to anything. The page cache's pages themselves go to a socket: what is
    /// written to the file, or cut off, before they have left may show in them.
    SendFile,
    /// `splice`: from or to a pipe.
    Splice,
    /// `copy_file_range`: from file to file; some file systems share the blocks.
    CopyFileRange,
    /// Two `splice`s with a pipe of the kernel's between them: from socket to socket.
    ThroughPipe,
    /// Read into a block of the pool, and written from it: from anything to anything, on every system.
    ThroughBlock,
}

impl Method {
    /// The way for about `len` bytes, or an unknown number, between these two.
    ///
    /// | from | to | way | because |
    /// |---|---|---|---|
    /// | file | file | [`CopyFileRange`](Self::CopyFileRange) | nothing enters the process, and the file system may share blocks |
    /// | a pipe on either side | | [`Splice`](Self::Splice) | pages change hands |
    /// | file | other, below 16 KiB | [`ThroughBlock`](Self::ThroughBlock) | setting up `sendfile` costs as much as copying that; and one `writev` can carry a head along |
    /// | file | other | [`SendFile`](Self::SendFile) | the sender copies nothing |
    /// | socket | socket | [`ThroughPipe`](Self::ThroughPipe) | the bytes stay in the kernel |
    /// | other | | [`ThroughBlock`](Self::ThroughBlock) | it always works |
    ///
    /// Over loopback, on a virtual machine with two cores, 4 KiB cost the sender 4.1 us of CPU time
    /// through a block and 5.3 by `sendfile`; at 16 KiB both took 6. Above that `sendfile` takes as much
    /// or less, and over a network card that gathers by itself nobody copies at all. Loopback has a
    /// receiver on the same machine, whose copy out of the page cache's pages is part of the price.
    ///
    /// Two calls of `fstat`. A wrong choice is no harm: what the system refuses goes
    /// [through a block](Self::ThroughBlock).
    ///
    /// # Errors
    ///
    /// `fstat`'s.
    pub fn between(from: impl AsFd, to: impl AsFd, len: Option<u64>) -> io::Result<Self> {
        let kind = |mode| FileType::from_raw_mode(mode);
        let (from, to) = (kind(fstat(from)?.st_mode), kind(fstat(to)?.st_mode));
        Ok(match (from, to) {
            (FileType::Fifo, _) | (_, FileType::Fifo) => Self::Splice,
            (FileType::RegularFile, FileType::RegularFile) => Self::CopyFileRange,
            (FileType::RegularFile, _) if len.is_some_and(|len| len < SENDFILE_FROM) => {
                Self::ThroughBlock
            }
            (FileType::RegularFile, _) => Self::SendFile,
            (FileType::Socket, FileType::Socket) => Self::ThroughPipe,
            _ => Self::ThroughBlock,
        })
    }
}

/// The system refused a method, and the transfer went on [through a block](Method::ThroughBlock) at the
/// same byte; or it refused to open a file past its cache, which is read through it. It prints as a line
/// for a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// The call that was refused.
    pub call: Call,
    /// The system's error number.
    pub errno: i32,
}

impl fmt::Display for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = io::Error::from_raw_os_error(self.errno);
        write!(f, "{} refused: {error}; reading and writing instead", self.call)
    }
}
