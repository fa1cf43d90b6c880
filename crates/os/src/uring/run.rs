//! Futures of a ring on tokio.

use super::{Op, Receive, Ring};
use aqueduct_slice::Slice;
use std::{
    future::poll_fn,
    io,
    os::fd::OwnedFd,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};
use tokio::{
    io::{Interest, unix::AsyncFd},
    task::coop,
};

impl Ring {
    /// Runs `future` on tokio, and with it all operations of the ring, also those of other tasks of
    /// this thread: of a `tokio::task::LocalSet` that `future` runs, or that runs this. No thread is
    /// added: tokio watches the ring as it does a socket.
    ///
    /// ```
    /// # use aqueduct_os::uring::Ring;
    /// # use aqueduct_pool::Pool;
    /// # use std::{fs::File, io, sync::Arc};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> io::Result<()> {
    /// # if Ring::probe().is_err() { return Ok(()) }
    /// let ring = Ring::new(64)?;
    /// let file = Arc::new(File::open("/proc/self/exe")?);
    /// let (read, block) = ring.run_until(async {
    ///     ring.read_at(&file, 0, 4096, Pool::global().get(4096)).await
    /// }).await?;
    /// # assert_eq!(read?, block.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The system's, when the ring cannot be watched, or fails; `future` is dropped then.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with its I/O enabled.
    pub async fn run_until<F: Future>(&self, future: F) -> io::Result<F::Output> {
        let driver = Driver::new(self)?;
        let mut future = pin!(future);
        poll_fn(|context| {
            if let Poll::Ready(refused) = driver.poll(context) {
                return Poll::Ready(Err(refused));
            }
            future.as_mut().poll(context).map(Ok)
        })
        .await
    }

    /// What a future does that is not done: has the kernel hear of it, and sees what is done by then.
    pub(super) fn go_on(&self, context: &Context<'_>) -> io::Result<()> {
        if self.drivers.get() == 0 {
            return Err(io::Error::other("nothing drives the ring: await within Ring::run_until"));
        }
        self.turn(0)?;
        if self.core.borrow_mut().is_stuck() {
            // The kernel was short of something: again, after others.
            context.waker().wake_by_ref();
        }
        Ok(())
    }
}

/// Takes up completions when tokio says that there are some.
struct Driver {
    /// A descriptor of its own, as one can be watched once.
    watched: AsyncFd<OwnedFd>,
    ring: Ring,
}

impl Driver {
    fn new(ring: &Ring) -> io::Result<Self> {
        let descriptor = ring.core.borrow().descriptor()?;
        #[allow(deprecated, reason = "sound with an OwnedFd; its heir is newer than tokio 1.47")]
        let watched = AsyncFd::with_interest(descriptor, Interest::READABLE)?;
        ring.drivers.set(ring.drivers.get() + 1);
        Ok(Self { ring: ring.clone(), watched })
    }

    /// Ready with an error only.
    fn poll(&self, context: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            let done = ready!(self.watched.poll_read_ready(context)).and_then(|mut ready| {
                // First: what is done from here on is told again.
                ready.clear_ready();
                self.ring.turn(0)
            });
            if let Err(refused) = done {
                return Poll::Ready(refused);
            }
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.ring.drivers.set(self.ring.drivers.get() - 1);
        if self.ring.drivers.get() == 0 {
            // So that they say that nobody drives them.
            let wakers = self.ring.core.borrow_mut().wakers();
            for waker in wakers {
                // One that panics keeps no other from being woken.
                let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
            }
        }
    }
}

impl<T> Future for Op<T> {
    type Output = T;

    /// Gives an error of kind `Other` outside [`Ring::run_until`].
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let turn = ready!(coop::poll_proceed(context));
        let mut done = self.take(None);
        if done.is_none() {
            done = match self.ring.go_on(context) {
                Ok(()) => self.take(Some(context.waker())),
                Err(refused) => Some(self.fail(refused)),
            };
        }
        let Some(done) = done else { return Poll::Pending };
        turn.made_progress();
        Poll::Ready(done)
    }
}

impl Receive {
    /// As [`next`](Self::next), for those who poll.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Option<Slice>>> {
        let turn = ready!(coop::poll_proceed(context));
        let mut next = self.take(None);
        if next.is_none() {
            if let Err(refused) = self.ring.go_on(context) {
                return Poll::Ready(Err(refused));
            }
            next = self.take(Some(context.waker()));
        }
        let Some(next) = next else { return Poll::Pending };
        turn.made_progress();
        Poll::Ready(next.transpose())
    }
}
