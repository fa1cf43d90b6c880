//! [`Readiness`], and what waits for it instead of blocking.

use crate::{Call, Side, Step, Transfer, TransferError, Transferred};
use std::{
    fs::File,
    future::Future,
    io::{self, ErrorKind},
    os::fd::{AsFd, AsRawFd},
};
use tokio::{
    io::{Interest, unix::AsyncFd},
    net::{TcpStream, UnixStream},
    task::coop::consume_budget,
};

/// A descriptor that can be waited for. What tokio has is one; other things go into an [`AsyncFd`].
///
/// An ordinary file is always ready, so a call on it may wait for the disk: where that matters,
/// [`run`](Transfer::run) on a thread for such work. A pipe may be a [`File`], too; an [`AsyncFd`] of it
/// is cheaper to wait for.
pub trait Readiness: AsFd + Sync {
    /// Waits until there is something to be tried.
    fn ready(&self, interest: Interest) -> impl Future<Output = io::Result<()>> + Send;

    /// Tries it, and forgets that it was ready where it answers `WouldBlock`.
    ///
    /// # Errors
    ///
    /// What the trial says; `WouldBlock` without a trial where it is known not to be ready.
    fn attempt(&self, interest: Interest, trial: impl FnOnce() -> io::Result<()>)
    -> io::Result<()>;
}

macro_rules! readiness {
    ($($stream:ty),*) => {$(
        impl Readiness for $stream {
            async fn ready(&self, interest: Interest) -> io::Result<()> {
                self.ready(interest).await.map(drop)
            }

            fn attempt(
                &self,
                interest: Interest,
                trial: impl FnOnce() -> io::Result<()>,
            ) -> io::Result<()> {
                self.try_io(interest, trial)
            }
        }
    )*};
}

readiness!(TcpStream, UnixStream);

impl<T: AsRawFd + Send + Sync> Readiness for AsyncFd<T> {
    async fn ready(&self, interest: Interest) -> io::Result<()> {
        self.ready(interest).await.map(drop)
    }

    fn attempt(
        &self,
        interest: Interest,
        trial: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        self.try_io(interest, |_| trial())
    }
}

impl Readiness for File {
    /// Waited for only where it was found not to be ready, as a pipe that was opened as a file.
    async fn ready(&self, interest: Interest) -> io::Result<()> {
        #[allow(deprecated, reason = "sound with a File; its heir is newer than tokio 1.47")]
        let watched = AsyncFd::new(self.try_clone()?)?;
        watched.ready(interest).await.map(drop)
    }

    fn attempt(&self, _: Interest, trial: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        trial()
    }
}

impl<T: Readiness> Readiness for &T {
    fn ready(&self, interest: Interest) -> impl Future<Output = io::Result<()>> + Send {
        T::ready(self, interest)
    }

    fn attempt(
        &self,
        interest: Interest,
        trial: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        T::attempt(self, interest, trial)
    }
}

impl Transfer {
    /// As [`run`](Transfer::run), but waits as tokio's tasks do. Both sides must be non-blocking, as
    /// tokio's are, or files.
    ///
    /// Dropping the future loses nothing: all that was moved is in the transfer, and the same call
    /// again goes on. Long transfers give other tasks their turn.
    ///
    /// ```
    /// use aqueduct_os::relay;
    /// use std::io;
    /// use tokio::{
    ///     io::AsyncWriteExt,
    ///     net::{TcpStream, tcp::ReadHalf, tcp::WriteHalf},
    /// };
    ///
    /// /// One direction of a proxy, and its end.
    /// async fn forward(from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> io::Result<()> {
    ///     relay().run_async(from.as_ref(), to.as_ref()).await?;
    ///     to.shutdown().await
    /// }
    ///
    /// async fn proxy(mut client: TcpStream, mut server: TcpStream) -> io::Result<()> {
    ///     let ((requests, answers), (from, to)) = (client.split(), server.split());
    ///     tokio::try_join!(forward(requests, to), forward(from, answers)).map(drop)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`run`](Transfer::run).
    pub async fn run_async(
        &mut self,
        from: &impl Readiness,
        to: &impl Readiness,
    ) -> Result<Transferred, TransferError> {
        loop {
            let step = match self.touches() {
                (true, true) => try_both(from, to, || self.step(from, to)),
                (true, false) => try_source(from, || self.step(from, to)),
                (false, true) => try_target(to, || self.step(from, to)),
                (false, false) => self.step(from, to),
            };
            let step = step?;
            if step == Step::End {
                return Ok(self.transferred());
            }
            wait(step, from, to).await.map_err(|error| self.error(Call::Poll, error))?;
        }
    }
}

/// Waits for the side that a step found not ready; after one that moved something, others have their turn.
pub(crate) async fn wait(step: Step, from: &impl Readiness, to: &impl Readiness) -> io::Result<()> {
    match step {
        Step::Wait(Side::Source) => from.ready(Interest::READABLE).await,
        Step::Wait(Side::Target) => to.ready(Interest::WRITABLE).await,
        Step::Moved(_) | Step::End => {
            consume_budget().await;
            Ok(())
        }
    }
}

/// A step that may find either side not ready. What it was is asked before the step, so that a side that
/// becomes ready during it stays so.
pub(crate) fn try_both<E>(
    from: &impl Readiness,
    to: &impl Readiness,
    step: impl FnOnce() -> Result<Step, E>,
) -> Result<Step, E> {
    try_source(from, || try_target(to, step))
}

/// A step that may find the source not ready.
pub(crate) fn try_source<E>(
    from: &impl Readiness,
    step: impl FnOnce() -> Result<Step, E>,
) -> Result<Step, E> {
    try_side(from, Interest::READABLE, Side::Source, step)
}

/// A step that may find the target not ready.
pub(crate) fn try_target<E>(
    to: &impl Readiness,
    step: impl FnOnce() -> Result<Step, E>,
) -> Result<Step, E> {
    try_side(to, Interest::WRITABLE, Side::Target, step)
}

fn try_side<E>(
    fd: &impl Readiness,
    interest: Interest,
    side: Side,
    step: impl FnOnce() -> Result<Step, E>,
) -> Result<Step, E> {
    let unready = Step::Wait(side);
    // So it stays, when it is known not to be ready and nothing is tried.
    let mut outcome = Ok(unready);
    let told = fd.attempt(interest, || {
        outcome = step();
        match outcome {
            Ok(step) if step == unready => Err(ErrorKind::WouldBlock.into()),
            _ => Ok(()),
        }
    });
    // It said what `outcome` says.
    drop(told);
    outcome
}
