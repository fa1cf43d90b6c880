//! The ways in which a file's bytes get to a socket.

use std::fs::File;
use std::future::Future;
use std::io::{self, Read};
use std::ops::Range;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use aqueduct::os::{MappedFile, Method, Step, Transfer};
use rustix::fd::{AsFd, BorrowedFd};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, spawn_blocking};
use web::{Handover, Reply};

use super::Way;
use super::uring::Filled;

/// What a map gives to a socket at once, so that other connections get their turn.
const AT_ONCE: usize = 1 << 20;

/// Has `part` of `file` follow what `reply` says so far. Nothing is read before it is sent.
pub(super) fn hand_over(way: Way, file: File, part: Range<u64>, reply: &mut Reply<'_>) {
    let len = part.end - part.start;
    let transfer = |method| Transfer::by(method, len).from_offset(part.start);
    match way {
        Way::ReadAll => return reply.hand_over(len, ReadAll::Begun(Some(file), part)),
        Way::Mapped => match MappedFile::map_range(&file, part.clone()) {
            Ok(map) => return reply.hand_over(len, Mapped { map, sent: 0 }),
            Err(refused) => tell_once(&format!("mmap refused: {refused}; reading instead")),
        },
        Way::IoUring => {
            if let Some(filled) = Filled::new(&file, part.clone()) {
                return reply.hand_over(len, filled);
            }
        }
        Way::Sendfile => {
            return reply.hand_over(len, Moved { file, by: transfer(Method::SendFile) });
        }
        Way::Pooled => {}
    }
    reply.hand_over(len, Moved { file, by: transfer(Method::ThroughBlock) });
}

/// Has `attempt` write to the socket when that takes something.
pub(super) fn poll_write<T>(
    context: &mut Context<'_>,
    socket: &TcpStream,
    mut attempt: impl FnMut(BorrowedFd<'_>) -> io::Result<T>,
) -> Poll<io::Result<T>> {
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
    Begun(Option<File>, Range<u64>),
    Reading(JoinHandle<io::Result<Vec<u8>>>, Range<u64>),
    Writing(Vec<u8>, Range<usize>),
}

fn read_whole(mut file: File) -> io::Result<Vec<u8>> {
    let len = file.metadata()?.len();
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(usize::try_from(len).unwrap_or(usize::MAX))?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Handover for ReadAll {
    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        socket: &TcpStream,
    ) -> Poll<io::Result<u64>> {
        loop {
            match self {
                Self::Begun(file, part) => {
                    let Some(file) = file.take() else { return Poll::Ready(Err(shrunk())) };
                    let part = part.clone();
                    *self = Self::Reading(spawn_blocking(move || read_whole(file)), part);
                }
                Self::Reading(reading, part) => {
                    let bytes = ready!(Pin::new(reading).poll(context))??;
                    let part = usize::try_from(part.start).ok().zip(usize::try_from(part.end).ok());
                    let part = part.filter(|(_, end)| *end <= bytes.len());
                    let (start, end) = part.ok_or_else(shrunk)?;
                    *self = Self::Writing(bytes, start..end);
                }
                Self::Writing(bytes, part) => {
                    let left = &bytes[part.clone()];
                    let write = |fd: BorrowedFd<'_>| Ok(rustix::io::write(fd, left)?);
                    let sent = ready!(poll_write(context, socket, write))?;
                    part.start += sent;
                    return Poll::Ready(Ok(sent as u64));
                }
            }
        }
    }
}

/// Written by the kernel out of a map.
struct Mapped {
    map: MappedFile,
    sent: usize,
}

impl Handover for Mapped {
    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        socket: &TcpStream,
    ) -> Poll<io::Result<u64>> {
        let range = self.sent..self.map.len().min(self.sent + AT_ONCE);
        let write = |fd: BorrowedFd<'_>| Ok(self.map.write_to(fd, range.clone())?);
        let sent = ready!(poll_write(context, socket, write))?;
        self.sent += sent;
        Poll::Ready(Ok(sent as u64))
    }
}

/// Moved by the system, or through blocks.
struct Moved {
    file: File,
    by: Transfer,
}

impl Handover for Moved {
    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        socket: &TcpStream,
    ) -> Poll<io::Result<u64>> {
        let Self { file, by } = self;
        let step = |fd: BorrowedFd<'_>| loop {
            match by.step(&*file, fd)? {
                Step::Moved(0) => {}
                Step::Moved(count) => return Ok(count as u64),
                Step::Wait(_) => return Err(io::ErrorKind::WouldBlock.into()),
                Step::End => return Err(shrunk()),
            }
        };
        let sent = ready!(poll_write(context, socket, step));
        if let Some(fallback) = self.by.transferred().fallback {
            tell_once(&fallback.to_string());
        }
        Poll::Ready(sent)
    }
}

/// One line for the log, the first time: what is true of one file is true of the next.
pub(super) fn tell_once(line: &str) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !TOLD.swap(true, Ordering::Relaxed) {
        eprintln!("patterns: {line}");
    }
}

/// The file has fewer bytes than when the client was told of them.
pub(super) fn shrunk() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the file was cut while it was sent")
}
