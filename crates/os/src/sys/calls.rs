//! The calls that move bytes between descriptors: repeated when a signal interrupts them, absent
//! (`ENOSYS`) where the platform has none.

use super::{Call, attempt};
use crate::{Side, Step};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{OFlags, fcntl_getfl},
    io::Errno,
    net::sockopt::{Timeout, socket_timeout},
};
use std::{
    io::{self, ErrorKind},
    os::fd::BorrowedFd,
    slice,
};

/// The most that one call is asked for: what Linux moves at once, less what a page more would round up.
pub(crate) const MOST: usize = 0x7fff_0000;

/// One call, repeated while a signal interrupts it.
pub(crate) fn patient(
    call: Call,
    wanted: usize,
    mut real: impl FnMut(usize) -> Result<usize, Errno>,
) -> io::Result<usize> {
    loop {
        match attempt(call, wanted, |count| Ok(real(count)?)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// Reads from where the descriptor stands, or at a position.
pub(crate) fn read(from: BorrowedFd<'_>, at: Option<u64>, room: &mut [u8]) -> io::Result<usize> {
    let wanted = room.len().min(MOST);
    match at {
        None => patient(Call::Read, wanted, |count| rustix::io::read(from, &mut room[..count])),
        Some(at) => {
            patient(Call::Pread, wanted, |count| rustix::io::pread(from, &mut room[..count], at))
        }
    }
}

/// Writes where the descriptor stands, or at a position.
pub(crate) fn write(to: BorrowedFd<'_>, at: Option<u64>, bytes: &[u8]) -> io::Result<usize> {
    let wanted = bytes.len().min(MOST);
    match at {
        None => patient(Call::Write, wanted, |count| rustix::io::write(to, &bytes[..count])),
        Some(at) => {
            patient(Call::Pwrite, wanted, |count| rustix::io::pwrite(to, &bytes[..count], at))
        }
    }
}

/// Which of two sides a call would have to wait for: the one that is not ready. Both may be by now.
pub(crate) fn unready(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Step {
    if !ready(to, PollFlags::OUT) {
        Step::Wait(Side::Target)
    } else if !ready(from, PollFlags::IN) {
        Step::Wait(Side::Source)
    } else {
        Step::Moved(0)
    }
}

/// Whether it can be used so at once, or is at its end, or broken: then a call says so.
fn ready(fd: BorrowedFd<'_>, what: PollFlags) -> bool {
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    // What cannot be asked is tried.
    poll(&mut [PollFd::from_borrowed_fd(fd, what)], Some(&at_once)) != Ok(0)
}

/// Whether an error says that `fd` is to be waited for. Where it waits by itself, it has done so, for as
/// long as it was told to: then that is an error like others.
pub(crate) fn is_unready(error: &io::Error, fd: BorrowedFd<'_>) -> bool {
    error.kind() == ErrorKind::WouldBlock && !blocks(fd)
}

fn blocks(fd: BorrowedFd<'_>) -> bool {
    fcntl_getfl(fd).is_ok_and(|flags| !flags.contains(OFlags::NONBLOCK))
}

/// Blocks until the side that a step found not ready is ready, or at its end, or broken; as long as it was
/// told to, if it is a socket that waits by itself, which a splice need not have it do.
pub(crate) fn wait(step: Step, from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> io::Result<()> {
    let (fd, what, which) = match step {
        Step::Wait(Side::Source) => (from, PollFlags::IN, Timeout::Recv),
        Step::Wait(Side::Target) => (to, PollFlags::OUT, Timeout::Send),
        Step::Moved(_) | Step::End => return Ok(()),
    };
    // What is no socket has none.
    let most = socket_timeout(fd, which).ok().flatten().filter(|_| blocks(fd));
    let most = most.and_then(|most| Timespec::try_from(most).ok());
    let mut waiting = PollFd::from_borrowed_fd(fd, what);
    loop {
        match poll(slice::from_mut(&mut waiting), most.as_ref()) {
            Err(Errno::INTR) => {}
            Ok(0) => return Err(Errno::AGAIN.into()),
            done => return Ok(done.map(drop)?),
        }
    }
}

#[cfg(target_os = "linux")]
pub(crate) use linux::{copy_file_range, pipe, sendfile, splice, tee};

#[cfg(target_os = "linux")]
mod linux {
    use super::{BorrowedFd, Call, attempt, io, patient};
    use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with};
    use std::os::fd::OwnedFd;

    /// From a file to anything.
    pub(crate) fn sendfile(
        from: BorrowedFd<'_>,
        at: Option<u64>,
        to: BorrowedFd<'_>,
        wanted: usize,
    ) -> io::Result<usize> {
        patient(Call::SendFile, wanted, |count| {
            let mut at = at;
            rustix::fs::sendfile(to, from, at.as_mut(), count)
        })
    }

    /// From or to a pipe. It does not wait for the pipe; whether it waits for the other side is for that
    /// descriptor to say.
    pub(crate) fn splice(
        from: BorrowedFd<'_>,
        at: Option<u64>,
        to: BorrowedFd<'_>,
        to_at: Option<u64>,
        wanted: usize,
    ) -> io::Result<usize> {
        patient(Call::Splice, wanted, |count| {
            let (mut at, mut to_at) = (at, to_at);
            let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
            rustix::pipe::splice(from, at.as_mut(), to, to_at.as_mut(), count, flags)
        })
    }

    /// From pipe to pipe, consuming nothing, and waiting for neither.
    pub(crate) fn tee(
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        wanted: usize,
    ) -> io::Result<usize> {
        patient(Call::Tee, wanted, |count| {
            rustix::pipe::tee(from, to, count, SpliceFlags::NONBLOCK)
        })
    }

    /// From file to file.
    pub(crate) fn copy_file_range(
        from: BorrowedFd<'_>,
        at: Option<u64>,
        to: BorrowedFd<'_>,
        to_at: Option<u64>,
        wanted: usize,
    ) -> io::Result<usize> {
        patient(Call::CopyFileRange, wanted, |count| {
            let (mut at, mut to_at) = (at, to_at);
            rustix::fs::copy_file_range(from, at.as_mut(), to, to_at.as_mut(), count)
        })
    }

    /// A pipe that nobody waits for, of this size, or of the system's own where that is refused.
    pub(crate) fn pipe(size: usize) -> io::Result<(OwnedFd, OwnedFd)> {
        let mut made = None;
        attempt(Call::Pipe, 0, |_| {
            made = Some(pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?);
            Ok(0)
        })?;
        let pipe = made.ok_or(io::ErrorKind::Unsupported)?;
        // A user has an allowance of pipe memory; what is left of it may be too little.
        let _ = fcntl_setpipe_size(&pipe.1, size);
        Ok(pipe)
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) use absent::{copy_file_range, pipe, sendfile, splice, tee};

/// What only Linux has.
#[cfg(not(target_os = "linux"))]
mod absent {
    use super::{BorrowedFd, Errno, io};
    use std::os::fd::OwnedFd;

    type Fd<'a> = BorrowedFd<'a>;
    type At = Option<u64>;

    pub(crate) fn sendfile(_: Fd<'_>, _: At, _: Fd<'_>, _: usize) -> io::Result<usize> {
        Err(Errno::NOSYS.into())
    }

    pub(crate) fn splice(_: Fd<'_>, _: At, _: Fd<'_>, _: At, _: usize) -> io::Result<usize> {
        Err(Errno::NOSYS.into())
    }

    pub(crate) fn tee(_: Fd<'_>, _: Fd<'_>, _: usize) -> io::Result<usize> {
        Err(Errno::NOSYS.into())
    }

    pub(crate) fn copy_file_range(
        _: Fd<'_>,
        _: At,
        _: Fd<'_>,
        _: At,
        _: usize,
    ) -> io::Result<usize> {
        Err(Errno::NOSYS.into())
    }

    pub(crate) fn pipe(_: usize) -> io::Result<(OwnedFd, OwnedFd)> {
        Err(Errno::NOSYS.into())
    }
}
