//! A socket as the source of one direction and the sink of the other, at the same time.

use std::{
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use rustix::net::{Shutdown, shutdown, sockopt::set_socket_linger};
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
};

use super::Xor;

/// Reads a socket, and sees the bytes before anybody else: where they were received, it counts their lines
/// and transforms them.
pub(super) struct Source<'a> {
    pub(super) socket: &'a TcpStream,
    /// Only where it is done in place.
    pub(super) transform: Option<Xor>,
    pub(super) lines: &'a mut u64,
}

impl AsyncRead for Source<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let spare = room.initialize_unfilled();
        let count = ready!(poll_receive(this.socket, context, spare))?;
        let fresh = &mut spare[..count];
        *this.lines += memchr::memchr_iter(b'\n', fresh).count() as u64;
        if let Some(transform) = this.transform {
            transform.in_place(fresh);
        }
        room.advance(count);
        Poll::Ready(Ok(()))
    }
}

/// Receives once. What leaves room has emptied the socket, so it is not asked again before the system says
/// that there is more: as tokio's own, which asks for the socket to be borrowed for one use alone.
fn poll_receive(
    socket: &TcpStream,
    context: &mut Context<'_>,
    room: &mut [u8],
) -> Poll<io::Result<usize>> {
    loop {
        ready!(socket.poll_read_ready(context))?;
        let mut some = None;
        let read = socket.try_io(Interest::READABLE, || {
            let count = rustix::io::retry_on_intr(|| rustix::io::read(socket, &mut *room))?;
            if count > 0 && count < room.len() {
                some = Some(count);
                return Err(ErrorKind::WouldBlock.into());
            }
            Ok(count)
        });
        match (some, read) {
            (Some(count), _) => return Poll::Ready(Ok(count)),
            (None, Err(error)) if error.kind() == ErrorKind::WouldBlock => {}
            (None, read) => return Poll::Ready(read),
        }
    }
}

/// Writes a socket.
pub(super) struct Sink<'a>(pub(super) &'a TcpStream);

impl Sink<'_> {
    fn poll(
        &self,
        context: &mut Context<'_>,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(context))?;
            match write(self.0) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
        }
    }
}

impl AsyncWrite for Sink<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll(context, |socket| socket.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll(context, |socket| socket.try_write_vectored(pieces))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(end(self.0))
    }
}

/// Passes an end on: nothing more will be written to this socket.
pub(super) fn end(socket: &TcpStream) -> io::Result<()> {
    Ok(shutdown(socket, Shutdown::Write)?)
}

/// Two sockets that are connected here. Unless both directions came to their end, both are reset when they
/// are dropped: what was cut off is not to be taken for the end.
pub(super) struct Pair {
    pub(super) client: TcpStream,
    pub(super) target: TcpStream,
    pub(super) is_over: bool,
}

impl Drop for Pair {
    fn drop(&mut self) {
        if !self.is_over {
            reset(&self.client);
            reset(&self.target);
        }
    }
}

/// Makes the socket's peer see a reset when it is dropped.
pub(super) fn reset(socket: &TcpStream) {
    // Of a socket that is broken already nothing more is wanted.
    let _ = set_socket_linger(socket, Some(Duration::ZERO));
}

impl Xor {
    /// Changes bytes where they are.
    pub fn in_place(self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte ^= self.0;
        }
    }

    /// A new array of the changed bytes.
    pub(super) fn to_array(self, bytes: &[u8]) -> Vec<u8> {
        aqueduct::meter::count_copy(bytes.len());
        bytes.iter().map(|byte| byte ^ self.0).collect()
    }
}
