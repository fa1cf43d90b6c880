//! [`Transfer`]: bytes on their way from one descriptor to another, a step at a time.

use crate::{
    Call, Fallback, Method, Side, Step, TransferError, Transferred,
    kernel_pipe::KernelPipe,
    method::within_one_file,
    sys::calls::{self, MOST},
};
use aqueduct_pool::Pool;
use aqueduct_slice::SliceMut;
use rustix::io::Errno;
use std::{
    io::{self, ErrorKind},
    os::fd::{AsFd, BorrowedFd},
};

/// The largest block that is read into: the kernel's own step.
const BLOCK: usize = 64 * 1024;

/// `len` bytes of a file from `offset` on, or all up to its end, to a socket or to anything else.
///
/// The file's own position neither matters nor moves. A source without positions, such as a pipe, is
/// read from where it stands; its offset must be zero.
///
/// ```
/// use std::{io::Read, os::unix::net::UnixStream};
///
/// let file = std::fs::File::open("Cargo.toml")?;
/// let (mut receiver, socket) = UnixStream::pair()?;
/// let sent = aqueduct_os::send_file(1, 7).run(&file, &socket)?;
/// assert_eq!(sent.bytes, 7);
/// if let Some(fallback) = sent.fallback {
///     eprintln!("{fallback}"); // one line for the log
/// }
/// let mut got = [0; 7];
/// receiver.read_exact(&mut got)?;
/// assert_eq!(&got, b"package");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn send_file(offset: u64, len: impl Into<Option<u64>>) -> Transfer {
    Transfer::by(Method::SendFile, len).from_offset(offset)
}

/// `len` bytes, or all up to the source's end, where one side is a pipe. Both are used where they
/// stand, but for [`from_offset`](Transfer::from_offset) and [`to_offset`](Transfer::to_offset).
pub fn splice(len: impl Into<Option<u64>>) -> Transfer {
    Transfer::by(Method::Splice, len)
}

/// `len` bytes of a file from offset `from` on, or all up to its end, to offset `to` of a file.
/// Neither position matters or moves; a target that was opened to append is appended to.
pub fn copy_file_range(from: u64, to: u64, len: impl Into<Option<u64>>) -> Transfer {
    Transfer::by(Method::CopyFileRange, len).from_offset(from).to_offset(to)
}

/// All bytes of a socket, up to its end, to another, through a pipe of the kernel's: one direction of a
/// proxy. The end is not passed on: shut the target down when the transfer has ended.
///
/// A relay holds a pipe only while there are bytes inside, at most 256 KiB: an idle connection holds
/// none, and one whose receiver does not read holds one.
///
/// ```
/// use std::{io::Read, io::Write, net::Shutdown, os::unix::net::UnixStream, thread};
///
/// let (mut client, inside) = UnixStream::pair()?;
/// let (outside, mut server) = UnixStream::pair()?;
/// client.write_all(b"request")?;
/// client.shutdown(Shutdown::Write)?;
/// assert_eq!(aqueduct_os::relay().run(&inside, &outside)?.bytes, 7);
/// outside.shutdown(Shutdown::Write)?;
/// let mut got = String::new();
/// server.read_to_string(&mut got)?;
/// assert_eq!(got, "request");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn relay() -> Transfer {
    Transfer::by(Method::ThroughPipe, None)
}

/// Bytes on their way from one descriptor to another: what is left, where it is, and which way it goes.
///
/// It is told its two sides at each step, owns neither, and must be told the same. [`run`](Self::run)
/// blocks until all bytes have arrived; with feature `tokio`, `run_async` waits; [`step`](Self::step)
/// is for other loops. All three go on where any of them stopped, after an error too: a byte that was
/// read and could not be written stays [inside](Self::pending), so a transfer between streams is kept in
/// a variable by who wants to go on.
///
/// What the system refuses (`EINVAL`, `ENOSYS`, `EOPNOTSUPP`, `EXDEV` and the like) goes on
/// [through a block](Method::ThroughBlock) from the same byte, and says so in [`Transferred`].
///
/// A receiver that has gone away is an error, `BrokenPipe`, provided the process ignores SIGPIPE, as
/// Rust's programs do.
#[derive(Debug)]
#[must_use = "nothing moves before it runs"]
pub struct Transfer {
    method: Method,
    /// Where the next byte is read; none where the source stands.
    from: Option<u64>,
    /// Where the next byte is written; none where the target stands.
    to: Option<u64>,
    /// Bytes still to be read; none for all that there are.
    wanted: Option<u64>,
    /// Bytes that have arrived.
    done: u64,
    /// 1. The bytes that come next were read into a block. It is not empty.
    block: Option<SliceMut>,
    /// 2. The bytes behind them are inside a pipe, so many, not zero.
    pipe: Option<(KernelPipe, usize)>,
    fallback: Option<Fallback>,
}

