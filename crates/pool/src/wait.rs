//! Waiting for a block of a pool with a hard limit.
//!
//! A waiter puts its waker down first and looks again afterwards; whoever gives a block back makes it
//! visible first and looks for wakers afterwards. A sequentially consistent fence between the two
//! steps on both sides makes one of them see the other.

use crate::{GetError, Limit, core::Core};
use aqueduct_base::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering, fence},
    block_on, twin,
};
use aqueduct_slice::SliceMut;
use std::{
    collections::BTreeMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

/// The wakers of those who wait, in the order in which they came.
///
/// A block that comes back wakes one of them, who has its place in the list no more. It wakes the next
/// if it is dropped instead of served, if the block is of no use to it, and if it is served with a new
/// one: a large block that comes back is room for many small ones. Who is served with a block that came
/// back wakes nobody, since each of those woke one. So serving n of one size takes n log n.
///
/// The next is the next in the list: those before it have looked in vain since, or are awake.
pub(crate) struct Waiters {
    waiting: AtomicUsize,
    /// The numbers given out so far.
    numbers: AtomicUsize,
    wakers: Mutex<BTreeMap<usize, Waker>>,
}

impl Waiters {
    pub(crate) fn new() -> Self {
        Self {
            waiting: AtomicUsize::new(0),
            numbers: AtomicUsize::new(0),
            wakers: Mutex::new(BTreeMap::new()),
        }
    }

    /// Wakes the first who waits. Called after a block, or room for one, became visible.
    #[inline]
    pub(crate) fn wake(&self) {
        fence(Ordering::SeqCst);
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.wake_from(0);
        }
    }

    /// Wakes the first whose number is `from` or more.
    #[cold]
    fn wake_from(&self, mut from: usize) {
        let mut panicked = None;
        while let Some((number, waker)) = self.first_from(from) {
            // Never under the lock; and one that panics has woken nobody.
            match catch_unwind(AssertUnwindSafe(|| waker.wake())) {
                Ok(()) => break,
                Err(payload) => panicked = panicked.or(Some(payload)),
            }
            from = number + 1;
        }
        if let Some(payload) = panicked {
            resume_unwind(payload);
        }
    }

    fn first_from(&self, from: usize) -> Option<(usize, Waker)> {
        let mut wakers = self.wakers.lock();
        let number = *wakers.range(from..).next()?.0;
        wakers.remove_entry(&number)
    }

    fn enlist(&self) -> usize {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    fn put(&self, number: usize, waker: &Waker) {
        // Cloning and dropping a waker is the user's code: not under the lock.
        let waker = waker.clone();
        let old = self.wakers.lock().insert(number, waker);
        drop(old);
        fence(Ordering::SeqCst);
    }

    /// Takes the waker of `number` back; none if it was woken.
    fn withdraw(&self, number: usize) -> Option<Waker> {
        self.wakers.lock().remove(&number)
    }

    fn leave(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
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

    /// What there is without waiting, and whether it is a new block.
    fn try_get(&self) -> Poll<(Result<SliceMut, GetError>, bool)> {
        match self.core.find(self.len) {
            Err(GetError { limit: Limit::HardLimit(_), .. }) => Poll::Pending,
            Err(refused) => Poll::Ready((Err(refused), false)),
            Ok(((block, capacity), new)) => Poll::Ready((Ok(block.into_live(capacity)), new)),
        }
    }

    /// Sleeps this thread until there is a block.
    pub(crate) fn block(self) -> Result<SliceMut, GetError> {
        let mut this = pin!(self);
        block_on(|context| this.as_mut().poll(context))
    }
}

impl Future for GetAsync<'_> {
    type Output = Result<SliceMut, GetError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let waiters = &self.core.waiters;
        // Out of the list, so that a block that comes back from here on wakes another.
        let woken = self.number.is_some_and(|number| waiters.withdraw(number).is_none());
        if let Poll::Ready((done, new)) = self.try_get() {
            if let Some(number) = self.number.take() {
                waiters.leave();
                if woken && new && !twin::is("served_wakes_nobody") {
                    waiters.wake_from(number + 1);
                }
            }
            return Poll::Ready(done);
        }
        let number = *self.number.get_or_insert_with(|| waiters.enlist());
        waiters.put(number, context.waker());
        if twin::is("waiter_looks_once") {
            return Poll::Pending;
        }
        if let Poll::Ready((done, _)) = self.try_get() {
            // Woken before or in between, for this block or for another: somebody else may have use
            // for it.
            let woken = waiters.withdraw(number).is_none() || woken;
            self.number = None;
            waiters.leave();
            if woken {
                waiters.wake_from(0);
            }
            return Poll::Ready(done);
        }
        if woken {
            waiters.wake_from(number + 1);
        }
        Poll::Pending
    }
}

impl Drop for GetAsync<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let waiters = &self.core.waiters;
            waiters.leave();
            if waiters.withdraw(number).is_none() {
                waiters.wake_from(0); // woken, and not served
            }
        }
    }
}

impl fmt::Debug for GetAsync<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetAsync").field("len", &self.len).finish_non_exhaustive()
    }
}
