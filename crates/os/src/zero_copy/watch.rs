//! [`Watch`]: waiting for room in a socket and for news in its error queue.

use rustix::event::{
    Timespec,
    epoll::{self, CreateFlags, Event, EventData, EventFlags},
};
use std::{
    io,
    mem::MaybeUninit,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
    time::{Duration, Instant},
};

/// An epoll of one socket, edge-triggered: each change of the socket is told once.
///
/// Why not poll(2): once a connection is reset, `POLLHUP` is told for ever, and who waits for a
/// notification would spin. Why not tokio's own readiness of the socket: news in the error queue is
/// `EPOLLERR`, which mio takes for the end of writing, and tokio never unlearns an end. From the first
/// notification on, every wait for room would be over at once. An epoll is only ever readable, so
/// tokio waits for that.
#[derive(Debug)]
pub(super) struct Watch(OwnedFd);

impl Watch {
    pub(super) fn new(socket: BorrowedFd<'_>) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        // Errors and hang-ups are told unasked.
        epoll::add(&epoll, socket, EventData::new_u64(0), EventFlags::OUT | EventFlags::ET)?;
        Ok(Self(epoll))
    }

    /// Waits until something has changed since the last wait, or so long. Says whether it has.
    pub(super) fn wait(&self, most: Option<Duration>) -> io::Result<bool> {
        let end = most.and_then(|most| Instant::now().checked_add(most));
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            // More than the clock can say is no end.
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            let mut event = [MaybeUninit::<Event>::uninit()];
            match epoll::wait(&self.0, &mut event, left.as_ref()) {
                Ok((told, _)) => return Ok(!told.is_empty()),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Watch {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
