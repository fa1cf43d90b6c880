//! [`Op`]: an operation on its way.

use super::Ring;
use crate::sys::uring::{Done, Key};
use std::{fmt, io, task::Waker};

/// Makes what an operation gives of how it ended.
pub(super) type Finish<T> = fn(&Ring, Done) -> T;

/// An operation that gives a `T`: to [`wait`](Self::wait) for, or, with
/// feature `tokio`, a future for tasks within [`Ring::run_until`].
///
/// Dropping it has the kernel end the operation; see the [module's page](super).
#[must_use = "an operation that is dropped is given up"]
pub struct Op<T> {
    pub(super) ring: Ring,
    /// None when it is over.
    pub(super) key: Option<Key>,
    finish: Finish<T>,
}

impl<T> Op<T> {
    pub(super) fn new(ring: Ring, key: Key, finish: Finish<T>) -> Self {
        Self { ring, key: Some(key), finish }
    }

    /// Sleeps this thread until the operation has ended. Others go on meanwhile.
    ///
    /// # Panics
    ///
    /// When it has given its result already, as a future.
    #[must_use = "it may be an error"]
    pub fn wait(mut self) -> T {
        let ring = self.ring.clone();
        ring.block(|| self.take(None)).unwrap_or_else(|refused| self.fail(refused))
    }

    /// The result, if it is there; else `waker` is woken by it.
    pub(super) fn take(&mut self, waker: Option<&Waker>) -> Option<T> {
        let Some(key) = self.key else { panic!("an operation gives its result once") };
        // Cloning and dropping a waker is other people's code: without the ring.
        let mut waker = waker.cloned();
        let done = self.ring.core.borrow_mut().poll(key, &mut waker);
        // A block that is registered goes back before that.
        let done = done.map(|done| self.end(done));
        drop(waker);
        done
    }

    fn end(&mut self, done: Done) -> T {
        self.key = None;
        (self.finish)(&self.ring, done)
    }

    /// Gives the operation up, whatever has become of it.
    pub(super) fn fail(&mut self, refused: io::Error) -> T {
        self.give_up();
        self.end(Done::failed(refused))
    }

    fn give_up(&mut self) {
        let Some(key) = self.key.take() else { return };
        give_up(&self.ring, key);
    }
}

/// Has the operation end, at once if the kernel has not heard of it.
pub(super) fn give_up(ring: &Ring, key: Key) {
    let dropped = ring.core.borrow_mut().abandon(key);
    drop(dropped);
    // So that a socket's next bytes are not received for nobody. What is refused now goes with the
    // next call.
    let _ = ring.turn(0);
}

impl<T> Drop for Op<T> {
    fn drop(&mut self) {
        self.give_up();
    }
}

impl<T> fmt::Debug for Op<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Op").field("key", &self.key).finish_non_exhaustive()
    }
}
