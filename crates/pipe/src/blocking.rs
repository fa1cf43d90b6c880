//! Waiting by sleeping, for the halves' blocking twins.

use aqueduct_base::sync::{Condvar, Mutex};
use std::{
    mem,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
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

/// Sleeps this thread until there is a result.
pub(crate) fn block_on<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
    let signal = Arc::new(Signal::default());
    let waker = Waker::from(Arc::clone(&signal));
    loop {
        match poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => return done,
            Poll::Pending => signal.sleep(),
        }
    }
}
