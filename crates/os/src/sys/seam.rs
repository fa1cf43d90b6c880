//! [`attempt`]: one call to the system, which a test can shorten or have fail.

use std::{fmt, io};

/// A call to the system that moves bytes, or what they move through. It prints as the manual's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Call {
    /// Reading from a descriptor.
    Read,
    /// Reading from a place of a file.
    Pread,
    /// Writing to a place of a file.
    Pwrite,
    /// Writing to a descriptor.
    Write,
    /// Writing what lies in several places.
    Writev,
    /// Moving a file to a descriptor within the kernel.
    SendFile,
    /// Moving from or to a pipe of the system without copying.
    Splice,
    /// Duplicating what is in a pipe of the system.
    Tee,
    /// Copying from file to file within the kernel.
    CopyFileRange,
    /// Making a pipe of the system.
    Pipe,
    /// Waiting until a descriptor is ready.
    Poll,
    /// Sending with `MSG_ZEROCOPY`.
    SendZeroCopy,
    /// Asking a socket which of these sends are done.
    ErrorQueue,
    /// Handing operations to io_uring, or waiting for them.
    UringSubmit,
    /// Opening a file past the system's cache.
    OpenDirect,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Read => "read",
            Self::Pread => "pread",
            Self::Pwrite => "pwrite",
            Self::Write => "write",
            Self::Writev => "writev",
            Self::SendFile => "sendfile",
            Self::Splice => "splice",
            Self::Tee => "tee",
            Self::CopyFileRange => "copy_file_range",
            Self::Pipe => "pipe2",
            Self::Poll => "poll",
            Self::SendZeroCopy => "sendmsg",
            Self::ErrorQueue => "recvmsg",
            Self::UringSubmit => "io_uring_enter",
            Self::OpenDirect => "open with O_DIRECT",
        })
    }
}

/// Asks the system for `wanted` bytes. `real` makes the call, for so many bytes as it is told; it
/// may be told fewer, or not be called, when a test says so.
#[cfg(not(test))]
#[inline]
pub(crate) fn attempt(
    _: Call,
    wanted: usize,
    real: impl FnOnce(usize) -> io::Result<usize>,
) -> io::Result<usize> {
    real(wanted)
}

#[cfg(test)]
pub(crate) use scripted::{Fault, attempt, script};

#[cfg(test)]
mod scripted {
    use super::{Call, io};
    use std::cell::RefCell;

    /// What a call does instead of what it should.
    #[derive(Clone, Copy, Debug)]
    pub(crate) enum Fault {
        /// At most so many bytes.
        Short(usize),
        /// Nothing, with this error number.
        Errno(i32),
    }

    type Script = Box<dyn FnMut(Call, usize) -> Option<Fault>>;

    thread_local! {
        static SCRIPT: RefCell<Option<Script>> = const { RefCell::new(None) };
    }

    /// Ends its script.
    pub(crate) struct Scripted(());

    impl Drop for Scripted {
        fn drop(&mut self) {
            SCRIPT.with(|script| script.borrow_mut().take());
        }
    }

    /// Asks `faults` what each call of this thread is to do, as long as the guard lives.
    #[must_use]
    pub(crate) fn script(faults: impl FnMut(Call, usize) -> Option<Fault> + 'static) -> Scripted {
        SCRIPT.with(|script| *script.borrow_mut() = Some(Box::new(faults)));
        Scripted(())
    }

    pub(crate) fn attempt(
        call: Call,
        wanted: usize,
        real: impl FnOnce(usize) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let fault = SCRIPT
            .with(|script| script.borrow_mut().as_mut().and_then(|faults| faults(call, wanted)));
        match fault {
            None => real(wanted),
            Some(Fault::Short(most)) => real(wanted.min(most)),
            Some(Fault::Errno(number)) => Err(io::Error::from_raw_os_error(number)),
        }
    }
}
