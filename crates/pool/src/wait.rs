//! Waiting for a block of a pool with a hard limit.
//!
//! A waiter puts its waker down first and looks again afterwards; whoever gives a block back makes it
//! visible first and looks for wakers afterwards. A sequentially consistent fence between the two
//! steps on both sides makes one of them see the other.

use crate::{GetError, Limit, core::Core};
use aqueduct_base::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering, fence},
    thread,
};
use aqueduct_slice::SliceMut;
use std::{
    fmt,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

/// The wakers of those who wait, each under its number.
pub(crate) struct Waiters {
    waiting: AtomicUsize,
    /// The numbers given out so far.
    numbers: AtomicUsize,
    wakers: Mutex<Vec<(usize, Waker)>>,
}

impl Waiters {
    pub(crate) fn new() -> Self {
        Self {
            waiting: AtomicUsize::new(0),
            numbers: AtomicUsize::new(0),
            wakers: Mutex::new(Vec::new()),
        }
    }

    /// Wakes all who wait: which of them can use what came back depends on its size. Called after a
    /// block, or room for one, became visible.
    #[inline]
    pub(crate) fn wake(&self) {
        fence(Ordering::SeqCst);
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.wake_all();
        }
    }

    #[cold]
    fn wake_all(&self) {
        let woken = std::mem::take(&mut *self.wakers.lock());
        // Their numbers leave `waiting` when they are polled again, or dropped.
        for (_, waker) in woken {
            waker.wake(); // never under the lock
        }
    }

    fn enlist(&self) -> usize {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    fn set(&self, number: usize, waker: &Waker) {
        let mut wakers = self.wakers.lock();
        match wakers.iter_mut().find(|(other, _)| *other == number) {
            Some((_, old)) => old.clone_from(waker),
            None => wakers.push((number, waker.clone())),
        }
        drop(wakers);
        fence(Ordering::SeqCst);
    }

    fn leave(&self, number: usize) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        let mut wakers = self.wakers.lock();
        let gone = wakers.iter().position(|(other, _)| *other == number);
        let gone = gone.map(|at| wakers.swap_remove(at));
        drop(wakers);
        drop(gone); // a waker's destructor is the user's code: not under the lock
    }
}

/// The future of [`Pool::get_async`](crate::Pool::get_async). Dropping it loses nothing.
#[must_use = "futures do nothing unless polled"]
pub struct GetAsync<'a> {
    core: &'static Core,
    len: usize,
    number: Option<usize>,
    /// The pool stays open while somebody waits.
    _pool: std::marker::PhantomData<&'a crate::Pool>,
}

impl GetAsync<'_> {
    pub(crate) fn new(core: &'static Core, len: usize) -> Self {
        Self { core, len, number: None, _pool: std::marker::PhantomData }
    }

    fn try_get(&self) -> Poll<Result<SliceMut, GetError>> {
        match self.core.get_slow(self.len) {
            Err(GetError { limit: Limit::HardLimit(_), .. }) => Poll::Pending,
            done => Poll::Ready(done.map(|(block, capacity)| block.into_live(capacity))),
        }
    }

    /// Sleeps this thread until there is a block.
    pub(crate) fn block(self) -> Result<SliceMut, GetError> {
        struct Unpark(thread::Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut this = pin!(self);
        loop {
            match this.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(done) => return done,
                Poll::Pending => thread::park(),
            }
        }
    }
}

impl Future for GetAsync<'_> {
    type Output = Result<SliceMut, GetError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(done) = self.try_get() {
            return Poll::Ready(done);
        }
        let core = self.core;
        let number = *self.number.get_or_insert_with(|| core.waiters.enlist());
        core.waiters.set(number, context.waker());
        self.try_get()
    }
}

impl Drop for GetAsync<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.core.waiters.leave(number);
        }
    }
}

impl fmt::Debug for GetAsync<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetAsync").field("len", &self.len).finish_non_exhaustive()
    }
}
