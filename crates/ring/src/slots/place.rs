//! [`Place`]: where a consumer stands. Its invariants are those of [`slots`](super).

use super::{Core, distance};
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
    /// Its cursor.
    own: usize,
    /// The cursors of the stage before; none at the first.
    before: Range<usize>,
    /// No other is at its stage.
    alone: bool,
    seat: usize,
    /// As a head's.
    values: PhantomData<T>,
}

impl<T> Place<T> {
    pub(super) fn new(
        core: Arc<Core<T>>,
        stage: usize,
        own: usize,
        before: Range<usize>,
        alone: bool,
    ) -> Self {
        let seat = core.bell(stage).seat();
        Self { core, next: 0, limit: 0, stage, own, before, alone, seat, values: PhantomData }
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
        self.limit = if !self.before.is_empty() {
            self.core.lowest(&self.before, "cursor_relaxed")
        } else if self.core.stamps.is_empty() {
            let order = twin::order("published_relaxed", Ordering::Acquire, Ordering::Relaxed);
            self.core.published.0.load(order)
        } else {
            self.stamped()
        };
        self.next < self.limit
    }

    /// The first number from `limit` on that is not published, among several heads.
    fn stamped(&self) -> u64 {
        let order = twin::order("stamped_relaxed", Ordering::Acquire, Ordering::Relaxed);
        let mut limit = self.limit;
        // A capacity ahead stands what is ours to give up.
        while let Some(stamp) = self.core.stamp(limit) {
            if stamp.load(order) >> 1 != limit + 1 {
                break;
            }
            limit += 1;
        }
        limit
    }

    /// The slots of the first `count` numbers that are there, but for the first `seen` of them, which
    /// counts on; to read.
    #[inline(always)]
    pub(crate) fn reads<'s>(&'s self, count: usize, seen: &'s mut usize) -> Reads<'s, T>
    where
        T: Sync,
    {
        Reads(self.walk(count, seen))
    }

    /// [`reads`](Self::reads), to write.
    ///
    /// # Panics
    ///
    /// If others are at its stage.
    #[inline(always)]
    pub(crate) fn writes<'s>(&'s mut self, count: usize, seen: &'s mut usize) -> Writes<'s, T> {
        assert!(self.alone);
        Writes(self.walk(count, seen), PhantomData)
    }

    #[inline(always)]
    fn walk<'s>(&'s self, count: usize, seen: &'s mut usize) -> Walk<'s, T> {
        assert!(count <= self.owned());
        Walk { core: &self.core, first: self.next, count, seen }
    }

    /// Gives the first `count` numbers up to the next stage, or to the producers.
    #[inline(always)]
    pub(crate) fn advance(&mut self, count: usize) {
        assert!(count <= self.owned());
        self.next += count as u64;
        let order = twin::order("advance_relaxed", Ordering::Release, Ordering::Relaxed);
        self.core.cursors[self.own].0.done.store(self.next, order);
        self.core.ring(self.stage + 1);
    }

    /// Why nothing will come any more, if that is so.
    #[cold]
    pub(crate) fn is_closed(&mut self) -> Option<Closed> {
        if !self.core.ending.load(Ordering::Acquire) {
            return None;
        }
        let none = self.core.heads.load(Ordering::Acquire) == 0;
        let published = none.then(|| self.core.published.0.load(Ordering::Relaxed));
        // Whatever a stage before left undone stays so.
        let end = published.into_iter().chain(self.core.left(self.before.end)).min()?;
        (!self.look() && self.next >= end).then(|| self.core.closed())
    }
}

impl<T> Drop for Place<T> {
    fn drop(&mut self) {
        // It goes last, as it may panic.
        let _waker = self.core.bell(self.stage).leave(self.seat);
        let gone = &self.core.cursors[self.own].0.gone;
        self.core.end(|| gone.store(true, Ordering::Release));
    }
}

/// Numbers of a place that is borrowed, each of which is passed once.
struct Walk<'s, T> {
    core: &'s Core<T>,
    first: u64,
    count: usize,
    /// How many were passed.
    seen: &'s mut usize,
}

impl<'s, T> Walk<'s, T> {
    /// The next slot, but for those whose claims were given up: nothing is in them.
    #[inline(always)]
    fn next(&mut self) -> Option<&'s UnsafeCell<T>> {
        while *self.seen < self.count {
            let number = self.first + *self.seen as u64;
            *self.seen += 1;
            // Relaxed: the stamp was there before the number was its owner's.
            let given_up = |stamp: &AtomicU64| stamp.load(Ordering::Relaxed) & 1 == 1;
            if !self.core.stamp(number).is_some_and(given_up) {
                return Some(self.core.slot(number));
            }
        }
        None
    }

    fn most(&self) -> (usize, Option<usize>) {
        let most = self.count - *self.seen;
        (if self.core.stamps.is_empty() { most } else { 0 }, Some(most))
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
