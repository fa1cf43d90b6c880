//! Callbacks that panic at the k-th call, and values that must be dropped exactly once.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

/// Counts callbacks down and panics at the chosen one; shared by all values of a scenario.
///
/// Every callback of a user's type that the library may run calls [`Countdown::tick`]: `Drop`,
/// `Clone`, closures, iterators, wakers.
#[derive(Clone, Debug)]
pub struct Countdown {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    left: AtomicI64,
    /// How often the value with this index was dropped.
    drops: Mutex<Vec<u32>>,
}

/// What the panic of a countdown carries.
#[derive(Debug)]
struct Fired;

impl Countdown {
    /// A countdown whose callback number `k` (from 0) panics; a negative `k` never does.
    #[must_use]
    pub fn new(k: i64) -> Countdown {
        let left = AtomicI64::new(if k < 0 { i64::MAX } else { k });
        Countdown { shared: Arc::new(Shared { left, drops: Mutex::new(Vec::new()) }) }
    }

    /// One callback of the user. Panics at the k-th, without the panic hook's noise. While the
    /// thread already unwinds it only counts, since a second panic would abort.
    pub fn tick(&self) {
        if self.shared.left.fetch_sub(1, Ordering::Relaxed) == 0 && !std::thread::panicking() {
            resume_unwind(Box::new(Fired));
        }
    }

    /// What `f` returns; none when it is ended by the panic of a callback of ours.
    ///
    /// # Panics
    /// With any other panic of `f`.
    pub fn survive<R>(&self, f: impl FnOnce() -> R) -> Option<R> {
        match catch_unwind(AssertUnwindSafe(f)) {
            Ok(done) => Some(done),
            Err(payload) if payload.is::<Fired>() => None,
            Err(payload) => resume_unwind(payload),
        }
    }

    /// Whether the k-th callback was reached.
    #[must_use]
    pub fn fired(&self) -> bool {
        self.shared.left.load(Ordering::Relaxed) < 0
    }

    /// A value whose drop is recorded; it holds `bytes`.
    #[must_use]
    pub fn value(&self, bytes: Vec<u8>) -> Tracked {
        let mut drops = self.shared.drops.lock().unwrap_or_else(PoisonError::into_inner);
        drops.push(0);
        Tracked { countdown: self.clone(), index: drops.len() - 1, bytes }
    }

    /// A waker that is a [`value`](Self::value), too: it may panic when it wakes, and when it is dropped.
    #[must_use]
    pub fn waker(&self) -> Waker {
        Waker::from(Arc::new(self.value(Vec::new())))
    }

    /// How many values were made, and how many drops were seen.
    #[must_use]
    pub fn made_and_dropped(&self) -> (usize, usize) {
        let drops = self.shared.drops.lock().unwrap_or_else(PoisonError::into_inner);
        (drops.len(), drops.iter().map(|n| *n as usize).sum())
    }

    /// # Panics
    /// If a value is alive, or was dropped twice.
    pub fn assert_each_dropped_once(&self) {
        let drops = self.shared.drops.lock().unwrap_or_else(PoisonError::into_inner);
        for (i, n) in drops.iter().enumerate() {
            assert!(*n == 1, "value {i} of {} was dropped {n} times", drops.len());
        }
    }
}

/// A value made by [`Countdown::value`]: its `Clone`, `AsRef`, `Wake` and `Drop` are callbacks.
#[derive(Debug)]
pub struct Tracked {
    countdown: Countdown,
    index: usize,
    bytes: Vec<u8>,
}

impl Clone for Tracked {
    fn clone(&self) -> Tracked {
        self.countdown.tick();
        self.countdown.value(self.bytes.clone())
    }
}

impl AsRef<[u8]> for Tracked {
    fn as_ref(&self) -> &[u8] {
        self.countdown.tick();
        &self.bytes
    }
}

impl Wake for Tracked {
    fn wake(self: Arc<Self>) {
        self.countdown.tick();
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        let mut drops = self.countdown.shared.drops.lock().unwrap_or_else(PoisonError::into_inner);
        drops[self.index] += 1;
        drop(drops);
        self.countdown.tick();
    }
}

/// Runs `scenario` once for every k (under Miri for every fifth), until one run ends without reaching its k-th callback; after
/// each run every value must have been dropped exactly once. Returns the number of callbacks.
///
/// # Panics
/// If a value leaks or is dropped twice, or with the scenario's own panic.
pub fn for_every_k(mut scenario: impl FnMut(&Countdown)) -> usize {
    for k in (0..10_000).step_by(crate::stride(5)) {
        let countdown = Countdown::new(k);
        let ended = catch_unwind(AssertUnwindSafe(|| scenario(&countdown)));
        if let Err(payload) = ended
            && !payload.is::<Fired>()
        {
            resume_unwind(payload);
        }
        countdown.assert_each_dropped_once();
        if !countdown.fired() {
            let left = countdown.shared.left.load(Ordering::Relaxed);
            return usize::try_from(k - left).unwrap_or(0);
        }
    }
    panic!("the scenario makes ten thousand callbacks: it does not end");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_callback_gets_its_turn() {
        let calls = for_every_k(|c| {
            let a = c.value(vec![1]);
            let b = a.clone();
            assert_eq!(b.as_ref(), [1]);
        });
        assert_eq!(calls, 4, "clone, as_ref, two drops");
    }

    #[test]
    fn a_scenario_goes_on_after_the_callback_that_panics() {
        for_every_k(|c| {
            let value = c.value(vec![1]);
            let seen = c.survive(|| value.as_ref().to_vec()); // the first callback of two
            assert_eq!(seen.is_none(), c.fired());
        });
    }

    #[test]
    #[should_panic(expected = "value 0 of 1 was dropped 0 times")]
    fn a_leak_is_found() {
        // Within reach, so that a leak checker over this test has nothing to say.
        static KEPT: Mutex<Vec<Tracked>> = Mutex::new(Vec::new());
        for_every_k(|c| KEPT.lock().unwrap().push(c.value(Vec::new())));
    }
}
