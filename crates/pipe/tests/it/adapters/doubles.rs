//! A source and a sink that do what a script says, and no more than once each step.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Where the buffers are that a source has lied with: they are never freed, and a leak checker sees
/// that they are not lost.
static LIES: std::sync::Mutex<Vec<usize>> = std::sync::Mutex::new(Vec::new());

/// What one call does. When the script is at its end, calls do as well as they can.
#[derive(Clone, Debug)]
pub enum Act {
    /// Moves at most so many bytes.
    Some(usize),
    /// Is not ready, and wakes nobody.
    Wait,
    Fail(ErrorKind),
    /// A sink that takes nothing and calls that success.
    Nothing,
    /// Answers so many more than it was given.
    Lie(usize),
}

pub fn failed<T>(kind: ErrorKind) -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::Error::new(kind, "scripted")))
}

/// Gives its bytes, then ends.
pub struct Source {
    pub bytes: VecDeque<u8>,
    pub script: VecDeque<Act>,
    pub calls: usize,
    /// Bytes of room in each call.
    pub rooms: Vec<usize>,
}

impl Source {
    pub fn new(bytes: &[u8], script: impl IntoIterator<Item = Act>) -> Self {
        let script = script.into_iter().collect();
        Self { bytes: bytes.iter().copied().collect(), script, calls: 0, rooms: Vec::new() }
    }
}

impl AsyncRead for Source {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.calls += 1;
        self.rooms.push(to.remaining());
        let most = match self.script.pop_front() {
            None => usize::MAX,
            Some(Act::Some(most)) => most,
            Some(Act::Wait) => return Poll::Pending,
            Some(Act::Fail(kind)) => return failed(kind),
            Some(Act::Nothing) => 0,
            Some(Act::Lie(more)) => {
                // As far as a safe source can lie: another buffer in the place of ours.
                let long = vec![0; to.remaining() + more].leak();
                LIES.lock().unwrap().push(long.as_ptr().expose_provenance());
                *to = ReadBuf::new(long);
                to.advance(to.capacity());
                return Poll::Ready(Ok(()));
            }
        };
        let count = most.min(to.remaining()).min(self.bytes.len());
        let given: Vec<u8> = self.bytes.drain(..count).collect();
        to.put_slice(&given);
        Poll::Ready(Ok(()))
    }
}

/// Takes what it is given.
#[derive(Default)]
pub struct Sink {
    pub got: Vec<u8>,
    pub script: VecDeque<Act>,
    pub vectored: bool,
    /// Bytes in each call.
    pub writes: Vec<usize>,
    pub flushes: usize,
    pub flush_fails: bool,
    /// What the next flushes do.
    pub flushing: VecDeque<Act>,
    /// Bytes behind the last flush that was done.
    pub flushed: usize,
    pub closed: bool,
}

impl Sink {
    pub fn new(vectored: bool, script: impl IntoIterator<Item = Act>) -> Self {
        Self { vectored, script: script.into_iter().collect(), ..Self::default() }
    }

    pub fn take(&mut self, parts: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        self.writes.push(bytes.len());
        let most = match self.script.pop_front() {
            None => usize::MAX,
            Some(Act::Some(most)) => most,
            Some(Act::Wait) => return Poll::Pending,
            Some(Act::Fail(kind)) => return failed(kind),
            Some(Act::Nothing) => 0,
            Some(Act::Lie(more)) => return Poll::Ready(Ok(bytes.len() + more)),
        };
        let count = most.min(bytes.len());
        self.got.extend(&bytes[..count]);
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for Sink {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.take(&[IoSlice::new(from)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        from: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        assert!(self.vectored, "it said that it takes one piece at a time");
        self.take(from)
    }

    fn is_write_vectored(&self) -> bool {
        self.vectored
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.flushes += 1;
        match self.flushing.pop_front() {
            Some(Act::Wait) => return Poll::Pending,
            Some(Act::Fail(kind)) => return failed(kind),
            _ if self.flush_fails => return failed(ErrorKind::Other),
            _ => {}
        }
        self.flushed = self.got.len();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.closed = true;
        Poll::Ready(Ok(()))
    }
}
