//! [`Place`]: where a consumer stands. Its invariants are those of [`slots`](super).

use super::{Core, Cursor, Slot, Stage, distance, place_of, slot};
use crate::{Access, Closed, Exclusive, Shared};
use aqueduct_base::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
    cell::UnsafeCell,
    twin,
};
use std::{marker::PhantomData, ops::Range};

/// What becomes a place.
pub(crate) struct Seed<T> {
    pub(super) core: Arc<Core<T>>,
    /// The stage that it is of, from 0.
    pub(super) stage: usize,
    /// Which cursor is its own, and which are those of the stage before.
    pub(super) own: usize,
    pub(super) before: Range<usize>,
    /// No other is at its stage.
    pub(super) alone: bool,
}

/// A consumer's position. Its numbers are those that are there to be taken.
pub(crate) struct Place<T, A> {
    core: Arc<Core<T>>,
    next: u64,
    limit: u64,
    /// The stage that it is of, from 0.
    stage: usize,
    own: Arc<Cursor>,
    before: Stage,
    /// How many cursors there are before its stage.
    earlier: usize,
    /// Right before it is one cursor, which says what is there: neither several heads nor several places.
    simple: bool,
    /// Several heads are right before it.
    stamped: bool,
    seat: usize,
    /// As a head's.
    values: PhantomData<T>,
    access: PhantomData<fn() -> A>,
}

impl<T, A: Access> Place<T, A> {
    /// # Panics
    ///
    /// If it is to write and is not alone.
    pub(crate) fn new(Seed { core, stage, own, before, alone }: Seed<T>) -> Self {
        assert!(alone || !A::WRITES, "who writes is alone");
        let stamped = stage == 0 && !core.stamps.is_empty();
        Self {
            next: 0,
            limit: 0,
            stage,
            own: core.cursors[own].clone(),
            earlier: before.end,
            simple: !stamped && before.len() == 1,
            before: core.stage(before),
            stamped,
            seat: core.bell(stage).seat(),
            core,
            values: PhantomData,
            access: PhantomData,
        }
    }

    pub(crate) fn core(&self) -> &Arc<Core<T>> {
        &self.core
    }

    /// Where it waits: at which bell, and on which seat there.
    pub(crate) fn seat(&self) -> (usize, usize) {
        (self.stage, self.seat)
    }

    /// Numbers that are there.
    #[inline(always)]
    pub(crate) fn owned(&self) -> usize {
        distance(self.next, self.limit)
    }

    /// Looks for more numbers. Whether there are any.
    #[inline(always)]
    pub(crate) fn look(&mut self) -> bool {
        let order = twin::order("cursor_relaxed", Ordering::Acquire, Ordering::Relaxed);
        self.limit =
            if self.simple { self.before.first.done.load(order) } else { self.look_around(order) };
        self.next < self.limit
    }

    /// Apart, so that a look at one cursor has small code.
    #[cold]
    #[inline(never)]
    fn look_around(&self, order: Ordering) -> u64 {
        if self.stamped { self.stamps() } else { self.before.lowest(order) }
    }

    /// The first number from `limit` on that is not published, among several heads.
    fn stamps(&self) -> u64 {
        let order = twin::order("stamped_relaxed", Ordering::Acquire, Ordering::Relaxed);
        let mut limit = self.limit;
        // A capacity ahead stands what is ours to give up.
        while self.core.stamp(limit).load(order) >> 1 == limit + 1 {
            limit += 1;
        }
        limit
    }

    /// Numbers that are there, at most so many.
    #[inline(always)]
    pub(crate) fn take(&mut self, most: usize) -> Taken<'_, T, A> {
        let end = if self.owned() <= most { self.limit } else { self.cut(most) };
        Taken { at: self.next, end, place: self }
    }

    /// Apart, so that the processor guesses rather than computes, and is not kept waiting by `next`.
    #[cold]
    fn cut(&self, most: usize) -> u64 {
        self.next + most as u64
    }

    /// Gives the numbers below `to` up to the next stage, or to the producers.
    #[inline(always)]
    fn advance(&mut self, to: u64) {
        debug_assert!(self.next <= to && to <= self.limit);
        self.next = to;
        let order = twin::order("advance_relaxed", Ordering::Release, Ordering::Relaxed);
        self.own.done.store(to, order);
        self.core.ring(self.stage + 1);
    }

    /// Why nothing will come any more, if that is so.
    #[cold]
    pub(crate) fn is_closed(&mut self) -> Option<Closed> {
        if !self.core.ending.load(Ordering::Acquire) {
            return None;
        }
        let none = self.core.heads.load(Ordering::Acquire) == 0;
        let published = none.then(|| self.core.cursors[0].done.load(Ordering::Relaxed));
        // Whatever a stage before left undone stays so.
        let end = published.into_iter().chain(self.core.left(self.earlier)).min()?;
        (!self.look() && self.next >= end).then(|| self.core.closed())
    }
}

