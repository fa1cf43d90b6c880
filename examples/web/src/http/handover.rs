//! [`Handover`]: a body that does not go through the pipe.

use std::{
    fmt, io,
    task::{Context, Poll, ready},
};
use tokio::net::TcpStream;

/// A body that is sent to the client's socket itself, past the pipe: a file, by the operating system.
/// Dropped before its end if the client goes away, is too slow, or the server stops.
///
/// ```
/// use std::{io, task::{Context, Poll, ready}};
/// use tokio::net::TcpStream;
/// use web::{Handover, Reply, Request};
///
/// struct Text(&'static [u8]);
///
/// impl Handover for Text {
///     fn poll_send(
///         &mut self,
///         context: &mut Context<'_>,
///         socket: &TcpStream,
///     ) -> Poll<io::Result<u64>> {
///         loop {
///             ready!(socket.poll_write_ready(context))?;
///             match socket.try_write(self.0) {
///                 // It was not as ready as it seemed.
///                 Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
///                 sent => {
///                     let sent = sent?;
///                     self.0 = &self.0[sent..];
///                     return Poll::Ready(Ok(sent as u64));
///                 }
///             }
///         }
///     }
/// }
///
/// // A service, to be served as any other.
/// let service = |_: &Request<'_>, reply: &mut Reply<'_>| {
///     reply.header("content-type", "text/plain").hand_over(5, Text(b"hello"));
/// };
/// # let _: &dyn web::Service = &service;
/// ```
pub trait Handover: Send + 'static {
    /// Sends some of what is left. How many bytes that was: none is the end, and too early.
    ///
    /// When the socket takes nothing, the task is to be woken when it does, as by
    /// [`poll_write_ready`](TcpStream::poll_write_ready).
    ///
    /// # Errors
    ///
    /// What keeps it from being sent. The connection is closed then: that is all that the client can
    /// still be told.
    fn poll_send(&mut self, context: &mut Context<'_>, socket: &TcpStream)
    -> Poll<io::Result<u64>>;
}

/// What is left of a body that was handed over.
pub struct HandedOver {
    body: Box<dyn Handover>,
    left: u64,
}

impl HandedOver {
    pub(crate) fn new(body: impl Handover, left: u64) -> Self {
        Self { body: Box::new(body), left }
    }

    /// Bytes that are not sent.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Sends some of them.
    ///
    /// # Errors
    ///
    /// The body's, and when it has sent less or more than was said of it.
    pub fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        socket: &TcpStream,
    ) -> Poll<io::Result<()>> {
        let sent = ready!(self.body.poll_send(context, socket))?;
        Poll::Ready(match self.left.checked_sub(sent) {
            Some(left) if sent > 0 => {
                self.left = left;
                Ok(())
            }
            _ => Err(io::Error::other(format!("{sent} bytes sent of {} that are left", self.left))),
        })
    }
}

impl fmt::Debug for HandedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandedOver").field("left", &self.left).finish_non_exhaustive()
    }
}
