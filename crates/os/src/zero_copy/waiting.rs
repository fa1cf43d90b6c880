//! [`ZeroCopySender`] under tokio.

use super::{ZeroCopySender, watch::Watch};
use ::tokio::{
    io::{Interest, unix::AsyncFd},
    task::coop::consume_budget,
};
use aqueduct_sequence::Sequence;
use std::{
    io::{self, ErrorKind},
    os::fd::AsFd,
    time::Duration,
};

impl<S: AsFd + Send + 'static> ZeroCopySender<S> {
    /// As [`send`](Self::send), in a task of tokio's, whether the socket is one of tokio's or not.
    ///
    /// A future that is dropped has sent what it took off the front of `data`, and no more.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), but that it waits for room itself.
    ///
    /// # Panics
    ///
    /// When it has to wait outside of a runtime with I/O.
    pub async fn send_async(&mut self, data: &mut Sequence) -> io::Result<()> {
        while !data.is_empty() {
            consume_budget().await;
            match self.try_send(data) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.changed().await?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// As [`settle`](Self::settle), in a task of tokio's. For a limit of time, drop it.
    ///
    /// # Errors
    ///
    /// When the system cannot watch or read the socket's error queue.
    ///
    /// # Panics
    ///
    /// When it has to wait outside of a runtime with I/O.
    pub async fn settle_async(&mut self) -> io::Result<()> {
        loop {
            self.drain()?;
            if self.in_flight.is_empty() {
                return Ok(());
            }
            self.changed().await?;
        }
    }

    /// Waits until the socket has changed since the last wait.
    async fn changed(&mut self) -> io::Result<()> {
        let watch = match &mut self.async_watch {
            Some(watch) => watch,
            none => {
                let watch = Watch::new(self.socket.as_fd())?;
                #[allow(
                    deprecated,
                    reason = "its unsafe successor is younger than our oldest tokio; \
                                              a watch owns its descriptor and never changes it"
                )]
                none.insert(AsyncFd::with_interest(watch, Interest::READABLE)?)
            }
        };
        loop {
            let mut ready = watch.readable().await?;
            // Stays ready: the next wait finds nothing, and clears it then.
            if ready.get_inner().wait(Some(Duration::ZERO))? {
                return Ok(());
            }
            ready.clear_ready();
        }
    }
}
