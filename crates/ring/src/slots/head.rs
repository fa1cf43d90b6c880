//! [`Head`]: where a producer stands. Its invariants are those of [`slots`](super).

use super::{Core, distance};
use crate::Closed;
use aqueduct_base::sync::{Arc, atomic::Ordering, twin};
use std::{marker::PhantomData, ops::Range};

/// A producer's position. Its numbers are those that it has claimed.
pub(crate) struct Head<T> {
    core: Arc<Core<T>>,
    next: u64,
    limit: u64,
    /// The lowest cursor of the last stage when it was last read.
    gate: u64,
    last: Range<usize>,
    /// One of several.
    several: bool,
    seat: usize,
    /// Shared between threads where the values may be, as what borrows it shows them.
    values: PhantomData<T>,
}

impl<T> Head<T> {
    pub(super) fn new(core: Arc<Core<T>>, last: Range<usize>, several: bool) -> Self {
        let seat = core.bell(core.bells.len() - 1).seat();
        Self { core, next: 0, limit: 0, gate: 0, last, several, seat, values: PhantomData }
    }

    /// Another of several.
    pub(crate) fn another(&self) -> Self {
        assert!(self.several);
        self.core.heads.fetch_add(1, Ordering::Relaxed);
        Self::new(self.core.clone(), self.last.clone(), true)
    }

    pub(crate) fn core(&self) -> &Arc<Core<T>> {
        &self.core
    }

    /// Where it waits: at which bell, and on which seat there.
    pub(crate) fn seat(&self) -> (usize, usize) {
        (self.core.bells.len() - 1, self.seat)
    }

    /// Numbers that it owns.
    #[inline(always)]
    pub(crate) fn owned(&self) -> usize {
        distance(self.next, self.limit)
    }

    /// Claims so many numbers, or none. What was claimed before and not published is given up.
    #[inline(always)]
    pub(crate) fn claim(&mut self, count: usize) -> bool {
        let count = count as u64;
        if self.several {
            return self.claim_of_several(count);
        }
        let limit = self.next + count;
        if !self.reaches(limit) {
            return false;
        }
        self.limit = limit;
        true
    }

    fn claim_of_several(&mut self, count: u64) -> bool {
        self.give_up();
        let mut next = self.core.published.0.load(Ordering::Relaxed);
        loop {
            if !self.reaches(next + count) {
                // Others may have gone far ahead of what was read.
                let now = self.core.published.0.load(Ordering::Relaxed);
                if now == next {
                    return false;
                }
                next = now;
                continue;
            }
            let claimed = &self.core.published.0;
            if twin::is("claim_in_two_steps") {
                claimed.store(next + count, Ordering::Relaxed);
                break;
            }
            // Relaxed: a number is a right and no message (1). What the slot held before was seen with
            // the cursors.
            let relaxed = Ordering::Relaxed;
            match claimed.compare_exchange_weak(next, next + count, relaxed, relaxed) {
                Ok(_) => break,
                Err(now) => next = now,
            }
        }
        (self.next, self.limit) = (next, next + count);
        true
    }

    /// Whether all stages are done with the slots of all numbers below `limit`.
    #[inline(always)]
    fn reaches(&mut self, limit: u64) -> bool {
        let capacity = self.core.mask + 1;
        if limit <= self.gate + capacity {
            return true;
        }
        self.gate = self.core.lowest(&self.last, "gate_relaxed");
        limit <= self.gate + capacity
    }

    /// The first slot that is claimed.
    #[inline(always)]
    pub(crate) fn first(&self) -> &T {
        assert!(self.owned() > 0, "a slot is claimed");
        // SAFETY: this head owns the number (1, 2), and is borrowed as long as the reference lives (5).
        self.core.slot(self.next).with(|value| unsafe { &*value })
    }

    /// The first slot that is claimed.
    #[inline(always)]
    pub(crate) fn first_mut(&mut self) -> &mut T {
        assert!(self.owned() > 0, "a slot is claimed");
        // SAFETY: this head owns the number (1, 2), and is borrowed as long as the reference lives (5).
        self.core.slot(self.next).with_mut(|value| unsafe { &mut *value })
    }

    /// All slots that are claimed.
    #[inline(always)]
    pub(crate) fn slots_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let Self { core, next, limit, .. } = self;
        // SAFETY: this head owns the number (1, 2), which is passed once, and is borrowed as long as the
        // reference lives (5).
        (*next..*limit).map(|number| core.slot(number).with_mut(|value| unsafe { &mut *value }))
    }

    /// Makes the first `count` numbers visible and gives up the others.
    ///
    /// # Panics
    ///
    /// If there are not so many.
    #[inline(always)]
    pub(crate) fn publish(&mut self, count: usize) {
        assert!(count <= self.owned(), "{count} slots of {} claimed", self.owned());
        if self.several {
            self.stamp(count as u64);
        } else {
            self.next += count as u64;
            self.limit = self.next;
            let order = twin::order("publish_relaxed", Ordering::Release, Ordering::Relaxed);
            self.core.published.0.store(self.next, order);
        }
        self.core.ring(0);
    }

    /// Gives up what is claimed.
    #[inline(always)]
    pub(crate) fn give_up(&mut self) {
        if self.next == self.limit {
            return;
        }
        if self.several {
            self.stamp(0);
            self.core.ring(0);
        } else {
            self.limit = self.next;
        }
    }

    /// One of several makes its first `count` numbers visible, and the others as given up: others may
    /// have claimed behind them, so that they have to be passed.
    fn stamp(&mut self, count: u64) {
        let order = twin::order("stamp_relaxed", Ordering::Release, Ordering::Relaxed);
        for number in self.next..self.limit {
            let given_up = u64::from(number - self.next >= count);
            if let Some(stamp) = self.core.stamp(number) {
                stamp.store((number + 1) << 1 | given_up, order);
            }
        }
        self.next = self.limit;
    }

    /// Why so many will never be there to be claimed, if that is so: a consumer is gone, and all that
    /// those behind it can still be done with is too little.
    #[cold]
    pub(crate) fn is_closed(&self, count: usize) -> Option<Closed> {
        if !self.core.ending.load(Ordering::Acquire) {
            return None;
        }
        let left = self.core.left(self.core.cursors.len())?;
        let several = || self.core.published.0.load(Ordering::Relaxed);
        let next = if self.several { several() } else { self.next };
        (next + count as u64 > left + self.core.mask + 1).then(|| self.core.closed())
    }
}

impl<T> Drop for Head<T> {
    fn drop(&mut self) {
        // What a forgotten claim left.
        if self.several {
            self.stamp(0);
        }
        let (bell, seat) = self.seat();
        // It goes last, as it may panic.
        let _waker = self.core.bell(bell).leave(seat);
        let order = twin::order("last_head_relaxed", Ordering::Release, Ordering::Relaxed);
        self.core.end(|| _ = self.core.heads.fetch_sub(1, order));
    }
}
