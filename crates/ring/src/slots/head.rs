//! [`Head`]: where a producer stands, and [`Claimed`], what it lends. Their invariants are those of
//! [`slots`](super).

use super::{Core, Cursor, Stage, slot};
use crate::{Closed, Number};
use aqueduct_base::sync::{Arc, atomic::Ordering, twin};
use std::{marker::PhantomData, mem::ManuallyDrop};

/// A producer's position. One of several owns what it has claimed; a sole one all that is free.
pub(crate) struct Head<T, N: Number> {
    core: Arc<Core<T>>,
    next: u64,
    /// Of several: the numbers below are claimed.
    limit: u64,
    /// The slots of numbers below are free, as far as it knows.
    free: u64,
    /// The heads' cursor.
    own: Arc<Cursor>,
    last: Stage,
    seat: usize,
    /// Shared between threads where the values may be, as what borrows it shows them.
    values: PhantomData<T>,
    number: PhantomData<fn() -> N>,
}

impl<T, N: Number> Head<T, N> {
    pub(super) fn new(core: &Arc<Core<T>>, last: Stage) -> Self {
        Self {
            core: core.clone(),
            next: 0,
            limit: 0,
            free: 0,
            own: core.cursors[0].clone(),
            last,
            seat: core.bell(core.bells.len() - 1).seat(),
            values: PhantomData,
            number: PhantomData,
        }
    }

    /// Another of several.
    pub(crate) fn another(&self) -> Self {
        assert!(N::SEVERAL);
        self.core.heads.fetch_add(1, Ordering::Relaxed);
        Self::new(&self.core, self.last.clone())
    }

    pub(crate) fn core(&self) -> &Arc<Core<T>> {
        &self.core
    }

    /// Where it waits: at which bell, and on which seat there.
    pub(crate) fn seat(&self) -> (usize, usize) {
        (self.core.bells.len() - 1, self.seat)
    }

    /// The first number that it does not own.
    #[inline(always)]
    fn end(&self) -> u64 {
        if N::SEVERAL { self.limit } else { self.free }
    }

    /// Claims so many numbers, or none. What one of several claimed before and did not publish is given up.
    #[inline(always)]
    pub(crate) fn claim(&mut self, count: usize) -> bool {
        let count = count as u64;
        if N::SEVERAL { self.claim_of_several(count) } else { self.reaches(self.next + count) }
    }

    /// The lowest of its numbers: of several, all that it claimed.
    ///
    /// # Panics
    ///
    /// If it has not so many.
    #[inline(always)]
    pub(crate) fn claimed(&mut self, count: usize) -> Claimed<'_, T, N> {
        assert!(self.next + count as u64 <= self.end(), "so many slots are claimed");
        Claimed { head: self, count }
    }

    fn claim_of_several(&mut self, count: u64) -> bool {
        self.give_up();
        let mut next = self.own.done.load(Ordering::Relaxed);
        loop {
            if !self.reaches(next + count) {
                // Others may have gone far ahead of what was read.
                let now = self.own.done.load(Ordering::Relaxed);
                if now == next {
                    return false;
                }
                next = now;
                continue;
            }
            let (claimed, end) = (&self.own.done, next + count);
            if twin::is("claim_in_two_steps") {
                claimed.store(end, Ordering::Relaxed);
                break;
            }
            // Relaxed: a number is a right and no message (1). What the slot held before was seen with
            // the cursors.
            let relaxed = Ordering::Relaxed;
            match claimed.compare_exchange_weak(next, end, relaxed, relaxed) {
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
        if limit <= self.free {
            return true;
        }
        self.free =
            self.last.lowest(twin::order("gate_relaxed", Ordering::Acquire, Ordering::Relaxed))
                + self.core.slots.len() as u64;
        limit <= self.free
    }

    /// Gives up what is claimed. What a sole one claimed is its next claim's.
    #[inline(always)]
    fn give_up(&mut self) {
        if N::SEVERAL && self.next < self.limit {
            self.stamp(0);
            self.core.ring(0);
        }
    }

    /// One of several makes its first `count` numbers visible, and the others as given up: others may
    /// have claimed behind them, so that they have to be passed.
    fn stamp(&mut self, count: u64) {
        let order = twin::order("stamp_relaxed", Ordering::Release, Ordering::Relaxed);
        for number in self.next..self.limit {
            let given_up = u64::from(number - self.next >= count);
            self.core.stamp(number).store((number + 1) << 1 | given_up, order);
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
        let several = || self.own.done.load(Ordering::Relaxed);
        let next = if N::SEVERAL { several() } else { self.next };
        (next + count as u64 > left + self.core.slots.len() as u64).then(|| self.core.closed())
    }
}

/// So many of a head's numbers, from its `next` on: it owns them.
pub(crate) struct Claimed<'p, T, N: Number> {
    head: &'p mut Head<T, N>,
    count: usize,
}

impl<T, N: Number> Claimed<'_, T, N> {
    /// How many there are.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// The first slot.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[inline(always)]
    pub(crate) fn first(&self) -> &T {
        assert!(self.count > 0, "a slot is claimed");
        let Head { core, next, .. } = &*self.head;
        // SAFETY: the number is the first of `count`, which is not 0; the head owns them (1, 2), as
        // `Head::claimed` has seen, and is borrowed as long as the reference lives (5).
        slot(&core.slots, *next).with(|value| unsafe { &*value })
    }

    /// The first slot.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[inline(always)]
    pub(crate) fn first_mut(&mut self) -> &mut T {
        assert!(self.count > 0, "a slot is claimed");
        let Head { core, next, .. } = &*self.head;
        // SAFETY: the number is the first of `count`, which is not 0; the head owns them (1, 2), as
        // `Head::claimed` has seen, and is mutably borrowed as long as the reference lives (5).
        slot(&core.slots, *next).with_mut(|value| unsafe { &mut *value })
    }

    /// All slots.
    #[inline(always)]
    pub(crate) fn slots_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let Head { core, next, .. } = &*self.head;
        let slots = &*core.slots;
        // SAFETY: each number is one of `count`, passed once; the head owns them (1, 2), as `Head::claimed`
        // has seen, and is mutably borrowed as long as the reference lives (5).
        (*next..*next + self.count as u64)
            .map(move |number| slot(slots, number).with_mut(|value| unsafe { &mut *value }))
    }

    /// Makes the first `count` numbers visible and gives up the others.
    ///
    /// # Panics
    ///
    /// If there are not so many; they are given up then.
    #[inline(always)]
    pub(crate) fn publish(self, count: usize) {
        assert!(count <= self.count, "more slots than are claimed");
        let head = &mut *ManuallyDrop::new(self).head;
        if N::SEVERAL {
            head.stamp(count as u64);
        } else {
            head.next += count as u64;
            let order = twin::order("publish_relaxed", Ordering::Release, Ordering::Relaxed);
            head.own.done.store(head.next, order);
        }
        head.core.ring(0);
    }
}

impl<T, N: Number> Drop for Claimed<'_, T, N> {
    #[inline(always)]
    fn drop(&mut self) {
        self.head.give_up();
    }
}

impl<T, N: Number> Drop for Head<T, N> {
    fn drop(&mut self) {
        // What a forgotten claim left.
        if N::SEVERAL {
            self.stamp(0);
        }
        let (bell, seat) = self.seat();
        // It goes last, as it may panic.
        let _waker = self.core.bell(bell).leave(seat);
        let order = twin::order("last_head_relaxed", Ordering::Release, Ordering::Relaxed);
        self.core.end(|| _ = self.core.heads.fetch_sub(1, order));
    }
}
