//! Waiting for a poll by sleeping.

use super::{Condvar, Mutex};
use alloc::{sync::Arc, task::Wake};
use core::{
    mem,
    task::{Context, Poll, Waker},
};

/// Whether there was a wake-up since the last sleep.
#[derive(Default)]
struct Signal {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    fn sleep(&self) {
        let mut woken = self.woken.lock();
        while !mem::take(&mut *woken) {
            woken = self.changed.wait(woken);
        }
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        *self.woken.lock() = true;
        self.changed.notify_all();
    }
}

/// Sleeps this thread until there is a result. Allocates once per thread.
pub fn block_on<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
    // A wait within a poll gets a signal of its own, so that it takes no wake-up from the outer one.
    let signal = spare::take();
    let waker = Waker::from(Arc::clone(&signal));
    loop {
        match poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => {
                spare::put(signal);
                return done;
            }
            Poll::Pending => signal.sleep(),
        }
    }
}

/// This thread's signal while it does not wait. A wake-up that comes late ends a sleep for nothing.
#[cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
mod spare {
    use super::{Arc, Signal};
    use core::cell::Cell;
    use std::thread_local;

    thread_local!(static SPARE: Cell<Option<Arc<Signal>>> = const { Cell::new(None) });

    pub(super) fn take() -> Arc<Signal> {
        // None while the thread ends.
        SPARE.try_with(Cell::take).ok().flatten().unwrap_or_default()
    }

    pub(super) fn put(signal: Arc<Signal>) {
        let _ = SPARE.try_with(|spare| spare.set(Some(signal)));
    }
}

/// A model's threads begin anew each time.
#[cfg(any(aqueduct_loom, aqueduct_shuttle))]
mod spare {
    use super::{Arc, Signal};

    pub(super) fn take() -> Arc<Signal> {
        Arc::default()
    }

    pub(super) fn put(_: Arc<Signal>) {}
}
