//! The ways in which a file's bytes get to a socket.

use std::fs::File;
use std::future::Future;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use aqueduct::{Pool, Slice};
use rustix::fd::{AsFd, BorrowedFd};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, spawn_blocking};
use web::{Handover, Reply};

use super::Way;

/// Bytes of a pooled block, and what a socket is given at once.
const BLOCK: usize = 256 << 10;

/// Has `part` of `file` follow what `reply` says so far.
pub(super) fn hand_over(
    way: Way,
    pool: &Pool,
    file: File,
    part: Range<u64>,
    reply: &mut Reply<'_>,
) {
    let len = part.end - part.start;
    match way {
        Way::ReadAll => reply.hand_over(len, ReadAll::new(file, part)),
        Way::Pooled => {
            let (pool, block) = (pool.clone(), Slice::new());
            reply.hand_over(len, Pooled { file, part, pool, block });
        }
        Way::Mapped | Way::Sendfile | Way::IoUring => {
            reply.hand_over(len, Pooled { file, part, pool: pool.clone(), block: Slice::new() })
        }
    }
}

/// Has `attempt` write to the socket when that takes something.
fn poll_write(
    context: &mut Context<'_>,
    socket: &TcpStream,
    mut attempt: impl FnMut(BorrowedFd<'_>) -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(socket.poll_write_ready(context))?;
        match socket.try_io(Interest::WRITABLE, || attempt(socket.as_fd())) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return Poll::Ready(done),
        }
    }
}

/// The whole file in an array of its own, whatever part of it is wanted. It is read on another thread,
/// so that nobody else waits for it.
enum ReadAll {
    Reading(JoinHandle<io::Result<Vec<u8>>>, Range<u64>),
    Writing(Vec<u8>, Range<usize>),
}

impl ReadAll {
    fn new(mut file: File, part: Range<u64>) -> Self {
        let read = move || {
            let len = file.metadata()?.len();
            let mut bytes = Vec::new();
            bytes.try_reserve_exact(usize::try_from(len).unwrap_or(usize::MAX))?;
            file.read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        Self::Reading(spawn_blocking(read), part)
    }
}

impl Handover for ReadAll {
    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        socket: &TcpStream,
    ) -> Poll<io::Result<u64>> {
        if let Self::Reading(reading, part) = self {
            let bytes = ready!(Pin::new(reading).poll(context)).map_err(io::Error::other)??;
            let part = usize::try_from(part.start).ok().zip(usize::try_from(part.end).ok());
            let (start, end) = part.filter(|(_, end)| *end <= bytes.len()).ok_or_else(shrunk)?;
            *self = Self::Writing(bytes, start..end);
        }
        let Self::Writing(bytes, part) = self else { unreachable!("it was read") };
        let sent = ready!(poll_write(context, socket, |fd| {
            Ok(rustix::io::write(fd, &bytes[part.clone()])?)
        }))?;
        part.start += sent;
        Poll::Ready(Ok(sent as u64))
    }
}

/// A block at a time.
struct Pooled {
    file: File,
    /// What is not read yet.
    part: Range<u64>,
    pool: Pool,
    /// What is read and not sent.
    block: Slice,
}

impl Handover for Pooled {
    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        socket: &TcpStream,
    ) -> Poll<io::Result<u64>> {
        if self.block.is_empty() {
            self.block = self.read()?;
        }
        let sent =
            ready!(poll_write(context, socket, |fd| { Ok(rustix::io::write(fd, &self.block)?) }))?;
        self.block.advance(sent);
        Poll::Ready(Ok(sent as u64))
    }
}

impl Pooled {
    /// The next block. A disk is not waited for elsewhere: it is as fast as another thread.
    fn read(&mut self) -> io::Result<Slice> {
        let left = self.part.end - self.part.start;
        let mut block = self.pool.get(BLOCK.min(usize::try_from(left).unwrap_or(BLOCK)));
        let room = block.spare_mut();
        let most = room.len().min(usize::try_from(left).unwrap_or(BLOCK));
        let count = self.file.read_at(&mut room[..most], self.part.start)?;
        if count == 0 {
            return Err(shrunk());
        }
        block.commit(count);
        self.part.start += count as u64;
        Ok(block.freeze())
    }
}

/// The file has fewer bytes than when the client was told of them.
fn shrunk() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the file was cut while it was sent")
}
