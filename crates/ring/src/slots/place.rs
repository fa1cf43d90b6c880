//! [`Place`]: where a consumer stands. Its invariants are those of [`slots`](super).

use super::{Core, Cursor, Slot, Stage, distance, place_of, slot};
use crate::Closed;
use aqueduct_base::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
    cell::UnsafeCell,
    twin,
};
use std::{marker::PhantomData, ops::Range};

/// A consumer's position. Its numbers are those that are there to be taken.
pub(crate) struct Place<T> {
    core: Arc<Core<T>>,
    next: u64,
    limit: u64,
    /// The stage that it is of, from 0.
    stage: usize,
    own: Arc<Cursor>,
    before: Stage,
    /// How many cursors there are before its stage.
    earlier: usize,
    /// No other is at its stage.
    alone: bool,
    /// Several heads are right before it.
    stamped: bool,
    seat: usize,
    /// As a head's.
    values: PhantomData<T>,
}

impl<T> Place<T> {
    pub(super) fn new(
        core: &Arc<Core<T>>,
        stage: usize,
        own: usize,
        before: Range<usize>,
        alone: bool,
    ) -> Self {
        Self {
            core: core.clone(),
            next: 0,
            limit: 0,
            stage,
            own: core.cursors[own].clone(),
            earlier: before.end,
            before: core.stage(before),
            alone,
            stamped: stage == 0 && !core.stamps.is_empty(),
            seat: core.bell(stage).seat(),
            values: PhantomData,
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
        self.limit =
            if self.stamped { self.stamps() } else { self.before.lowest("cursor_relaxed") };
        self.next < self.limit
    }

    /// The first number from `limit` on that is not published, among several heads.
    #[inline(never)]
    fn stamps(&self) -> u64 {
        let order = twin::order("stamped_relaxed", Ordering::Acquire, Ordering::Relaxed);
        let mut limit = self.limit;
        // A capacity ahead stands what is ours to give up.
        while self.core.stamp(limit).load(order) >> 1 == limit + 1 {
            limit += 1;
        }
        limit
    }

    /// Numbers that are there, at most so many: where they begin and end.
    #[inline(always)]
    pub(crate) fn range(&self, most: usize) -> (u64, u64) {
        (self.next, if self.owned() <= most { self.limit } else { self.cut(most) })
    }

    /// Apart, so that the processor guesses rather than computes, and is not kept waiting by `next`.
    #[cold]
    fn cut(&self, most: usize) -> u64 {
        self.next + most as u64
    }

    /// The slots from `at` on, which counts on, up to `end`; to read.
    #[inline(always)]
    pub(crate) fn reads<'s>(&'s self, at: &'s mut u64, end: u64) -> Reads<'s, T>
    where
        T: Sync,
    {
        Reads(self.walk(at, end))
    }

    /// [`reads`](Self::reads), to write.
    #[inline(always)]
    pub(crate) fn writes<'s>(&'s mut self, at: &'s mut u64, end: u64) -> Writes<'s, T> {
        assert!(self.alone);
        Writes(self.walk(at, end), PhantomData)
    }

    #[inline(always)]
    fn walk<'s>(&'s self, at: &'s mut u64, end: u64) -> Walk<'s, T> {
        assert!(self.next <= *at && end <= self.limit);
        let Core { slots, stamps, .. } = &*self.core;
        Walk { slots, stamps, at, end }
    }

    /// Gives the numbers below `to` up to the next stage, or to the producers.
    #[inline(always)]
    pub(crate) fn advance(&mut self, to: u64) {
        assert!(self.next <= to && to <= self.limit);
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

impl<T> Drop for Place<T> {
    fn drop(&mut self) {
        // It goes last, as it may panic.
        let _waker = self.core.bell(self.stage).leave(self.seat);
        self.core.end(|| self.own.gone.store(true, Ordering::Release));
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
                || !given_up(&self.stamps[place_of(number, self.stamps.len())])
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