impl<T, A> Drop for Place<T, A> {
    fn drop(&mut self) {
        // It goes last, as it may panic.
        let _waker = self.core.bell(self.stage).leave(self.seat);
        self.core.end(|| self.own.gone.store(true, Ordering::Release));
    }
}

/// Numbers of a place: those from `at` on are not passed yet. They are the place's own: `next`, `at`, `end`
/// and `limit` only go up in this order.
pub(crate) struct Taken<'c, T, A> {
    place: &'c mut Place<T, A>,
    at: u64,
    end: u64,
}

impl<T, A: Access> Taken<'_, T, A> {
    /// How many are not passed.
    #[inline(always)]
    pub(crate) fn left(&self) -> usize {
        distance(self.at, self.end)
    }

    #[inline(always)]
    fn walk(&mut self) -> Walk<'_, T> {
        let Core { slots, stamps, .. } = &*self.place.core;
        Walk { slots, stamps, at: &mut self.at, end: self.end }
    }

    /// Gives up those that were passed, if there are any and `may` says so.
    #[inline(always)]
    pub(crate) fn give_up(&mut self, may: impl FnOnce() -> bool) {
        if self.place.next < self.at && may() {
            self.place.advance(self.at);
        }
    }
}

impl<T: Sync> Taken<'_, T, Shared> {
    /// The slots that are left, to read.
    #[inline(always)]
    pub(crate) fn reads(&mut self) -> Reads<'_, T> {
        Reads(self.walk())
    }
}

impl<T> Taken<'_, T, Exclusive> {
    /// The slots that are left, to write.
    #[inline(always)]
    pub(crate) fn writes(&mut self) -> Writes<'_, T> {
        Writes(self.walk(), PhantomData)
    }
}

/// Numbers of a place that is borrowed, each of which is passed once.
struct Walk<'s, T> {
    slots: &'s [Slot<T>],
    /// None where there is one head.
    stamps: &'s [AtomicU64],
    /// Those below are passed.
    at: &'s mut u64,
    end: u64,
}

impl<'s, T> Walk<'s, T> {
    /// The next slot, but for those whose claims were given up: nothing is in them.
    #[inline(always)]
    fn next(&mut self) -> Option<&'s UnsafeCell<T>> {
        while *self.at < self.end {
            let number = *self.at;
            *self.at += 1;
            // Relaxed: the stamp was there before the number was its owner's.
            let given_up = |stamp: &AtomicU64| stamp.load(Ordering::Relaxed) & 1 == 1;
            if self.stamps.is_empty()
                || !self.stamps.get(place_of(number, self.stamps.len())).is_some_and(given_up)
            {
                return Some(slot(self.slots, number));
            }
        }
        None
    }

    fn most(&self) -> (usize, Option<usize>) {
        let most = distance(*self.at, self.end);
        (if self.stamps.is_empty() { most } else { 0 }, Some(most))
    }
}

/// Values to read, one after the other.
pub(crate) struct Reads<'s, T>(Walk<'s, T>);

impl<'s, T: Sync> Iterator for Reads<'s, T> {
    type Item = &'s T;

    #[inline(always)]
    fn next(&mut self) -> Option<&'s T> {
        // SAFETY: the place that is borrowed owns the number (3), and those beside it only read (4).
        self.0.next().map(|slot| slot.with(|value| unsafe { &*value }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.most()
    }
}

/// Values to write, one after the other.
pub(crate) struct Writes<'s, T>(Walk<'s, T>, PhantomData<&'s mut T>);

impl<'s, T> Iterator for Writes<'s, T> {
    type Item = &'s mut T;

    #[inline(always)]
    fn next(&mut self) -> Option<&'s mut T> {
        // SAFETY: the place that is mutably borrowed alone owns the number (3, 4), which is passed once.
        self.0.next().map(|slot| slot.with_mut(|value| unsafe { &mut *value }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.most()
    }
}
