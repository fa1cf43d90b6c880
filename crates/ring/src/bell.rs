//! [`Bell`]: those who wait for slots, and how.
//!
//! A waiter puts its waker down first and looks again afterwards; whoever makes slots visible does that
//! first and looks for wakers afterwards. A sequentially consistent fence between the two steps on both
//! sides makes one of them see the other.

use aqueduct_base::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering, fence},
    block_on, thread, twin,
};
use std::{
    hint, mem,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    task::{Context, Poll, Waker},
    thread::panicking,
};

/// How a ring waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wait {
    /// By looking again at once. The soonest, for threads that have a core of their own; a task is polled
    /// again and again.
    Spin,
    /// By letting other threads run in between.
    Yield,
    /// By sleeping until woken. It costs who publishes, or is done with slots, one fence each time (about
    /// 5 ns), and nothing else while nobody sleeps.
    #[default]
    Park,
}

/// Rings all of them, whatever a waker does.
pub(crate) fn ring_all(bells: &[Bell]) {
    struct Others<'b>(&'b [Bell]);
    impl Drop for Others<'_> {
        fn drop(&mut self) {
            ring_all(self.0);
        }
    }
    if let Some((first, others)) = bells.split_first() {
        let _others = Others(others);
        first.ring();
    }
}

/// One side of a place where slots are handed on: rung by those before it, heard by those behind.
pub(crate) struct Bell {
    wait: Wait,
    /// Somebody has put a waker down since it was last rung.
    heard: AtomicBool,
    /// One for each who may wait here.
    seats: Mutex<Vec<Seat>>,
}

#[derive(Default)]
struct Seat {
    taken: bool,
    waker: Option<Waker>,
}

impl Bell {
    pub(crate) fn new(wait: Wait) -> Self {
        Self { wait, heard: AtomicBool::new(false), seats: Mutex::new(Vec::new()) }
    }

    /// A place at which one can wait. May allocate.
    pub(crate) fn seat(&self) -> usize {
        let mut seats = self.seats.lock();
        let free = seats.iter().position(|seat| !seat.taken).unwrap_or_else(|| {
            seats.push(Seat::default());
            seats.len() - 1
        });
        seats[free].taken = true;
        free
    }

    /// Its holder is gone. Gives back what waker it left.
    pub(crate) fn leave(&self, seat: usize) -> Option<Waker> {
        mem::take(&mut self.seats.lock()[seat]).waker
    }

    /// Wakes all who sleep. Called after what they wait for became visible.
    #[inline(always)]
    pub(crate) fn ring(&self) {
        if !twin::is("bell_unfenced") {
            fence(Ordering::SeqCst);
        }
        if self.heard.load(Ordering::Relaxed) {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        let (mut seat, mut panicked) = (0, None);
        loop {
            let mut seats = self.seats.lock();
            if seat == 0 {
                // Who sits down from here on has raised it again.
                self.heard.store(false, Ordering::Relaxed);
            }
            let Some(place) = seats.get_mut(seat) else { break };
            let waker = place.waker.take();
            // A waker may do anything: not under the lock. One that panics keeps no other from its own.
            drop(seats);
            if let Some(waker) = waker
                && let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake()))
            {
                panicked = Some(payload);
            }
            seat += 1;
        }
        if let Some(payload) = panicked
            && !panicking()
        {
            resume_unwind(payload);
        }
    }

    /// Waits until `ready` gives something.
    pub(crate) fn poll<T>(
        &self,
        seat: usize,
        context: &mut Context<'_>,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Poll<T> {
        if let Some(done) = ready() {
            return Poll::Ready(done);
        }
        if self.wait != Wait::Park {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut waker = Some(context.waker().clone());
        {
            let mut seats = self.seats.lock();
            mem::swap(&mut seats[seat].waker, &mut waker);
            self.heard.store(true, Ordering::Relaxed);
        }
        // An earlier wait's, and not under the lock.
        drop(waker);
        if !twin::is("wait_unfenced") {
            fence(Ordering::SeqCst);
        }
        if twin::is("wait_looks_once") {
            return Poll::Pending;
        }
        let Some(done) = ready() else { return Poll::Pending };
        let waker = self.seats.lock()[seat].waker.take();
        drop(waker);
        Poll::Ready(done)
    }

    /// Waits until `ready` gives something, and keeps the thread meanwhile.
    #[cold]
    pub(crate) fn wait<T>(&self, seat: usize, mut ready: impl FnMut() -> Option<T>) -> T {
        /// Looks that a thread takes before it sleeps: so many cost less than to be woken.
        const LOOKS: usize = if cfg!(any(aqueduct_loom, aqueduct_shuttle)) { 0 } else { 100 };
        let mut looks = 0;
        loop {
            if let Some(done) = ready() {
                return done;
            }
            match self.wait {
                Wait::Yield => thread::yield_now(),
                Wait::Park if looks == LOOKS => break,
                Wait::Spin | Wait::Park => hint::spin_loop(),
            }
            looks += 1;
        }
        block_on(|context| self.poll(seat, context, &mut ready))
    }
}
