//! [`Method`]: the ways from one descriptor to another.

use crate::Call;
use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat, tell};
use std::{
    fmt, io,
    os::fd::{AsFd, BorrowedFd},
};

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
    /// | file | other, below 16 KiB | [`ThroughBlock`](Self::ThroughBlock) | `sendfile` saves a twentieth of that at best; and one `writev` can carry a head along |
    /// | file | other | [`SendFile`](Self::SendFile) | the sender copies nothing |
    /// | socket | socket | [`ThroughPipe`](Self::ThroughPipe) | the bytes stay in the kernel |
    /// | other | | [`ThroughBlock`](Self::ThroughBlock) | it always works |
    ///
    /// Over loopback, on a virtual machine with two cores, 4 KiB cost the sender 4.5 us of CPU time
    /// through a block and 4.4 by `sendfile`, 16 KiB 4.9 and 4.6, 64 KiB 9.7 and 7.9, and 1 MiB 200 and
    /// 100. Loopback has a receiver on the same machine, who pays for some of that: with its copy out of
    /// the page cache's pages, both ways cost the same at about 50 KiB. Over a network card that gathers
    /// by itself nobody copies at all.
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

/// If both are one file, where its bytes are read, and where they are written: at its end if it is appended
/// to. Without an offset that is where they stand.
pub(crate) fn within_one_file(
    from: BorrowedFd<'_>,
    at: Option<u64>,
    to: BorrowedFd<'_>,
    to_at: Option<u64>,
) -> Option<(u64, u64)> {
    // What has no positions, as sockets and pipes, is no such file.
    let at = at.or_else(|| tell(from).ok())?;
    let to_at = to_at.or_else(|| tell(to).ok())?;
    let (source, target) = (fstat(from).ok()?, fstat(to).ok()?);
    let same = (source.st_dev, source.st_ino) == (target.st_dev, target.st_ino);
    let appends = || fcntl_getfl(to).is_ok_and(|flags| flags.contains(OFlags::APPEND));
    same.then(|| (at, if appends() { target.st_size.cast_unsigned() } else { to_at }))
}
