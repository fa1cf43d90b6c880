//! A mutex that does not poison and a condition variable, over whichever locks are chosen.
//!
//! Poisoning is refused on purpose: every critical section of these crates prepares first and
//! commits last, so a panic inside one leaves a consistent value behind.

use crate::const_unless_model;
use core::{
    fmt,
    ops::{Deref, DerefMut},
};

#[cfg(aqueduct_loom)]
use loom::sync as imp;
#[cfg(all(feature = "parking_lot", not(any(aqueduct_loom, aqueduct_shuttle))))]
use parking_lot as imp;
#[cfg(all(aqueduct_shuttle, not(aqueduct_loom)))]
use shuttle::sync as imp;
#[cfg(not(any(feature = "parking_lot", aqueduct_loom, aqueduct_shuttle)))]
use std::sync as imp;

/// `parking_lot` answers with the guard itself, the others with a `LockResult` around it.
#[cfg(all(feature = "parking_lot", not(any(aqueduct_loom, aqueduct_shuttle))))]
fn unpoisoned<G>(guard: G) -> G {
    guard
}

#[cfg(not(all(feature = "parking_lot", not(any(aqueduct_loom, aqueduct_shuttle)))))]
fn unpoisoned<G>(result: Result<G, std::sync::PoisonError<G>>) -> G {
    result.unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A mutual exclusion lock for cold paths.
#[derive(Default)]
pub struct Mutex<T>(imp::Mutex<T>);

/// Access to what a [`Mutex`] holds, until it is dropped.
pub struct MutexGuard<'a, T>(imp::MutexGuard<'a, T>);

impl<T> Mutex<T> {
    const_unless_model! {
        /// A lock around `value`.
        #[must_use]
        pub fn new(value: T) -> Self {
            Self(imp::Mutex::new(value))
        }
    }

    /// Waits for the lock. A panic of an earlier holder is not reported.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(unpoisoned(self.0.lock()))
    }
}

impl<T> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MutexGuard").finish_non_exhaustive()
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// A condition variable beside a [`Mutex`].
#[derive(Default)]
pub struct Condvar(imp::Condvar);

impl Condvar {
    const_unless_model! {
        /// A condition variable that nobody waits on.
        #[must_use]
        pub fn new() -> Self {
            Self(imp::Condvar::new())
        }
    }

    /// Gives the lock up, sleeps until notified (or for no reason at all), and takes it again.
    #[cfg(all(feature = "parking_lot", not(any(aqueduct_loom, aqueduct_shuttle))))]
    pub fn wait<'a, T>(&self, mut guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(&mut guard.0);
        guard
    }

    /// Gives the lock up, sleeps until notified (or for no reason at all), and takes it again.
    #[cfg(not(all(feature = "parking_lot", not(any(aqueduct_loom, aqueduct_shuttle)))))]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        MutexGuard(unpoisoned(self.0.wait(guard.0)))
    }

    /// Wakes all who wait.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(any(aqueduct_loom, aqueduct_shuttle))))]
mod tests {
    use super::{Condvar, Mutex};
    use std::thread;

    /// Whoever panicked while holding it, those that wait, and those that come, go on.
    #[test]
    fn a_lock_is_not_poisoned() {
        let (value, changed) = (Mutex::new(0), Condvar::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut guard = value.lock();
                while *guard == 0 {
                    guard = changed.wait(guard);
                }
                *guard += 1;
            });
            let panicked = scope.spawn(|| {
                let mut guard = value.lock();
                *guard = 1;
                changed.notify_all();
                panic!("while it holds the lock");
            });
            assert!(panicked.join().is_err());
        });
        assert_eq!(*value.lock(), 2);
    }
}