impl Transfer {
    /// `len` bytes, or all up to the source's end, by this method, from where the source stands to where
    /// the target stands.
    pub fn by(method: Method, len: impl Into<Option<u64>>) -> Self {
        let wanted = len.into();
        Self {
            method,
            from: None,
            to: None,
            wanted,
            done: 0,
            block: None,
            pipe: None,
            fallback: None,
        }
    }

    /// Reads from this offset of a file on, whatever its position.
    pub fn from_offset(self, offset: u64) -> Self {
        Self { from: Some(offset), ..self }
    }

    /// Writes from this offset of a file on, whatever its position. `sendfile` cannot: it is refused.
    pub fn to_offset(self, offset: u64) -> Self {
        Self { to: Some(offset), ..self }
    }

    /// Bytes that have arrived.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done
    }

    /// Bytes that were read and have not arrived yet. They go first when the transfer goes on, and are
    /// lost when it is dropped.
    #[must_use]
    pub fn pending(&self) -> usize {
        let inside = self.pipe.as_ref().map_or(0, |(_, inside)| *inside);
        self.block.as_ref().map_or(0, |block| block.len()) + inside
    }

    /// How far it is.
    #[must_use]
    pub fn transferred(&self) -> Transferred {
        Transferred { bytes: self.done, method: self.method, fallback: self.fallback }
    }

    /// Moves all bytes, and blocks meanwhile, also where the descriptors themselves do not.
    ///
    /// # Errors
    ///
    /// The system's, of either side; `UnexpectedEof` where the source ends before the length that was
    /// asked for, as a file does that somebody truncates; `InvalidInput` where both sides are one file and
    /// bytes would be written before they are read; `WouldBlock`, as std's, where a socket that blocks has
    /// a timeout and nothing moved for so long (for up to twice as long where the way is
    /// [`Splice`](Method::Splice) or [`ThroughPipe`](Method::ThroughPipe)). The error says how many bytes
    /// have arrived, and the same call again goes on behind them.
    pub fn run(&mut self, from: impl AsFd, to: impl AsFd) -> Result<Transferred, TransferError> {
        let (from, to) = (from.as_fd(), to.as_fd());
        loop {
            let step = self.step(from, to)?;
            if step == Step::End {
                return Ok(self.transferred());
            }
            calls::wait(step, from, to).map_err(|error| self.error(Call::Poll, error))?;
        }
    }

    /// One call to the system, which waits for no descriptor that does not wait by itself.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn step(&mut self, from: impl AsFd, to: impl AsFd) -> Result<Step, TransferError> {
        let (from, to) = (from.as_fd(), to.as_fd());
        if let Some(block) = self.block.take() {
            return self.write(block, to);
        }
        if let Some((pipe, inside)) = self.pipe.take() {
            return match self.method {
                Method::ThroughPipe => self.drain(pipe, inside, to),
                _ => self.take_out(pipe, inside),
            };
        }
        if self.wanted == Some(0) {
            return Ok(Step::End);
        }
        if self.overlaps(from, to) {
            let overlap = "the target lies within the source";
            let overlap = io::Error::new(ErrorKind::InvalidInput, overlap);
            return Err(self.error(self.first_call(), overlap));
        }
        match self.method {
            Method::ThroughBlock => self.read(from),
            Method::ThroughPipe => self.fill(from),
            _ => self.pass(from, to),
        }
    }

    /// Which sides the next step touches.
    #[cfg(feature = "tokio")]
    pub(crate) fn touches(&self) -> (bool, bool) {
        match self.method {
            _ if self.block.is_some() => (false, true),
            Method::ThroughPipe if self.pipe.is_some() => (false, true),
            _ if self.pipe.is_some() || self.wanted == Some(0) => (false, false),
            Method::ThroughBlock | Method::ThroughPipe => (true, false),
            _ => (true, true),
        }
    }

    /// From one side to the other in one call.
    fn pass(&mut self, from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<Step, TransferError> {
        let (at, to_at, most) = (self.from, self.to, self.most());
        let (call, moved) = match self.method {
            Method::SendFile if to_at.is_some() => (Call::SendFile, Err(Errno::INVAL.into())),
            Method::SendFile => (Call::SendFile, calls::sendfile(from, at, to, most)),
            Method::Splice => (Call::Splice, calls::splice(from, at, to, to_at, most)),
            _ => (Call::CopyFileRange, calls::copy_file_range(from, at, to, to_at, most)),
        };
        match moved {
            // Files that are made up as they are read, as those of /proc, look empty to these calls.
            Ok(0) if self.done == 0 && self.method != Method::Splice => {
                self.method = Method::ThroughBlock;
                Ok(Step::Moved(0))
            }
            Ok(0) => self.ended(call),
            Ok(count) => {
                self.has_read(count);
                Ok(self.arrived(count))
            }
            // The target's time is up.
            Err(error) if call == Call::SendFile && !calls::is_unready(&error, to) => {
                self.refused(call, error)
            }
            // Either side may be meant.
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(calls::unready(from, to)),
            Err(error) => self.refused(call, error),
        }
    }

    /// From the source into a block.
    fn read(&mut self, from: BorrowedFd<'_>) -> Result<Step, TransferError> {
        let most = self.most().min(BLOCK);
        let mut block = Pool::global().get(most);
        match calls::read(from, self.from, &mut block.spare_mut()[..most]) {
            Ok(0) => self.ended(self.read_call()),
            Ok(count) => {
                self.has_read(count);
                block.commit(count);
                self.block = Some(block);
                Ok(Step::Moved(0))
            }
            Err(error) if calls::is_unready(&error, from) => Ok(Step::Wait(Side::Source)),
            Err(error) if stands(&error, self.from) => {
                self.from = None;
                Ok(Step::Moved(0))
            }
            Err(error) => Err(self.error(self.read_call(), error)),
        }
    }

    /// From a block into the target.
    fn write(&mut self, mut block: SliceMut, to: BorrowedFd<'_>) -> Result<Step, TransferError> {
        let written = calls::write(to, self.to, &block);
        if let Ok(count) = written {
            block.advance(count);
        }
        self.block = Some(block).filter(|block| !block.is_empty());
        let call = if self.to.is_some() { Call::Pwrite } else { Call::Write };
        match written {
            Ok(0) => Err(self.error(call, ErrorKind::WriteZero.into())),
            Ok(count) => Ok(self.arrived(count)),
            Err(error) if calls::is_unready(&error, to) => Ok(Step::Wait(Side::Target)),
            Err(error) if stands(&error, self.to) => {
                self.to = None;
                Ok(Step::Moved(0))
            }
            Err(error) => Err(self.error(call, error)),
        }
    }

    /// From the source into a pipe.
    fn fill(&mut self, from: BorrowedFd<'_>) -> Result<Step, TransferError> {
        let pipe = match KernelPipe::get() {
            Ok(pipe) => pipe,
            Err(error) => return Ok(self.fall_back(Call::Pipe, &error)),
        };
        let moved = calls::splice(from, self.from, pipe.entry(), None, self.most());
        match moved {
            Ok(count @ 1..) => {
                self.has_read(count);
                self.pipe = Some((pipe, count));
                return Ok(Step::Moved(0));
            }
            _ => pipe.give_back(),
        }
        match moved {
            Ok(_) => self.ended(Call::Splice),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Step::Wait(Side::Source)),
            Err(error) => self.refused(Call::Splice, error),
        }
    }

    /// From a pipe into the target.
    fn drain(
        &mut self,
        pipe: KernelPipe,
        inside: usize,
        to: BorrowedFd<'_>,
    ) -> Result<Step, TransferError> {
        let moved = calls::splice(pipe.exit(), None, to, self.to, inside);
        self.keep(pipe, inside - moved.as_ref().map_or(0, |count| *count));
        match moved {
            Ok(0) => Err(self.error(Call::Splice, ErrorKind::WriteZero.into())),
            Ok(count) => Ok(self.arrived(count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Step::Wait(Side::Target)),
            Err(error) => self.refused(Call::Splice, error),
        }
    }

    /// From a pipe into a block, since the target takes no splices.
    fn take_out(&mut self, pipe: KernelPipe, inside: usize) -> Result<Step, TransferError> {
        let most = inside.min(BLOCK);
        let mut block = Pool::global().get(most);
        let taken = calls::read(pipe.exit(), None, &mut block.spare_mut()[..most]);
        let count = *taken.as_ref().unwrap_or(&0);
        self.keep(pipe, inside - count);
        block.commit(count);
        self.block = Some(block).filter(|block| !block.is_empty());
        match taken {
            Ok(_) => Ok(Step::Moved(0)),
            Err(error) => Err(self.error(Call::Read, error)),
        }
    }

    /// Keeps a pipe as long as there is something inside.
    fn keep(&mut self, pipe: KernelPipe, inside: usize) {
        if inside == 0 {
            pipe.give_back();
        } else {
            self.pipe = Some((pipe, inside));
        }
    }

    /// What to ask for at once. At offset `i64::MAX`, behind which no byte can be, one byte: the
    /// system has its own answer to that.
    fn most(&self) -> usize {
        let room = |at: Option<u64>| (i64::MAX as u64).saturating_sub(at.unwrap_or(0)).max(1);
        let most = self.wanted.unwrap_or(u64::MAX).min(room(self.from)).min(room(self.to));
        usize::try_from(most).unwrap_or(MOST).min(MOST)
    }

    fn has_read(&mut self, count: usize) {
        self.from = self.from.map(|at| at + count as u64);
        self.wanted = self.wanted.map(|wanted| wanted - count as u64);
    }

    fn arrived(&mut self, count: usize) -> Step {
        self.to = self.to.map(|at| at + count as u64);
        self.done += count as u64;
        Step::Moved(count)
    }

    /// The source has no more bytes.
    fn ended(&self, call: Call) -> Result<Step, TransferError> {
        match self.wanted {
            None => Ok(Step::End),
            Some(wanted) => {
                let missing = format!("the source ended {wanted} bytes early");
                Err(self.error(call, io::Error::new(ErrorKind::UnexpectedEof, missing)))
            }
        }
    }

    /// Goes on through a block, if that may help.
    fn refused(&mut self, call: Call, error: io::Error) -> Result<Step, TransferError> {
        match Errno::from_io_error(&error) {
            Some(
                Errno::INVAL
                | Errno::NOSYS
                | Errno::OPNOTSUPP
                | Errno::XDEV
                | Errno::PERM
                // A target that is appended to.
                | Errno::BADF
                // A source or target without positions.
                | Errno::SPIPE,
            ) => Ok(self.fall_back(call, &error)),
            _ => Err(self.error(call, error)),
        }
    }

    fn fall_back(&mut self, call: Call, error: &io::Error) -> Step {
        self.method = Method::ThroughBlock;
        self.fallback = Some(Fallback { call, errno: error.raw_os_error().unwrap_or(0) });
        Step::Moved(0)
    }

    /// Whether bytes would be written before they are read: they would be copied twice, or for ever.
    fn overlaps(&self, from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> bool {
        // Later they stand elsewhere.
        let places = (self.done == 0).then(|| within_one_file(from, self.from, to, self.to));
        places.flatten().is_some_and(|(at, to_at)| {
            to_at > at && self.wanted.is_none_or(|wanted| to_at - at < wanted)
        })
    }

    fn first_call(&self) -> Call {
        match self.method {
            Method::SendFile => Call::SendFile,
            Method::CopyFileRange => Call::CopyFileRange,
            Method::Splice | Method::ThroughPipe => Call::Splice,
            Method::ThroughBlock => self.read_call(),
        }
    }

    fn read_call(&self) -> Call {
        if self.from.is_some() { Call::Pread } else { Call::Read }
    }

    pub(crate) fn error(&self, call: Call, error: io::Error) -> TransferError {
        let offset = self.from.and_then(|at| at.checked_sub(self.pending() as u64));
        TransferError { call, offset, done: self.done, error }
    }
}

/// Whether what was used at this offset has no positions, and may be used where it stands.
fn stands(error: &io::Error, at: Option<u64>) -> bool {
    at == Some(0) && Errno::from_io_error(error) == Some(Errno::SPIPE)
}
